"""
Claim status answers: 005010X212 (277), records from segments and back.

Read tolerantly. Some payers put the number of the payment where its day belongs (STC08 for
STC09); it is read as what it is. The acknowledgement 005010X214 (277CA) is in `acks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from .entities import (
    Contact,
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
from .status276 import Levels, add_service
from .syntax import Delimiters, Segment

STANDINGS = {
    "A0": "received", "A1": "received", "A2": "accepted", "A3": "rejected", "A4": "not_found",
    "A5": "accepted", "A6": "rejected", "A7": "rejected", "A8": "rejected", "D0": "not_found",
    "DR": "rejected", "E0": "request_refused", "E1": "later", "E2": "later",
    "E3": "request_refused", "E4": "request_refused", "F0": "finalized", "F1": "paid",
    "F2": "denied", "F3": "revised", "F3F": "forwarded", "F3N": "revised", "F4": "finalized",
    "RQ": "information_requested",
}  # fmt: skip
"""Category -> where the claim stands. P0-P5 are `pending`, R0-R17 `information_requested`."""


def standing(category: str) -> str:
    """
    Return where a claim stands: `received`, `accepted`, `pending`, `information_requested`,
    `paid`, `denied`, `finalized`, `revised`, `forwarded`, `rejected`, `not_found`, `later` (the
    payer cannot say now), `request_refused`; `unknown` for a category of no list of ours.

    >>> standing("F1"), standing("P3"), standing("R16"), standing("ZZ")
    ('paid', 'pending', 'information_requested', 'unknown')
    """
    if category in STANDINGS:
        return STANDINGS[category]
    by_letter = {"P": "pending", "R": "information_requested"}
    return by_letter.get(category[:1], "unknown") if category[1:].isdigit() else "unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """One status: category, code, and about whom."""

    category: str
    code: str = ""
    entity: str = ""
    code_list: str = ""
    """RX: the code is one of pharmacies."""

    @property
    def standing(self) -> str:
        """As `standing` says."""
        return standing(self.category)


@dataclass(frozen=True, slots=True)
class Status:
    """One STC."""

    reasons: tuple[Reason, ...]
    """STC01, STC10 and STC11; the first decides."""
    on: date | None = None
    """STC02: since when."""
    action: str = ""
    """STC03, in a 277CA: WQ accept, U reject."""
    charge: Decimal | None = None
    paid: Decimal | None = None
    adjudicated_on: date | None = None
    method: str = ""
    paid_on: date | None = None
    payment_number: str = ""
    """STC09: check or EFT number."""
    message: str = ""

    @classmethod
    def of(cls, s: Segment) -> Status:
        """Read an STC."""
        paid_on, number = day(s.get(8)), s.get(9)
        return cls(
            reasons=tuple(
                Reason(*(*parts[:4], "", "", "")[:4])
                for parts in (composite(s, element) for element in (1, 10, 11))
                if parts
            ),
            on=day(s.get(2)),
            action=s.get(3),
            charge=money(s, 4),
            paid=money(s, 5),
            adjudicated_on=day(s.get(6)),
            method=s.get(7),
            paid_on=paid_on,
            payment_number=number or ("" if paid_on else s.get(8)),
            message=s.get(12),
        )

    @property
    def standing(self) -> str:
        """Where the claim stands, by the first reason."""
        return self.reasons[0].standing if self.reasons else "unknown"


@dataclass(frozen=True, slots=True)
class LineStatus:
    """What is said of a service line (2220)."""

    procedure: tuple[str, ...]
    charge: Decimal | None
    paid: Decimal | None
    units: Decimal | None
    statuses: tuple[Status, ...]
    control: str = ""
    """REF*FJ: our line control number."""
    period: Period | None = None
    revenue: str = ""


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """What is said of a claim (2200)."""

    trace: str
    """TRN02 of the 276."""
    statuses: tuple[Status, ...]
    references: tuple[Reference, ...] = ()
    """REF: 1K the payer's claim number, EJ our account number, D9 our trace …"""
    period: Period | None = None
    lines: tuple[LineStatus, ...] = ()
    index: int = field(default=0, compare=False)
    """Position of the TRN in the file."""

    @property
    def standing(self) -> str:
        """Where the claim stands, by its newest status; the first of those of one day."""
        dated = [one for one in self.statuses if one.on]
        newest = max(dated, key=lambda one: one.on or date.min, default=None)
        return (newest or (self.statuses or (Status(()),))[0]).standing

    @property
    def payer_claim_number(self) -> str:
        """REF*1K."""
        return next((one.value for one in self.references if one.kind == "1K"), "")


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """What a payer says of the claims of one patient, or of a request as a whole."""

    payer: Party
    receiver: Party
    provider: Party | None = None
    subscriber: Party | None = None
    dependant: Party | None = None
    claims: tuple[ClaimStatus, ...] = ()
    """Without a patient: one, with the status of the whole request or of the provider's part."""
    contacts: tuple[Contact, ...] = ()
    """The payer's."""
    reference: str = field(default="", compare=False)
    """BHT03."""
    index: int = field(default=0, compare=False)
    """Position of the lowest HL in the file."""


