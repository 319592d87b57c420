"""
Sealing: AES-256-GCM with a key id and associated data, and digests of high-entropy secrets.

The associated data names the place (`table|column|row`), so a sealed value that is copied to
another place does not open there. (NIST SP 800-38D; security S-100.)
"""

from __future__ import annotations

import hmac
import os
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .keyring import Keyring, current

_NONCE = 12


class SealBroken(Exception):
    """The seal does not open: tampered with, moved from its place, or of an unknown key."""


@lru_cache(maxsize=256)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def seal(plaintext: bytes, *, aad: bytes, purpose: str, keyring: Keyring | None = None) -> bytes:
    """
    Seal bytes under the active key.

    :param aad: names the place; needed again to open
    :param purpose: separates keys: `field`, `blob`, `cursor`, …
    :return: length of the key id, key id, nonce, ciphertext with tag
    """
    ring = keyring or current()
    key_id = ring.active_id
    nonce = os.urandom(_NONCE)
    sealed = _cipher(ring.derive(purpose, key_id=key_id)).encrypt(nonce, plaintext, aad)
    return bytes([len(key_id)]) + key_id.encode() + nonce + sealed


def open_(sealed: bytes, *, aad: bytes, purpose: str, keyring: Keyring | None = None) -> bytes:
    """
    Open what `seal` made.

    :raises SealBroken: it does not open; nothing of it is returned
    """
    ring = keyring or current()
    try:
        length = sealed[0]
        key_id = sealed[1 : 1 + length].decode("ascii")
        nonce = sealed[1 + length : 1 + length + _NONCE]
        key = ring.derive(purpose, key_id=key_id)
        return _cipher(key).decrypt(nonce, sealed[1 + length + _NONCE :], aad)
    except (InvalidTag, IndexError, KeyError, ValueError) as error:
        raise SealBroken from error


def key_id_of(sealed: bytes) -> str:
    """Return the id of the key that sealed something, for finding what is to be sealed anew."""
    return sealed[1 : 1 + sealed[0]].decode("ascii")


def reseal(sealed: bytes, *, aad: bytes, purpose: str, keyring: Keyring | None = None) -> bytes:
    """Seal again under the active key. :raises SealBroken: it does not open"""
    return seal(open_(sealed, aad=aad, purpose=purpose, keyring=keyring), aad=aad, purpose=purpose, keyring=keyring)


def token_digest(token: str, *, keyring: Keyring | None = None) -> bytes:
    """
    Return the digest under which a random token is kept. Fast: 256 random bits need no more.

    The same for ever: tokens must be found again after a key was added.
    """
    return hmac.new((keyring or current()).derive("token-hash"), token.encode(), sha256).digest()


def blind_index(value: str, *, context: str, keyring: Keyring | None = None) -> bytes:
    """Return a digest to look an encrypted value up by. `context` separates columns."""
    key = (keyring or current()).derive("blind-index")
    return hmac.new(key, f"{context}\x00{value}".encode(), sha256).digest()
