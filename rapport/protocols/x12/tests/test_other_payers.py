"""What earlier payers decided: carried unchanged, in the right segments, and refused when it does not add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from rapport.protocols.x12 import read837p, scrub837p, syntax
from rapport.protocols.x12.claim837p import (
    Adjustment,
    Claim,
    LineAdjudication,
    OtherPayer,
    Payer,
    Person,
    cas_segments,
)
from rapport.protocols.x12.tests.strategies import AT, file_of, sample_claim
from rapport.protocols.x12.tests.test_oracles import accepted

TAKEN = (
    Adjustment("CO", "45", Decimal(36), Decimal(1)),
    Adjustment("PR", "1", Decimal(10)),
    Adjustment("PR", "3", Decimal(15)),
    Adjustment("CO", "253", Decimal(-2)),
)


def after_the_first() -> Claim:
    """A claim to the second payer after the first one paid 121 of 180, line by line."""
    claim = sample_claim()
    decided = LineAdjudication(
        "60054", Decimal(121), Decimal(1), date(2025, 12, 20), TAKEN, patient_owes=Decimal(25)
    )
    first = OtherPayer(
        "P", "18", "GRP9", "CI", Decimal(121), Person(claim.subscriber.name), "W123456789", claim.payer, "ICN1",
        remarks=("MA18",),
    )  # fmt: skip
    [line] = claim.lines
    return replace(
        claim, rank="S", member_id="S1", payer=Payer("SECOND PLAN", "SECND"), others=(first,),
        lines=(replace(line, adjudications=(decided,)),),
    )  # fmt: skip


def as_a_whole() -> Claim:
    """The same, but the first payer decided about no line."""
    claim = after_the_first()
    [first], [line] = claim.others, claim.lines
    first = replace(first, adjustments=TAKEN, adjudicated_on=date(2025, 12, 20), patient_owes=Decimal(25))
    return replace(claim, others=(first,), lines=(replace(line, adjudications=()),))


def segments(claim: Claim, *tags: str) -> list[str]:
    return [text for text in file_of(claim).decode().split("~\n") if text.split("*")[0] in tags]


def rules(claim: Claim) -> set[str]:
    return {one.rule for one in scrub837p.scrub(claim, today=AT.date()) if one.severity == "error"}


def test_a_decision_about_lines_stands_with_the_lines_and_nowhere_else() -> None:
    assert segments(after_the_first(), "SVD", "CAS", "AMT", "DTP", "MOA") == [
        "AMT*D*121", "MOA***MA18", "DTP*472*D8*20251203", "SVD*60054*121*HC:90837**1",
        "CAS*CO*45*36*1", "CAS*PR*1*10**3*15", "CAS*CO*253*-2", "DTP*573*D8*20251220", "AMT*EAF*25",
    ]  # fmt: skip


def test_a_decision_about_the_whole_claim_stands_with_the_other_payer() -> None:
    assert segments(as_a_whole(), "SVD", "CAS", "AMT", "DTP") == [
        "CAS*CO*45*36*1", "CAS*PR*1*10**3*15", "CAS*CO*253*-2", "AMT*D*121", "AMT*EAF*25",
        "DTP*573*D8*20251220", "DTP*472*D8*20251203",
    ]  # fmt: skip


@pytest.mark.parametrize("claim", [after_the_first(), as_a_whole()], ids=["by line", "as a whole"])
def test_both_are_clean_for_us_and_for_pyx12_and_read_back_as_they_were(claim: Claim) -> None:
    assert rules(claim) == set()
    assert accepted(file_of(claim))
    assert list(read837p.claims(syntax.read(file_of(claim)))) == [claim]


def test_reasons_of_one_group_share_a_segment_and_only_for_want_of_room_leave_their_order() -> None:
    seven = [Adjustment("CO", str(number), Decimal(1)) for number in range(7)]
    mixed = [Adjustment(group, "1", Decimal(1)) for group in ("CO", "PR", "CO", "PR", "CO", "PR")]

    assert [len(run) for run in cas_segments(seven)] == [6, 1]
    assert [[one.group for one in run] for run in cas_segments(mixed)] == [["CO"] * 3, ["PR"] * 3]
    assert [run[0].group for run in cas_segments(mixed[:5])] == ["CO", "PR", "CO", "PR", "CO"]


def other(claim: Claim, **fields: object) -> Claim:
    return replace(claim, others=(replace(claim.others[0], **fields),))  # type: ignore[arg-type]


def decision(claim: Claim, **fields: object) -> Claim:
    [line] = claim.lines
    changed = replace(line.adjudications[0], **fields)  # type: ignore[arg-type]
    return replace(claim, lines=(replace(line, adjudications=(changed,)),))


MANY = tuple(Adjustment("CO", str(number), Decimal(1)) for number in range(31))


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        (decision(after_the_first(), paid=Decimal(120)), "balance-cob-line"),
        (decision(after_the_first(), adjustments=TAKEN[1:]), "balance-cob-line"),
        (other(after_the_first(), paid=Decimal(120)), "balance-cob-paid"),
        (other(as_a_whole(), paid=Decimal(120)), "balance-cob-claim"),
        (other(as_a_whole(), adjustments=TAKEN[:2]), "balance-cob-claim"),
        (other(after_the_first(), adjudicated_on=date(2025, 12, 20)), "adjudication-date"),
        (other(as_a_whole(), adjudicated_on=None), "adjudication-date"),
        (other(after_the_first(), paid=None), "other-paid-missing"),
        (other(after_the_first(), payer=Payer("FIRST", "OTHER")), "payer-unknown"),
        (other(as_a_whole(), payer=Payer("FIRST", "")), "payer-id-missing"),
        (other(as_a_whole(), member_id=""), "other-subscriber-missing"),
        (other(as_a_whole(), rank="S"), "payer-rank-twice"),
        (replace(as_a_whole(), others=as_a_whole().others * 2), "other-payer-twice"),
        (other(as_a_whole(), adjustments=MANY), "adjustment-too-many"),
        (other(as_a_whole(), remarks=("N1", "N2", "N3", "N4", "N5", "N6")), "remark-too-many"),
    ],
)  # fmt: skip
def test_a_decision_that_does_not_add_up_or_is_said_twice_is_a_finding(claim: Claim, rule: str) -> None:
    assert rule in rules(claim)
