"""Cursors: where a walk stands, sealed so that nobody can read, change or lend one."""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

import msgspec

from rapport.kernel.problems import InvalidCursor
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead

LIFE_SECONDS = 24 * 3600

_packer = msgspec.msgpack.Encoder()


def _binding(scope: Scope, route: str, shape: str) -> bytes:
    return b"|".join(
        (b"cursor", scope.practice_id.bytes, scope.actor_id.bytes, route.encode(), shape.encode())
    )


def seal(
    keys: list[Any], *, scope: Scope, route: str, shape: str, life_seconds: int = LIFE_SECONDS
) -> str:
    """
    Return a cursor after the row with these sort keys.

    :param shape: filters and sort of the list; another list refuses the cursor
    """
    body = _packer.encode([int(time.time()) + life_seconds, keys])
    sealed = aead.seal(body, aad=_binding(scope, route, shape), purpose="cursor")
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def open_(text: str, *, scope: Scope, route: str, shape: str) -> list[Any]:
    """
    Return the sort keys in a cursor.

    :raises InvalidCursor: tampered with, too old, or of another list, actor or practice; the
        answer does not say which
    """
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        body = aead.open_(sealed, aad=_binding(scope, route, shape), purpose="cursor")
        expires, keys = msgspec.msgpack.decode(body)
    except (binascii.Error, ValueError, aead.SealBroken, msgspec.DecodeError) as error:
        raise InvalidCursor() from error
    if expires < time.time():
        raise InvalidCursor()
    return list(keys)
