"""One value: from what stands in a cell to what the contract calls it. What cannot be read is not guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from string import punctuation

from rapport.connectors.portals.decode.raw import Raw
from rapport.connectors.portals.definition import Cut, Field
from rapport.connectors.portals.words import clean, folded

Value = str | int | bool | None
_EMAIL = re.compile(r"[^\s@<>,;\"']+@[^\s@<>,;\"']+\.[^\s@.<>,;\"']+")
_EXTENSION = re.compile(r"\s*(?:ext\.?|x|#)\s*\d{1,6}$", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,25}")
_USUAL_PHONE = re.compile(r"\(?([2-9][0-9]{2})\)?[-. ]{0,2}([0-9]{3})[-. ]?([0-9]{4})")
_AMOUNT = re.compile(r"(?P<minus>[-\u2212(])?\s*(?:USD|US\$|[$€£])?\s*(?P<inner>[-\u2212])?(?P<figure>\d[\d.,'\u2019 ]*\d|\d)\s*(?:USD|[$€£])?(?P<close>\))?")  # fmt: skip
_INITIAL = re.compile(r"\s+\w\.?$")
_FIGURES = {
    "%Y": "(?P<Y>[0-9]{4})", "%m": "(?P<m>[0-9]{2})", "%d": "(?P<d>[0-9]{2})", "%H": "(?P<H>[0-9]{2})",
    "%I": "(?P<I>[0-9]{2})", "%M": "(?P<M>[0-9]{2})", "%S": "(?P<S>[0-9]{2})", "%p": "(?P<p>AM|PM|am|pm)",
}  # fmt: skip
_USUAL = frozenset(("%Y%d%m", "%H%M%Y%d%m", "%H%M%S%Y%d%m", "%I%M%Y%d%m%p", "%I%M%S%Y%d%m%p"))
"""Which of them, sorted, a pattern has whose texts are read without strptime."""
EMPTY = frozenset(("", "-", "–", "—", "n/a", "none"))
"""What portals write where there is nothing. In a text only dashes say so; words may be meant."""
_EMPTY_BEGINS = frozenset("-–—nN:*.…")
"""How such a text can begin: nearly all cells are told from it by one letter."""
DASHES = ("", "-", "–", "—")


class Unreadable(Exception):
    """The cell has something that is not a value of its field's type. Its message has no value in it."""


class UnknownCode(Unreadable):
    """A code, or a text in place of one, that the definition does not know."""


def read(field: Field, raw: Raw, *, language: str, patterns: tuple[str, ...] = ()) -> Value:
    """
    Return the value of a cell; None: the portal shows it empty.

    :param patterns: of days and times: the formats that may be meant here; empty: the field's
    :raises Unreadable: there is something, and it is not of this type
    """
    value, type = raw.value, field.type
    if value is None:
        return _without(field, raw, language)
    if type == "boolean":
        return _boolean(field, raw, language)
    if type == "code":
        return _code(field, str(value), raw.shown, language)
    if not isinstance(value, str):
        if isinstance(value, bool):
            raise Unreadable("yes or no where none belongs")
        if type == "money" and isinstance(value, (int, Decimal)):
            return _exact_cents(Decimal(value))
        if type == "integer" and isinstance(value, int):
            return value
        value = str(value)
    text = value if raw.is_clean else clean(value)
    if field.cuts or field.drop_initial:
        text = cut(text, field)
    if type == "text":
        return None if text in DASHES else _checked(text, field) if field.pattern else text
    if (not text or text[0] in _EMPTY_BEGINS) and folded(text) in EMPTY:
        return None
    return _typed(field, _checked(text, field), patterns or field.formats.get(language, ()))


def _without(field: Field, raw: Raw, language: str) -> Value:
    """Where the value that is bound is missing: empty when nothing is shown either, and no null otherwise."""
    if field.source == "row":
        raise Unreadable("the row has no such attribute")
    if not raw.shown or folded(raw.shown) in EMPTY:
        return None
    if field.texts and field.type in ("code", "boolean"):
        shown = Raw("", raw.shown)
        return _code(field, "", raw.shown, language) if field.type == "code" else _boolean(field, shown, language)
    raise Unreadable("what is shown has no id or code with it")


def _typed(field: Field, text: str, patterns: tuple[str, ...]) -> Value:
    match field.type:
        case "integer":
            return _integer(text)
        case "money":
            return _cents(text, field.amount)
        case "day" | "local_time":
            found = {moment for pattern in patterns if (moment := moment_of(text, pattern, field.type)) is not None}
            if len(found) != 1:
                raise Unreadable("no such day" if not found else "two days it could be")
            return found.pop()
        case "phone":
            return _phone(text)
        case _:
            return _email(text)


def cut(text: str, field: Field) -> str:
    """Return the piece of a text that a field means."""
    for rule in field.cuts:
        text = _piece(text, rule)
    return _INITIAL.sub("", text) if field.drop_initial else text


def _piece(text: str, rule: Cut) -> str:
    pieces = text.split(rule.at)
    if not -len(pieces) <= rule.take < len(pieces):
        return ""
    if rule.before:
        return rule.at.join(pieces[: rule.take]).strip()
    return (rule.at.join(pieces[rule.take :]) if rule.rest else pieces[rule.take]).strip()


def _checked(text: str, field: Field) -> str:
    if field.pattern and text and not re.fullmatch(field.pattern, text):
        raise Unreadable("does not look like this field")
    return text


