"""
Eligibility answers: 005010X279A1 (271), records from segments and back.

One `Answer` is what a payer says of one patient, or that it will say nothing and why. What the
rows mean for a visit is derived in `benefits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from .elig270 import Fact, Insured, Receiver, add_person, add_receiver, receiver_of
from .entities import (
    Address,
    Contact,
    Level,
    Party,
    Period,
    Reference,
    SetWriter,
    Specialty,
    Trace,
    composite,
    groups,
    money,
    paths,
    repeated,
)
from .envelope import TransactionSet
from .guides.elements import day
from .syntax import Delimiters, Segment

ACTIVE = frozenset("12345")
"""EB01: coverage is in force, in one form or another."""
INACTIVE = frozenset("678")


@dataclass(frozen=True, slots=True)
class Refusal:
    """AAA: why there is no answer, and what to do."""

    valid: str
    """AAA01: Y the question was well formed, N it was not."""
    reason: str
    """AAA03: 42 unable now, 51 provider not on file, 72 member id, 75 not found, 79 payer …"""
    follow_up: str
    """AAA04: C correct and ask again, N do not, P R ask again, W X in 30 or 10 days, S Y wait."""

    @property
    def later(self) -> bool:
        """The same question may be answered at another time."""
        return self.reason in ("42", "80") or self.follow_up in ("P", "S", "W", "X", "Y")


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody a benefit points at (2120): whom to call, who else pays."""

    party: Party
    """Role: X3 utilisation review, VN vendor, PR payer, PRP primary payer, P3 primary care …"""
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    specialty: Specialty | None = None


