"""Small secret files: whole or not there, ours alone, and still there after a power cut."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_beside(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def create_once(path: Path, data: bytes) -> None:
    """
    Create a file with mode 0600, unless there is one.

    Of several processes that try at once one wins, and none ever reads half a file. Read the
    file afterwards to learn what it holds.
    """
    temporary = _write_beside(path, data)
    try:
        with suppress(FileExistsError):  # another process was first: its file is the one
            os.link(temporary, path)
    finally:
        temporary.unlink()
    sync_folder(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Replace a file in one step: a crash leaves the old one or the new one, whole."""
    _write_beside(path, data).rename(path)
    sync_folder(path.parent)