def read(transaction: TransactionSet) -> Iterator[StatusAnswer]:
    """Yield the answers of a transaction set."""
    reference = next((s.get(3) for s in transaction.body if s.tag == "BHT"), "")
    told: set[int] = set()
    for path in paths(transaction.body):
        payer, receiver = path.get("20"), path.get("21")
        lower = {code: path[code] for code in ("19", "22", "23") if code in path}
        lowest = next(reversed(lower.values()), receiver or payer)
        for level in (receiver, *lower.values()):
            if level is None or level.index in told:
                continue
            claims = tuple(_claims(level))
            if not claims and level is not lowest:
                continue
            told.add(level.index)
            people = {code: one.party() for code, one in lower.items() if one.index <= level.index}
            yield StatusAnswer(
                payer=(payer.party() if payer else None) or Party("PR"),
                receiver=(receiver.party() if receiver else None) or Party("41"),
                provider=people.get("19"),
                subscriber=people.get("22"),
                dependant=people.get("23"),
                claims=claims,
                contacts=tuple(map(Contact.of, payer.all("PER"))) if payer else (),
                reference=reference,
                index=level.index,
            )


def _claims(level: Level) -> Iterator[ClaimStatus]:
    _, told = groups(level.segments, "TRN")
    for trn, *rest in told:
        own, lines = groups(rest, "SVC")
        claim = Level("", tuple(own), trn.index)
        yield ClaimStatus(
            trace=trn.get(2),
            statuses=tuple(map(Status.of, claim.all("STC"))),
            references=tuple(map(Reference.of, claim.all("REF"))),
            period=next(map(Period.of, claim.all("DTP")), None),
            lines=tuple(map(_line, lines)),
            index=trn.index,
        )


def _line(group: Sequence[Segment]) -> LineStatus:
    svc = group[0]
    below = Level("", tuple(group[1:]), svc.index)
    return LineStatus(
        procedure=composite(svc, 1),
        charge=money(svc, 2),
        paid=money(svc, 3),
        units=money(svc, 7),
        statuses=tuple(map(Status.of, below.all("STC"))),
        control=next((s.get(2) for s in below.all("REF") if s.get(1) == "FJ"), ""),
        period=next(map(Period.of, below.all("DTP")), None),
        revenue=svc.get(4),
    )


def write(
    answers: Iterable[StatusAnswer],
    *,
    reference: str,
    at: datetime,
    delimiters: Delimiters | None = None,
) -> SetWriter:
    """
    Return the segments of one transaction set. Answers that follow one another share levels.

    :param reference: BHT03, the payer's own
    """
    out = SetWriter(delimiters)
    out.begin("0010", "08", reference, at, "DG")
    levels = _Levels(out)
    for one in answers:
        wanted = [("20", one.payer), ("21", one.receiver)]
        if one.provider is not None:
            wanted.append(("19", one.provider))
        levels.contacts = one.contacts
        levels.enter(*wanted, has_child=one.subscriber is not None)
        if one.subscriber is not None:
            parent = out.level("22", levels.parent, one.dependant is not None)
            out.party(one.subscriber)
            if one.dependant is not None:
                out.level("23", parent, None)
                out.party(one.dependant)
        echoed = "1" if one.provider is not None and one.subscriber is None else "2"
        for claim in one.claims:
            _write_claim(out, claim, echoed)
    return out


class _Levels(Levels):
    """Levels with the payer's contacts, which stand below its name."""

    contacts: tuple[Contact, ...] = ()

    def named(self, party: Party) -> None:
        """Add the name, and the payer's contacts."""
        super().named(party)
        if party.role == "PR":
            for contact in self.contacts:
                self.out.contact(contact)


def _write_claim(out: SetWriter, claim: ClaimStatus, echoed: str) -> None:
    out.add("TRN", echoed, out.text(claim.trace, 50))
    for status in claim.statuses:
        _write_status(out, status)
    for reference in claim.references:
        out.reference(reference)
    if claim.period is not None:
        out.period(claim.period)
    for line in claim.lines:
        add_service(out, line.procedure, line.charge, line.paid, line.revenue, line.units)
        for status in line.statuses:
            _write_status(out, status)
        if line.control:
            out.reference(Reference("FJ", line.control))
        if line.period is not None:
            out.period(line.period)


def _write_status(out: SetWriter, status: Status) -> None:
    reasons = [
        out.composite((one.category, one.code, one.entity, one.code_list))
        for one in (*status.reasons, *(Reason(""),) * 3)[:3]
    ]
    out.add(
        "STC", reasons[0], _day(status.on), status.action, out.number(status.charge),
        out.number(status.paid), _day(status.adjudicated_on), status.method, _day(status.paid_on),
        out.text(status.payment_number, 30), reasons[1], reasons[2], out.text(status.message, 264),
    )  # fmt: skip


def _day(value: date | None) -> str:
    return f"{value:%Y%m%d}" if value else ""
