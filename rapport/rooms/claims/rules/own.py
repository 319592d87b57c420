"""
A practice's own rules for claims: if this holds, then that. Data, tried in order; each says what it did.

A rule looks at facts of one claim and does one of three things: names a finding, sets a modifier on lines, or holds
the claim. With `stop` no later rule is tried once it holds. Plain values; nothing here reads or writes anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from .modifiers import put

Field = Literal[
    "payer_id", "clinician_id", "rank", "frequency", "format", "place_of_service", "service_codes", "modifiers",
    "diagnoses", "charge_cents", "units", "lines", "patient_age", "days_since_service", "supervised",
    "clinician_taxonomy", "group_number", "group_session",
]  # fmt: skip
"""What a condition may look at. Lists hold the values of every line."""
Op = Literal["is", "is_not", "in", "not_in", "has", "has_not", "at_least", "at_most", "begins_with"]


class Condition(msgspec.Struct, frozen=True):
    """One fact, compared."""

    field: Field
    op: Op
    value: str | int | bool | list[str]


class Then(msgspec.Struct, frozen=True):
    """What a rule does."""

    do: Literal["error", "warning", "set_modifier", "hold"]
    text: str = ""
    """Message of the finding, or why it is held."""
    modifier: str = ""
    """The modifier that is set."""
    service_codes: list[str] = []
    """Lines it is set on; empty: all."""


class Rule(msgspec.Struct, frozen=True):
    """If all conditions hold, then do it."""

    id: str
    when: list[Condition]
    then: Then
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules know of a claim."""

    values: Mapping[str, Any]
    """By `Field`."""
    lines: Sequence[tuple[str, tuple[str, ...]]]
    """Service code and modifiers of each line."""


@dataclass(frozen=True, slots=True)
class Did:
    """What one rule did to one claim."""

    rule_id: str
    do: str
    text: str
    modifier: str = ""
    lines: tuple[int, ...] = ()
    """0-based places of the lines whose modifiers it set."""


def holds(condition: Condition, facts: Facts) -> bool:
    """Tell whether a condition holds. A fact that nobody knows holds nothing but `is_not`, `not_in` and `has_not`."""
    known, wanted = facts.values.get(condition.field), condition.value
    several = wanted if isinstance(wanted, list) else [str(wanted)]
    if condition.op in ("is", "is_not"):
        return (known == wanted) is (condition.op == "is")
    if condition.op in ("in", "not_in"):
        return (str(known) in several) is (condition.op == "in")
    if condition.op in ("has", "has_not"):
        told = {str(one) for one in known} if isinstance(known, (list, tuple)) else {str(known)}
        return bool(told & set(several)) is (condition.op == "has")
    if condition.op == "begins_with":
        told = {str(one) for one in known} if isinstance(known, (list, tuple)) else {str(known or "")}
        return any(one.startswith(tuple(several)) for one in told)
    if not isinstance(known, int) or not isinstance(wanted, int):
        return False
    return known >= wanted if condition.op == "at_least" else known <= wanted


def run(*, rules: Sequence[Rule], facts: Facts, waived: frozenset[str] = frozenset()) -> list[Did]:
    """
    Return what the rules do to a claim, in their order.

    :param waived: rules that a person has let this claim pass; they hold it no more
    """
    done: list[Did] = []
    told = [modifiers for _, modifiers in facts.lines]
    for rule in rules:
        if not all(holds(condition, facts) for condition in rule.when):
            continue
        then = rule.then
        if then.do == "set_modifier":
            lines = tuple(
                place
                for place, (code, _) in enumerate(facts.lines)
                if (not then.service_codes or code in then.service_codes)
                and put(told[place], then.modifier) != told[place]
            )
            for place in lines:
                told[place] = put(told[place], then.modifier)
            if lines:
                done.append(Did(rule.id, then.do, then.text, then.modifier, lines))
        elif then.do != "hold" or rule.id not in waived:
            done.append(Did(rule.id, then.do, then.text))
        if rule.stop:
            break
    return done
