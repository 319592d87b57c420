"""
Checkpoints: where each chain stood, signed, in a file outside the database.

Whoever can change every table still cannot make these agree: they lack the signing key. Copy
the folder `RAPPORT_HOME/audit-checkpoints` to a place that the database's people cannot write.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from rapport.platform.crypto import keyring


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a chain stood at a moment."""

    seq: int
    hash: str
    """Hash of the link at `seq`, hex."""
    at: str
    previous: str
    """SHA-256 of the line before, hex; empty for the first."""
    key: str
    """Public key that signed it, hex (ed25519)."""
    signature: str
    """Over the JSON array [practice, seq, hash, at, previous], hex."""
    genuine: bool
    """The signature is ours, and the line before is the one it names."""


@lru_cache(maxsize=1)
def _signer() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keyring.current().derive("checkpoint-signing", 32))


def public_key() -> str:
    """Return the key that checkpoints are verified with, hex (ed25519, 32 bytes)."""
    return _signer().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def path(practice_id: UUID) -> Path:
    """Return the practice's file: one JSON object a line, oldest first."""
    return Path(settings.RAPPORT.home) / "audit-checkpoints" / f"{practice_id}.jsonl"


def _signed(practice_id: UUID, seq: int, hash: str, at: str, previous: str) -> bytes:
    return msgspec.json.encode([str(practice_id), seq, hash, at, previous])


def _is_ours(practice_id: UUID, line: dict[str, Any], previous: str) -> bool:
    try:
        _signer().public_key().verify(
            bytes.fromhex(line["signature"]),
            _signed(practice_id, line["seq"], line["hash"], line["at"], line["previous"]),
        )
    except (InvalidSignature, ValueError):
        return False
    return bool(line["previous"] == previous)


def read(practice_id: UUID) -> list[Checkpoint]:
    """Return the practice's checkpoints, oldest first. A line that cannot be read is not genuine."""
    file = path(practice_id)
    if not file.exists():
        return []
    points: list[Checkpoint] = []
    previous = ""
    for text in file.read_bytes().splitlines():
        try:
            line = msgspec.json.decode(text)
            genuine = _is_ours(practice_id, line, previous)
            points.append(
                Checkpoint(
                    seq=line["seq"],
                    hash=line["hash"],
                    at=line["at"],
                    previous=line["previous"],
                    key=line["key"],
                    signature=line["signature"],
                    genuine=genuine,
                )
            )
        except (msgspec.DecodeError, KeyError, TypeError):
            points.append(Checkpoint(0, "", "", "", "", "", genuine=False))
        previous = sha256(text).hexdigest()
    return points


def append(practice_id: UUID, *, seq: int, hash: str, now: datetime) -> None:
    """Sign a checkpoint and add it to the practice's file; it is on the disk on return."""
    file = path(practice_id)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "rb+", buffering=0) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        lines = handle.read().splitlines()
        if lines and _seq_of(lines[-1]) >= seq:
            return  # another worker was first
        previous = sha256(lines[-1]).hexdigest() if lines else ""
        at = now.astimezone(UTC).isoformat(timespec="seconds")
        signature = _signer().sign(_signed(practice_id, seq, hash, at, previous)).hex()
        line = {
            "practice": str(practice_id), "seq": seq, "hash": hash, "at": at,
            "previous": previous, "key": public_key(), "signature": signature,
        }  # fmt: skip
        handle.write(msgspec.json.encode(line) + b"\n")
        os.fsync(handle.fileno())


def _seq_of(line: bytes) -> int:
    try:
        return int(msgspec.json.decode(line)["seq"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return 0
