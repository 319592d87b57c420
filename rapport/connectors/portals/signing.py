"""
Signatures of definitions: ed25519 over the bytes of the file, which must be in the one canonical form.

The key that signs is kept by whoever publishes and is in no repository; the keys that are believed
stand beside the definitions, in `signers/`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class NotSigned(Exception):
    """A definition whose bytes nobody stands for. Nothing of it is used."""


def canonical(content: bytes) -> bytes:
    """
    Return JSON in the form that is signed: members in their order, two spaces, UTF-8, one newline.

    :raises ValueError: it is no JSON, or a member stands there twice
    """
    value = json.loads(content, object_pairs_hook=_once)
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands there twice")
    return found


def new_key() -> tuple[str, str]:
    """Return a new key for signing, and the one by which its signatures are believed."""
    key = Ed25519PrivateKey.generate()
    return _text(key.private_bytes_raw()), _text(key.public_key().public_bytes_raw())


def sign(folder: Path, *, key: str) -> None:
    """Bring `definition.json` of a folder into its canonical form and write `definition.sig` beside it."""
    file = folder / "definition.json"
    content = canonical(file.read_bytes())
    file.write_bytes(content)
    signed = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key)).sign(content)
    (folder / "definition.sig").write_text(_text(signed) + "\n", encoding="ascii")


def check(content: bytes, signature: str, *, signers: Iterable[str]) -> None:
    """
    See that one of the signers stands for these very bytes.

    :raises NotSigned: none does, or the bytes are not in canonical form
    """
    try:
        if canonical(content) != content:
            raise NotSigned("not in canonical form")
        raw = base64.b64decode(signature.strip(), validate=True)
    except ValueError as problem:
        raise NotSigned("cannot be read") from problem
    for signer in signers:
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(signer.strip())).verify(raw, content)
        except (InvalidSignature, ValueError):
            continue
        return
    raise NotSigned("signed by nobody who is known here")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
