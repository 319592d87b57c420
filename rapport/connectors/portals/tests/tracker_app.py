"""
Roundup over a folder, for tests: run by the interpreter of an environment that has it, never by ours.

    python tracker_app.py HOME PORT TEMPLATE < users.json

The first time it makes the tracker of that template, as its own command does, with people and issues in it. The
users are `[{"username": …, "password": …, "role": …}]`. It lies below /practice/, as where one host serves several.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.util import shift_path_info

UNDER = "practice"
FIRST = "Ada Ben Cleo Dov Edie Finn Gus Hana Ivo Jun Kai Lena Milo Nora Otis Pia Quin Rosa Sam Tess".split()
LAST = "Albrook Birch Cotton Dunmore Ellery Fenwick Garrow Holt Ingram Jessop Kestrel".split()
PEOPLE, ISSUES = 112, 64


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def made(home: Path, web: str, template: str) -> None:
    """Make a tracker as its administrator would: install, say where it is, initialise."""
    admin = [str(Path(sys.executable).with_name("roundup-admin")), "-i", str(home)]
    subprocess.run([*admin, "install", template, "sqlite"], check=True, capture_output=True)
    config = home / "config.ini"
    text = config.read_text("utf-8")
    for name, value in (("web", web), ("domain", "example.org"), ("host", "localhost")):
        text = re.sub(rf"(?m)^#?{name} = .*$", f"{name} = {value}", text)
    config.write_text(text, "utf-8")
    subprocess.run([*admin, "initialise", "never-used-for-anything"], check=True, capture_output=True)


def filled(home: Path, users: list[dict[str, str]]) -> None:
    """Put people and issues into it."""
    from roundup import instance  # type: ignore[import-not-found]  # in the tracker's own environment
    from roundup.password import Password  # type: ignore[import-not-found]  # in the tracker's own environment

    db = instance.open(str(home)).open("admin")
    nobody = Password("none of them signs in", config=db.config)
    for number in range(PEOPLE):
        first, last = FIRST[number % len(FIRST)], LAST[(number * 7) % len(LAST)]
        middle = " Marie" if number % 9 == 0 else ""
        db.user.create(
            username=f"{first.lower()}.{last.lower()}.{number}", realname=f"{first}{middle} {last}", organisation="Fernbrook" if number % 3 else "Elm House",
            address=f"{first.lower()}{number}@fernbrook.example", phone=f"(415) 555-{number + 100:04}" if number % 5 else "", password=nobody, roles="User",
        )  # fmt: skip
    for one in users:
        db.user.create(
            username=one["username"], realname=f"{one['username'].title()} Connector", address=f"{one['username']}@fernbrook.example",
            password=Password(one["password"], config=db.config), roles=one["role"],
        )  # fmt: skip
    for number in range(ISSUES if "issue" in db.classes else 0):
        db.issue.create(title=f"Letter {number:03} to the referring doctor", priority=str(number % 5 + 1), status=str(number % 8 + 1), assignedto=str(3 + number))
    db.commit()
    db.close()


def main() -> None:
    from roundup.cgi.wsgi_handler import RequestDispatcher  # type: ignore[import-not-found]  # in the tracker's own environment

    home, port, template = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if not (home / "config.ini").exists():
        made(home, f"http://127.0.0.1:{port}/{UNDER}/", template)
        filled(home, json.load(sys.stdin))
    tracker = RequestDispatcher(str(home))

    def below(environ: dict[str, str], start: object) -> object:
        if shift_path_info(environ) == UNDER:
            return tracker(environ, start)
        start("404 Not Found", [("Content-Type", "text/plain")])  # type: ignore[operator]  # wsgi, untyped here
        return [b"Nothing lies here."]

    server = make_server("127.0.0.1", port, below, _Server, _Quiet)  # type: ignore[arg-type]  # as above
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
