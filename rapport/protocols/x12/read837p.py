"""
Professional claims back from segments: what `claim837p.write` wrote is read as it was.

Files of others are read as far as `Claim` has a place for what they say; what it has none for
(ambulance, drugs, attachments …) is passed over. `check` says whether such a file is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from .claim837p import (
    Adjustment,
    Attachment,
    Claim,
    Facility,
    Line,
    LineAdjudication,
    Name,
    OtherPayer,
    Payer,
    Person,
    Place,
    Provider,
)
from .envelope import TransactionSet, transaction_sets
from .guides.elements import day
from .guides.g837p import GUIDE
from .guides.walker import walk
from .syntax import Delimiters, NotX12, Segment

_NOTHING = Segment([""], 0, 0, Delimiters())
"""Stands for a segment that is not there: all its elements are empty."""


def claims(segments: Iterable[Segment]) -> Iterator[Claim]:
    """
    Yield the claims of every professional transaction set of a file, in their order.

    :raises NotX12: an amount or a day a claim cannot do without cannot be read
    """
    for unit in transaction_sets(segments):
        if isinstance(unit, TransactionSet) and unit.kind == "837":
            yield from of_transaction(unit)


def of_transaction(transaction: TransactionSet) -> Iterator[Claim]:
    """Yield the claims of one transaction set. Raises as `claims`."""
    placed, _ = walk(GUIDE, transaction.body, end=transaction.se or transaction.st)
    levels: dict[str, _Group] = {"20": _Group(), "22": _Group(), "23": _Group()}
    current, claim = _Group(), _Group()
    for loop, segment in placed:
        if segment.tag in ("HL", "CLM"):
            if claim:
                yield _claim(levels, claim)
            claim = _Group()
        if segment.tag == "HL":
            level = segment.get(3)
            for lower in levels:
                if lower >= level:
                    levels[lower] = _Group()
            current = levels.setdefault(level, _Group())
        elif segment.tag == "CLM":
            current = claim
        current.append((loop, segment))
    if claim:
        yield _claim(levels, claim)


class _Group(list[tuple[str, Segment]]):
    """Segments that belong together, each with its loop."""

    def all(self, loop: str, tag: str, qualifier: str = "") -> Iterator[Segment]:
        for name, segment in self:
            if name == loop and segment.tag == tag and qualifier in ("", segment.get(1)):
                yield segment

    def one(self, loop: str, tag: str, qualifier: str = "") -> Segment:
        return next(self.all(loop, tag, qualifier), _NOTHING)

    def ref(self, loop: str, qualifier: str) -> str:
        return self.one(loop, "REF", qualifier).get(2)

    def parts(self, tag: str, loop: str) -> tuple[_Group, list[_Group]]:
        """Return what is before the first segment `tag` of a loop, and a group from each on."""
        before, groups = _Group(), list[_Group]()
        for name, segment in self:
            if segment.tag == tag and name == loop:
                groups.append(_Group())
            (groups[-1] if groups else before).append((name, segment))
        return before, groups


def _unreadable(segment: Segment, number: int, what: str) -> NotX12:
    return NotX12(
        f"{segment.tag}{number:02} is not {what}.",
        rule="claim-unreadable",
        segment=segment.tag,
        index=segment.index,
        offset=segment.offset,
    )


def _amount(segment: Segment, number: int) -> Decimal:
    try:
        value = Decimal(segment.get(number) or "0")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise _unreadable(segment, number, "a number")
    return value


def _name(segment: Segment) -> Name:
    return Name(segment.get(3), segment.get(4), segment.get(5), segment.get(7))


def _place(group: _Group, loop: str) -> Place | None:
    street, city = group.one(loop, "N3"), group.one(loop, "N4")
    if street is _NOTHING and city is _NOTHING:
        return None
    return Place(street.get(1), city.get(1), city.get(2), city.get(3), street.get(2))


def _person(group: _Group, loop: str) -> Person:
    facts = group.one(loop, "DMG")
    return Person(
        _name(group.one(loop, "NM1")), day(facts.get(2)), facts.get(3) or "U", _place(group, loop)
    )


def _payer(group: _Group, loop: str) -> Payer:
    name = group.one(loop, "NM1")
    return Payer(name.get(3), name.get(9), _place(group, loop))


def _provider(group: _Group, loop: str) -> Provider | None:
    name = group.one(loop, "NM1")
    if name is _NOTHING:
        return None
    return Provider(_name(name), name.get(9), group.one(loop, "PRV").get(3))


def _billing(group: _Group) -> Provider:
    name = group.one("2010AA", "NM1")
    kind = next((k for k in ("EI", "SY") if group.ref("2010AA", k)), "EI")
    return Provider(
        name=_name(name),
        npi=name.get(9),
        taxonomy=group.one("2000A", "PRV").get(3),
        tax_id=group.ref("2010AA", kind),
        tax_id_kind=kind,
        place=_place(group, "2010AA"),
        phone=group.one("2010AA", "PER").get(4),
    )


def _facility(group: _Group) -> Facility | None:
    name = group.one("2310C", "NM1")
    if name is _NOTHING:
        return None
    return Facility(name.get(3), _place(group, "2310C") or Place("", "", "", ""), name.get(9))


def _claim(levels: dict[str, _Group], group: _Group) -> Claim:
    head, lines = group.parts("LX", "2400")
    facts, others = head.parts("SBR", "2320")
    subscriber, dependant = levels["22"], levels["23"]
    clm, sbr = facts.one("2300", "CLM"), subscriber.one("2000B", "SBR")
    place, _, frequency = ([*clm.components(5), "", ""])[:3]
    paid = facts.one("2300", "AMT", "F5")
    diagnoses = [
        segment.components(number)
        for segment in facts.all("2300", "HI")
        for number in range(1, len(segment.elements))
    ]
    return Claim(
        control=clm.get(1),
        billing=_billing(levels["20"]),
        subscriber=_person(subscriber, "2010BA"),
        member_id=subscriber.one("2010BA", "NM1").get(9),
        payer=_payer(subscriber, "2010BB"),
        place_of_service=place,
        diagnoses=tuple(
            parts[1] for parts in diagnoses if len(parts) > 1 and parts[0] in ("ABK", "ABF")
        ),
        lines=tuple(_line(line) for line in lines),
        rank=sbr.get(1),
        relationship=dependant.one("2000C", "PAT").get(1) if dependant else sbr.get(2),
        patient=_person(dependant, "2010CA") if dependant else None,
        group_number=sbr.get(3),
        filing_indicator=sbr.get(9),
        frequency=frequency,
        payer_claim_number=facts.ref("2300", "F8"),
        authorisation=facts.ref("2300", "G1"),
        referral=facts.ref("2300", "9F"),
        trace=facts.ref("2300", "D9"),
        note=facts.one("2300", "NTE").get(2),
        rendering=_provider(facts, "2310B"),
        supervising=_provider(facts, "2310D"),
        referring=_provider(facts, "2310A"),
        facility=_facility(facts),
        others=tuple(_other(other) for other in others),
        patient_paid=_amount(paid, 2) if paid is not _NOTHING else None,
        attachments=tuple(
            Attachment(paper.get(1), paper.get(2), paper.get(6)) for paper in facts.all("2300", "PWK")
        ),
        insurance_type=sbr.get(5),
    )


def _other(group: _Group) -> OtherPayer:
    sbr, moa = group.one("2320", "SBR"), group.one("2320", "MOA")
    return OtherPayer(
        rank=sbr.get(1),
        relationship=sbr.get(2),
        group_number=sbr.get(3),
        filing_indicator=sbr.get(9),
        paid=_said(group, "2320", "D"),
        subscriber=_person(group, "2330A"),
        member_id=group.one("2330A", "NM1").get(9),
        payer=_payer(group, "2330B"),
        claim_number=group.ref("2330B", "F8"),
        adjustments=_adjustments(group, "2320"),
        adjudicated_on=day(group.one("2330B", "DTP", "573").get(3)),
        patient_owes=_said(group, "2320", "EAF"),
        remarks=tuple(code for code in moa.elements[3:8] if code),
        insurance_type=sbr.get(5),
    )


def _said(group: _Group, loop: str, qualifier: str) -> Decimal | None:
    """Return an amount of a loop, None when it is not there."""
    found = group.one(loop, "AMT", qualifier)
    return None if found is _NOTHING else _amount(found, 2)


def _adjustments(group: _Group, loop: str) -> tuple[Adjustment, ...]:
    return tuple(
        Adjustment(
            cas.get(1),
            cas.get(number),
            _amount(cas, number + 1),
            _amount(cas, number + 2) if cas.get(number + 2) else None,
        )
        for cas in group.all(loop, "CAS")
        for number in range(2, len(cas.elements), 3)
        if cas.get(number)
    )


def _line(group: _Group) -> Line:
    service, decisions = group.parts("SVD", "2430")
    sv1, period = service.one("2400", "SV1"), service.one("2400", "DTP", "472")
    served = day(period.get(3)[:8])
    if served is None:
        raise _unreadable(period if period is not _NOTHING else group[0][1], 3, "a day of service")
    _, procedure, *rest = [*sv1.components(1), ""]
    modifiers = tuple(one for one in rest[:4] if one)
    return Line(
        procedure=procedure,
        charge=_amount(sv1, 2),
        units=_amount(sv1, 4),
        service_on=served,
        pointers=tuple(int(one) for one in sv1.components(7) if one.isascii() and one.isdigit()),
        control=service.ref("2400", "6R"),
        modifiers=modifiers,
        place_of_service=sv1.get(5),
        note=service.one("2400", "NTE").get(2),
        authorisation=service.ref("2400", "G1"),
        adjudications=tuple(_decision(one, (procedure, modifiers)) for one in decisions),
    )


def _decision(group: _Group, line: tuple[str, tuple[str, ...]]) -> LineAdjudication:
    """:param line: procedure and modifiers of the line: only another one is said again"""
    svd, decided = group.one("2430", "SVD"), group.one("2430", "DTP", "573")
    on = day(decided.get(3))
    if on is None:
        raise _unreadable(decided if decided is not _NOTHING else svd, 3, "a day")
    _, procedure, *modifiers = [*svd.components(3), ""]
    about = procedure, tuple(one for one in modifiers[:4] if one)
    procedure, changed = ("", ()) if about == line else about
    return LineAdjudication(
        payer_id=svd.get(1),
        paid=_amount(svd, 2),
        paid_units=_amount(svd, 5),
        adjudicated_on=on,
        adjustments=_adjustments(group, "2430"),
        procedure=procedure,
        modifiers=changed,
        patient_owes=_said(group, "2430", "EAF"),
    )
