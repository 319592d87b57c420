"""The paper claim, box by box."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from rapport.protocols.cms1500.form import Page, layout
from rapport.protocols.x12.claim837p import Claim, Line, Name, Payer, Person, Place, Provider

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
    for page in layout(CLAIM, today=TODAY):
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
