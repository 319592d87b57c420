"""Strong ETags: an object's version and a short digest (RFC 9110 §8.8.3)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol
from uuid import UUID

from rapport.kernel.problems import PreconditionFailed


def of(id: UUID, version: int) -> str:
    """Return the ETag of an object at a version.

    >>> of(UUID(int=7), 3)
    '"3-kx5n1v1"'
    """
    digest = int.from_bytes(blake2b(id.bytes + version.to_bytes(8, "big"), digest_size=4).digest())
    letters = "0123456789abcdefghjkmnpqrstvwxyz"
    return f'"{version}-{"".join(letters[digest >> shift & 31] for shift in range(0, 32, 5))}"'


class Versioned(Protocol):
    """A row that counts its versions."""

    id: UUID
    version: int


def check(row: Versioned, if_match: str) -> None:
    """Compare an If-Match header with a locked row. :raises PreconditionFailed: they differ."""
    if if_match.strip() != of(row.id, row.version):
        raise PreconditionFailed(
            "It was changed since you read it: read it again, and decide anew.",
            headers={"ETag": of(row.id, row.version)},
        )
