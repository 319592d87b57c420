"""
Locks that outlive a transaction: held by a connection to the database, and gone when its process is.

A portal may not be called inside a transaction, and yet one process at a time signs in, and one
writes. Whoever dies lets go.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from uuid import UUID

from psycopg.errors import LockNotAvailable

from rapport.platform.db import sql

POLL_SECONDS = 0.1
LINE_SECONDS = 5.0
"""The database sends away who waits in line for longer (`lock_timeout`); then the place is taken up anew."""


class LockTimeout(RuntimeError):
    """Another process held it for longer than anybody should."""


def _number(connection_id: UUID, name: str) -> int:
    digest = blake2b(b"exchange|" + connection_id.bytes + name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _try(number: int) -> bool:
    row = sql.one("SELECT pg_try_advisory_lock(%s)", (number,))
    return bool(row and row[0])


def is_free(connection_id: UUID, name: str) -> bool:
    """Tell whether nobody holds the lock of this name: whoever did is done, dead, or without the database."""
    number = _number(connection_id, name)
    if not _try(number):
        return False
    sql.one("SELECT pg_advisory_unlock(%s)", (number,))
    return True


@contextmanager
def held(connection_id: UUID, name: str, *, wait_seconds: float) -> Iterator[None]:
    """
    Hold the lock of this name, alone among all processes. Who came first has it first.

    :param connection_id: of the connection, or of what several of them share
    :raises LockTimeout: it was not to be had in time
    """
    number = _number(connection_id, name)
    deadline = time.monotonic() + wait_seconds
    while True:
        in_line = deadline - time.monotonic() > LINE_SECONDS
        if _stood_in_line(number) if in_line else _try(number):
            break
        if time.monotonic() > deadline:
            raise LockTimeout(name)
        if not in_line:
            time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        sql.one("SELECT pg_advisory_unlock(%s)", (number,))


def _stood_in_line(number: int) -> bool:
    """Wait in line for a lock, for as long as the database lets anybody wait. :return: whether it is ours"""
    try:
        sql.one("SELECT pg_advisory_lock(%s)", (number,))
    except LockNotAvailable:
        return False
    return True


@contextmanager
def slot(connection_id: UUID, name: str, *, places: int, wait_seconds: float) -> Iterator[None]:
    """
    Hold one of so many places.

    :raises LockTimeout: all were taken for too long
    """
    numbers = [_number(connection_id, f"{name}:{place}") for place in range(places)]
    deadline = time.monotonic() + wait_seconds
    while True:
        mine = next((number for number in numbers if _try(number)), None)
        if mine is not None:
            break
        if time.monotonic() > deadline:
            raise LockTimeout(name)
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        sql.one("SELECT pg_advisory_unlock(%s)", (mine,))
