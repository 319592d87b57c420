"""
Professional claims: 005010X222A1 (837P), typed records -> segments.

Loops, usage and element notes follow the implementation guide's structure as pyx12's map of it
shows; one claim in, one claim out, streaming. Text must be clean before it gets here only in
the sense that `clean` is applied to it here: names and addresses are folded to the basic set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from .envelope import Writer, clean
from .syntax import Delimiters


@dataclass(frozen=True, slots=True)
class Name:
    """A person (`first` given) or an organisation (`first` empty)."""

    last: str
    """Last name, or the name of the organisation."""
    first: str = ""
    middle: str = ""
    suffix: str = ""

    @property
    def is_person(self) -> bool:
        """Entity type: 1 a person, 2 not."""
        return bool(self.first)


@dataclass(frozen=True, slots=True)
class Place:
    """A postal address (N3, N4)."""

    line1: str
    city: str
    state: str
    postal_code: str
    """Digits; nine of them for billing providers and facilities."""
    line2: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: billing (2010AA), rendering (2310B), supervising (2310D), referring (2310A)."""

    name: Name
    npi: str
    taxonomy: str = ""
    tax_id: str = ""
    """Billing provider only: nine digits."""
    tax_id_kind: str = "EI"
    """EI employer's number, SY social security number."""
    place: Place | None = None
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Facility:
    """Where the service was given, when it is not the billing provider's address (2310C)."""

    name: str
    place: Place
    npi: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """The subscriber or patient with what identifies them (2010BA, 2010CA)."""

    name: Name
    birth_on: date | None = None
    sex: str = "U"
    """F, M or U (DMG03)."""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Payer:
    """The payer the claim is for (2010BB)."""

    name: str
    id: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One CAS reason: positive amounts reduce what is paid."""

    group: str
    reason: str
    amount: Decimal
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LineAdjudication:
    """What an earlier payer decided about one line (2430)."""

    payer_id: str
    """Which of the other payers: the id in its 2330B NM109."""
    paid: Decimal
    paid_units: Decimal
    adjudicated_on: date
    adjustments: tuple[Adjustment, ...] = ()
    """Every one as that payer gave it, in its order."""
    procedure: str = ""
    """The code it decided about (SVD03); empty: the line's own, with the line's modifiers."""
    modifiers: tuple[str, ...] = ()
    """Of that code."""
    patient_owes: Decimal | None = None
    """AMT*EAF: what it left to the patient; None: not said."""


@dataclass(frozen=True, slots=True)
class OtherPayer:
    """Another policy that pays for the same patient, before or after this one (2320, 2330)."""

    rank: str
    """P, S or T."""
    relationship: str
    """18 self, 01 spouse, 19 child, G8 other."""
    group_number: str
    filing_indicator: str
    paid: Decimal | None
    """AMT*D: what it paid for the whole claim; None: it has not decided."""
    subscriber: Person
    member_id: str
    payer: Payer
    claim_number: str = ""
    """That payer's number for the claim (2330B REF*F8)."""
    adjustments: tuple[Adjustment, ...] = ()
    """Only what it decided about the claim as a whole (2320 CAS)."""
    adjudicated_on: date | None = None
    """2330B DTP*573: only when it decided about no line; else each line has its day (2430)."""
    patient_owes: Decimal | None = None
    """AMT*EAF, under the same condition."""
    remarks: tuple[str, ...] = ()
    """Remark codes about the claim, at most five (MOA03 to MOA07)."""
    insurance_type: str = ""
    """SBR05, of Medicare alone and where it is not the first payer: why it is not."""


