"""
Claim status inquiries: 005010X212 (276), records to segments and back.

One `StatusInquiry` asks about the claims of one patient. The answer is in `status277`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from .entities import (
    Level,
    Party,
    Period,
    Reference,
    SetWriter,
    composite,
    groups,
    money,
    paths,
)
from .envelope import TransactionSet
from .guides.elements import day
from .syntax import Delimiters, Segment


@dataclass(frozen=True, slots=True)
class LineAsked:
    """A service line asked about (2210)."""

    procedure: tuple[str, ...]
    """SVC01: kind, code, modifiers."""
    charge: Decimal | None
    units: Decimal | None
    control: str = ""
    """REF*FJ: our line control number."""
    period: Period | None = None
    revenue: str = ""


@dataclass(frozen=True, slots=True)
class ClaimAsked:
    """A claim asked about (2200)."""

    trace: str
    """TRN02, which the answer gives back."""
    references: tuple[Reference, ...] = ()
    """REF: 1K the payer's claim number, EJ our account number (CLM01), D9 our trace, BLT …"""
    charge: Decimal | None = None
    """AMT*T3."""
    period: Period | None = None
    """DTP*472."""
    lines: tuple[LineAsked, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber or dependant: name, birth, sex."""

    party: Party
    birth_on: date | None = None
    sex: str = ""


@dataclass(frozen=True, slots=True)
class StatusInquiry:
    """A question to a payer about the claims of one patient."""

    payer: Party
    receiver: Party
    """Who asks (41): the one whose connection it is."""
    provider: Party
    """Whose claims they are (1P)."""
    subscriber: Person
    claims: tuple[ClaimAsked, ...]
    dependant: Person | None = None
    reference: str = field(default="", compare=False)
    """BHT03 of the set it was read from."""
    index: int = field(default=0, compare=False)
    """Position of the patient's HL in the file it was read from."""


def write(
    inquiries: Iterable[StatusInquiry],
    *,
    reference: str,
    at: datetime,
    delimiters: Delimiters | None = None,
) -> SetWriter:
    """
    Return the segments of one transaction set; its envelope is `envelope.interchange`.

    :param reference: BHT03, unique
    :param at: local time of the sender
    """
    out = SetWriter(delimiters)
    out.begin("0010", "13", reference, at, "")
    levels = Levels(out)
    for one in inquiries:
        levels.enter(("20", one.payer), ("21", one.receiver), ("19", one.provider))
        patient = one.dependant
        parent = out.level("22", levels.parent, patient is not None)
        if patient is None:
            out.birth(one.subscriber.birth_on, one.subscriber.sex)
        out.party(one.subscriber.party)
        if patient is not None:
            out.level("23", parent, None)
            out.birth(patient.birth_on, patient.sex)
            out.party(patient.party)
        for claim in one.claims:
            _claim(out, claim)
    return out


class Levels:
    """The levels above the patients: opened again only where they change."""

    def __init__(self, out: SetWriter) -> None:
        self.out = out
        self.parent = 0
        """Number of the lowest open level."""
        self._open: list[tuple[str, Party, int]] = []

    def enter(self, *wanted: tuple[str, Party], has_child: bool = True) -> None:
        """
        Open the levels that are not open yet.

        :param wanted: HL03 and who stands there, from the top
        :param has_child: of the lowest one
        """
        same = 0
        while same < len(wanted) and same < len(self._open):
            if self._open[same][:2] != wanted[same]:
                break
            same += 1
        del self._open[same:]
        for number, (code, party) in enumerate(wanted[same:], same + 1):
            above = self._open[-1][2] if self._open else 0
            level = self.out.level(code, above, has_child or number < len(wanted))
            self.named(party)
            self._open.append((code, party, level))
        self.parent = self._open[-1][2] if self._open else 0

    def named(self, party: Party) -> None:
        """Add who stands at a level."""
        self.out.party(party)


def _claim(out: SetWriter, claim: ClaimAsked) -> None:
    out.add("TRN", "1", out.text(claim.trace, 50))
    for reference in claim.references:
        out.reference(reference)
    if claim.charge is not None:
        out.add("AMT", "T3", out.number(claim.charge))
    if claim.period is not None:
        out.period(claim.period)
    for line in claim.lines:
        add_service(out, line.procedure, line.charge, None, line.revenue, line.units)
        if line.control:
            out.reference(Reference("FJ", line.control))
        if line.period is not None:
            out.period(line.period)


def add_service(
    out: SetWriter, procedure: tuple[str, ...], charge: Decimal | None, paid: Decimal | None,
    revenue: str, units: Decimal | None,
) -> None:  # fmt: skip
    """Add an SVC."""
    out.add(
        "SVC", out.composite(procedure), out.number(charge), out.number(paid), revenue, "", "",
        out.number(units),
    )  # fmt: skip


def read(transaction: TransactionSet) -> Iterator[StatusInquiry]:
    """Yield the inquiries of a transaction set. Levels without a patient are passed over."""
    reference = next((s.get(3) for s in transaction.body if s.tag == "BHT"), "")
    told: set[int] = set()
    for path in paths(transaction.body):
        holder, dependant = path.get("22"), path.get("23")
        if holder is None:
            continue
        above = [path.get(code) for code in ("20", "21", "19")]
        payer, receiver, provider = ((level.party() if level else None) for level in above)
        subscriber = _person(holder, "IL")
        for patient in (holder, dependant):
            if patient is None or patient.index in told:
                continue
            claims = tuple(_claims(patient))
            if patient is holder and dependant is not None and not claims:
                continue
            told.add(patient.index)
            yield StatusInquiry(
                payer or Party("PR"), receiver or Party("41"), provider or Party("1P"), subscriber,
                claims, None if patient is holder else _person(patient, "QC"), reference,
                patient.index,
            )  # fmt: skip


def _person(level: Level, role: str) -> Person:
    dmg = next(iter(level.all("DMG")), None)
    return Person(
        level.party() or Party(role), day(dmg.get(2)) if dmg else None, dmg.get(3) if dmg else ""
    )


def _claims(level: Level) -> Iterator[ClaimAsked]:
    _, asked = groups(level.segments, "TRN")
    for trn, *rest in asked:
        own, lines = groups(rest, "SVC")
        claim = Level("", tuple(own), trn.index)
        yield ClaimAsked(
            trace=trn.get(2),
            references=tuple(map(Reference.of, claim.all("REF"))),
            charge=next((money(s, 2) for s in claim.all("AMT") if s.get(1) == "T3"), None),
            period=next(map(Period.of, claim.all("DTP")), None),
            lines=tuple(map(_line, lines)),
        )


def _line(group: list[Segment]) -> LineAsked:
    svc = group[0]
    below = Level("", tuple(group[1:]), svc.index)
    return LineAsked(
        procedure=composite(svc, 1),
        charge=money(svc, 2),
        units=money(svc, 7),
        control=next((s.get(2) for s in below.all("REF") if s.get(1) == "FJ"), ""),
        period=next(map(Period.of, below.all("DTP")), None),
        revenue=svc.get(4),
    )
