"""
What a condition of an own rule may say: which comparisons and values each field takes.

A condition that can hold of no claim is refused when it is written: a rule that never does anything is taken for one that
watches. Rules that were kept before are tried as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from rapport.kernel.problems import FieldError

from .own import Field, Op

Kind = Literal["text", "texts", "number", "flag"]

KINDS: Mapping[Field, Kind] = MappingProxyType(
    {
        "payer_id": "text", "clinician_id": "text", "rank": "text", "frequency": "text", "format": "text",
        "place_of_service": "text", "service_codes": "texts", "modifiers": "texts", "diagnoses": "texts",
        "charge_cents": "number", "units": "number", "lines": "number", "patient_age": "number",
        "days_since_service": "number", "supervised": "flag", "clinician_taxonomy": "text", "group_number": "text",
        "group_session": "flag",
    }
)  # fmt: skip
"""What a field is: a text, the texts of all lines, a whole number, or yes or no."""


@dataclass(frozen=True, slots=True)
class Takes:
    """What a kind of field is compared with, for each comparison."""

    words: str
    """For a person."""
    ops: Mapping[Op, frozenset[str]]
    """Comparison -> kinds of value: `text`, `texts`, `number`, `numbers` (as texts), `flag`."""


_TEXT, _TEXTS = frozenset({"text"}), frozenset({"text", "texts"})
_NUMBER, _FLAG = frozenset({"number"}), frozenset({"flag"})

TAKES: Mapping[Kind, Takes] = MappingProxyType(
    {
        "text": Takes(
            "is, is_not with a text; in, not_in with a list of texts; has, has_not, begins_with with either",
            {"is": _TEXT, "is_not": _TEXT, "in": _TEXTS, "not_in": _TEXTS, "has": _TEXTS, "has_not": _TEXTS,
             "begins_with": _TEXTS},
        ),
        "texts": Takes(
            "has, has_not, begins_with with a text or a list of texts",
            {"has": _TEXTS, "has_not": _TEXTS, "begins_with": _TEXTS},
        ),
        "number": Takes(
            "is, is_not, at_least, at_most with a whole number; in, not_in with a list of whole numbers, as texts",
            {"is": _NUMBER, "is_not": _NUMBER, "at_least": _NUMBER, "at_most": _NUMBER, "in": frozenset({"numbers"}),
             "not_in": frozenset({"numbers"})},
        ),
        "flag": Takes("is, is_not with true or false", {"is": _FLAG, "is_not": _FLAG}),
    }
)  # fmt: skip
WORDS: Mapping[Field, tuple[str, ...]] = MappingProxyType(
    {
        "rank": ("primary", "secondary", "tertiary", "quaternary"), "frequency": ("original", "replacement", "void"),
        "format": ("837p", "cms1500"),
    }
)  # fmt: skip
"""Fields that have no other values."""


def faults(rules: Sequence[Any], *, at: str = "/rules") -> Iterator[FieldError]:
    """Yield what is wrong with rules as they came (`schemas.RuleIn`), each with a pointer to it."""
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.id in seen:
            yield FieldError(f"{at}/{number}/id", "twice", "Another rule of the list has this id.")
        seen.add(rule.id)
        for place, condition in enumerate(rule.when):
            yield from _of_condition(condition, f"{at}/{number}/when/{place}")


def _of_condition(condition: Any, at: str) -> Iterator[FieldError]:
    field, op, value = condition.field, condition.op, condition.value
    takes = TAKES[KINDS[field]]
    if op not in takes.ops:
        yield FieldError(f"{at}/op", "not-for-field", f"{field} takes {takes.words}.")
    elif not _kinds(value) & takes.ops[op]:
        yield FieldError(f"{at}/value", "not-for-field", f"{field} takes {takes.words}.")
    elif field in WORDS and op != "begins_with" and not set(_each(value)) <= set(WORDS[field]):
        yield FieldError(f"{at}/value", "not-a-value", f"{field} is one of: {', '.join(WORDS[field])}.")


def named(rules: Sequence[Any], field: Field, *, at: str = "/rules") -> Iterator[tuple[str, str]]:
    """Yield (pointer, value) of each thing that conditions on a field name whole."""
    for number, rule in enumerate(rules):
        for place, condition in enumerate(rule.when):
            if condition.field == field and condition.op != "begins_with":
                for one in _each(condition.value):
                    yield f"{at}/{number}/when/{place}/value", one


def _each(value: Any) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


def _kinds(value: Any) -> set[str]:
    if isinstance(value, bool):
        return {"flag"}
    if isinstance(value, int):
        return {"number"}
    if isinstance(value, str):
        return {"text"} if value else set()
    found = {"texts"} if value and all(value) else set()
    return found | {"numbers"} if found and all(_is_number(one) for one in value) else found


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit() and str(int(text)) == text