@dataclass(frozen=True, slots=True)
class Line:
    """One service (2400)."""

    procedure: str
    charge: Decimal
    units: Decimal
    service_on: date
    pointers: tuple[int, ...]
    """1-based positions of the diagnoses, at most four."""
    control: str
    """REF*6R: comes back on the remittance's line."""
    modifiers: tuple[str, ...] = ()
    place_of_service: str = ""
    """Only where it differs from the claim's."""
    note: str = ""
    authorisation: str = ""
    adjudications: tuple[LineAdjudication, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A paper that is sent beside the claim (2300 PWK)."""

    report_type: str
    """PWK01, e.g. OZ support data for the claim, 09 progress report."""
    way: str
    """PWK02: EL electronic (275), FX fax, BM by mail, AA at the provider's, on request."""
    control: str = ""
    """PWK06: joins paper and claim; none with AA."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One professional claim with everything the file needs."""

    control: str
    """CLM01: ours, at most 20 of A-Z and 0-9, opaque."""
    billing: Provider
    subscriber: Person
    member_id: str
    payer: Payer
    place_of_service: str
    diagnoses: tuple[str, ...]
    """ICD-10-CM without dots, principal first, at most twelve."""
    lines: tuple[Line, ...]
    rank: str = "P"
    """SBR01: P primary, S secondary, T tertiary."""
    relationship: str = "18"
    """18: the patient is the subscriber; else PAT01 of the dependant."""
    patient: Person | None = None
    """Only when the patient is not the subscriber."""
    group_number: str = ""
    filing_indicator: str = "CI"
    frequency: str = "1"
    """1 original, 7 replacement, 8 void."""
    payer_claim_number: str = ""
    """REF*F8: needed for 7 and 8."""
    authorisation: str = ""
    referral: str = ""
    trace: str = ""
    """REF*D9: our own number, echoed by clearinghouses."""
    note: str = ""
    rendering: Provider | None = None
    """Only when not the billing provider."""
    supervising: Provider | None = None
    referring: Provider | None = None
    facility: Facility | None = None
    others: tuple[OtherPayer, ...] = ()
    patient_paid: Decimal | None = None
    """AMT*F5: toward these services; some payers take it off what they pay."""
    attachments: tuple[Attachment, ...] = ()
    """At most ten."""
    insurance_type: str = ""
    """SBR05, of Medicare alone and where it is not the first payer: why it is not."""

    @property
    def total(self) -> Decimal:
        """CLM02: the sum of the lines, exactly."""
        return sum((line.charge for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who sends (1000A) and who receives (1000B)."""

    name: str
    id: str
    contact: str
    phone: str
    receiver_name: str
    receiver_id: str


@dataclass(slots=True)
class Body:
    """A transaction set's segments between ST and SE, and where each claim stands in it."""

    segments: list[str]
    claims: dict[str, tuple[int, int]] = field(default_factory=dict)
    """CLM01 -> first and last position of its segments, counted as IK302 does (ST is 1)."""
    lines: dict[str, int] = field(default_factory=dict)
    """REF*6R -> position of its LX segment."""
    substitutions: int = 0
    """Characters that were replaced because X12 cannot carry them."""


def amount(value: Decimal) -> str:
    """
    Return an amount as X12 writes it: no needless zeros, no plus sign.

    >>> amount(Decimal("150.00")), amount(Decimal("99.50")), amount(Decimal("0.25"))
    ('150', '99.5', '.25')
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text.startswith("0."):
        text = text[1:]
    elif text.startswith("-0."):
        text = "-" + text[2:]
    return text if text not in ("", "-", "-0") else "0"


CAS_SEGMENTS = 5
"""How often CAS may stand in 2320 and in 2430."""
CAS_REASONS = 6
"""Reasons of one group in one CAS."""


def cas_segments(adjustments: Sequence[Adjustment]) -> list[list[Adjustment]]:
    """
    Return adjustments as CAS segments carry them: runs of one group, six reasons at most.

    Their order is kept. Only where that takes more than the five segments there is room for, those
    of one group are brought together.
    """
    runs = _runs(adjustments)
    if len(runs) > CAS_SEGMENTS:
        groups = list(dict.fromkeys(one.group for one in adjustments))
        runs = _runs(sorted(adjustments, key=lambda one: groups.index(one.group)))
    return runs


def _runs(adjustments: Iterable[Adjustment]) -> list[list[Adjustment]]:
    runs: list[list[Adjustment]] = []
    for one in adjustments:
        if not runs or runs[-1][0].group != one.group or len(runs[-1]) == CAS_REASONS:
            runs.append([])
        runs[-1].append(one)
    return runs


class _Builder:
    """Writes one transaction set."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.w = Writer(delimiters)
        self.reserved = delimiters.characters()
        self.body = Body(self.w.segments)
        self.level = 0

    def text(self, value: str, length: int) -> str:
        """Clean a text and cut it to the element's length."""
        cleaned, replaced = clean(value, reserved=self.reserved)
        self.body.substitutions += replaced
        return cleaned[:length].strip()

    def code(self, value: str) -> str:
        """Clean an identifier: no spaces."""
        return self.text(value, 80).replace(" ", "")

    def name(self, entity: str, name: Name, qualifier: str = "", id: str = "") -> None:
        self.w.add(
            "NM1", entity, "1" if name.is_person else "2", self.text(name.last, 60),
            self.text(name.first, 35), self.text(name.middle, 25), "", self.text(name.suffix, 10),
            qualifier if id else "", self.code(id),
        )  # fmt: skip

    def place(self, place: Place) -> None:
        self.w.add("N3", self.text(place.line1, 55), self.text(place.line2, 55))
        self.w.add("N4", self.text(place.city, 30), place.state, place.postal_code)

    def person(self, entity: str, person: Person, qualifier: str = "", id: str = "") -> None:
        self.name(entity, person.name, qualifier, id)
        if person.place:
            self.place(person.place)
        if person.birth_on:
            self.w.add("DMG", "D8", f"{person.birth_on:%Y%m%d}", person.sex)

    def level_start(self, code: str, parent: int | None, has_child: bool) -> int:
        self.level += 1
        self.w.add("HL", str(self.level), str(parent or ""), code, "1" if has_child else "0")
        return self.level

    def header(self, submitter: Submitter, *, batch_id: str, at: datetime) -> None:
        self.w.add("BHT", "0019", "00", batch_id, f"{at:%Y%m%d}", f"{at:%H%M}", "CH")
        self.w.add(
            "NM1", "41", "2", self.text(submitter.name, 60), "", "", "", "", "46", submitter.id
        )
        self.w.add("PER", "IC", self.text(submitter.contact, 60), "TE", submitter.phone)
        self.w.add(
            "NM1",
            "40",
            "2",
            self.text(submitter.receiver_name, 60),
            "",
            "",
            "",
            "",
            "46",
            submitter.receiver_id,
        )

    def billing(self, provider: Provider) -> int:
        level = self.level_start("20", None, True)
        if provider.taxonomy:
            self.w.add("PRV", "BI", "PXC", provider.taxonomy)
        self.name("85", provider.name, "XX", provider.npi)
        if provider.place:
            self.place(provider.place)
        self.w.add("REF", provider.tax_id_kind, provider.tax_id)
        if provider.phone:
            self.w.add("PER", "IC", self.text(provider.name.last, 60), "TE", provider.phone)
        return level

    def provider(self, entity: str, provider: Provider, role: str = "") -> None:
        self.name(entity, provider.name, "XX", provider.npi)
        if role and provider.taxonomy:
            self.w.add("PRV", role, "PXC", provider.taxonomy)

    def claim(self, claim: Claim, parent: int) -> None:
        first = len(self.w.segments) + 2
        dependant = claim.patient is not None
        subscriber = self.level_start("22", parent, dependant)
        self.w.add(
            "SBR", claim.rank, "" if dependant else claim.relationship,
            self.code(claim.group_number), "", claim.insurance_type, "", "", "", claim.filing_indicator,
        )  # fmt: skip
        holder = claim.subscriber
        if dependant:
            holder = Person(holder.name)
        self.person("IL", holder, "MI", claim.member_id)
        self.name("PR", Name(claim.payer.name), "PI", claim.payer.id)
        if claim.payer.place:
            self.place(claim.payer.place)
        if claim.patient is not None:
            self.level_start("23", subscriber, False)
            self.w.add("PAT", claim.relationship)
            self.person("QC", claim.patient)
        self.facts(claim)
        for number, line in enumerate(claim.lines, 1):
            self.line(line, number)
        self.body.claims[claim.control] = (first, len(self.w.segments) + 1)

    def facts(self, claim: Claim) -> None:
        w = self.w
        w.add(
            "CLM", claim.control, amount(claim.total), "", "",
            w.composite(claim.place_of_service, "B", claim.frequency), "Y", "A", "Y", "Y",
        )  # fmt: skip
        for paper in claim.attachments:
            if paper.control:
                w.add("PWK", paper.report_type, paper.way, "", "", "AC", self.text(paper.control, 50))
            else:
                w.add("PWK", paper.report_type, paper.way)
        if claim.patient_paid:
            w.add("AMT", "F5", amount(claim.patient_paid))
        for qualifier, value in (
            ("9F", claim.referral), ("G1", claim.authorisation),
            ("F8", claim.payer_claim_number), ("D9", claim.trace),
        ):  # fmt: skip
            if value:
                w.add("REF", qualifier, self.text(value, 50))
        if claim.note:
            w.add("NTE", "ADD", self.text(claim.note, 80))
        w.add(
            "HI",
            *(
                w.composite("ABF" if number else "ABK", code.replace(".", ""))
                for number, code in enumerate(claim.diagnoses)
            ),
        )
        if claim.referring:
            self.provider("DN", claim.referring)
        if claim.rendering:
            self.provider("82", claim.rendering, "PE")
        if claim.facility:
            self.name("77", Name(claim.facility.name), "XX", claim.facility.npi)
            self.place(claim.facility.place)
        if claim.supervising:
            self.provider("DQ", claim.supervising)
        for other in claim.others:
            self.other(other)

    def other(self, other: OtherPayer) -> None:
        w = self.w
        w.add(
            "SBR", other.rank, other.relationship, self.code(other.group_number), "", other.insurance_type, "", "", "",
            other.filing_indicator,
        )  # fmt: skip
        self.adjustments(other.adjustments)
        if other.paid is not None:
            w.add("AMT", "D", amount(other.paid))
        if other.patient_owes is not None:
            w.add("AMT", "EAF", amount(other.patient_owes))
        w.add("OI", "", "", "Y", "", "", "Y")
        if other.remarks:
            w.add("MOA", "", "", *(self.code(remark) for remark in other.remarks))
        self.person(
            "IL", Person(other.subscriber.name, place=other.subscriber.place), "MI", other.member_id
        )
        self.name("PR", Name(other.payer.name), "PI", other.payer.id)
        if other.payer.place:
            self.place(other.payer.place)
        if other.adjudicated_on:
            w.add("DTP", "573", "D8", f"{other.adjudicated_on:%Y%m%d}")
        if other.claim_number:
            w.add("REF", "F8", self.text(other.claim_number, 50))

    def line(self, line: Line, number: int) -> None:
        w = self.w
        self.body.lines[line.control] = len(w.segments) + 2
        w.add("LX", str(number))
        w.add(
            "SV1", w.composite("HC", line.procedure, *line.modifiers), amount(line.charge), "UN",
            amount(line.units), line.place_of_service, "", w.composite(*map(str, line.pointers)),
        )  # fmt: skip
        w.add("DTP", "472", "D8", f"{line.service_on:%Y%m%d}")
        if line.authorisation:
            w.add("REF", "G1", self.text(line.authorisation, 50))
        w.add("REF", "6R", line.control)
        if line.note:
            w.add("NTE", "ADD", self.text(line.note, 80))
        for decided in line.adjudications:
            modifiers = decided.modifiers if decided.procedure else line.modifiers
            w.add(
                "SVD", self.code(decided.payer_id), amount(decided.paid),
                w.composite("HC", decided.procedure or line.procedure, *modifiers), "",
                amount(decided.paid_units),
            )  # fmt: skip
            self.adjustments(decided.adjustments)
            w.add("DTP", "573", "D8", f"{decided.adjudicated_on:%Y%m%d}")
            if decided.patient_owes is not None:
                w.add("AMT", "EAF", amount(decided.patient_owes))

    def adjustments(self, adjustments: Sequence[Adjustment]) -> None:
        for run in cas_segments(adjustments):
            parts = [
                part
                for one in run
                for part in (
                    one.reason, amount(one.amount),
                    amount(one.quantity) if one.quantity is not None else "",
                )
            ]  # fmt: skip
            self.w.add("CAS", run[0].group, *parts)


def write(
    claims: Iterable[Claim],
    *,
    submitter: Submitter,
    batch_id: str,
    at: datetime,
    delimiters: Delimiters | None = None,
) -> Body:
    """
    Return the segments of one transaction set with these claims.

    Claims of the same billing provider that follow one another share its loop.

    :param batch_id: BHT03, unique per file: the 277CA refers to it
    :param at: local time of the sender (BHT04/05)
    """
    builder = _Builder(delimiters or Delimiters())
    builder.header(submitter, batch_id=batch_id, at=at)
    billing: Provider | None = None
    parent = 0
    for claim in claims:
        if claim.billing != billing:
            billing = claim.billing
            parent = builder.billing(billing)
        builder.claim(claim, parent)
    return builder.body
