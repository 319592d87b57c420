"""Both stores keep the same promises. The S3 one talks to a real server over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rapport.platform.blobs.disk import DiskStore
from rapport.platform.blobs.s3 import S3Store
from rapport.platform.blobs.store import BlobCorrupted, BlobMissing, BlobStore

TEXT = b"ZZPHI a sentence of a note"


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlobStore]:
    if request.param == "disk":
        yield BlobStore(DiskStore(tmp_path / "blobs"))
        return
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    raw = S3Store(bucket="blobs", endpoint=f"http://{host}:{port}", region="us-east-1")
    raw.client.create_bucket(Bucket="blobs")
    yield BlobStore(raw)
    server.stop()


def test_what_is_stored_comes_back_and_is_not_there_in_clear(store: BlobStore) -> None:
    ref = store.put(data=TEXT, aad="p|d")

    assert store.get(key=ref.key, aad="p|d", digest=ref.sha256) == TEXT
    assert TEXT not in store.raw.read(ref.key)
    assert store.raw.keys() == [ref.key]


def test_a_flipped_bit_another_owner_or_a_swapped_file_is_refused(store: BlobStore) -> None:
    ref, other = store.put(data=TEXT, aad="p|d"), store.put(data=b"other", aad="p|d")
    sealed = bytearray(store.raw.read(ref.key))

    with pytest.raises(BlobCorrupted):
        store.get(key=ref.key, aad="p|e", digest=ref.sha256)
    with pytest.raises(BlobCorrupted):
        store.get(key=ref.key, aad="p|d", digest=other.sha256)
    store.raw.write(ref.key, store.raw.read(other.key))
    with pytest.raises(BlobCorrupted):
        store.get(key=ref.key, aad="p|d", digest=other.sha256)
    sealed[-1] ^= 1
    store.raw.write(ref.key, bytes(sealed))
    with pytest.raises(BlobCorrupted):
        store.get(key=ref.key, aad="p|d", digest=ref.sha256)


def test_what_is_gone_is_missing_and_can_be_deleted_again(store: BlobStore) -> None:
    ref = store.put(data=TEXT, aad="p|d")
    assert store.exists(key=ref.key)
    store.delete(key=ref.key)
    store.delete(key=ref.key)
    assert not store.exists(key=ref.key)

    with pytest.raises(BlobMissing):
        store.get(key=ref.key, aad="p|d", digest=ref.sha256)


def test_on_disk_there_is_no_plaintext_no_leftover_and_nothing_for_others(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    store = BlobStore(DiskStore(folder))
    refs = [store.put(data=TEXT, aad=f"p|{n}") for n in range(20)]
    files = [path for path in folder.rglob("*") if path.is_file()]

    assert sorted(path.name for path in files) == sorted(ref.key for ref in refs)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())} == {0o700}
    for path in files:
        assert TEXT not in path.read_bytes()
        assert b"ZZPHI" not in path.read_bytes()


def test_a_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    raw = DiskStore(tmp_path / "blobs")
    for name in ("../secret", "/etc/passwd", "..", "", "a/b"):
        with pytest.raises(BlobMissing):
            raw.read(name)
