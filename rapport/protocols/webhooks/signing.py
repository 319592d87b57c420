"""
Standard Webhooks signatures: v1 (HMAC-SHA256) and v1a (ed25519).

Signed is `id.timestamp.body`. (Standard Webhooks specification; api conventions §13.4.)
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TOLERANCE_SECONDS = 300
"""A signature older or newer than this is refused: a replay, or a wrong clock."""


def secret_text(secret: bytes) -> str:
    """Return a signing secret as its owner keeps it."""
    return "whsec_" + base64.b64encode(secret).decode()


def secret_bytes(text: str) -> bytes:
    """Return the bytes of a `whsec_…` secret. :raises ValueError: it is none"""
    if not text.startswith("whsec_"):
        raise ValueError("a webhook secret begins with whsec_")
    return base64.b64decode(text.removeprefix("whsec_"), validate=True)


def _signed(message_id: str, timestamp: int, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def sign_v1(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return a `v1,…` signature."""
    digest = hmac.new(secret, _signed(message_id, timestamp, body), sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def sign_v1a(private_key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return a `v1a,…` signature. :param private_key: 32 bytes"""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    return "v1a," + base64.b64encode(key.sign(_signed(message_id, timestamp, body))).decode()


def public_key(private_key: bytes) -> bytes:
    """Return the 32 bytes that receivers check v1a signatures with."""
    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def headers(message_id: str, timestamp: int, signatures: Sequence[str]) -> dict[str, str]:
    """Return the three headers of a delivery."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def verify(
    *,
    message_id: str,
    timestamp: str,
    signature: str,
    body: bytes,
    now: int,
    secrets: Sequence[bytes] = (),
    public_keys: Sequence[bytes] = (),
) -> bool:
    """
    Tell whether one of the signatures is right and fresh. Compares in constant time.

    :param now: unix seconds, the receiver's clock
    """
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    sent = int(timestamp)
    if abs(now - sent) > TOLERANCE_SECONDS:
        return False
    expected = [sign_v1(secret, message_id, sent, body) for secret in secrets]
    good = False
    for candidate in signature.split():
        for right in expected:
            good |= hmac.compare_digest(candidate.encode(), right.encode())
        if candidate.startswith("v1a,"):
            good |= any(_ed25519(key, candidate[4:], _signed(message_id, sent, body)) for key in public_keys)
    return good


def _ed25519(key: bytes, encoded: str, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(encoded), signed)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
