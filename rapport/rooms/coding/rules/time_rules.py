"""
How minutes become units, and which code fits a session's length.

The numbers are facts about the code sets (CPT time rules, HCPCS unit definitions); the words are
ours. CPT descriptors belong to the AMA and are not shipped: a practice loads its own labels.
They are defaults to verify: a practice may set other minutes on its own service code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class TimeRule:
    """What a code asks of a session's length, in real minutes face to face."""

    least_minutes: int | None = None
    """Shorter is not billable under this code."""
    most_minutes: int | None = None
    """Longer belongs to another code (or to an add-on)."""
    unit_minutes: int | None = None
    """Length of one unit; None: one unit per session, whatever its length."""
    first_unit_least_minutes: int | None = None
    """Minutes needed for the first unit, and into each further one; None: more than half."""
    most_units: int | None = None
    """Units per day, where the code set itself limits them."""
    add_on: bool = False
    """Only beside one of its parents."""
    parents: tuple[str, ...] = ()
    """Codes it may be added to."""
    not_with: tuple[str, ...] = ()
    """Codes that exclude it on the same day by the same clinician."""


_THERAPY = ("90832", "90834", "90837")
_THERAPY_WITH_EM = ("90833", "90836", "90838")
_EVALUATIONS = ("90791", "90792")
_CRISIS = ("90839", "90840")
_EM = (
    "99202", "99203", "99204", "99205", "99211", "99212", "99213", "99214", "99215",
    "99221", "99222", "99223", "99231", "99232", "99233", "99234", "99235", "99236", "99238", "99239",
    "99242", "99243", "99244", "99245", "99252", "99253", "99254", "99255",
    "99304", "99305", "99306", "99307", "99308", "99309", "99310", "99315", "99316",
    "99341", "99342", "99344", "99345", "99347", "99348", "99349", "99350",
)  # fmt: skip
"""Evaluation and management: offices, hospitals, consultations, nursing facilities, homes."""

RULES: dict[str, TimeRule] = {
    "90791": TimeRule(least_minutes=16, most_units=1, not_with=(*_THERAPY, *_CRISIS, "90792")),
    "90792": TimeRule(least_minutes=16, most_units=1, not_with=(*_THERAPY, *_CRISIS, "90791")),
    "90832": TimeRule(least_minutes=16, most_minutes=37, not_with=_CRISIS),
    "90834": TimeRule(least_minutes=38, most_minutes=52, not_with=_CRISIS),
    "90837": TimeRule(least_minutes=53, not_with=_CRISIS),
    "90833": TimeRule(least_minutes=16, most_minutes=37, add_on=True, parents=_EM),
    "90836": TimeRule(least_minutes=38, most_minutes=52, add_on=True, parents=_EM),
    "90838": TimeRule(least_minutes=53, add_on=True, parents=_EM),
    "90785": TimeRule(
        add_on=True,
        parents=(*_EVALUATIONS, *_THERAPY, *_THERAPY_WITH_EM, "90853"),
        not_with=(*_CRISIS, "90846", "90847"),
    ),
    "90839": TimeRule(least_minutes=30, not_with=(*_EVALUATIONS, *_THERAPY, "90785")),
    "90840": TimeRule(unit_minutes=30, add_on=True, parents=("90839",)),
    "90846": TimeRule(least_minutes=26),
    "90847": TimeRule(least_minutes=26),
    "90853": TimeRule(most_units=1),
    "96130": TimeRule(least_minutes=31, most_units=1),
    "96131": TimeRule(unit_minutes=60, add_on=True, parents=("96130",)),
    "96132": TimeRule(least_minutes=31, most_units=1),
    "96133": TimeRule(unit_minutes=60, add_on=True, parents=("96132",)),
    "96136": TimeRule(least_minutes=16, most_units=1),
    "96137": TimeRule(unit_minutes=30, add_on=True, parents=("96136",)),
    "96138": TimeRule(least_minutes=16, most_units=1),
    "96139": TimeRule(unit_minutes=30, add_on=True, parents=("96138",)),
    "H0004": TimeRule(unit_minutes=15, first_unit_least_minutes=8),
    "H0038": TimeRule(unit_minutes=15, first_unit_least_minutes=8),
    "H2011": TimeRule(unit_minutes=15, first_unit_least_minutes=8),
    "97153": TimeRule(unit_minutes=15, first_unit_least_minutes=8),
    "97155": TimeRule(unit_minutes=15, first_unit_least_minutes=8),
}
"""Code -> rule. A code that is not here has no rule of its own: one unit, any length."""

