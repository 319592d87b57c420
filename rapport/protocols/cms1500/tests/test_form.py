"""The paper claim, box by box."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from rapport.protocols.cms1500.form import DoesNotFit, Page, layout
from rapport.protocols.x12.claim837p import (
    Claim,
    Facility,
    Line,
    Name,
    OtherPayer,
    Payer,
    Person,
    Place,
    Provider,
)

OFFICE = Place("100 Willow Street", "Portland", "OR", "972050001")
CLAIM = Claim(
    control="RA7K2M9QX4T1B8ZW3C",
    billing=Provider(Name("Willow Counseling"), "1234567893", "261QM0801X", "123456789", place=OFFICE, phone="5035550100"),
    subscriber=Person(Name("Rivera", "Ana", "M"), date(1990, 4, 12), "F", Place("12 Alder Ct.", "Portland", "OR", "97205")),
    member_id="W123-456", payer=Payer("Example Health Plan", "60054"), place_of_service="10",
    diagnoses=("F411", "F331"),
    lines=(Line("90837", Decimal("180.00"), Decimal(1), date(2026, 11, 2), (1, 2), "L1", ("95",)),),
    rendering=Provider(Name("Chen", "Maya"), "1000000004"),
)  # fmt: skip
TODAY = date(2026, 11, 3)


def at(page: Page, line: int, column: int) -> str:
    return next((t.text for t in page if (t.line, t.column) == (line, column)), "")


def test_each_box_holds_what_the_record_says() -> None:
    (page,) = layout(CLAIM, today=TODAY)

    boxes = {
        "1": (3, 31, "X"), "1a": (3, 50, "W123-456"), "2": (5, 1, "RIVERA, ANA, M"), "3 month": (5, 31, "04"),
        "3 sex": (5, 47, "X"), "5": (7, 1, "12 ALDER CT"), "6 self": (7, 33, "X"), "21 A": (33, 3, "F411"),
        "21 B": (33, 16, "F331"), "24A": (39, 1, "11"), "24B": (39, 19, "10"), "24D": (39, 25, "90837"),
        "24D mod": (39, 33, "95"), "24E": (39, 45, "AB"), "24F": (39, 50, "   18000"), "24G": (39, 59, "  1"),
        "24J": (39, 68, "1000000004"), "25": (51, 1, "123456789"), "26": (51, 23, "RA7K2M9QX4T1B8"),
        "27": (51, 38, "X"), "28": (51, 52, "   18000"), "33": (53, 50, "WILLOW COUNSELING"), "33a": (56, 50, "1234567893"),
    }  # fmt: skip
    assert {name: at(page, line, column) for name, (line, column, _) in boxes.items()} == {
        name: text for name, (_, _, text) in boxes.items()
    }


def test_nothing_leaves_the_grid_and_no_two_texts_overlap() -> None:
    for page in (*layout(CLAIM, today=TODAY), *layout(FULL, today=TODAY)):
        taken: set[tuple[int, int]] = set()
        for text in page:
            cells = {(text.line, text.column + offset) for offset in range(len(text.text))}
            assert all(-4 < line <= 63 and 1 <= column <= 78 for line, column in cells), text
            assert not cells & taken, text
            taken |= cells


def test_the_seventh_service_goes_on_a_second_page_with_the_total() -> None:
    lines = tuple(replace(CLAIM.lines[0], control=f"L{n}") for n in range(7))
    first, second = layout(replace(CLAIM, lines=lines), today=TODAY)

    assert (at(first, 51, 52), at(second, 51, 52)) == ("CONTINUE", "  126000")
    assert at(second, 39, 25) == "90837"
    assert at(second, 41, 25) == ""


def test_a_replacement_names_the_payers_number() -> None:
    (page,) = layout(replace(CLAIM, frequency="7", payer_claim_number="ICN123"), today=TODAY)

    assert (at(page, 33, 50), at(page, 33, 62)) == ("7", "ICN123")


LINE = CLAIM.lines[0]
CHILD = Person(Name("Rivera", "Luz"), date(2015, 1, 2), "M", Place("9 Elm St", "Salem", "OR", "97301"))
FULL = replace(
    CLAIM, relationship="19", patient=CHILD, filing_indicator="MB", frequency="7",
    payer_claim_number="ICN123", authorisation="AUTH9", note="See record. " + "More of it. " * 9, patient_paid=Decimal("20.00"),
    diagnoses=tuple(f"F{n}" for n in range(410, 422)),
    payer=Payer("Example Health Plan", "60054", Place("PO Box 1", "Salem", "OR", "97301")),
    referring=Provider(Name("Okafor", "Ada"), "1000000012"),
    facility=Facility("Willow East", OFFICE, "1000000020"),
    others=(OtherPayer("P", "18", "G7", "CI", Decimal("100.00"), CLAIM.subscriber, "M8", Payer("First Plan", "1")),),
    lines=tuple(replace(LINE, control=f"L{n}", modifiers=("95", "HO", "GT", "59"), pointers=(1, 2, 3, 12)) for n in range(6)),
)  # fmt: skip


def test_a_dependants_secondary_claim_fills_the_other_boxes() -> None:
    (page,) = layout(FULL, today=TODAY)

    boxes = {
        "carrier": (-3, 41, "EXAMPLE HEALTH PLAN"), "1": (3, 1, "X"), "2": (5, 1, "RIVERA, LUZ"), "3 year": (5, 37, "2015"),
        "3 sex": (5, 42, "X"), "4": (5, 50, "RIVERA, ANA, M"), "5 state": (9, 26, "OR"), "5 zip": (11, 1, "97301"),
        "6 child": (7, 42, "X"), "7 city": (9, 50, "PORTLAND"), "7 state": (9, 74, "OR"), "9": (13, 1, "RIVERA, ANA, M"),
        "9a": (15, 1, "G7"), "9d": (21, 1, "FIRST PLAN"), "10a": (15, 41, "X"), "10b": (17, 41, "X"), "10c": (19, 41, "X"),
        "11": (13, 50, "NONE"), "11a sex": (15, 75, "X"), "11d": (21, 52, "X"), "12": (24, 7, "SIGNATURE ON FILE"),
        "13": (24, 55, "SIGNATURE ON FILE"), "17": (29, 4, "OKAFOR, ADA"), "17 qualifier": (29, 1, "DN"),
        "17b": (29, 33, "1000000012"), "19": (31, 1, "SEE RECORD MORE OF IT MORE OF IT MORE OF IT MORE"), "20": (31, 57, "X"), "21 L": (35, 42, "F421"),
        "22": (33, 50, "7"), "22 reference": (33, 62, "ICN123"), "23": (35, 50, "AUTH9"), "24 last row": (49, 25, "90837"),
        "24D fourth": (39, 42, "59"), "24E": (39, 45, "ABCL"), "25 EIN": (51, 19, "X"), "28": (51, 52, "  108000"),
        "29": (51, 62, "   12000"), "31": (55, 1, "SIGNATURE ON FILE"), "31 date": (56, 6, "110326"),
        "32": (53, 23, "WILLOW EAST"), "32a": (56, 23, "1000000020"), "33 phone": (52, 70, "5550100"),
    }  # fmt: skip
    assert {name: at(page, line, column) for name, (line, column, _) in boxes.items()} == {
        name: text for name, (_, _, text) in boxes.items()
    }
    assert at(page, 56, 1) == ""


def test_the_largest_amount_that_fits_is_printed_whole() -> None:
    (page,) = layout(replace(CLAIM, lines=(replace(LINE, charge=Decimal("999999.99")),)), today=TODAY)

    assert at(page, 39, 50) == at(page, 51, 52) == "99999999"


@pytest.mark.parametrize(
    ("box", "claim"),
    [
        ("24F", replace(CLAIM, lines=(replace(LINE, charge=Decimal("1000000.00")),))),
        ("28", replace(CLAIM, lines=(replace(LINE, charge=Decimal("600000.00")),) * 2)),
        ("24G", replace(CLAIM, lines=(replace(LINE, units=Decimal("1000")),))),
        ("24G", replace(CLAIM, lines=(replace(LINE, units=Decimal("12.25")),))),
        ("24D", replace(CLAIM, lines=(replace(LINE, modifiers=("95", "HO", "GT", "59", "XE")),))),
        ("1a", replace(CLAIM, member_id="W" * 30)),
        ("11", replace(CLAIM, group_number="G" * 30)),
        ("21", replace(CLAIM, diagnoses=("F411",) * 13)),
        ("22", replace(CLAIM, frequency="7", payer_claim_number="1" * 19)),
        ("23", replace(CLAIM, authorisation="A" * 30)),
    ],
)
def test_what_would_be_another_number_when_cut_is_refused(box: str, claim: Claim) -> None:
    with pytest.raises(DoesNotFit) as caught:
        layout(claim, today=TODAY)
    assert caught.value.box == box


def test_a_long_name_is_shortened_to_its_box() -> None:
    long = replace(CLAIM.subscriber, name=Name("Featherstonehaugh-Cholmondeley", "Maximiliana"))
    (page,) = layout(replace(CLAIM, subscriber=long), today=TODAY)

    assert at(page, 5, 1) == "FEATHERSTONEHAUGH-CHOLMONDELE"
