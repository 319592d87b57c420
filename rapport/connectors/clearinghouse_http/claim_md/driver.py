"""Talks to the clearinghouse, by `clearinghouse_http.wire`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from rapport.connectors.clearinghouse_http import wire
from rapport.connectors.clearinghouse_http.claim_md import mapper
from rapport.connectors.clearinghouse_http.claim_md.mapper import Cursor
from rapport.connectors.clearinghouse_http.claim_md.settings import ClaimMdSettings
from rapport.connectors.clearinghouse_http.claim_md.statuses import as_277ca
from rapport.connectors.clearinghouse_http.mapper import Unreadable
from rapport.platform.net.lookup import Resolve, system
from rapport.protocols.x12.kinds import question_of
from rapport.rooms.claims.ports import (
    Answered,
    Held,
    InboundFile,
    InDoubt,
    Later,
    NotHeld,
    Refused,
    Sent,
)

HEADERS = {"Accept": "application/json"}
MOST_PAGES = 200
"""Of one list: what lies behind is not looked at in the same call."""
STATUSES_A_FILE = 200

log = logging.getLogger(__name__)


class ClaimMdClearinghouse:
    """Supplies `rapport.rooms.claims.ports.Clearinghouse`. The account key goes in bodies, never in a URL."""

    def __init__(self, settings: ClaimMdSettings, *, resolve: Resolve = system) -> None:
        """:param resolve: how names become addresses"""
        self._settings = settings
        self._line = wire.Line(settings.line, resolve=resolve)
        self._questions = wire.Line(settings.questions, resolve=resolve)

    def send(self, *, file: bytes, name: str, key: str) -> Sent | Refused | Later | InDoubt:
        """Upload one 837P under its name. There is no key against sending twice, so `key` is not used."""
        return wire.finish(self._send(file, name))

    def ask(self, *, file: bytes, key: str) -> Answered | Refused | Later | InDoubt:
        """
        Ask about one patient's eligibility (270) and wait for the payer. Claim status is asked nowhere there.

        There is no key against asking twice, so `key` is not used.
        """
        return wire.finish(self._ask(file))

    def find(self, *, name: str, key: str, sha256: str) -> Held | NotHeld | InDoubt:
        """
        Look the file up by name in the list of uploads.

        `NotHeld` is never the answer: an upload that is still being taken in is not listed, and would be
        taken twice. A person who looks there settles it.
        """
        return wire.finish(self._find(name))

    def list_inbound(self, *, after: str) -> tuple[tuple[InboundFile, ...], str]:
        """Statuses first, written down as 277CA, then remittances; a portion at a time."""
        return wire.finish(self._list(after, at=datetime.now(UTC)))

    async def _post(self, line: wire.Calls, service: str, **fields: object) -> wire.Reply:
        data = {"AccountKey": self._settings.account_key} | {name: str(value) for name, value in fields.items()}
        return await line.call("POST", f"/services/{service}/", headers=HEADERS, data=data)

    async def _send(self, file: bytes, name: str) -> Sent | Refused | Later | InDoubt:
        try:
            async with self._line.open() as line:
                reply = await line.call(
                    "POST", "/services/upload/", headers=HEADERS, data={"AccountKey": self._settings.account_key},
                    files={"File": (name, file, "application/edi-x12")},
                )  # fmt: skip
        except wire.BROKEN as problem:
            return wire.answer_of(problem)
        return mapper.sent_answer(reply.status, reply.headers, reply.body)

    async def _ask(self, file: bytes) -> Answered | Refused | Later | InDoubt:
        if question_of(file) != "270":
            return Refused("not-at-once", False, "only eligibility is asked at once")
        try:
            async with self._questions.open() as line:
                reply = await line.call(
                    "POST", "/services/elig/", headers=HEADERS, data={"AccountKey": self._settings.account_key},
                    files={"File": ("question.270", file, "text/plain")},
                )  # fmt: skip
        except wire.BROKEN as problem:
            return wire.answer_of(problem)
        return mapper.asked_answer(reply.status, reply.headers, reply.body)

    async def _find(self, name: str) -> Held | NotHeld | InDoubt:
        try:
            async with self._line.open() as line:
                for page in range(1, MOST_PAGES + 1):
                    reply = await self._post(line, "uploadlist", Page=page)
                    found = mapper.uploads_of(reply.status, reply.body)
                    if isinstance(found, Unreadable):
                        return InDoubt(f"the question was {found.detail}")
                    if number := next((id for listed, id in found if listed == name and id), ""):
                        return Held(number)
                    if not found:
                        break
        except wire.BROKEN as problem:
            return InDoubt(f"the question was not answered ({type(problem).__name__})")
        return InDoubt("it is not in the list of uploads, which proves nothing yet")

    async def _list(self, after: str, *, at: datetime) -> tuple[tuple[InboundFile, ...], str]:
        cursor = Cursor.read(after)
        try:
            async with self._line.open() as line:
                reply = await self._post(line, "response", ResponseID=cursor.response)
                found = mapper.statuses_of(reply.status, reply.body, after=cursor.response)
                if isinstance(found, Unreadable):
                    log.warning("clearinghouse statuses: %s", found.detail)
                    return (), after
                told = mapper.portion(found, most=STATUSES_A_FILE)
                reached = Cursor(told.last, cursor.era)
                if told.told:
                    return (self._statuses(told, at=at),), reached.write()
                files, era = await self._eras(line, cursor.era)
        except wire.BROKEN as problem:
            log.warning("clearinghouse list: %s", type(problem).__name__)
            return (), after
        return files, Cursor(reached.response, era).write()

    def _statuses(self, told: mapper.Statuses, *, at: datetime) -> InboundFile:
        first, last = told.told[0].number, told.last
        data = as_277ca(told.told, sender_id=self._settings.sender_id, number=last, at=at)
        return InboundFile(f"response-{first}-{last}", "277CA", data)

    async def _eras(self, line: wire.Calls, after: int) -> tuple[tuple[InboundFile, ...], int]:
        """
        The first remittances behind an id, and the last of their ids.

        The list may begin with the newest, so it is read to its end before anything is fetched.
        """
        ids: set[int] = set()
        for page in range(1, MOST_PAGES + 1):
            reply = await self._post(line, "eralist", ERAID=after, NewOnly=0, Page=page)
            found = mapper.eras_of(reply.status, reply.body)
            if isinstance(found, Unreadable):
                log.warning("clearinghouse remittances: %s", found.detail)
                return (), after
            fresh = {id for id in found.ids if id > after} - ids
            if not fresh:
                break
            ids |= fresh
        else:
            log.warning("clearinghouse remittances: the list has no end")
            return (), after
        files = []
        for id in sorted(ids)[: self._settings.page_size]:
            reply = await self._post(line, "era835", eraid=id)
            data = mapper.era_of(reply.status, reply.body)
            if isinstance(data, Unreadable):
                log.warning("clearinghouse remittance: %s", data.detail)
                break
            files.append(InboundFile(f"era-{id}", "835", data))
            after = id
        return tuple(files), after
