"""Rules of coding, at their edges."""

from __future__ import annotations

from datetime import date

import pytest

from rapport.rooms.coding.rules import icd10, time_rules
from rapport.rooms.coding.rules.telehealth import Means, Setting, place_of


@pytest.mark.parametrize(
    ("minutes", "code"),
    [
        (15, None),
        (16, "90832"),
        (37, "90832"),
        (38, "90834"),
        (52, "90834"),
        (53, "90837"),
        (120, "90837"),
    ],
)
def test_a_session_of_any_length_has_at_most_one_therapy_code(
    minutes: int, code: str | None
) -> None:
    assert time_rules.fitting("90837", minutes) == code


@pytest.mark.parametrize(
    ("code", "minutes", "units"),
    [
        ("90834", 37, 0), ("90834", 38, 1), ("H0004", 7, 0), ("H0004", 8, 1), ("H0004", 22, 1),
        ("H0004", 23, 2), ("90840", 15, 0), ("90840", 16, 1), ("90840", 46, 2), ("96131", 30, 0),
        ("96131", 31, 1), ("96131", 91, 2), ("90853", 1, 1), ("90853", 0, 0), ("XYZ", 45, 1),
    ],
)  # fmt: skip
def test_units_turn_over_at_the_named_minute(code: str, minutes: int, units: int) -> None:
    assert time_rules.units(time_rules.rule_of(code), minutes) == units


def test_a_parent_that_is_named_exists_or_is_an_evaluation_and_management_code() -> None:
    for code, rule in time_rules.RULES.items():
        assert rule.add_on == bool(rule.parents), code
        assert (
            not (rule.least_minutes and rule.most_minutes)
            or rule.least_minutes <= rule.most_minutes
        )
        assert code not in rule.not_with, code


def test_crisis_excludes_therapy_and_an_add_on_needs_its_parent() -> None:
    assert time_rules.findings_of_day(["90837", "90785"]) == []
    (found,) = time_rules.findings_of_day(["90839", "90837"])
    assert (found.rule, found.code, found.other) == ("codes-exclude-each-other", "90839", "90837")
    (alone,) = time_rules.findings_of_day(["90833"])
    assert alone.rule == "add-on-without-parent"


@pytest.mark.parametrize(
    ("means", "setting", "place", "modifiers"),
    [
        (Means.VIDEO, Setting.HOME, "10", ("95",)),
        (Means.VIDEO, None, "10", ("95",)),
        (Means.VIDEO, Setting.ELSEWHERE, "02", ("95",)),
        (Means.AUDIO, Setting.HOME, "10", ("93",)),
        (Means.AUDIO, Setting.ELSEWHERE, "02", ("93",)),
        (Means.IN_PERSON, None, "53", ()),
    ],
)
def test_place_and_modifier_follow_from_means_and_setting(
    means: Means, setting: Setting | None, place: str, modifiers: tuple[str, ...]
) -> None:
    found = place_of(means=means, setting=setting, location_code="53")

    assert (found.place_of_service_code, found.modifiers) == (place, modifiers)
    assert place in found.explanation or means is Means.IN_PERSON


def test_a_visit_in_person_is_somewhere() -> None:
    with pytest.raises(ValueError, match="location"):
        place_of(means=Means.IN_PERSON)


def test_a_finer_code_began_with_the_coarser_one_that_is_known() -> None:
    assert icd10.began_on("F03.A11") == date(2022, 10, 1)
    assert icd10.began_on("T14.91XA") == date(2017, 10, 1)
    assert icd10.began_on("F50.9") is None
    assert icd10.began_on("F42.2") == date(2016, 10, 1)
