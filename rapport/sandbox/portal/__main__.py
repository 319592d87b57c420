"""Start the portal: `python -m rapport.sandbox.portal --home DIR`."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from datetime import date
from pathlib import Path
from types import FrameType

import pyotp
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from rapport.sandbox.portal.idp import make_idp
from rapport.sandbox.portal.saml import ensure_key
from rapport.sandbox.portal.seed import fill
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.web import make_app

USERS = (
    ("robin", "Robin Sender", "all", "totp"), ("dana", "Dana Desk", "desk", "sms"), ("carol", "Carol Notes", "clinical", "email"),
    ("nick", "Nick Plain", "all", "none"), ("pia", "Pia Push", "all", "push"), ("sam", "Sam Single", "all", "sso"),
    ("abe", "Abe Accounts", "accounts", "none"), ("uma", "Uma Users", "admin", "none"), ("tess", "Tess Therapist", "clinical", "none"),
    ("dora", "Dora Desk", "desk", "none"),
)  # fmt: skip
"""Login, name, role and second factor; passwords are made up and kept."""


class Quiet(WSGIRequestHandler):
    """The portal keeps its own log of requests; nothing of them goes to the terminal."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def people(store: Store) -> None:
    """Make the portal's users, with passwords and secrets of their own."""
    for login, name, role, factor in USERS:
        if store.one("SELECT login FROM user WHERE login = ?", (login,)) is None:
            store.run(
                "INSERT INTO user (login, password, name, role, factor, totp_secret, phone) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (login, secrets.token_urlsafe(12), name, role, factor, pyotp.random_base32(), "503-555-0142"),
            )


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until told to stop. :return: the exit code"""
    parser = argparse.ArgumentParser(prog="python -m rapport.sandbox.portal", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the state")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--idp-port", type=int, default=0, help="of the identity provider; 0 takes a free port")
    parser.add_argument("--patients", type=int, default=132, help="how many, in an empty home")
    parser.add_argument("--today", type=date.fromisoformat, default=None, help="day that the visits lie around")
    options = parser.parse_args(arguments)
    options.home.mkdir(parents=True, exist_ok=True)
    store = Store(options.home / "portal.sqlite3")
    fill(store, patients=options.patients, today=options.today or date.today())  # noqa: DTZ011 - the day here
    people(store)
    ensure_key(store)
    key = store.setting("control_key") or secrets.token_urlsafe(24)
    store.put_setting("control_key", key)
    try:
        portal = make_server("127.0.0.1", options.port, Flask(__name__), threaded=True, request_handler=Quiet)
        provider = make_server("127.0.0.1", options.idp_port, Flask(__name__), threaded=True, request_handler=Quiet)
    except (OSError, SystemExit) as problem:
        print(f"cannot start: {problem}", file=sys.stderr)
        return 1
    # Each has to know the other's address, which is known once both have their ports; `localhost` is
    # another host than 127.0.0.1, so that neither gets the other's cookies.
    url, idp_url = f"http://127.0.0.1:{portal.server_port}", f"http://localhost:{provider.server_port}"
    portal.app = make_app(store, control_key=key, idp_url=idp_url)
    provider.app = make_idp(store, portal_url=url)
    file = options.home / "ready.json"
    ready = {
        "url": url, "idp_url": idp_url, "control_key": key, "practice_code": store.setting("practice_code", "FERN"),
        "users": {row["login"]: row for row in store.rows("SELECT login, password, role, factor, totp_secret FROM user")},
    }  # fmt: skip
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(ready, out)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    print(json.dumps({"url": url, "idp_url": idp_url, "ready": str(file)}), flush=True)

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        portal.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
