"""Files on disk, one per blob, written whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rapport.platform.crypto.files import replace, sync_folder

from .raw import BlobMissing


class DiskStore:
    """Keeps `ab/abcdef…` below a folder; files 0600, folders 0700."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, key: str) -> Path:
        if not key.isalnum() or not key.isascii():
            raise BlobMissing(key)
        return self.folder / key[:2] / key

    def write(self, key: str, data: bytes) -> None:
        """Write beside, sync, rename, sync the folder: a crash leaves all of it or nothing."""
        path = self._path(key)
        if not path.parent.exists():
            path.parent.mkdir(exist_ok=True, mode=0o700)
            sync_folder(self.folder)  # else a power cut could take the new folder and all in it
        replace(path, data)

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return self._path(key).is_file()

    def read(self, key: str) -> bytes:
        """Return the bytes. :raises BlobMissing: there are none"""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise BlobMissing(key) from error

    def delete(self, key: str) -> None:
        """Remove; nothing happens when it is not there."""
        with suppress(FileNotFoundError):
            self._path(key).unlink()

    def keys(self) -> list[str]:
        """Return every name; files that a crash left half-written are not among them."""
        return sorted(p.name for p in self.folder.glob("??/*") if not p.name.startswith("."))
