"""What a store of files is, and the sealing that every kind of store shares."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from rapport.platform.crypto import aead

from .raw import BlobMissing as BlobMissing
from .raw import RawStore


class BlobCorrupted(Exception):
    """The file is not what was stored: a flipped bit, or another file in its place."""


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A stored file."""

    key: str
    """Opaque random name in the store."""
    sha256: str
    """Hex digest of the plaintext."""
    size: int
    """Bytes of the plaintext."""


class BlobStore:
    """Seals on the way in, opens and verifies on the way out. Plaintext never reaches the disk."""

    def __init__(self, raw: RawStore) -> None:
        self.raw = raw

    def put(self, *, data: bytes, aad: str) -> BlobRef:
        """
        Store a file.

        :param aad: what it belongs to (`practice|document`); needed again to open it
        """
        key = secrets.token_hex(16)
        self.raw.write(key, aead.seal(data, aad=_place(key, aad), purpose="blob"))
        return BlobRef(key, sha256(data).hexdigest(), len(data))

    def get(self, *, key: str, aad: str, digest: str) -> bytes:
        """
        Return a file.

        :param digest: hex SHA-256 that its row has
        :raises BlobMissing: it is not there
        :raises BlobCorrupted: it is not what was stored
        """
        try:
            data = aead.open_(self.raw.read(key), aad=_place(key, aad), purpose="blob")
        except aead.SealBroken as error:
            raise BlobCorrupted(key) from error
        if sha256(data).hexdigest() != digest:
            raise BlobCorrupted(key)
        return data

    def exists(self, *, key: str) -> bool:
        """Whether the store has such a file; says nothing of whether it is whole."""
        return self.raw.exists(key)

    def delete(self, *, key: str) -> None:
        """Remove a file."""
        self.raw.delete(key)


def _place(key: str, aad: str) -> bytes:
    return f"blob|{key}|{aad}".encode()


@lru_cache(maxsize=1)
def default_store() -> BlobStore:
    """Return the installation's store: the bucket when one is named, else the disk."""
    from django.conf import settings

    environment = settings.RAPPORT
    if environment.s3_bucket:
        from .s3 import S3Store

        return BlobStore(
            S3Store(
                bucket=environment.s3_bucket,
                endpoint=environment.s3_endpoint,
                region=environment.s3_region,
            )
        )
    from .disk import DiskStore

    return BlobStore(DiskStore(environment.home / "blobs"))
