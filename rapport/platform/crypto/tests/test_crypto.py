"""Seals hold, and open in their own place only."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.platform.crypto import aead, keyring


@pytest.fixture
def ring(tmp_path: Path) -> keyring.Keyring:
    return keyring.load_or_create(tmp_path / "keys.json")


def test_a_seal_opens_in_its_place_and_nowhere_else(ring: keyring.Keyring) -> None:
    sealed = aead.seal(b"secret", aad=b"t|c|1", purpose="field", keyring=ring)

    assert aead.open_(sealed, aad=b"t|c|1", purpose="field", keyring=ring) == b"secret"
    for aad, purpose, data in (
        (b"t|c|2", "field", sealed),
        (b"t|c|1", "cursor", sealed),
        (b"t|c|1", "field", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (b"t|c|1", "field", sealed[:10]),
        (b"t|c|1", "field", b"plaintext in the column"),
        (b"t|c|1", "field", b""),
    ):
        with pytest.raises(aead.SealBroken):
            aead.open_(data, aad=aad, purpose=purpose, keyring=ring)


def test_after_a_key_is_added_old_seals_open_and_new_ones_use_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    old = keyring.load_or_create(path)
    sealed = aead.seal(b"x", aad=b"a", purpose="field", keyring=old)
    token = aead.token_digest("t", keyring=old)

    new = keyring.add_key(path)

    assert aead.open_(sealed, aad=b"a", purpose="field", keyring=new) == b"x"
    again = aead.reseal(sealed, aad=b"a", purpose="field", keyring=new)
    assert aead.key_id_of(again) == new.active_id != aead.key_id_of(sealed)
    assert aead.token_digest("t", keyring=new) == token


def test_the_file_is_ours_alone(tmp_path: Path, ring: keyring.Keyring) -> None:
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert keyring.load_or_create(tmp_path / "keys.json").roots == ring.roots
