"""
The first page of a list as a real browser shows it, beside what HTTP brings of the same page.

A portal may answer a program otherwise than a person, or let a script write other things into its cells.
No reading sees that. HTTP is asked before the browser and after it: what somebody changed in between is one of
the two. The browser goes on with the session as it is, and signs nobody in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import msgspec

from rapport.connectors.portals import apart
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.browser import Browser, PageFailed
from rapport.connectors.portals.dialogue import unopened
from rapport.connectors.portals.http import Caller, no_turn
from rapport.connectors.portals.outgoing import ValueMissing
from rapport.connectors.portals.reading import Reading
from rapport.connectors.portals.sessions import Session, opened
from rapport.connectors.portals.transport import Hosts
from rapport.platform.net.lookup import Resolve
from rapport.rooms.exchange.ports import NoTurn, Pace, Reason, Row, Target, Trouble, View, Views

PAGES = ("html_table", "html_items")
"""Kinds of lists that are pages, which people are shown at the same address."""
MOST_SECONDS = 45.0
SETTLES_SECONDS = 6.0
"""How long the scripts of a page may go on writing."""
_PAUSE_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the lists of one portal."""

    target: Target
    hosts: Hosts
    executable: str
    resolve: Resolve
    caller_of: Callable[[Session], Caller]
    now: datetime

    def at(self, asked: Mapping[str, Mapping[str, str]], session: Session) -> Views | Trouble:
        """
        Read the lists both ways.

        :param asked: ability -> what its list takes
        """
        with self.caller_of(session) as caller:
            before = self._by_http(caller, asked)
            if isinstance(before, Trouble):
                return before
            session = caller.session()
        if not before:
            return Views({}, session.to_bytes())
        pages, session_now = self._by_browser(caller, before, asked, session)
        if isinstance(pages, Trouble):
            return pages
        with self.caller_of(session_now) as caller:
            shown = self._of_pages(caller, pages, asked)
            if isinstance(shown, Trouble):
                return shown
            again = self._by_http(caller, asked)
            if isinstance(again, Trouble):
                return again
            seen = {name: View(before[name], shown[name], again.get(name, ())) for name in shown}
            return Views(seen, caller.session().to_bytes())

    def _reading(self, caller: Caller, ability: str, given: Mapping[str, str]) -> Reading | None:
        name = caller.named(ability, "read")
        if name is None or caller.definition.calls[name].kind not in PAGES:
            return None
        return Reading(caller.definition, name, given=given, values=caller.values())

    def _by_http(self, caller: Caller, asked: Mapping[str, Mapping[str, str]]) -> dict[str, Sequence[Row]] | Trouble:
        found: dict[str, Sequence[Row]] = {}
        for ability, given in asked.items():
            reading = self._reading(caller, ability, given)
            if reading is None:
                continue
            with suppress(ValueMissing):
                answer = caller.read(reading.start(), place=reading.place)
                if not isinstance(answer, Trouble):
                    found[ability] = self._rows(reading, answer)
                elif answer.reason is not Reason.NOT_PERMITTED:
                    return answer
        return found

    def _rows(self, reading: Reading, answer: Answer) -> Sequence[Row]:
        reading.take(answer, at=self.now)
        return [Row(row.remote_id, row.values, row.absent) for row in reading.so_far()[0]]

    def _by_browser(
        self, caller: Caller, names: Mapping[str, object], asked: Mapping[str, Mapping[str, str]], session: Session
    ) -> tuple[dict[str, Answer] | Trouble, Session]:
        """Return the pages, and the session as the browser left it. Where cookies turn, nobody else asks meanwhile."""
        addresses = {}
        for ability in names:
            reading = self._reading(caller, ability, asked[ability])
            assert reading is not None
            addresses[ability] = reading.start().url
        turn = self.target.turn if caller.rules.carrier.rotates else None
        left: bytes | None = None
        try:
            newest = turn.take() if turn is not None else None
        except NoTurn:
            return caller.kept(no_turn()), session
        try:
            state = opened(newest, base_url=session.base_url) if newest is not None else session
            pages, after = apart.in_browser(self.executable, self.target.pace, lambda pace: self._open(addresses, state, caller, pace))
            left = after.to_bytes()
            return pages, after
        finally:
            if turn is not None:
                turn.give(left)

    def _open(
        self, addresses: Mapping[str, str], state: Session, caller: Caller, pace: Pace | None
    ) -> tuple[dict[str, Answer] | Trouble, Session]:
        found: dict[str, Answer] = {}
        try:
            with Browser(
                self.hosts, language=caller.definition.locales[0], seconds=MOST_SECONDS, state=state,
                executable=self.executable, resolve=self.resolve, pace=pace,
            ) as browser:  # fmt: skip
                after = state
                try:
                    for ability, address in addresses.items():
                        browser.go(self.hosts.base_url + address if address.startswith("/") else address)
                        found[ability] = _settled(browser)
                finally:
                    with suppress(PageFailed):
                        after = msgspec.structs.replace(browser.export(), subject=state.subject)
                return found, after
        except PageFailed as failed:
            return unopened(failed), state

    def _of_pages(
        self, caller: Caller, pages: Mapping[str, Answer], asked: Mapping[str, Mapping[str, str]]
    ) -> dict[str, Sequence[Row]] | Trouble:
        found: dict[str, Sequence[Row]] = {}
        for ability, answer in pages.items():
            reading = self._reading(caller, ability, asked[ability])
            assert reading is not None
            trouble = caller.classified(answer, expected="html", place=reading.place)
            if trouble is not None and trouble.reason is not Reason.NOT_PERMITTED:
                return trouble
            if trouble is None:
                reading.start()
                found[ability] = self._rows(reading, answer)
        return found


def _settled(browser: Browser) -> Answer:
    """Return a page when its scripts have written what they write, or as it stands when they do not end."""
    end, before = monotonic() + SETTLES_SECONDS, b""
    while True:
        browser.wait(_PAUSE_SECONDS)
        page, loaded, _ = browser.read()
        if (loaded and page.body == before) or monotonic() > end:
            return page
        before = page.body