UNTIMED = TimeRule()

LADDERS: tuple[tuple[str, ...], ...] = (_THERAPY, _THERAPY_WITH_EM)
"""Families of codes that differ by length alone."""


def rule_of(code: str) -> TimeRule:
    """Return the rule of a code; the untimed one when it has none."""
    return RULES.get(code, UNTIMED)


def units(rule: TimeRule, minutes: int) -> int:
    """
    Return how many units a session of this many real minutes is; 0 when it is too short.

    A unit counts once more than half of it has passed, unless the rule names the minutes.

    >>> units(rule_of("H0004"), 22), units(rule_of("H0004"), 23), units(rule_of("90837"), 90)
    (1, 2, 1)
    """
    if rule.least_minutes is not None and minutes < rule.least_minutes:
        return 0
    if rule.unit_minutes is None:
        return 1 if minutes > 0 else 0
    needed = rule.first_unit_least_minutes or rule.unit_minutes // 2 + 1
    whole, rest = divmod(minutes, rule.unit_minutes)
    count = whole + (1 if rest >= needed else 0)
    return min(count, rule.most_units) if rule.most_units else count


def fitting(code: str, minutes: int) -> str | None:
    """
    Return the code of the same family that fits this length; None: none of them does.

    A code without such a family fits itself when the session is long enough.

    >>> fitting("90837", 45), fitting("90834", 10), fitting("90853", 75)
    ('90834', None, '90853')
    """
    family: Sequence[str] = next((ladder for ladder in LADDERS if code in ladder), (code,))
    for member in family:
        rule = rule_of(member)
        if (rule.least_minutes or 0) <= minutes <= (rule.most_minutes or minutes):
            return member
    return None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a day's codes do that the code set does not allow."""

    rule: str
    """`add-on-without-parent` or `codes-exclude-each-other`."""
    code: str
    other: str | None
    message: str


def findings_of_day(codes: Sequence[str], *, parents: Mapping[str, Sequence[str]] = MappingProxyType({})) -> list[Finding]:
    """
    Check the codes that one clinician bills for one patient on one day against each other.

    :param parents: code -> codes it may be added to, where the practice's word goes before the table here; none: it stands alone

    >>> [found.rule for found in findings_of_day(["90785", "90839"])]
    ['add-on-without-parent', 'codes-exclude-each-other']
    >>> findings_of_day(["90785", "90839"], parents={"90785": ["90839"]})[0].rule
    'codes-exclude-each-other'
    """
    found: list[Finding] = []
    present = set(codes)
    seen: set[frozenset[str]] = set()
    for code in dict.fromkeys(codes):
        rule = rule_of(code)
        allowed = parents.get(code, rule.parents)
        if allowed and not present.intersection(allowed):
            named = f"{', '.join(allowed[:12])}{' …' if len(allowed) > 12 else ''}"
            message = f"{code} is an add-on: bill it beside one of {named}."
            found.append(Finding("add-on-without-parent", code, None, message))
        for other in rule.not_with:
            pair = frozenset((code, other))
            if other in present and other != code and pair not in seen:
                seen.add(pair)
                message = f"{code} and {other} exclude each other on the same day."
                found.append(Finding("codes-exclude-each-other", code, other, message))
    return found
