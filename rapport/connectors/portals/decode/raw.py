"""A page's rows before their values are read, and what was noticed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rapport.rooms.exchange.ports import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that was noticed, and how bad it is for the batch."""

    verdict: Verdict
    finding: Finding


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the page names it."""

    name: str
    """The portal's own name of it; empty: it gives none."""
    label: str
    hidden: bool = False

    @property
    def known_as(self) -> str:
        """The steadier of its names."""
        return self.name or self.label


@dataclass(frozen=True, slots=True)
class Bound:
    """The one column in which a field stands, and by what it was told."""

    place: int
    by: str
    """`name` or `label`."""


class Raw(msgspec.Struct, frozen=True, gc=False):
    """What stands in one place: the value that is bound, and what a person sees there. A list has thousands of them."""

    value: Any
    shown: str = ""
    is_clean: bool = False
    """Whether the value is a text that was cleaned when it was taken out of the page."""
    odd: str = ""
    """The text as the portal has it, where cleaning changed it."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: what stands where each field is bound."""

    remote_id: str
    cells: Mapping[str, Raw]
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Extract:
    """One page of a list."""

    columns: tuple[Column, ...]
    bound: dict[str, Bound]
    rows: list[RawRow]
    language: str
    """Which of the definition's languages the page is in."""
    noted: list[Noted] = field(default_factory=list)
    inner: dict[str, set[str]] = field(default_factory=dict)
    """Field -> kinds of markup seen inside its cells, such as `a` or `span`."""
    found: bool = True
    """False: there is no table, no list, nothing to bind."""


def note(verdict: Verdict, place: str, *, seen: str, expected: str, why: str = "") -> Noted:
    """Return a thing noticed. No value of a record goes in here."""
    return Noted(verdict, Finding(place=place, seen=seen, expected=expected, note=why))
