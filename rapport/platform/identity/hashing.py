"""
Passwords: Argon2id with the parameters OWASP asks for, and never more than two at a time.

A hash costs 19 MiB and some 15 ms. Unbounded, forty sign-ins at once would take the memory of a
worker process; so each process computes two, and a caller who has waited five seconds is told to
come back. (OWASP Password Storage Cheat Sheet; security S-031, S-042.)
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from rapport.kernel.problems import Unavailable

AT_ONCE = 2
WAIT_SECONDS = 5.0

_slots = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def slot(wait_seconds: float | None = None) -> Iterator[None]:
    """
    Hold one of the process's places for hashing.

    :raises Unavailable: none was free in time; nothing was hashed
    """
    if not _slots.acquire(timeout=WAIT_SECONDS if wait_seconds is None else wait_seconds):
        raise Unavailable(reason="password_hashing_busy", headers={"Retry-After": "5"})
    try:
        yield
    finally:
        _slots.release()


class Argon2id(Argon2PasswordHasher):
    """Django's hasher with our parameters and our bound. Named in `settings.PASSWORD_HASHERS`."""

    time_cost: int = settings.PASSWORD_COST["time_cost"]
    memory_cost: int = settings.PASSWORD_COST["memory_cost"]
    parallelism: int = settings.PASSWORD_COST["parallelism"]

    def encode(self, password: str, salt: str) -> str:
        """Hash a password. :raises Unavailable: too many are being hashed"""
        with slot():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Compare a password with a hash. :raises Unavailable: too many are being hashed"""
        with slot():
            return super().verify(password, encoded)

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing: a hash of older parameters is replaced at the next sign-in."""


@lru_cache(maxsize=1)
def _nobodys() -> str:
    hasher = Argon2id()
    return hasher.encode("nobody has this password", hasher.salt())


def is_right(password: str, encoded: str | None) -> bool:
    """
    Tell whether a password fits a hash, at the same cost whether there is a hash or not.

    :param encoded: None or an unusable password for somebody who has none: always False
    """
    hasher = Argon2id()
    if not encoded or not encoded.startswith(f"{hasher.algorithm}$"):
        hasher.verify(password, _nobodys())
        return False
    return hasher.verify(password, encoded)


def is_outdated(encoded: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return Argon2id().must_update(encoded)
