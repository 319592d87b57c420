"""What is asked of another system that has to make a write, and what came of it: the same in every room's port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """A record as somebody wants it."""

    key: str
    """The same key is the same deed: at most one of it is done."""
    patient_id: UUID | None
    """Whom it is about, here; None: a patient who is not here yet."""
    values: Mapping[str, Any] = field(repr=False)
    """As it is to be, in the names of the room's port; other records by that system's ids for them."""
    system: str = ""
    """Of a change: where the record is,"""
    remote_id: str = ""
    """and its id there. What was seen of it is what its mirror has."""
    changed: tuple[str, ...] = ()
    """Of a change: the values that are to be others."""
    pointers: Mapping[str, str] = field(default_factory=dict)
    """Value -> where the caller gave it, for what is refused; a value that is not named stands at its own name."""
    aside: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What comes back beside the values once it is done; that system is not told."""


@dataclass(frozen=True, slots=True)
class Pending:
    """It is noted, and will be done; or nobody knows yet whether it was."""

    write_id: str
    """The public id of the note that was made of it."""
    state: str
    """Where it stands: `intended`, `submitted`, `in_doubt`, …"""
    system: str = ""
    """Name of the system that is to make it."""


@dataclass(frozen=True, slots=True)
class Done:
    """The other system has it, and was seen to have it."""

    system: str
    remote_id: str
    values: Mapping[str, Any] = field(repr=False)
    """As that system has it now, in the names of the contract."""
    write_id: str = ""
    """The public id of the note that was made of it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The other system said no, or has something else: nothing was written."""

    message: str = field(repr=False)
    """For the caller, in its words or ours."""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Value that it was about -> its words for that."""


Outcome = Pending | Done | Refused
