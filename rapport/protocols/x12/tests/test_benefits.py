"""What a 271 means for a therapy visit: which row counts, and that none is made up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings

from rapport.protocols.x12 import elig271, syntax
from rapport.protocols.x12.benefits import Chosen, Summary, summary
from rapport.protocols.x12.elig271 import Answer, Asker, Benefit, Fact, Member, Period, Source
from rapport.protocols.x12.entities import Party
from rapport.protocols.x12.envelope import TransactionSet, transaction_sets
from rapport.protocols.x12.tests.strategies import drawn
from rapport.protocols.x12.tests.strategies27x import answers

CORPUS = Path(__file__).resolve().parents[4] / "tests" / "corpus" / "x12" / "271" / "pass"


def answer_of(name: str) -> Answer:
    """Read the one answer of a file of our corpus."""
    [unit] = transaction_sets(syntax.read((CORPUS / f"{name}.edi").read_bytes()))
    assert isinstance(unit, TransactionSet)
    [answer] = elig271.read(unit)
    return answer


def rows(*benefits: Benefit) -> Answer:
    """Make an answer of these rows, which stand in this order."""
    member = Member(Party("IL"), benefits=tuple(benefits))
    return Answer(Source(Party("PR")), Asker(Party("1P")), member)


def copay(amount: str, service_type: str = "MH", **rest: object) -> Benefit:
    known = {"time": "27", "in_network": "Y"} | rest
    return Benefit("B", service_types=(service_type,), amount=Decimal(amount), **known)  # type: ignore[arg-type]


def value(chosen: Chosen | None) -> str | None:
    return None if chosen is None else str(chosen.value)


def test_ana_sees_what_elis_visit_costs_him() -> None:
    eli = summary(answer_of("mental-health-in-detail"), place="11", on=date(2026, 3, 2))
    assert (eli.coverage, eli.plan, eli.covered) == ("active", "GOLD PPO", True)
    assert (eli.plan_begins, eli.plan_ends) == (date(2026, 1, 1), date(2026, 12, 31))
    assert eli.copay is not None
    assert (value(eli.copay), eli.copay.service_type, eli.copay.network) == ("15", "A6", "Y")
    assert value(eli.coinsurance) == "0.2"
    assert (value(eli.deductible), value(eli.deductible_remaining)) == ("1500", "640")
    assert (value(eli.family_deductible), value(eli.family_deductible_remaining)) == (
        "3000", "2100",
    )  # fmt: skip
    assert (eli.out_of_pocket, value(eli.out_of_pocket_remaining)) == (None, "5110.25")
    assert (value(eli.visits), value(eli.visits_remaining)) == ("30", "22")
    assert eli.authorisation == "Y"
    assert eli.messages == (
        "PRIOR AUTHORIZATION REQUIRED AFTER 20 VISITS",
        "VISITS COUNT ACROSS ALL BEHAVIORAL PROVIDERS",
    )


def test_a_video_visit_has_the_copay_of_its_own_place() -> None:
    answer = answer_of("mental-health-in-detail")
    assert value(summary(answer, place="02").copay) == "20"
    assert value(summary(answer, place="11").copay) == "15"
    assert value(summary(answer, place="10").copay) == "25"


def test_out_of_network_the_other_rows_count() -> None:
    out = summary(answer_of("mental-health-in-detail"), in_network=False)
    assert (value(out.coinsurance), out.copay, out.deductible) == ("0.4", None, None)


def test_a_carve_out_says_whom_to_call() -> None:
    ida = summary(answer_of("carved-out"))
    assert (ida.coverage, ida.carved_out) == ("active", True)
    vendor, review = ida.call
    assert (vendor.name, vendor.role, vendor.phones, vendor.others, vendor.id) == (
        "EXAMPLE BEHAVIORAL", "VN", ("8005550177",), (("FX", "8005550178"),), "BEH01",
    )  # fmt: skip
    assert (review.role, review.phones) == ("X3", ("8005550199",))
    assert ida.messages == ("BEHAVIORAL HEALTH IS ADMINISTERED BY EXAMPLE BEHAVIORAL",)
    assert [payer.name for payer in ida.other_payers] == ["EXAMPLE MEDICARE PLAN"]


@pytest.mark.parametrize(
    ("name", "outcome", "reasons"),
    [
        ("subscriber-not-found", "refused", ["75"]),
        ("provider-not-on-file", "refused", ["51"]),
        ("try-again-later", "later", ["42"]),
        ("inactive", "answered", []),
        ("dependant", "answered", []),
    ],
)
def test_what_came_of_an_inquiry(name: str, outcome: str, reasons: list[str]) -> None:
    answer = answer_of(name)
    assert (answer.outcome, [one.reason for one in answer.refusals]) == (outcome, reasons)


def test_cover_that_ended_is_inactive() -> None:
    ended = summary(answer_of("inactive"))
    assert (ended.coverage, ended.covered, ended.plan_ends) == (
        "inactive", False, date(2025, 10, 31),
    )  # fmt: skip


def test_a_refusal_says_nothing_of_cover() -> None:
    assert summary(answer_of("subscriber-not-found")) == Summary("unknown")


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        # Psychotherapy before mental health before an office visit before the plan.
        ([copay("40", "30"), copay("30", "98"), copay("25"), copay("20", "A6")], "20"),
        ([copay("40", "30"), copay("30", "98"), copay("25")], "25"),
        ([copay("40", "30"), copay("30", "98")], "30"),
        ([copay("40", "30")], "40"),
        # In network before not said; out of network never.
        ([copay("30", in_network=""), copay("25")], "25"),
        ([copay("10", in_network="N"), copay("30", in_network="")], "30"),
        ([copay("10", in_network="N")], None),
        # One person before the family.
        ([copay("50", level="FAM"), copay("25", level="IND")], "25"),
        ([copay("50", level="FAM")], "50"),
        # A visit before a day; nothing of another benefit.
        ([copay("60", time="7"), copay("25")], "25"),
        ([copay("25", "UC")], None),
        # Nothing is nothing, and zero is zero.
        ([copay("0"), copay("25", "98")], "0"),
    ],
)
def test_the_row_that_counts(found: list[Benefit], chosen: str | None) -> None:
    assert value(summary(rows(*found)).copay) == chosen
    assert value(summary(rows(*reversed(found))).copay) == chosen


def test_what_remains_is_the_row_that_says_remaining_and_never_the_total() -> None:
    total = Benefit("C", "IND", ("30",), time="23", amount=Decimal(1500), in_network="Y")
    used = Benefit("C", "IND", ("30",), time="24", amount=Decimal(860), in_network="Y")
    found = summary(rows(total, used))
    assert (value(found.deductible), found.deductible_remaining) == ("1500", None)


def test_a_row_of_another_time_does_not_count() -> None:
    may = Period("292", "RD8", "20260501-20260531")
    answer = rows(copay("5", periods=(may,)), copay("25"))
    assert value(summary(answer, on=date(2026, 5, 4)).copay) == "5"
    assert value(summary(answer, on=date(2026, 3, 2)).copay) == "25"


def test_a_row_for_a_place_counts_when_the_place_is_not_known() -> None:
    assert value(summary(rows(copay("5", facts=(Fact("ZZ", "02"),)))).copay) == "5"


@settings(parent=drawn, max_examples=20)
@given(answers())
def test_no_figure_is_made_up(answer: Answer) -> None:
    """Every figure is one of a row, of the kind it is called by, and never of the wrong network."""
    found = summary(answer)
    of = {
        "copay": "B", "coinsurance": "A", "deductible": "C", "deductible_remaining": "C",
        "family_deductible": "C", "out_of_pocket": "G", "out_of_pocket_remaining": "G",
        "visits": "F", "visits_remaining": "F",
    }  # fmt: skip
    for name, info in of.items():
        chosen = getattr(found, name)
        if chosen is None:
            continue
        assert any(
            row.info == info and row.level == chosen.level and row.time == chosen.time
            and row.in_network == chosen.network and chosen.network != "N"
            and chosen.service_type in row.service_types
            and chosen.value in (row.amount, row.percent, row.quantity)
            for row in answer.benefits
        )  # fmt: skip
    assert set(found.messages) == {text for row in answer.benefits for text in row.messages}
