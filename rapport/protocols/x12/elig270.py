"""
Eligibility inquiries: 005010X279A1 (270), records to segments and back.

One `Inquiry` asks about one patient. A payer that answers in real time wants one of them to an
interchange; a file may hold many. The answer is in `elig271`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from .entities import (
    Address,
    Level,
    Party,
    Period,
    Reference,
    SetWriter,
    Specialty,
    Trace,
    composite,
    groups,
    paths,
    repeated,
)
from .envelope import TransactionSet
from .guides.elements import day
from .syntax import Delimiters

MENTAL_HEALTH = ("30", "MH")
"""What a practice of ours asks for: the plan, and mental health. Many payers answer 30 to anything."""


@dataclass(frozen=True, slots=True)
class Fact:
    """III: what narrows a question or a benefit, such as the place of service (`ZZ`, `02`)."""

    kind: str
    """III01: ZZ place of service; BF, BK … diagnosis."""
    code: str
    category: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Insured:
    """A subscriber or a dependant (2000C/2100C, 2000D/2100D)."""

    party: Party
    references: tuple[Reference, ...] = ()
    """REF: 6P group, SY social security number, EJ our account number …"""
    address: Address | None = None
    birth_on: date | None = None
    sex: str = ""
    """F, M, or U."""
    insured: str = ""
    """INS01: Y the subscriber, N a dependant."""
    relation: str = ""
    """INS02: 18 self, 01 spouse, 19 child …"""
    specialty: Specialty | None = None
    diagnoses: tuple[tuple[str, ...], ...] = ()
    """HI: kind and code of each."""
    periods: tuple[Period, ...] = ()
    traces: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who asks (2100B): the provider, as a rule."""

    party: Party
    references: tuple[Reference, ...] = ()
    address: Address | None = None
    specialty: Specialty | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One thing asked about (2110: EQ and what follows it)."""

    service_types: tuple[str, ...] = ()
    """EQ01: 30 the plan, MH mental health, A6 psychotherapy, 98 office visit …"""
    procedure: tuple[str, ...] = ()
    """EQ02: kind (HC), code, modifiers. Instead of service types."""
    level: str = ""
    """EQ03: IND or FAM."""
    facts: tuple[Fact, ...] = ()
    references: tuple[Reference, ...] = ()
    """REF: G1 an authorisation, 9F a referral."""
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question to a payer about one patient."""

    payer: Party
    provider: Receiver
    subscriber: Insured
    questions: tuple[Question, ...]
    dependant: Insured | None = None
    """The patient, when it is not the subscriber."""
    reference: str = field(default="", compare=False)
    """BHT03 of the set it was read from."""
    index: int = field(default=0, compare=False)
    """Position of the patient's HL in the file it was read from."""

    @property
    def patient(self) -> Insured:
        """Who is asked about."""
        return self.dependant or self.subscriber

    @property
    def trace(self) -> str:
        """TRN02, by which the answer is matched."""
        return next((trace.number for trace in self.patient.traces), "")


def inquiry(
    *,
    payer_name: str,
    payer_id: str,
    provider_name: str,
    provider_npi: str,
    member_id: str,
    last: str,
    first: str,
    birth_on: date | None,
    on: date,
    trace: str,
    origin: str,
    sex: str = "",
    service_types: tuple[str, ...] = MENTAL_HEALTH,
) -> Inquiry:
    """
    Make the inquiry a practice asks about a subscriber.

    :param on: the day the benefits are asked for
    :param trace: TRN02, ours, opaque
    :param origin: TRN03, who gave the trace: ten characters at most, such as 9 and a tax number
    """
    return Inquiry(
        payer=Party("PR", "2", payer_name, id_kind="PI", id=payer_id),
        provider=Receiver(Party("1P", "2", provider_name, id_kind="XX", id=provider_npi)),
        subscriber=Insured(
            Party("IL", "1", last, first, id_kind="MI", id=member_id),
            birth_on=birth_on,
            sex=sex,
            periods=(Period.on("291", on),),
            traces=(Trace("1", trace, origin),),
        ),
        questions=(Question(service_types),),
    )


