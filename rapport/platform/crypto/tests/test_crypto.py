"""Seals hold, and open in their own place only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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


def test_a_damaged_file_is_left_alone_and_never_replaced_by_fresh_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    for damage in (b"", b"{", b"[]", b'{"keys": []}', b'{"keys": [{"id": "k1"}]}', b"\xff"):
        path.write_bytes(damage)
        with pytest.raises(keyring.NoKeyring):
            keyring.load_or_create(path)
        assert path.read_bytes() == damage


def test_of_many_starts_at_once_all_have_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(16) as pool:
        rings = list(pool.map(lambda _: keyring.load_or_create(path), range(64)))

    assert len({tuple(ring.roots.items()) for ring in rings}) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def test_each_purpose_has_a_key_of_its_own(ring: keyring.Keyring) -> None:
    purposes = ("field", "blob", "cursor", "link", "token-hash", "blind-index", "checkpoint-signing", "webhook-signing")

    assert len({ring.derive(purpose) for purpose in purposes}) == len(purposes)
    assert ring.derive("field") not in ring.roots.values()


def test_the_same_value_is_found_in_its_own_column_only(ring: keyring.Keyring) -> None:
    def index(value: str, context: str) -> bytes:
        return aead.blind_index(value, context=context, keyring=ring)

    assert index("123456789", "patient.ssn") == index("123456789", "patient.ssn")
    assert index("123456789", "patient.ssn") != index("123456789", "clinician.ssn")


def test_no_bit_of_a_seal_can_be_flipped(ring: keyring.Keyring) -> None:
    sealed = aead.seal(b"secret", aad=b"a", purpose="field", keyring=ring)
    for bit in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(aead.SealBroken):
            aead.open_(bytes(broken), aad=b"a", purpose="field", keyring=ring)
