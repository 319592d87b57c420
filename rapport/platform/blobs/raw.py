"""A place for opaque bytes: what every kind of store supplies."""

from __future__ import annotations

from typing import Protocol


class BlobMissing(Exception):
    """The store has no such file."""


class RawStore(Protocol):
    """A place for opaque bytes under opaque names."""

    def write(self, key: str, data: bytes) -> None:
        """Store durably: when this returns, a crash loses nothing."""
        ...

    def read(self, key: str) -> bytes:
        """Return the bytes. :raises BlobMissing: there are none"""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        ...

    def delete(self, key: str) -> None:
        """Remove; nothing happens when it is not there."""
        ...

    def keys(self) -> list[str]:
        """Return every name, for sweeping what no row refers to."""
        ...