def write(
    inquiries: Iterable[Inquiry],
    *,
    reference: str,
    at: datetime,
    delimiters: Delimiters | None = None,
) -> SetWriter:
    """
    Return the segments of one transaction set; its envelope is `envelope.interchange`.

    Inquiries that follow one another share the payer and the provider they have in common.

    :param reference: BHT03, unique: the 271 gives it back
    :param at: local time of the sender
    """
    out = SetWriter(delimiters)
    out.begin("0022", "13", reference, at, "")
    payer: Party | None = None
    provider: Receiver | None = None
    source = receiver = 0
    for one in inquiries:
        if one.payer != payer:
            source, payer, provider = out.level("20", 0, True), one.payer, None
            out.party(one.payer)
        if one.provider != provider:
            receiver, provider = out.level("21", source, True), one.provider
            add_receiver(out, one.provider)
        parent = out.level("22", receiver, one.dependant is not None)
        _insured(out, one.subscriber)
        if one.dependant is not None:
            out.level("23", parent, False)
            _insured(out, one.dependant)
        for question in one.questions:
            _question(out, question)
    return out


def add_receiver(out: SetWriter, receiver: Receiver) -> None:
    """Add what stands in loop 2100B."""
    out.party(receiver.party)
    for reference in receiver.references:
        out.reference(reference)
    out.address(receiver.address)
    out.specialty(receiver.specialty)


def _insured(out: SetWriter, insured: Insured) -> None:
    for trace in insured.traces:
        out.trace(trace)
    out.party(insured.party)
    for reference in insured.references:
        out.reference(reference)
    out.address(insured.address)
    add_person(out, insured)


def add_person(out: SetWriter, insured: Insured) -> None:
    """Add PRV, DMG, INS, HI and DTP of loop 2100C or 2100D."""
    out.specialty(insured.specialty)
    out.birth(insured.birth_on, insured.sex)
    if insured.insured:
        out.add("INS", insured.insured, insured.relation)
    if insured.diagnoses:
        out.add("HI", *(out.composite(diagnosis) for diagnosis in insured.diagnoses))
    for period in insured.periods:
        out.period(period)


def _question(out: SetWriter, question: Question) -> None:
    out.add(
        "EQ", out.repeated(question.service_types), out.composite(question.procedure),
        question.level,
    )  # fmt: skip
    for fact in question.facts:
        out.add("III", fact.kind, out.text(fact.code, 30), fact.category, out.text(fact.text, 264))
    for reference in question.references:
        out.reference(reference)
    for period in question.periods:
        out.period(period)


def read(transaction: TransactionSet) -> Iterator[Inquiry]:
    """Yield the inquiries of a transaction set. Levels without a patient are passed over."""
    reference = next((s.get(3) for s in transaction.body if s.tag == "BHT"), "")
    for path in paths(transaction.body):
        holder, payer, provider = (path.get(code) for code in ("22", "20", "21"))
        if holder is None:
            continue
        patient = path.get("23", holder)
        yield Inquiry(
            payer=(payer.party() if payer else None) or Party("PR"),
            provider=receiver_of(provider),
            subscriber=_read_insured(holder),
            dependant=_read_insured(patient) if patient is not holder else None,
            questions=tuple(_questions(patient)),
            reference=reference,
            index=patient.index,
        )


def receiver_of(level: Level | None) -> Receiver:
    """Read loop 2100B."""
    if level is None:
        return Receiver(Party("1P"))
    return Receiver(
        level.party() or Party("1P"),
        tuple(map(Reference.of, level.all("REF"))),
        Address.of(level.segments),
        Specialty.of(level.segments),
    )


def _read_insured(level: Level) -> Insured:
    before, _ = groups(level.segments, "EQ")
    head = Level(level.code, tuple(before), level.index)
    dmg = next(iter(head.all("DMG")), None)
    ins = next(iter(head.all("INS")), None)
    return Insured(
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
    )


def _questions(level: Level) -> Iterator[Question]:
    _, asked = groups(level.segments, "EQ")
    for eq, *rest in asked:
        below = Level("", tuple(rest), eq.index)
        yield Question(
            service_types=repeated(eq, 1),
            procedure=composite(eq, 2),
            level=eq.get(3),
            facts=tuple(Fact(s.get(1), s.get(2), s.get(3), s.get(4)) for s in below.all("III")),
            references=tuple(map(Reference.of, below.all("REF"))),
            periods=tuple(map(Period.of, below.all("DTP"))),
        )
