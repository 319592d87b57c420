"""What came of a write that another system has to make: three answers, in every room's port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Pending:
    """It is noted, and will be done; or nobody knows yet whether it was."""

    write_id: str
    """The public id of the note that was made of it."""
    state: str
    """Where it stands: `intended`, `submitted`, `in_doubt`, …"""


@dataclass(frozen=True, slots=True)
class Done:
    """The other system has it, and was seen to have it."""

    system: str
    remote_id: str
    values: Mapping[str, Any] = field(repr=False)
    """As that system has it now, in the names of the contract."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The other system said no, or has something else: nothing was written."""

    message: str = field(repr=False)
    """For the caller, in its words or ours."""


Outcome = Pending | Done | Refused
