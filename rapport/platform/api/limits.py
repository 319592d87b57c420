"""
Rate limits: a sliding minute per actor and per practice, shared by all processes of a host.

Counters live in a small memory-mapped file, so a request costs microseconds and no database
write. Identity is the key, person or practice; an address from a header is never used.
(IETF draft RateLimit header fields.) Limits are per host: two hosts allow twice as much.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

from rapport.kernel.problems import TooMany

WINDOW_SECONDS = 60
_SLOTS = 16384
_SLOT = struct.Struct("<QIII")
"""Tag of the bucket, window number, units in it, units in the window before."""

WEIGHTS = {"read": 1, "list": 2, "search": 5, "write": 5, "render": 10, "export": 50}
"""Units that a call costs, by its kind; published in the docs."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A quota: so many units in any minute."""

    name: str
    quota: int


class Limiter:
    """Counts units. One instance per process; the file is shared."""

    def __init__(self, path: Path, *, per_actor: int, per_practice: int) -> None:
        self.actor = Limit("key", per_actor)
        self.practice = Limit("practice", per_practice)
        self.policy = (
            f'"key";q={per_actor};w={WINDOW_SECONDS}, '
            f'"practice";q={per_practice};w={WINDOW_SECONDS}'
        )
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, _SLOTS * _SLOT.size)
        self._file = descriptor
        self._map = mmap.mmap(descriptor, _SLOTS * _SLOT.size)
        self._lock = threading.Lock()

    def spend(self, *, actor_id: UUID, practice_id: UUID, units: int) -> tuple[int, int]:
        """
        Count a call.

        :return: units left to the actor in this window, and seconds until the window ends
        :raises TooMany: the actor's or the practice's quota is used up; nothing is counted
        """
        now = time.time()
        window, elapsed = divmod(now, WINDOW_SECONDS)
        seconds = int(WINDOW_SECONDS - elapsed) or 1
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                left = []
                writes = []
                for limit, id in ((self.actor, actor_id), (self.practice, practice_id)):
                    offset, tag, used, before = self._slot(limit, id, int(window))
                    # A sliding window: what is left of the window before still counts.
                    counted = used + int(before * (1 - elapsed / WINDOW_SECONDS))
                    if counted + units > limit.quota:
                        raise TooMany(
                            "Spread the calls out, or ask for a larger quota.",
                            reason=f"quota_{limit.name}",
                            headers={
                                "Retry-After": str(seconds),
                                "RateLimit-Policy": self.policy,
                                "RateLimit": f'"{limit.name}";r=0;t={seconds}',
                            },
                            violated_policies=[limit.name],
                        )
                    left.append(limit.quota - counted - units)
                    writes.append((offset, tag, int(window), used + units, before))
                for offset, tag, number, used, before in writes:
                    _SLOT.pack_into(self._map, offset, tag, number, used, before)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
        return max(0, left[0]), seconds

    def _slot(self, limit: Limit, id: UUID, window: int) -> tuple[int, int, int, int]:
        """Return (offset, tag, units used, units of the window before) of a bucket."""
        tag = int.from_bytes(blake2b(limit.name.encode() + id.bytes, digest_size=8).digest()) or 1
        # Eight places to look at: where all are taken, the first is given up. A bucket that is
        # lost this way starts anew, which can only let somebody through.
        for step in range(8):
            offset = (tag + step) % _SLOTS * _SLOT.size
            found, number, used, before = _SLOT.unpack_from(self._map, offset)
            if found == tag:
                if number == window:
                    return offset, tag, used, before
                return offset, tag, 0, used if number == window - 1 else 0
            if found == 0 or number < window - 1:
                return offset, tag, 0, 0
        return tag % _SLOTS * _SLOT.size, tag, 0, 0
