"""
A portal that none of us wrote: Roundup, installed from the package registry into an environment of its own.

    python -m rapport.connectors.portals.tests.tracker      writes the cassettes beside the definition anew
"""

from __future__ import annotations

import json
import secrets
import socket
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapport.connectors.portals import cassette, loader
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.kit import capture, files, recording
from rapport.connectors.portals.tests.live import now
from rapport.rooms.exchange.ports import Got, SignedIn, Target, Trouble

NAME = "roundup"
PINNED = "roundup==2.6.0 --hash=sha256:12fd8fb806047415f22131f965c6ab4026a28dc63f7054e055c8f891950591d4"
ROLES = {"rapport": "User", "keeper": "Admin", "guest": "Anonymous"}
CASSETTES = loader.FOLDER / NAME / "cassettes"
ISSUES = "columns=id,title,status,priority,creator,assignedto&@sort=id"
WALK = {
    "clinicians": ("/user?@template=index&@sort=id&@pagesize=50&@startwith=0", "/user?@startwith=50&@pagesize=50&@sort=id", "/user?@startwith=100&@pagesize=50&@sort=id"),
    "issues": (f"/issue?@{ISSUES}&@pagesize=50&@startwith=0", f"/issue?@startwith=50&@pagesize=50&@{ISSUES}", f"/issue?@{ISSUES}&@pagesize=50&@filter=title&title=zzzz"),
    "forms": ("/issue?@template=item", "/user?@template=item"),
}
"""Cassette -> what is opened for it, as the definition asks for it and as its own links lead on."""
KEEP = ("index", "issue", "user", "item", "username", "title", "filter", "search", "register", "list")
WORDS = ("critical", "urgent", "bug", "feature", "wish", "unread", "deferred", "chatting", "need-eg", "in-progress", "testing", "done-cbb", "resolved", "- no selection -")
_APP = Path(__file__).with_name("tracker_app.py")


class NotInstalled(Exception):
    """The registry could not be reached, or does not have it any more."""


def installed(folder: Path) -> Path:
    """
    Return an interpreter that has Roundup, in an environment of its own.

    :raises NotInstalled: it could not be fetched
    """
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    (folder / "pinned.txt").write_text(PINNED + "\n")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(folder / "pinned.txt")]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise NotInstalled(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")
    return folder / "bin" / "python"


@dataclass
class Tracker:
    """A tracker that runs."""

    python: Path
    home: Path
    template: str = "classic"
    users: dict[str, str] = field(init=False)
    url: str = field(init=False)
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.users = {name: secrets.token_urlsafe(12) for name in ROLES}
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/practice/"
        self.process = subprocess.Popen(
            [str(self.python), "-W", "ignore", str(_APP), str(self.home), str(port), self.template],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([{"username": name, "password": self.users[name], "role": role} for name, role in ROLES.items()]))
        self.process.stdin.close()
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(10)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return its own rows of a class, with the names of its own columns."""
        with closing(sqlite3.connect(self.home / "db" / "db")) as db:
            db.row_factory = sqlite3.Row
            found = db.execute(f"SELECT * FROM _{table} WHERE __retired__ = 0 ORDER BY id")
            return [{name.lstrip("_"): row[name] for name in row.keys()} for row in found]

    def change(self, statement: str) -> None:
        """Change its own tables behind its back."""
        with closing(sqlite3.connect(self.home / "db" / "db", timeout=10)) as db:
            db.execute(statement)
            db.commit()

    def forget_sessions(self) -> None:
        """End every session, as a restart with another store would."""
        with closing(sqlite3.connect(self.home / "db" / "db-session", timeout=10)) as db:
            db.execute("DELETE FROM sessions")
            db.commit()


@dataclass
class Visit:
    """A driver in front of a tracker."""

    tracker: Tracker
    driver: PortalDriver = field(default_factory=lambda: PortalDriver(local=True))
    calibration: dict[str, Any] = field(default_factory=dict)
    pace: Any = None

    def target(self, user: str = "rapport", password: str = "") -> Target:
        """Return it as one of its users."""
        given = password or self.tracker.users[user]
        return Target(NAME, self.tracker.url, {"username": user}, {"password": given}, self.calibration, self.pace)

    def sign_in(self, user: str = "rapport") -> bytes:
        """Sign in with a real browser. :return: the session"""
        found = self.driver.sign_in(self.target(user), now=now())
        assert isinstance(found, SignedIn), found
        own = next(one["id"] for one in self.tracker.rows("user") if one["username"] == user)
        assert found.subject == f"user{own}"
        return found.session

    def read(self, ability: str, session: bytes, **given: str) -> Got | Trouble:
        """Read a list."""
        return self.driver.read(self.target(), ability=ability, given=given, session=session, baseline=None, now=now())


def write_cassettes(folder: Path = CASSETTES) -> None:
    """Record what the definition reads, with the kit and without anybody's data."""
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        running = Tracker(installed(here / "venv"), here / "home")
        try:
            addresses = [one for some in WALK.values() for one in some]
            captured = capture.walk(
                f"{running.url}index", addresses, base_url=running.url, typed={"__login_name": "rapport"}, password=running.users["rapport"]
            )
            people = [one[name] for one in running.rows("user") for name in ("realname", "address", "phone") if one[name]]
            told = recording.record(
                captured.seen, here / "made", base_url=running.url, secrets={"password": running.users["rapport"]}, marked=people, keep=(*KEEP, *WORDS),
                plain=("filter",), definition=loader.load(NAME).definition,
            )  # fmt: skip
            if told.failed:
                raise SystemExit("\n".join(told.lines))
            kept = files.recording(str(here / "made"))
        finally:
            running.kill()
    folder.mkdir(exist_ok=True)
    for name, asked in WALK.items():
        (folder / f"{name}.jsonl").write_bytes(cassette.dump(_of(kept, len(asked), name)))


def _of(kept: list[Exchange], number: int, name: str) -> list[Exchange]:
    """The pages of a cassette, without what pages bring with them."""
    start = {"clinicians": ("GET /user?",), "issues": ("GET /issue?",), "forms": ("GET /issue?", "GET /user?")}[name]
    form = "template=item"
    found = [one for one in kept if one.request.startswith(start) and (form in one.request) == (name == "forms")]
    assert len(found) == number, [one.request for one in found]
    return found


if __name__ == "__main__":
    write_cassettes()
