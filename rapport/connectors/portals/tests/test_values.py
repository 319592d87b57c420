from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from rapport.connectors.portals.decode.raw import Raw
from rapport.connectors.portals.decode.values import Unreadable, moment_of, read
from rapport.connectors.portals.definition import Cut, Field
from rapport.connectors.portals.words import clean, folded, says_any


def value(type: str, raw: Any, shown: str = "", language: str = "en", **named: Any) -> Any:
    text = shown or (raw if isinstance(raw, str) else "")
    return read(Field(type=type, **named), Raw(raw, text), language=language)


@pytest.mark.parametrize(
    ("raw", "cents"),
    [
        ("$40.00", 4000), ("$1,712.00", 171200), ("1.234,56 €", 123456), ("1.234.567,00", 123456700), ("-$40.00", -4000),
        ("($40.00)", -4000), ("$-40.00", -4000), ("40", 4000), ("$1,000", 100000), ("\u200b$40.00\u00a0", 4000), ("", None),
        ("—", None), (40, 4000), (Decimal("40.5"), 4050),
    ],
)  # fmt: skip
def test_money_is_whole_cents(raw: Any, cents: int | None) -> None:
    assert value("money", raw) == cents


@pytest.mark.parametrize("raw", ["free", "$4.5", "40.000.00", "1,23,456.00", "$40.00 / $50.00", "PAID $40.00", Decimal("0.001"), True])
def test_money_that_can_be_read_in_two_ways_is_not_read(raw: Any) -> None:
    with pytest.raises(Unreadable):
        value("money", raw)


def test_of_several_amounts_the_rule_says_which() -> None:
    assert value("money", "UNDERPAID $0.00 / $40.00", amount="first") == 0
    assert value("money", "UNDERPAID $0.00 / $40.00", amount="last") == 4000


@pytest.mark.parametrize(
    ("type", "raw", "read_as"),
    [
        ("integer", "50", 50), ("integer", "1,058", 1058), ("integer", 7, 7),
        ("phone", "(503) 555-0142", "+15035550142"), ("phone", "503-555-0142 x12", "+15035550142"), ("phone", "+49 30 901820", "+4930901820"),
        ("email", "ana@example.org", "ana@example.org"), ("email", "mailto:ana@example.org", "ana@example.org"),
        ("text", "Ana\u200b\u00a0Rivera", "Ana Rivera"), ("text", "\u202bנועה לוי\u202c", "נועה לוי"), ("text", "None", "None"), ("text", "-", None),
        ("phone", "n/a", None),
    ],
)  # fmt: skip
def test_values_come_clean(type: str, raw: Any, read_as: Any) -> None:
    assert value(type, raw) == read_as


@pytest.mark.parametrize(
    ("type", "raw"),
    [("integer", "50 min"), ("integer", "1,05"), ("phone", "call mother"), ("phone", "555-0142"), ("phone", "012-345-6789"), ("email", "Active"), ("email", "a@b")],
)  # fmt: skip
def test_what_is_not_of_the_type_is_unreadable(type: str, raw: str) -> None:
    with pytest.raises(Unreadable):
        value(type, raw)


def test_days_and_times_are_written_as_the_contract_does() -> None:
    assert value("day", "12/31/2009", formats={"en": ("%m/%d/%Y",)}) == "2009-12-31"
    assert value("local_time", "11/24/2026 02:30 PM", formats={"en": ("%m/%d/%Y %I:%M %p",)}) == "2026-11-24T14:30:00"
    for wrong in ("31/12/2009", "02/30/2009", "12/31/0009", "soon"):
        with pytest.raises(Unreadable):
            value("day", wrong, formats={"en": ("%m/%d/%Y",)})


def test_a_code_is_told_by_its_code_and_its_text_only_where_that_is_declared() -> None:
    codes = {"codes": {"01": "active"}, "source": "attribute", "attribute": "data-code"}
    assert value("code", "01", "Aktiv", **codes) == "active"
    with pytest.raises(Unreadable):
        value("code", "09", "Active", **codes)
    texts = {"texts": {"en": {"Active": "active"}, "de": {"Aktiv": "active"}}}
    assert value("code", "ACTIVE ", **texts) == "active"
    assert value("code", "Aktiv", **texts) == "active"
    with pytest.raises(Unreadable):
        value("code", "Paused", **texts)


PATTERNS = (
    "%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y", "%d%m%Y", "%d %b %Y", "%m/%d/%y", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S",
)  # fmt: skip
WRITTEN = (
    "05/25/1979", "5/2/1979", "13/05/1979", "02/30/2026", "1979-05-25", "25.05.1979", "25051979", "5 May 1979", "05/25/79", "05/25/1979 ",
    "11/23/2026 06:00 AM", "11/23/2026 12:05 am", "11/23/2026 12:05 PM", "11/23/2026 13:05 PM", "11/23/2026 00:05 AM", "11/23/2026 1:05 PM",
    "23.11.2026 23:59", "23.11.2026 24:00", "2026-11-23T05:06:07", "2026-11-23T05:06:61", "0000-01-01", "1700-01-01", "٢٠٢٦-11-23", "", "x",
)  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_moment_is_what_the_standard_library_reads_with_the_same_pattern(pattern: str) -> None:
    def expected(text: str) -> str | None:
        try:
            found = datetime.strptime(text, pattern)  # noqa: DTZ007 - a wall time
        except ValueError:
            return None
        return found.isoformat(timespec="seconds") if 1850 <= found.year < 2200 else None

    assert [moment_of(text, pattern, "local_time") for text in WRITTEN] == [expected(text) for text in WRITTEN]


def test_where_something_is_shown_the_answer_is_never_null() -> None:
    """A person's number is in an attribute; with the attribute gone, the name is still there."""
    rule = {"source": "attribute", "attribute": "data-code"}
    with pytest.raises(Unreadable):
        value("text", None, "Rivera, Ana", **rule)
    assert value("text", None, "", **rule) is None


def test_a_piece_of_a_name() -> None:
    name = Raw("Rivera, Ana Maria J")
    last = Field(type="text", cuts=(Cut(at=", ", take=0),))
    first = Field(type="text", cuts=(Cut(at=", ", take=1, rest=True),), drop_initial=True)
    assert read(last, name, language="en") == "Rivera"
    assert read(first, name, language="en") == "Ana Maria"


def test_words_are_compared_as_people_read_them() -> None:
    assert clean("36\u200by\u00a0 old") == "36y old"
    assert folded(" E-Mail:* ") == "e-mail"
    assert says_any("Please cancel this", {"en": ["Cancel"]})
    assert not says_any("cancellation", {"en": ["Cancel"]})


@pytest.mark.parametrize(("whole", "first", "last"), [("Mary Ann Smith", "Mary Ann", "Smith"), ("Ana Rivera", "Ana", "Rivera"), ("Cher", "", "Cher"), ("", "", "")])
def test_of_a_name_in_one_text_the_last_word_is_cut_off(whole: str, first: str, last: str) -> None:
    told = [value("text", whole, cuts=(Cut(at=" ", take=-1, before=before),)) or "" for before in (True, False)]
    assert told == [first, last]
