"""
Recordings of the sandbox portal for tests.

    python -m rapport.connectors.portals.tests.recorded     writes the cassettes beside the definition anew
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from rapport.connectors.portals import cassette, gym, loader, signature
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.definition import Definition
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.predicates import take
from rapport.connectors.portals.reading import Reading, Whole
from rapport.connectors.portals.redact import Redactor
from rapport.rooms.exchange.ports import Trouble

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
NAME = "sandbox-portal"
CASSETTES = loader.FOLDER / NAME / "cassettes"
LISTS = ("patients", "appointments", "notes", "claims", "payments", "eras", "clinicians")


class Portal:
    """The sandbox portal, as the program of its own that it is."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "rapport.sandbox.portal", "--home", str(home), "--today", "2026-11-24"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.ready = json.loads(Path(json.loads(self.process.stdout.readline())["ready"]).read_text())

    def order(self, method: str, path: str, body: Any = None) -> Any:
        """Order something, or look at something."""
        answer = httpx.request(
            method, f"{self.ready['url']}/_sandbox/{path}", json=body, trust_env=False,
            headers={"Authorization": f"Bearer {self.ready['control_key']}"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.json()

    def signed_in(self) -> httpx.Client:
        """Return a browser in which somebody is signed in who may see everything. Look A has to be on."""
        browser = httpx.Client(base_url=self.ready["url"], trust_env=False, headers={"User-Agent": "Browser/1"})
        user = self.ready["users"]["nick"]
        given = {"practice": "FERN", "user": user["login"], "password": user["password"]}
        assert browser.post("/login", data=given).headers["location"] == "/home"
        return browser

    def kill(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(10)


@cache
def definition(name: str = NAME) -> Definition:
    return loader.load(name).definition


@cache
def recording(call: str) -> tuple[Exchange, ...]:
    """Return the cassette of a list."""
    return tuple(cassette.load((CASSETTES / f"{call}.jsonl").read_bytes()))


def replayed(call: str, exchanges: Any = None, **named: Any) -> Whole | Trouble:
    """Read a list from its cassette, or from what a test made of it."""
    kept = recording(call) if exchanges is None else exchanges
    return gym.replay(definition(), call, list(kept), given=named.pop("given", {}), at=AT, **named)


def whole(result: Whole | Trouble) -> Whole:
    assert isinstance(result, Whole), result
    return result


def trouble(result: Whole | Trouble) -> Trouble:
    assert isinstance(result, Trouble), [one for one in result.findings]
    return result


def answered(reply: httpx.Response) -> Answer:
    heads = {name.lower(): value for name, value in reply.headers.items()}
    return Answer(reply.status_code, str(reply.url), reply.content, heads)


def read_live(
    browser: httpx.Client, call: str, *, given: Mapping[str, str] | None = None, of: Definition | None = None,
    pages: list[tuple[Outgoing, Answer]] | None = None,
) -> Whole | Trouble:  # fmt: skip
    """Read a list of a portal that runs."""
    reading = Reading(of or definition(), call, given=given or {})
    outgoing: Outgoing | None = reading.start()
    while outgoing is not None:
        answer = answered(browser.request(outgoing.method, outgoing.url, json=outgoing.body, follow_redirects=False))
        if pages is not None:
            pages.append((outgoing, answer))
        outgoing = reading.take(answer, at=AT)
    return reading.finish()


def as_exchanges(pages: list[tuple[Outgoing, Answer]]) -> list[Exchange]:
    """Keep pages as they are, for tests that look at them at once."""
    return [
        Exchange(signature.line(one.method, one.url, one.body, one.form), answer.status, answer.headers, answer.body)
        for one, answer in pages
    ]


def redactor(of: Definition, key: bytes, **named: Any) -> Redactor:
    """Return the redactor for a definition: its codes and words may stand, and how it turns pages."""
    keep: set[str] = set()
    for call in of.calls.values():
        for field in call.fields.values():
            keep |= set(field.codes) | {word for table in field.texts.values() for word in table}
            keep |= {word for words in field.labels.values() for word in words}
    if of.session is not None:
        keep |= {part for words in of.session.oracle.subject.after.values() for word in words for part in word.split()}
    return Redactor(key, keep=keep, plain=("page", "per", "limit", "offset", "count"), **named)


def write_cassettes(folder: Path = CASSETTES) -> None:
    """Record the lists anew, in look A and English, without anybody's data."""
    folder.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp())
    portal = Portal(home)
    try:
        browser = portal.signed_in()
        subject = take(definition().session.oracle.subject, answered(browser.get("/home")))
        names = redactor(definition(), secrets.token_bytes(32), secrets={"subject": subject})
        for call in LISTS:
            pages: list[tuple[Outgoing, Answer]] = []
            whole(read_live(browser, call, pages=pages))
            kept = [cassette.record(one, answer, redactor=names) for one, answer in pages]
            (folder / f"{call}.jsonl").write_bytes(cassette.dump(kept))
    finally:
        portal.kill()
        shutil.rmtree(home)


if __name__ == "__main__":
    write_cassettes()
