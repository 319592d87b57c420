"""Talks to the clearinghouse, by `clearinghouse_http.wire`."""

from __future__ import annotations

import logging
from urllib.parse import quote

from rapport.connectors.clearinghouse_http import wire
from rapport.connectors.clearinghouse_http.mapper import Unreadable
from rapport.connectors.clearinghouse_http.stedi import mapper
from rapport.connectors.clearinghouse_http.stedi.settings import StediSettings
from rapport.platform.net.lookup import Resolve, system
from rapport.protocols.x12.kinds import kind_of, question_of
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

CLAIMS = "/change/medicalnetwork/professionalclaims/v3/raw-x12-submission"
QUESTIONS = {
    "270": "/change/medicalnetwork/eligibility/v3/raw-x12",
    "276": "/change/medicalnetwork/claimstatus/v2/raw-x12",
}
"""ST01 of a question -> where it is asked."""
BEGINNING = "2020-01-01T00:00:00Z"
"""Where a stream that was never read is begun."""
MOST_PAGES = 20
"""Pages without an answer to claims that one call goes on over."""

log = logging.getLogger(__name__)


class StediClearinghouse:
    """Supplies `rapport.rooms.claims.ports.Clearinghouse`: one claim a call."""

    def __init__(self, settings: StediSettings, *, resolve: Resolve = system) -> None:
        """:param resolve: how names become addresses"""
        self._settings = settings
        self._claims = wire.Line(settings.claims, resolve=resolve)
        self._questions = wire.Line(settings.questions, resolve=resolve)
        self._core = wire.Line(settings.core, resolve=resolve)

    def send(self, *, file: bytes, name: str, key: str) -> Sent | Refused | Later | InDoubt:
        """
        Hand over one 837P, for which `name` is not used: the key tells files apart.

        A question (by its name a 276) is answered in the same call, and its answer comes with the receipt.
        """
        if name.endswith(".276"):
            return self._sent(self.ask(file=file, key=key), name)
        return wire.finish(self._send(file, key))

    def ask(self, *, file: bytes, key: str) -> Answered | Refused | Later | InDoubt:
        """Ask one question (270, 276) and wait for the payer. There is no key for it: asked again, it is another."""
        return wire.finish(self._ask(file))

    def find(self, *, name: str, key: str, sha256: str) -> Held | NotHeld | InDoubt:
        """
        Look a claim up by its BHT03, which the name begins with. The list has no digests to compare.

        That of a question nothing is listed is documented nowhere, so it stays in doubt.
        """
        if name.endswith(".276"):
            return InDoubt("whether a question was asked is not listed")
        return wire.finish(self._find(mapper.reference_of(name)))

    def list_inbound(self, *, after: str) -> tuple[tuple[InboundFile, ...], str]:
        """The answers of the next page that has any. The cursor is the other side's page token."""
        return wire.finish(self._list(after))

    async def _send(self, file: bytes, key: str) -> Sent | Refused | Later | InDoubt:
        headers = mapper.send_headers(self._settings.api_key, key)
        try:
            async with self._claims.open() as line:
                reply = await line.call("POST", CLAIMS, headers=headers, content=mapper.body_of(file))
        except wire.BROKEN as problem:
            return wire.answer_of(problem)
        return mapper.sent_answer(reply.status, reply.headers, reply.body)

    async def _ask(self, file: bytes) -> Answered | Refused | Later | InDoubt:
        path = QUESTIONS.get(question_of(file))
        if path is None:
            return Refused("not-at-once", False, "only eligibility and claim status are asked at once")
        headers = mapper.question_headers(self._settings.api_key)
        try:
            async with self._questions.open() as line:
                reply = await line.call("POST", path, headers=headers, content=mapper.body_of(file))
        except wire.BROKEN as problem:
            return wire.answer_of(problem)
        return mapper.asked_answer(reply.status, reply.headers, reply.body)

    def _sent(self, answer: Answered | Refused | Later | InDoubt, name: str) -> Sent | Refused | Later | InDoubt:
        if not isinstance(answer, Answered):
            return answer
        if (kind := kind_of(answer.data)) != "277":
            # A 999 or TA1 of theirs names numbers of an envelope that is not ours: it must not be taken in as an answer.
            return Refused("not-taken", False, "the payer did not take the question")
        reference = mapper.reference_of(name)
        return Sent(reference, InboundFile(f"{reference}.reply.277", kind, answer.data))

    async def _find(self, reference: str) -> Held | NotHeld | InDoubt:
        headers = mapper.ask_headers(self._settings.api_key)
        query = f"businessIdentifier={quote(reference, safe='')}"
        try:
            async with self._core.open() as line:
                reply = await line.call("GET", f"/transactions?{query}", headers=headers)
        except wire.BROKEN as problem:
            return InDoubt(f"the question was not answered ({type(problem).__name__})")
        return mapper.found_answer(reply.status, reply.body, reference=reference)

    async def _list(self, after: str) -> tuple[tuple[InboundFile, ...], str]:
        try:
            async with self._core.open() as line:
                for _ in range(MOST_PAGES):
                    page = await self._page(line, after)
                    if isinstance(page, Unreadable):
                        log.warning("clearinghouse list: %s", page.detail)
                        return (), after
                    files = await self._files(line, page.executions)
                    if files is None:
                        return (), after
                    after = page.next_token
                    if files or not page.count:
                        return files, after
        except wire.BROKEN as problem:
            log.warning("clearinghouse list: %s", type(problem).__name__)
        return (), after

    async def _page(self, line: wire.Calls, token: str) -> mapper.Page | Unreadable:
        """A page behind a token. Behind a time, two of one moment could be cut apart by a page's end."""
        where = f"pageToken={quote(token, safe='')}" if token else f"startDateTime={quote(BEGINNING, safe='')}"
        reply = await line.call(
            "GET", f"/polling/transactions?{where}&pageSize={self._settings.page_size}",
            headers=mapper.ask_headers(self._settings.api_key),
        )  # fmt: skip
        return mapper.page_of(reply.status, reply.body)

    async def _files(self, line: wire.Calls, executions: tuple[str, ...]) -> tuple[InboundFile, ...] | None:
        """All answers of a page, or None: one of them cannot be had, and none behind it is passed over."""
        files = []
        for execution in executions:
            data = await self._fetch(line, execution)
            if data is None:
                return None
            kind = kind_of(data)
            if kind != "999" or mapper.addressed_to(data, self._settings.sender_id):
                files.append(InboundFile(f"{execution}.{kind}", kind, data))
        return tuple(files)

    async def _fetch(self, line: wire.Calls, execution: str) -> bytes | None:
        """The file of an execution with its envelope. The URL it is led to gets no key: it has a signature of its own."""
        reply = await line.call(
            "GET", f"/executions/{execution}/input", headers=mapper.ask_headers(self._settings.api_key)
        )
        if reply.status in (302, 303, 307) or (reply.status == 200 and not reply.body.startswith(b"ISA")):
            url = mapper.download_url(reply.headers, reply.body, local=self._settings.core.is_local)
            if not url:
                log.warning("clearinghouse file: no place to fetch it at")
                return None
            reply = await line.call("GET", url, headers={})
        if reply.status != 200 or not mapper.is_whole(reply.body):
            log.warning("clearinghouse file: status %s, whole %s", reply.status, mapper.is_whole(reply.body))
            return None
        return reply.body