@dataclass(frozen=True, slots=True)
class Benefit:
    """One row of benefits (2110: EB and what follows it)."""

    info: str
    """EB01: 1-5 active, 6-8 inactive, A coinsurance, B copay, C deductible, F limit, G out of
    pocket, I not covered, U ask somebody else, CB, MC, R …"""
    level: str = ""
    """EB02: IND, FAM …; empty for either."""
    service_types: tuple[str, ...] = ()
    """EB03, in order."""
    insurance_type: str = ""
    plan: str = ""
    time: str = ""
    """EB06: 23 calendar year, 24 year to date, 27 visit, 29 remaining …"""
    amount: Decimal | None = None
    """EB07, dollars."""
    percent: Decimal | None = None
    """EB08 as a fraction: .2 is 20 %."""
    quantity_kind: str = ""
    """EB09: VS visits, DY days, P6 services …"""
    quantity: Decimal | None = None
    authorisation: str = ""
    """EB11: Y needed, N not, U not known."""
    in_network: str = ""
    """EB12: Y in network, N out of it, W both, U not known; empty: not said."""
    procedure: tuple[str, ...] = ()
    """EB13: kind, code, modifiers."""
    diagnosis_pointers: tuple[str, ...] = ()
    deliveries: tuple[tuple[str, ...], ...] = ()
    """HSD: how often, elements as they stand."""
    references: tuple[Reference, ...] = ()
    periods: tuple[Period, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    messages: tuple[str, ...] = ()
    """MSG01, word for word."""
    facts: tuple[Fact, ...] = ()
    entities: tuple[Entity, ...] = ()
    index: int = field(default=0, compare=False)
    """Position of the EB in the file."""


@dataclass(frozen=True, slots=True)
class Member(Insured):
    """A subscriber or a dependant as the payer knows them, with what they are entitled to."""

    refusals: tuple[Refusal, ...] = ()
    military: tuple[str, ...] = ()
    """MPI, elements as they stand."""
    benefits: tuple[Benefit, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Who answers (2000A, 2100A)."""

    party: Party
    contacts: tuple[Contact, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Asker(Receiver):
    """Who asked (2100B), and why it got no answer."""

    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a payer says of one patient."""

    payer: Source
    provider: Asker
    subscriber: Member | None = None
    """None: the payer refused before it looked at anybody."""
    dependant: Member | None = None
    reference: str = field(default="", compare=False)
    """BHT03: that of the 270, in real time."""
    index: int = field(default=0, compare=False)
    """Position of the patient's HL in the file."""

    @property
    def patient(self) -> Member | None:
        """Who is spoken of."""
        return self.dependant or self.subscriber

    @property
    def benefits(self) -> tuple[Benefit, ...]:
        """The patient's rows."""
        return self.patient.benefits if self.patient else ()

    @property
    def traces(self) -> tuple[str, ...]:
        """The numbers asked under (TRN02 of TRN*2), the patient's first."""
        people = [one for one in (self.dependant, self.subscriber) if one]
        return tuple(trace.number for one in people for trace in one.traces if trace.kind == "2")

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Every AAA that stands above or beside the patient, and in the patient's rows."""
        people = [one for one in (self.subscriber, self.dependant) if one]
        return (
            *self.payer.refusals, *self.provider.refusals,
            *(refusal for one in people for refusal in one.refusals),
            *(refusal for row in self.benefits for refusal in row.refusals),
        )  # fmt: skip

    @property
    def outcome(self) -> str:
        """`answered`; else `later` when the same question may be asked again, or `refused`."""
        if any(row.info in ACTIVE | INACTIVE for row in self.benefits):
            return "answered"
        if self.refusals:
            return "later" if all(refusal.later for refusal in self.refusals) else "refused"
        return "answered" if self.benefits else "refused"


def read(transaction: TransactionSet) -> Iterator[Answer]:
    """Yield the answers of a transaction set, one for each patient or refusal."""
    reference = next((s.get(3) for s in transaction.body if s.tag == "BHT"), "")
    told: set[int] = set()
    for path in paths(transaction.body):
        holder, dependant = path.get("22"), path.get("23")
        subscriber = _member(holder) if holder else None
        source, asker = _source(path.get("20")), _asker(path.get("21"))
        leaf = dependant or holder or path.get("21") or path.get("20")
        if holder and dependant and subscriber and subscriber.benefits and holder.index not in told:
            told.add(holder.index)
            yield Answer(source, asker, subscriber, None, reference, holder.index)
        yield Answer(
            source, asker, subscriber, _member(dependant) if dependant else None, reference,
            leaf.index if leaf else 0,
        )  # fmt: skip


def alone(transaction: TransactionSet, answer: Answer) -> list[str]:
    """
    Return the segments between ST and SE that say one answer, as they stand in the file.

    Those of other patients, who stand in the same file, are left out. Levels keep their numbers.

    :param answer: as `read` gave it for this transaction set
    """
    chain = next(
        (
            {level.index for level in path.values() if level.index <= answer.index}
            for path in paths(transaction.body)
            if any(level.index == answer.index for level in path.values())
        ),
        set(),
    )
    kept: list[str] = []
    inside = True  # what stands before the first level belongs to every answer
    for segment in transaction.body:
        if segment.tag == "HL":
            inside = segment.index in chain
        if inside:
            kept.append(segment.text())
    return kept


def _refusals(segments: Iterable[Segment]) -> tuple[Refusal, ...]:
    return tuple(Refusal(s.get(1), s.get(3), s.get(4)) for s in segments if s.tag == "AAA")


def _source(level: Level | None) -> Source:
    if level is None:
        return Source(Party("PR"))
    return Source(
        level.party() or Party("PR"),
        tuple(map(Contact.of, level.all("PER"))),
        _refusals(level.segments),
    )


def _asker(level: Level | None) -> Asker:
    plain = receiver_of(level)
    return Asker(
        plain.party, plain.references, plain.address, plain.specialty,
        _refusals(level.segments) if level else (),
    )  # fmt: skip


def _member(level: Level) -> Member:
    before, rows = groups(level.segments, "EB")
    head = Level(level.code, tuple(before), level.index)
    dmg, ins, mpi = (next(iter(head.all(tag)), None) for tag in ("DMG", "INS", "MPI"))
    return Member(
        party=head.party("IL", "03") or Party("IL" if level.code == "22" else "03"),
        references=tuple(map(Reference.of, head.all("REF"))),
        address=Address.of(before),
        birth_on=day(dmg.get(2)) if dmg else None,
        sex=dmg.get(3) if dmg else "",
        insured=ins.get(1) if ins else "",
        relation=ins.get(2) if ins else "",
        specialty=Specialty.of(before),
        diagnoses=tuple(
            composite(hi, number) for hi in head.all("HI") for number in range(1, len(hi.elements))
        ),
        periods=tuple(map(Period.of, head.all("DTP"))),
        traces=tuple(map(Trace.of, head.all("TRN"))),
        refusals=_refusals(before),
        military=tuple(mpi.elements[1:]) if mpi else (),
        benefits=tuple(map(_benefit, rows)),
    )


def _benefit(row: Sequence[Segment]) -> Benefit:
    eb = row[0]
    own, entities = groups(row[1:], "NM1")
    below = Level("", tuple(own), eb.index)
    return Benefit(
        info=eb.get(1), level=eb.get(2), service_types=repeated(eb, 3), insurance_type=eb.get(4),
        plan=eb.get(5), time=eb.get(6), amount=money(eb, 7), percent=money(eb, 8),
        quantity_kind=eb.get(9), quantity=money(eb, 10), authorisation=eb.get(11),
        in_network=eb.get(12), procedure=composite(eb, 13), diagnosis_pointers=composite(eb, 14),
        deliveries=tuple(tuple(s.elements[1:]) for s in below.all("HSD")),
        references=tuple(map(Reference.of, below.all("REF"))),
        periods=tuple(map(Period.of, below.all("DTP"))),
        refusals=_refusals(own),
        messages=tuple(s.get(1) for s in below.all("MSG")),
        facts=tuple(Fact(s.get(1), s.get(2), s.get(3), s.get(4)) for s in below.all("III")),
        entities=tuple(map(_entity, entities)),
        index=eb.index,
    )  # fmt: skip


def _entity(group: Sequence[Segment]) -> Entity:
    nm1, *rest = group
    contacts = tuple(Contact.of(s) for s in rest if s.tag == "PER")
    return Entity(Party.of(nm1), Address.of(rest), contacts, Specialty.of(rest))


def write(
    answers: Iterable[Answer],
    *,
    reference: str,
    at: datetime,
    delimiters: Delimiters | None = None,
) -> SetWriter:
    """
    Return the segments of one transaction set. Answers that follow one another share levels.

    :param reference: BHT03 of the 270
    """
    out = SetWriter(delimiters)
    out.begin("0022", "11", reference, at, "")
    waiting = list(answers)
    payer: Source | None = None
    provider: Asker | None = None
    source = receiver = 0
    for one in waiting:
        if one.payer != payer:
            source, payer, provider = out.level("20", 0, True), one.payer, None
            out.party(one.payer.party)
            for contact in one.payer.contacts:
                out.contact(contact)
            _write_refusals(out, one.payer.refusals)
        if one.provider != provider:
            receiver, provider = out.level("21", source, one.subscriber is not None), one.provider
            _write_asker(out, one.provider)
        if one.subscriber is not None:
            parent = out.level("22", receiver, one.dependant is not None)
            _write_member(out, one.subscriber)
            if one.dependant is not None:
                out.level("23", parent, False)
                _write_member(out, one.dependant)
    return out


def _write_refusals(out: SetWriter, refusals: Iterable[Refusal]) -> None:
    for refusal in refusals:
        out.add("AAA", refusal.valid, "", refusal.reason, refusal.follow_up)


def _write_asker(out: SetWriter, asker: Asker) -> None:
    add_receiver(out, Receiver(asker.party, asker.references, asker.address))
    _write_refusals(out, asker.refusals)
    out.specialty(asker.specialty)


def _write_member(out: SetWriter, member: Member) -> None:
    for trace in member.traces:
        out.trace(trace)
    out.party(member.party)
    for reference in member.references:
        out.reference(reference)
    out.address(member.address)
    _write_refusals(out, member.refusals)
    add_person(out, member)
    if member.military:
        out.add("MPI", *(out.text(part, 80) for part in member.military))
    for benefit in member.benefits:
        _write_benefit(out, benefit)


def _write_benefit(out: SetWriter, row: Benefit) -> None:
    out.add(
        "EB", row.info, row.level, out.repeated(row.service_types), row.insurance_type,
        out.text(row.plan, 50), row.time, out.number(row.amount), out.number(row.percent),
        row.quantity_kind, out.number(row.quantity), row.authorisation, row.in_network,
        out.composite(row.procedure), out.composite(row.diagnosis_pointers),
    )  # fmt: skip
    for delivery in row.deliveries:
        out.add("HSD", *(out.text(part, 30) for part in delivery))
    for reference in row.references:
        out.reference(reference)
    for period in row.periods:
        out.period(period)
    _write_refusals(out, row.refusals)
    for message in row.messages:
        out.add("MSG", out.text(message, 264))
    for fact in row.facts:
        out.add("III", fact.kind, out.text(fact.code, 30), fact.category, out.text(fact.text, 264))
    if row.entities:
        out.add("LS", "2120")
        for entity in row.entities:
            out.party(entity.party)
            out.address(entity.address)
            for contact in entity.contacts:
                out.contact(contact)
            out.specialty(entity.specialty)
        out.add("LE", "2120")
