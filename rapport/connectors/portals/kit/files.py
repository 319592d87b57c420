"""The files that the kit works with: definitions, recordings, secrets, and plain JSON."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rapport.connectors.portals import cassette, loader
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.definition import Definition
from rapport.connectors.portals.kit.outcome import Unusable

RECORDING = "recording.jsonl"


def definition(given: str) -> Definition:
    """
    Return a definition for work without a portal: a file, its folder, or the name of one that is shipped.

    Nothing of it goes anywhere, so that it need not be signed yet.

    :raises Unusable: there is none, or it breaks a rule; says which
    """
    path = Path(given)
    if not path.exists():
        path = loader.FOLDER / path.name / "definition.json"
    file = path / "definition.json" if path.is_dir() else path
    try:
        return loader.decode(content(file))
    except loader.NotDefined as problem:
        raise Unusable(f"{file.name} is no definition: {problem}") from problem


def content(file: Path) -> bytes:
    """Read a file. :raises Unusable: it cannot be read"""
    try:
        return file.read_bytes()
    except OSError as problem:
        raise Unusable(f"cannot read {file}: {problem.strerror}") from problem


def lines(file: Path) -> list[str]:
    """Read the lines of a text, without those that are empty. :raises Unusable: it is none"""
    try:
        return [line.strip() for line in content(file).decode().splitlines() if line.strip()]
    except UnicodeDecodeError as problem:
        raise Unusable(f"{file} is no text") from problem


def recording(given: str) -> list[Exchange]:
    """
    Return every exchange of a recording: one file, or all of a folder.

    :raises Unusable: it is none
    """
    path = Path(given)
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    try:
        found = [one for file in files for one in cassette.load(content(file))]
    except (ValueError, KeyError, TypeError) as problem:
        raise Unusable(f"{path} is no recording") from problem
    if not found:
        raise Unusable(f"{path} has no recording in it")
    return found


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object. :raises Unusable: it is none"""
    try:
        found = json.loads(content(file))
    except ValueError as problem:
        raise Unusable(f"{file} is no JSON") from problem
    if not isinstance(found, dict):
        raise Unusable(f"{file} is no JSON object")
    return found


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Write JSON as people read it."""
    write(file, (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode())


def write(file: Path, content: bytes) -> None:
    """Write a file whole. :raises Unusable: it cannot be written"""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as problem:
        raise Unusable(f"cannot write {file}: {problem.strerror}") from problem


def private(file: Path) -> bytes:
    """
    Read a file that nobody else on this machine can read.

    :raises Unusable: others can
    """
    found = content(file)
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Unusable(f"{file} can be read by others: chmod 600 {file}")
    return found


def write_private(file: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read. :raises Unusable: there is one already"""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
            made.write(content)
    except OSError as problem:
        raise Unusable(f"cannot write {file}: {problem.strerror}") from problem


def secrets(file: Path) -> dict[str, str]:
    """Read `{"password": …, "totp_seed": …}`. :raises Unusable: it is none, or others can read it"""
    private(file)
    found = read_json(file)
    if not all(isinstance(one, str) for one in found.values()):
        raise Unusable(f"{file} has more in it than names and texts")
    return found
