"""What a reading found, in the words of whoever brings a room's tables up to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Origin:
    """Which portal account it comes from."""

    connection_id: UUID
    system: str
    """Name of the definition: `source.system` of an answer."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that is new, has changed, or is gone."""

    what: str
    """`created`, `changed` or `gone`."""
    kind: str
    remote_id: str
    values: Mapping[str, Any] = field(repr=False)
    """As it is now; of `gone`: as it was last seen. Days and instants are text in ISO form."""
    before: Mapping[str, Any] | None = field(default=None, repr=False)
    """As the mirror had it; None: it did not."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Field -> why the portal showed no value; `values` then has the one of before, if any."""
    as_of: datetime | None = None
    """When the portal said so."""


@dataclass(frozen=True, slots=True)
class Held:
    """A change that could not be taken over. It is offered again with the next reading, and when
    a reading of another kind brought something new."""

    remote_id: str
    code: str
    """Why: `ambiguous`, `unknown-patient`, … A name alone never joins two records."""
