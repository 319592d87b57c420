"""
The front desk: takes interchanges in, has them answered, and hands the answers out.

An interchange is on the disk before `receive` returns. Answering is a pure function of what is on
the disk, done in one transaction per interchange, so a kill at any point is made good by the next
call. One thread only.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rapport.sandbox.payer import guide
from rapport.sandbox.payer.payer import Payer
from rapport.sandbox.payer.store import Store
from rapport.sandbox.payer.x12 import NotX12, read

COMPLETE = (".837", ".270", ".276")
"""How the name of a file ends that is handed in over SFTP."""
OWN_ENVELOPE = ("json", "form")
"""Doors of clearinghouses that put their own envelope around what they pass on: a sender's ISA13 protects from nothing there."""
KEY_SECONDS = 24 * 3600
"""How long the JSON door knows a key; after that the same call runs again."""


@dataclass(frozen=True, slots=True)
class Received:
    """The sandbox has the file, on the disk."""

    id: str
    sha256: str
    received_at: str


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The idempotency key came before, with other bytes. Nothing was taken."""


@dataclass(frozen=True, slots=True)
class NotAnInterchange:
    """The bytes are not X12. Nothing was taken."""

    reason: str


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """One answer, ready to be fetched."""

    name: str
    kind: str
    sha256: str
    bytes: int
    created_at: str


class Desk:
    """One clearinghouse with its payers, under one folder."""

    def __init__(
        self,
        home: Path,
        *,
        delay_seconds: float = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.root = home / "sftp"
        self.inbound = self.root / "inbound"
        self.outbound = self.root / "outbound"
        for folder in (self.inbound, self.outbound):
            folder.mkdir(parents=True, exist_ok=True)
        self.store = Store(home / "sandbox.sqlite3")
        self._clock = clock
        series = self.store.setting("series", secrets.token_hex(3).upper())
        self._payer = Payer(self.store, series=series, delay_seconds=delay_seconds)
        self._recover()

    def _recover(self) -> None:
        """Take in what was renamed just before a kill, and write out what was not yet shown."""
        for path in sorted(one for one in self.inbound.iterdir() if one.suffix in COMPLETE):
            known = self.store.row(
                "SELECT 1 FROM interchange WHERE channel = 'sftp' AND name = ?", path.name
            )
            if known is None:
                self.receive(path.read_bytes(), channel="sftp", name=path.name)
        for row in self.store.rows("SELECT name, data FROM outbound"):
            self._show(row["name"], row["data"])

    def receive(
        self, data: bytes, *, channel: str, key: str | None = None, name: str = ""
    ) -> Received | KeyReused | NotAnInterchange:
        """
        Take one file in. The same key with the same bytes gets the first answer again.

        A control number that its sender used before is taken in but only ever answered with
        TA1 025: its claims are never looked at. Not so behind a door with its own envelope.
        """
        digest = hashlib.sha256(data).hexdigest()
        with self.store.change():
            if channel == "json":
                self.store.run(
                    "UPDATE interchange SET key = NULL WHERE channel = 'json' AND received_at < ?",
                    self._clock().timestamp() - KEY_SECONDS,
                )
            if key is not None:
                row = self.store.row("SELECT * FROM interchange WHERE key = ?", key)
                if row is not None:
                    return _received(row) if row["sha256"] == digest else KeyReused()
            try:
                interchange = read(data)
            except NotX12 as problem:
                return NotAnInterchange(str(problem))
            note = guide.envelope_note(interchange)
            sender = ":".join(interchange.sender)
            if note == guide.ACCEPTED and channel not in OWN_ENVELOPE and self.store.row(
                "SELECT 1 FROM interchange WHERE sender = ? AND isa13 = ? AND note = '000'"
                " AND channel NOT IN ('json', 'form')",
                sender,
                interchange.control_number,
            ):
                note = guide.DUPLICATE
            identity = f"ic_{self.store.next('interchange'):08d}"
            now = self._clock().timestamp()
            self.store.run(
                "INSERT INTO interchange (id, key, sha256, sender, isa13, channel, name, data,"
                " note, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(identity, key, digest, sender, interchange.control_number, channel, name, data),
                *(note, now),
            )
        return Received(identity, digest, _iso(now))

    def ask(self, data: bytes) -> bytes | NotAnInterchange | None:
        """Answer one inquiry in real time; None where nobody answers. See `Payer.at_once`."""
        self.work()  # what was paid before the question is known to the answer
        try:
            interchange = read(data)
        except NotX12 as problem:
            return NotAnInterchange(str(problem))
        with self.store.change():
            return self._payer.at_once(interchange, self._clock())

    def work(self) -> None:
        """Answer every interchange not answered yet, and release the answers that are due."""
        now = self._clock()
        for row in self.store.rows("SELECT * FROM interchange WHERE answered = 0 ORDER BY id"):
            with self.store.change():
                self._payer.answer(row, now)
        self._release(now, everything=False)

    def advance(self) -> int:
        """Release every answer that waits, due or not, and answer how many files that was."""
        self.work()
        return self._release(self._clock(), everything=True)

    def _release(self, now: datetime, *, everything: bool) -> int:
        with self.store.change():
            written = self._payer.release(now, everything=everything)
        for name, data in written:
            self._show(name, data)
        return len(written)

    def _show(self, name: str, data: bytes) -> None:
        path = self.outbound / name
        if not path.exists():
            hidden = self.outbound / f".{name}.part"
            hidden.write_bytes(data)
            os.replace(hidden, path)

    def files(self, *, after: int, limit: int) -> list[tuple[int, OutboundFile]]:
        """The answers behind a position, oldest first, each with its own position."""
        self.work()
        rows = self.store.rows(
            "SELECT position, name, kind, sha256, length(data) AS size, created_at FROM outbound"
            " WHERE position > ? ORDER BY position LIMIT ?",
            after,
            limit,
        )
        return [
            (
                int(row["position"]),
                OutboundFile(
                    row["name"], row["kind"], row["sha256"], row["size"], _iso(row["created_at"])
                ),
            )
            for row in rows
        ]

    def file(self, name: str) -> bytes | None:
        """The bytes of one released answer."""
        row = self.store.row("SELECT data FROM outbound WHERE name = ?", name)
        return None if row is None else bytes(row["data"])

    def handed_in(self, *, channel: str) -> list[tuple[dict[str, Any], bytes]]:
        """What came in by one door, with its bytes, the newest last."""
        rows = self.store.rows(
            "SELECT id, key, sha256, isa13, sender, channel, name, length(data) AS size, note,"
            " received_at, data FROM interchange WHERE channel = ? ORDER BY id",
            channel,
        )
        return [(_described(row), bytes(row["data"])) for row in rows]

    def answered_name(self, position: int) -> str:
        """The name of the file that an answer, by its position, is about; "" where it came without one."""
        row = self.store.row(
            "SELECT i.name FROM interchange i JOIN outbound o ON o.interchange_id = i.id WHERE o.position = ?", position
        )
        return "" if row is None else str(row["name"])

    def rejected_whole(self, position: int) -> list[str]:
        """The numbers of the claims that one 999, by its position, turned away with their set."""
        rows = self.store.rows(
            "SELECT c.number FROM claim c JOIN outbound o ON o.interchange_id = c.interchange_id"
            " WHERE o.position = ? AND c.outcome = 'rejected_999' ORDER BY c.position",
            position,
        )
        return [str(row["number"]) for row in rows]

    def held(self, *, key: str = "", sha256: str = "", isa13: str = "") -> list[dict[str, Any]]:
        """The interchanges that match every value given; the newest last."""
        wanted = {
            column: value
            for column, value in (("key", key), ("sha256", sha256), ("isa13", isa13))
            if value
        }
        where = " AND ".join(f"{column} = ?" for column in wanted) or "1"
        rows = self.store.rows(
            "SELECT id, key, sha256, isa13, sender, channel, name, length(data) AS size, note,"  # noqa: S608 - fixed names
            f" received_at FROM interchange WHERE {where} ORDER BY id",
            *wanted.values(),
        )
        return [_described(row) for row in rows]

    def accepted(self) -> dict[str, Any]:
        """Everything taken in, and how often each claim was accepted for adjudication."""
        self.work()
        claims = self.store.rows(
            "SELECT number, sum(outcome = 'accepted') AS accepted_count, count(*) AS seen_count,"
            " group_concat(icn) AS icns FROM claim GROUP BY sender, number ORDER BY min(position)"
        )
        interchanges = self.held()
        return {
            "interchanges": interchanges,
            "claims": [
                {
                    "number": row["number"],
                    "accepted_count": row["accepted_count"],
                    "seen_count": row["seen_count"],
                    "icns": [icn for icn in row["icns"].split(",") if icn],
                }
                for row in claims
            ],
            "counts": {
                "interchanges": len(interchanges),
                "accepted": sum(one["outcome"] == "accepted" for one in interchanges),
                "duplicates": sum(one["outcome"] == "duplicate" for one in interchanges),
                "claims": len(claims),
                "claims_accepted_more_than_once": sum(row["accepted_count"] > 1 for row in claims),
            },
        }


def _received(row: Any) -> Received:
    return Received(row["id"], row["sha256"], _iso(row["received_at"]))


def _described(row: Any) -> dict[str, Any]:
    note = row["note"]
    outcome = {guide.ACCEPTED: "accepted", guide.DUPLICATE: "duplicate"}.get(note, "rejected")
    return {
        "id": row["id"],
        "key": row["key"],
        "sha256": row["sha256"],
        "isa13": row["isa13"],
        "sender": row["sender"],
        "channel": row["channel"],
        "name": row["name"],
        "bytes": row["size"],
        "outcome": outcome,
        "ta1_note": note,
        "received_at": _iso(row["received_at"]),
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
