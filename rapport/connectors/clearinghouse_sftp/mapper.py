"""Names, kinds and cursors of an SFTP clearinghouse. Pure: no network, no clock."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PARTIAL = ".part"
COMPLETE = ".837"
UNFINISHED = (PARTIAL, ".tmp", ".filepart", ".partial")
OVERLAP_SECONDS = 600
"""How far back a file may still turn up that is older, by its own time, than one already seen."""


def remote_name(name: str) -> str:
    """The final name of a file over there: ours, with nothing in it that a server may dislike."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name.removesuffix(COMPLETE)).strip("-")
    if not stem:
        raise ValueError("a file needs a name with a letter or a digit in it")
    return f"{stem[:100]}{COMPLETE}"


def partial_name(final: str, token: str) -> str:
    """The name while uploading. Each attempt has its own, so that two never write into one."""
    return f"{final}.{token}{PARTIAL}"


def is_partial_of(name: str, final: str) -> bool:
    """Whether a name over there is an unfinished upload of this file."""
    return name.startswith(f"{final}.") and name.endswith(PARTIAL)


def is_finished(name: str) -> bool:
    """Whether a name in the answers folder is a whole file and not one being written."""
    return not name.startswith(".") and not name.endswith(UNFINISHED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the answers folder as it is listed."""

    name: str
    size: int
    modified: int
    """Seconds since the epoch, by the server's clock."""

    @property
    def mark(self) -> str:
        """Stands for this file, as it is now, in a cursor."""
        text = f"{self.name}|{self.size}|{self.modified}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    How far the answers were fetched: everything older than `since` - overlap, and `seen`.

    File times have whole seconds and a server may set them oddly, so files near the edge are
    told apart by their marks and not by their time.
    """

    since: int = 0
    seen: tuple[tuple[int, str], ...] = ()
    """Modification time and mark of each file already fetched near the edge."""

    @classmethod
    def read(cls, text: str) -> Cursor:
        """The cursor that `write` wrote; "" is the beginning. Raises `ValueError` otherwise."""
        if not text:
            return cls()
        since, _, rest = text.partition(";")
        pairs = (part.split(":") for part in rest.split(",") if part)
        return cls(int(since), tuple((int(modified), mark) for modified, mark in pairs))

    def write(self) -> str:
        """The cursor as one short line of text."""
        return f"{self.since};" + ",".join(f"{when}:{mark}" for when, mark in self.seen)

    def fresh(self, entries: Iterable[Entry]) -> list[Entry]:
        """The files not fetched yet, oldest first."""
        seen = {mark for _, mark in self.seen}
        edge = self.since - OVERLAP_SECONDS
        found = [one for one in entries if one.modified >= edge and one.mark not in seen]
        return sorted(found, key=lambda one: (one.modified, one.name))

    def behind(self, taken: Sequence[Entry], *, now: int) -> Cursor:
        """The cursor after these were fetched. A file dated after `now` does not move the edge."""
        if not taken:
            return self
        since = max(self.since, min(max(one.modified for one in taken), now))
        edge = since - OVERLAP_SECONDS
        marks = {*self.seen, *((one.modified, one.mark) for one in taken)}
        return Cursor(since, tuple(sorted(pair for pair in marks if pair[0] >= edge)))
