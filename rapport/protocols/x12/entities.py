"""
What the 270, 271, 276 and 277 share: levels, and who, where, when and which number.

Records keep codes and texts as they stand in the file; nothing is guessed at. Writing cleans and
cuts texts as `envelope.clean` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .claim837p import amount
from .envelope import Writer, clean
from .guides.elements import day
from .syntax import Delimiters, Segment

_NUMBER = re.compile(r"-?(\d{1,15}(\.\d{0,6})?|\.\d{1,6})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Party:
    """A person or an organisation as NM1 names it."""

    role: str
    """NM101: PR payer, 1P provider, IL subscriber, 03 and QC dependant, X3, VN … who to call."""
    kind: str = "2"
    """NM102: 1 a person, 2 an organisation."""
    last: str = ""
    """NM103: last name, or the organisation's name."""
    first: str = ""
    middle: str = ""
    suffix: str = ""
    id_kind: str = ""
    """NM108: MI member id, XX NPI, PI payer id …"""
    id: str = ""
    """NM109."""
    relation: str = ""
    """NM110: what the party is to the patient."""

    @classmethod
    def of(cls, s: Segment) -> Party:
        """Read an NM1."""
        return cls(
            s.get(1), s.get(2), s.get(3), s.get(4), s.get(5), s.get(7), s.get(8), s.get(9),
            s.get(10),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """N3 and N4."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> Address | None:
        """Read the N3 and N4 among the segments; None when there is neither."""
        by_tag = {s.tag: s for s in segments if s.tag in ("N3", "N4")}
        if not by_tag:
            return None
        n3, n4 = by_tag.get("N3"), by_tag.get("N4")
        return cls(
            *((n3.get(1), n3.get(2)) if n3 else ("", "")),
            *((n4.get(1), n4.get(2), n4.get(3), n4.get(4)) if n4 else ()),
        )


@dataclass(frozen=True, slots=True)
class Contact:
    """PER: whom to ask."""

    name: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    """Kind (TE telephone, EX extension, FX fax, EM mail, UR address of a page) and number."""

    @classmethod
    def of(cls, s: Segment) -> Contact:
        """Read a PER."""
        pairs = ((s.get(n), s.get(n + 1)) for n in (3, 5, 7))
        return cls(s.get(2), tuple(pair for pair in pairs if pair[1]))


@dataclass(frozen=True, slots=True)
class Reference:
    """REF: a number and what it is."""

    kind: str
    value: str
    text: str = ""

    @classmethod
    def of(cls, s: Segment) -> Reference:
        """Read a REF."""
        return cls(s.get(1), s.get(2), s.get(3))


@dataclass(frozen=True, slots=True)
class Period:
    """DTP: a day or a span, as it stands."""

    kind: str
    """DTP01: 346 plan begins, 347 plan ends, 291 plan, 307 eligibility, 472 service …"""
    form: str
    """DTP02: D8 a day, RD8 a span."""
    value: str

    @classmethod
    def of(cls, s: Segment) -> Period:
        """Read a DTP."""
        return cls(s.get(1), s.get(2), s.get(3))

    @classmethod
    def on(cls, kind: str, first: date, last: date | None = None) -> Period:
        """Make one of a day, or of the days from `first` to `last`."""
        if last is None or last == first:
            return cls(kind, "D8", f"{first:%Y%m%d}")
        return cls(kind, "RD8", f"{first:%Y%m%d}-{last:%Y%m%d}")

    @property
    def first(self) -> date | None:
        """The day, or the first day; None when the file has none that exists."""
        return day(self.value[:8])

    @property
    def last(self) -> date | None:
        """The day, or the last day."""
        return day(self.value[9:17]) if self.form == "RD8" else self.first


@dataclass(frozen=True, slots=True)
class Trace:
    """TRN: the number an answer is matched by."""

    kind: str
    """TRN01: 1 asked under, 2 echoed."""
    number: str
    origin: str = ""
    """TRN03: who gave it, ten characters."""
    more: str = ""
    """TRN04."""

    @classmethod
    def of(cls, s: Segment) -> Trace:
        """Read a TRN."""
        return cls(s.get(1), s.get(2), s.get(3), s.get(4))


@dataclass(frozen=True, slots=True)
class Specialty:
    """PRV: the part a provider plays, and the code of the field."""

    role: str
    kind: str = ""
    code: str = ""

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> Specialty | None:
        """Read the PRV among the segments; None when there is none."""
        return next((cls(s.get(1), s.get(2), s.get(3)) for s in segments if s.tag == "PRV"), None)


RANKS = {"20": 0, "21": 1, "19": 2, "22": 3, "23": 4, "PT": 4}
"""HL03 -> depth."""


@dataclass(frozen=True, slots=True)
class Level:
    """An HL and what stands in it, without the levels below."""

    code: str
    """HL03."""
    segments: tuple[Segment, ...]
    index: int
    """Position of the HL in the file."""

    def all(self, tag: str) -> list[Segment]:
        """Return the segments of a tag."""
        return [s for s in self.segments if s.tag == tag]

    def party(self, *roles: str) -> Party | None:
        """Return the first NM1, of these roles where some are given."""
        found = (s for s in self.segments if s.tag == "NM1" and (not roles or s.get(1) in roles))
        return next((Party.of(s) for s in found), None)


def paths(body: Iterable[Segment]) -> Iterator[dict[str, Level]]:
    """
    Yield, for each level that has none below it, that level and those above it, by HL03.

    Depth comes from HL03, not from HL02: files with wrong parents are read as they were meant.
    """
    stack: list[Level] = []
    for level in _levels(body):
        rank = RANKS.get(level.code, 5)
        if stack and RANKS.get(stack[-1].code, 5) >= rank:
            yield {one.code: one for one in stack}
        while stack and RANKS.get(stack[-1].code, 5) >= rank:
            stack.pop()
        stack.append(level)
    if stack:
        yield {one.code: one for one in stack}


def _levels(body: Iterable[Segment]) -> Iterator[Level]:
    head: Segment | None = None
    inside: list[Segment] = []
    for segment in body:
        if segment.tag == "HL":
            if head is not None:
                yield Level(head.get(3), tuple(inside), head.index)
            head, inside = segment, []
        else:
            inside.append(segment)
    if head is not None:
        yield Level(head.get(3), tuple(inside), head.index)


def groups(segments: Sequence[Segment], tag: str) -> tuple[list[Segment], list[list[Segment]]]:
    """Cut segments before each one of a tag: what stands before the first, and each group."""
    before: list[Segment] = []
    found: list[list[Segment]] = []
    for segment in segments:
        if segment.tag == tag:
            found.append([segment])
        else:
            (found[-1] if found else before).append(segment)
    return before, found


def money(s: Segment, number: int) -> Decimal | None:
    """Read an amount or a number; None when it is not there or is none."""
    text = s.get(number)
    return Decimal(text) if _NUMBER.match(text) else None


def composite(s: Segment, number: int) -> tuple[str, ...]:
    """Read a composite element; empty when it is not there."""
    return tuple(s.components(number)) if s.get(number) else ()


def repeated(s: Segment, number: int) -> tuple[str, ...]:
    """Read an element that may repeat; empty when it is not there."""
    return tuple(s.repetitions(number)) if s.get(number) else ()


class SetWriter:
    """Writes one transaction set of the 27x guides. `segments` is what goes between ST and SE."""

    def __init__(self, delimiters: Delimiters | None = None) -> None:
        delimiters = delimiters or Delimiters()
        self._writer = Writer(delimiters)
        self._reserved = delimiters.characters()
        self._repetition = delimiters.repetition
        self._level = 0
        self.segments = self._writer.segments
        self.substitutions = 0
        """Characters that were replaced because X12 cannot carry them."""

    def text(self, value: str, length: int) -> str:
        """Clean a text and cut it to the element's length."""
        cleaned, replaced = clean(value, reserved=self._reserved)
        self.substitutions += replaced
        return cleaned[:length].strip()

    def add(self, tag: str, *elements: str) -> None:
        """Add a segment of elements that are clean."""
        self._writer.add(tag, *elements)

    def composite(self, parts: Sequence[str], length: int = 80) -> str:
        """Return a composite element."""
        return self._writer.composite(*(self.text(part, length) for part in parts))

    def repeated(self, parts: Iterable[str]) -> str:
        """Return an element with repetitions."""
        return self._repetition.join(self.text(part, 3) for part in parts)

    def number(self, value: Decimal | None) -> str:
        """Return an amount or a number; empty for None."""
        return "" if value is None else amount(value)

    def begin(self, structure: str, purpose: str, reference: str, at: datetime, kind: str) -> None:
        """Add the BHT."""
        self.add(
            "BHT", structure, purpose, self.text(reference, 50), f"{at:%Y%m%d}", f"{at:%H%M}", kind
        )

    def level(self, code: str, parent: int, has_child: bool | None) -> int:
        """Add an HL and return its number. `parent` 0: none. `has_child` None: HL04 stays empty."""
        self._level += 1
        child = "" if has_child is None else str(int(has_child))
        self.add("HL", str(self._level), str(parent or ""), code, child)
        return self._level

    def party(self, party: Party) -> None:
        """Add an NM1."""
        self.add(
            "NM1", party.role, party.kind, self.text(party.last, 60), self.text(party.first, 35),
            self.text(party.middle, 25), "", self.text(party.suffix, 10),
            party.id_kind if party.id else "", self.text(party.id, 80), party.relation,
        )  # fmt: skip

    def address(self, place: Address | None) -> None:
        """Add N3 and N4, where they hold something."""
        if place is None:
            return
        if place.line1 or place.line2:
            self.add("N3", self.text(place.line1, 55), self.text(place.line2, 55))
        if place.city or place.state or place.postal_code or place.country:
            self.add(
                "N4", self.text(place.city, 30), self.text(place.state, 2),
                self.text(place.postal_code, 15), self.text(place.country, 3),
            )  # fmt: skip

    def contact(self, contact: Contact) -> None:
        """Add a PER."""
        numbers = [self.text(part, 256) for pair in contact.numbers for part in pair]
        self.add("PER", "IC", self.text(contact.name, 60), *numbers)

    def reference(self, reference: Reference) -> None:
        """Add a REF."""
        self.add(
            "REF", reference.kind, self.text(reference.value, 50), self.text(reference.text, 80)
        )

    def period(self, period: Period) -> None:
        """Add a DTP."""
        self.add("DTP", period.kind, period.form, self.text(period.value, 35))

    def trace(self, trace: Trace) -> None:
        """Add a TRN."""
        self.add(
            "TRN", trace.kind, self.text(trace.number, 50), self.text(trace.origin, 10),
            self.text(trace.more, 50),
        )  # fmt: skip

    def specialty(self, specialty: Specialty | None) -> None:
        """Add a PRV, when there is one."""
        if specialty is not None:
            self.add("PRV", specialty.role, specialty.kind, self.text(specialty.code, 50))

    def birth(self, birth_on: date | None, sex: str) -> None:
        """Add a DMG, when something of it is known."""
        if birth_on is not None or sex:
            known = ("D8", f"{birth_on:%Y%m%d}") if birth_on else ("", "")
            self.add("DMG", *known, sex)