def _code(field: Field, raw: str, shown: str, language: str) -> str | None:
    raw = clean(raw)
    if raw and raw in field.codes:
        return field.codes[raw]
    if raw and field.codes and field.source == "attribute":
        raise UnknownCode("a code that is not known")
    text = folded(shown or raw)
    if not text:
        return None
    for table in (field.texts.get(language, {}), _all_texts(field.texts)):
        for known, value in table.items():
            if folded(known) == text:
                return value
    raise UnknownCode("a code that is not known")


def _all_texts(texts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The words of every language that mean one thing in all of them."""
    merged: dict[str, set[str]] = {}
    for table in texts.values():
        for known, value in table.items():
            merged.setdefault(folded(known), set()).add(value)
    return {known: next(iter(values)) for known, values in merged.items() if len(values) == 1}


def _boolean(field: Field, raw: Raw, language: str) -> bool | None:
    if isinstance(raw.value, bool):
        return raw.value
    if field.texts or field.codes:
        try:
            found = _code(field, str(raw.value), raw.shown, language)
        except UnknownCode:
            if not field.otherwise:
                raise
            found = field.otherwise
        return None if found is None else found == "true"
    raise Unreadable("neither yes nor no")


def _integer(text: str) -> int:
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,3}(,\d{3}){1,4}", text):
        return int(text.replace(",", ""))
    raise Unreadable("not a whole number")


def _cents(text: str, which: str) -> int:
    found = list(_AMOUNT.finditer(text))
    if not found:
        raise Unreadable("no amount")
    if which == "only":
        rest = _AMOUNT.sub("", text).strip(" ()")
        if len(found) != 1 or rest:
            raise Unreadable("more than one amount, or words beside it")
    one = found[-1] if which == "last" else found[0]
    cents = _exact_cents(_figure(one["figure"]))
    negative = bool(one["inner"]) or bool(one["minus"] and (one["minus"] != "(" or one["close"]))
    return -cents if negative else cents


def _figure(text: str) -> Decimal:
    """The last point or comma with two figures behind it marks cents; groups have three figures each."""
    text = re.sub(r"['\u2019 ]", "", text)
    whole = re.fullmatch(r"(\d{1,3}(?:([.,])\d{3})(?:\2\d{3})*|\d+)(?:([.,])(\d{2}))?", text)
    if whole is None or (whole[2] and whole[2] == whole[3]):
        raise Unreadable("an amount that can be read in two ways")
    return Decimal(re.sub(r"[.,]", "", whole[1]) + "." + (whole[4] or "00"))


def _exact_cents(amount: Decimal) -> int:
    cents = amount * 100
    if not cents.is_finite() or cents != cents.to_integral_value() or abs(cents) > 10**13:
        raise Unreadable("not a whole number of cents")
    return int(cents)


@lru_cache(maxsize=2048)
def moment_of(text: str, pattern: str, kind: str) -> str | None:
    """Return a day or a wall time in ISO form, as a pattern of strptime reads it; None: it does not."""
    if any(mark not in text for mark in _shape(pattern).marks):
        return None
    return _moment_of(text, pattern, kind)


@lru_cache(maxsize=2048)
def _moment_of(text: str, pattern: str, kind: str) -> str | None:
    shape = _shape(pattern)
    usual = shape.usual.fullmatch(text) if shape.usual is not None else None
    try:
        # The portal's wall time has no zone.
        moment = _moment(usual) if usual is not None else datetime.strptime(text, pattern)  # noqa: DTZ007 - a wall time
    except ValueError:
        return None
    if not date(1850, 1, 1) <= moment.date() <= date(2200, 1, 1):
        return None
    return moment.date().isoformat() if kind == "day" else moment.isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a pattern of strptime says of the texts that it reads."""

    marks: frozenset[str]
    """Signs between the figures; a text without them is not read."""
    usual: re.Pattern[str] | None
    """Texts that are read without strptime, which takes five times as long: each number with all of its figures."""


@lru_cache(maxsize=256)
def _shape(pattern: str) -> _Shape:
    pieces = re.split("(%.)", pattern)
    marks = frozenset("".join(pieces[::2])) & frozenset(punctuation)
    named = "".join(sorted(pieces[1::2]))
    if named not in _USUAL:
        return _Shape(marks, None)
    whole = "".join(_FIGURES.get(one) or re.escape(one) for one in pieces)
    return _Shape(marks, re.compile(whole))


def _moment(found: re.Match[str]) -> datetime:
    """:raises ValueError: there is no such day or time"""
    said = found.groupdict(default="")
    hour = int(said.get("H", "0"))
    if "I" in said:
        hour = int(said["I"])
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (12 if said["p"] in ("PM", "pm") else 0)
    return datetime(  # noqa: DTZ001 - a wall time
        int(said["Y"]), int(said["m"]), int(said["d"]), hour, int(said.get("M", "0")), int(said.get("S", "0"))
    )


def _phone(text: str) -> str:
    usual = _USUAL_PHONE.fullmatch(text)
    if usual is not None:
        return "+1" + "".join(usual.groups())
    bare = _EXTENSION.sub("", text)
    digits = re.sub(r"\D", "", bare)
    if not _PHONE.fullmatch(bare):
        raise Unreadable("not a telephone number")
    if bare.startswith("+") and 8 <= len(digits) <= 15:
        return "+" + digits
    if len(digits) == 10 and digits[0] not in "01":
        return "+1" + digits
    if len(digits) == 11 and digits[0] == "1" and digits[1] not in "01":
        return "+" + digits
    raise Unreadable("not a telephone number")


def _email(text: str) -> str:
    text = text.removeprefix("mailto:")
    if not _EMAIL.fullmatch(text):
        raise Unreadable("not an e-mail address")
    return text
