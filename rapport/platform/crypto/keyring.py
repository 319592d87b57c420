"""
The key ring: a few random root keys in one file that only we can read.

Every purpose has a key of its own, derived by HKDF-SHA256 (RFC 5869), so that a cursor can never
be opened as a field. Adding a key makes it the active one; older ones still open what they
sealed. What must stay the same for ever (token digests, signing keys) comes from the first key.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .files import create_once, replace


class NoKeyring(RuntimeError):
    """There are no keys: `install` was not called, or the file is damaged."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Root keys by id, oldest first; the last is active."""

    roots: dict[str, bytes]
    _derived: dict[tuple[str, str, int], bytes] = field(default_factory=dict, repr=False)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Ids, oldest first."""
        return tuple(self.roots)

    @property
    def active_id(self) -> str:
        """The key that seals from now on."""
        return next(reversed(self.roots))

    @property
    def first_id(self) -> str:
        """The key of this installation's beginning."""
        return next(iter(self.roots))

    def derive(self, purpose: str, length: int = 32, *, key_id: str | None = None) -> bytes:
        """
        Return the key of a purpose.

        :param key_id: which root; the first when not given
        :raises KeyError: there is no such root
        """
        wanted = (key_id or self.first_id, purpose, length)
        known = self._derived.get(wanted)
        if known is None:
            known = HKDF(SHA256(), length, None, b"rapport|" + purpose.encode()).derive(self.roots[wanted[0]])
            self._derived[wanted] = known
        return known


_current: Keyring | None = None
_lock = threading.Lock()


def _text(roots: dict[str, bytes]) -> bytes:
    keys = [{"id": id, "key": key.hex()} for id, key in roots.items()]
    return json.dumps({"keys": keys}, indent=1).encode()


def _new_id(roots: dict[str, bytes]) -> str:
    return f"k{len(roots) + 1}{secrets.token_hex(2)}"


def load_or_create(path: Path) -> Keyring:
    """
    Return the key ring of a file; make file and first key when there is none.

    Losing this file means losing everything that is sealed: it belongs in a backup of its own.

    :raises NoKeyring: the file is there but is no key ring; it is left as it is
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        create_once(path, _text({_new_id({}): os.urandom(32)}))
    try:
        entries = json.loads(path.read_bytes())["keys"]
        roots = {entry["id"]: bytes.fromhex(entry["key"]) for entry in entries}
    except (ValueError, KeyError, TypeError) as error:
        # Never replaced by a fresh one: that would lock out everything that is sealed.
        raise NoKeyring(f"{path.name} cannot be read; restore it from its backup") from error
    if not roots:
        raise NoKeyring(f"{path.name} holds no key; restore it from its backup")
    return Keyring(roots)


def add_key(path: Path) -> Keyring:
    """Add a root key that seals from now on; the others still open. Running processes restart."""
    roots = dict(load_or_create(path).roots)
    roots[_new_id(roots)] = os.urandom(32)
    replace(path, _text(roots))
    return Keyring(roots)


def install(keyring: Keyring) -> None:
    """Make this the process's key ring. Called once, by the settings."""
    global _current
    with _lock:
        _current = keyring


def current() -> Keyring:
    """Return the process's key ring. :raises NoKeyring: none was installed"""
    if _current is None:
        raise NoKeyring
    return _current
