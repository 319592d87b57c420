"""temporary"""
import os, hmac, hashlib
from functools import lru_cache
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from . import keyring
class SealBroken(Exception): pass
@lru_cache(maxsize=64)
def _k(p): return AESGCM(keyring.current().derive(p))
def seal(plaintext, *, aad, purpose):
    n = os.urandom(12); return n + _k(purpose).encrypt(n, plaintext, aad)
def open_(sealed, *, aad, purpose):
    try: return _k(purpose).decrypt(sealed[:12], sealed[12:], aad)
    except (InvalidTag, ValueError) as e: raise SealBroken() from e
@lru_cache(maxsize=1)
def _t(): return keyring.current().derive("token-hash")
def token_digest(token): return hmac.new(_t(), token.encode(), hashlib.sha256).digest()
