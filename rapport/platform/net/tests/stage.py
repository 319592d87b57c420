"""
A network of its own with a listener on every forbidden address; run inside a private namespace.

`unshare --net python -m rapport.platform.net.tests.stage` prints, as JSON, which listeners a naive
client reached (the control) and which the guarded client reached (there must be none). A listener
counts connections, so a hit is a hit even when nothing is said. Nothing can leave: the stage
refuses to play where there is a route.
"""

from __future__ import annotations

import http.server
import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings

from rapport.platform.net import guarded
from rapport.platform.net.tests.certificates import Authority

FORBIDDEN = (
    "127.0.0.1", "10.0.0.5", "172.16.0.9", "192.168.0.9", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "192.0.0.192", "192.88.99.1", "198.18.0.1", "203.0.113.7", "::1",
    "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "fec0::1",
    "2001::1", "2001:db8::7", "3fff::7",
)  # fmt: skip
DISGUISED = ("::ffff:169.254.169.254", "::ffff:10.0.0.5", "::169.254.169.254")
"""Ways to write an IPv4 address as an IPv6 one."""
PUBLIC = "93.184.216.34"
NAME = "hooks.example.org"


def url_of(address: str, scheme: str = "https") -> str:
    """Return the address as a URL's host."""
    return f"{scheme}://[{address}]/" if ":" in address else f"{scheme}://{address}/"


class Canaries:
    """Listeners that remember who was called."""

    def __init__(self) -> None:
        self.hits: set[str] = set()

    def listen(self, address: str, port: int) -> None:
        """Accept on one address; close each connection at once."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = socket.create_server((address, port), family=family)

        def accept() -> None:
            while True:
                caller, _ = server.accept()
                self.hits.add(address)
                caller.close()

        threading.Thread(target=accept, daemon=True).start()

    def reached_by(self, act: Callable[[], Any]) -> list[str]:
        """Do something; return the addresses that were called meanwhile."""
        self.hits.clear()
        act()
        return sorted(self.hits)


def _receiver(authority: Authority) -> list[str]:
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            seen.append(f"{self.headers['host']}{self.path}")
            moved = self.path.startswith("/moved")
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("location", url_of("169.254.169.254", "http"))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer((PUBLIC, 443), Handler)
    server.socket = authority.server_context(NAME).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return seen


def _outcome(url: str, **options: Any) -> str:
    try:
        return str(guarded.post(url, body=b"{}", headers={}, timeout=3, **options).status)
    except (guarded.UrlNotAllowed, guarded.BlockedAddress, guarded.SendFailed) as error:
        return type(error).__name__


def _naive() -> None:
    for address in FORBIDDEN:
        try:
            httpx.post(url_of(address, "http"), content=b"{}", timeout=3, trust_env=False)
        except httpx.HTTPError:
            continue  # the listener hangs up; that it was called is what counts


def main() -> None:
    """Set the stage, play, and print what happened."""
    routes = Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]
    if routes:
        sys.exit("this network has a way out: refusing to play")
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.dummy"}})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    canaries = Canaries()
    for address in (*FORBIDDEN, PUBLIC):
        if not ipaddress.ip_address(address).is_loopback:
            width = "128" if ":" in address else "32"
            line = ["ip", "addr", "add", f"{address}/{width}", "dev", "lo"]
            subprocess.run([*line, "nodad"] if ":" in address else line, check=True)
    for address in FORBIDDEN:
        for port in (80, 443):
            canaries.listen(address, port)
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        seen = _receiver(authority)
        trust: dict[str, Any] = {"tls": authority.client_context()}
        outcomes: dict[str, list[str]] = {"literal": [], "resolved": []}

        def literals() -> None:
            for address in (*FORBIDDEN, *DISGUISED):
                outcomes["literal"] += [
                    _outcome(url_of(address)),
                    _outcome(url_of(address, "http")),
                ]

        def names() -> None:
            for address in (*FORBIDDEN, *DISGUISED):
                for answers in ([address], [PUBLIC, address]):
                    outcomes["resolved"].append(
                        _outcome(f"https://{NAME}/in", resolve=lambda *_, a=answers: a, **trust)
                    )

        def rebinding() -> None:
            answers = iter([[PUBLIC], ["127.0.0.1"], ["10.0.0.5"]])
            outcomes["rebinding"] = [
                _outcome(f"https://{NAME}/in", resolve=lambda *_: next(answers), **trust)
                for _ in range(3)
            ]

        def redirect() -> None:
            outcomes["redirect"] = [
                _outcome(f"https://{NAME}/moved", resolve=lambda *_: [PUBLIC], **trust)
            ]

        def proxy() -> None:
            for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                os.environ[variable] = os.environ[variable.lower()] = url_of("10.0.0.5", "http")
            outcomes["proxy"] = [
                _outcome(f"https://{NAME}/in", resolve=lambda *_: [PUBLIC], **trust)
            ]

        reached = {
            act.__name__: canaries.reached_by(act)
            for act in (literals, names, rebinding, redirect, proxy)
        }
        naive = canaries.reached_by(_naive)
    played = {"naive": naive, "guarded": reached, "outcomes": outcomes, "seen": seen}
    sys.stdout.write(json.dumps(played))


if __name__ == "__main__":
    main()
