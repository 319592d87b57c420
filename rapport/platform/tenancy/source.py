"""Where a record comes from, and why one that another system has cannot be taken over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

HERE = "rapport"
"""What this system calls itself as the source of a record."""
GONE = "gone_at_source"
"""Why a mirrored record ended: its system has it no more."""


class System(StrEnum):
    """Whose tables are a practice's truth."""

    NATIVE = "native"
    """Its own here."""
    CONNECTED = "connected"
    """Another system's; the tables here are its mirror, and writes go there."""


@dataclass(frozen=True, slots=True)
class SourceRef:
    """One record of another system, and when it was seen there."""

    system: str
    """Name of the system: `source.system` of an answer."""
    remote_id: str
    """Its id there."""
    as_of: datetime
    """The instant at which that system said so."""


class NotTakenOver(Exception):
    """
    A record of another system that cannot be mirrored as it is: hold it, offer it again.

    :param code: `unknown-patient`, `unknown-clinician`, `unknown-service-code`, `missing-birth-on`, …
    :param field: which field of the record; never its value
    """

    def __init__(self, code: str, *, field: str = "") -> None:
        super().__init__(code)
        self.code, self.field = code, field


def as_of_sql(alias: str, kind: str) -> str:
    """
    Return the SQL of the instant as of which a row is shown: when its source last said so.

    A record that is read again unchanged is not written again here; whoever keeps the mirror knows when it was.

    :param alias: of the table in the statement
    :param kind: what the mirror calls such records, e.g. `patients`
    """
    return (
        f"CASE WHEN {alias}.source_remote_id IS NULL THEN {alias}.source_as_of ELSE greatest({alias}.source_as_of,"
        f" rapport_seen_at({alias}.practice_id, {alias}.source_system, '{kind}', {alias}.source_remote_id)) END"
    )


def required(values: Mapping[str, Any], name: str) -> str:
    """Return a value that a record must have. :raises NotTakenOver: it has none"""
    value = values.get(name)
    if value is None or value == "":
        raise NotTakenOver(f"missing-{name.replace('_', '-')}", field=name)
    return str(value)


def text_of(values: Mapping[str, Any], name: str, *, most: int) -> str:
    """Return a text, empty when the record has none. :raises NotTakenOver: it is longer than can be kept"""
    text = str(values.get(name) or "")
    if len(text) > most:
        raise NotTakenOver("too-long", field=name)
    return text


def one_of(values: Mapping[str, Any], name: str, words: Mapping[str, str]) -> str:
    """Return our word for the source's. :raises NotTakenOver: it is none that is known"""
    word = words.get(str(values.get(name)))
    if word is None:
        raise NotTakenOver(f"unknown-{name.replace('_', '-')}", field=name)
    return word
