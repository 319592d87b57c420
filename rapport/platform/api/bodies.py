"""Strict JSON: no duplicate keys, no NaN, no lone surrogates, no deep nesting, no big numbers."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from rapport.kernel.problems import MalformedJson, TooLarge

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
_SAFE_INTEGER = 2**53 - 1


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson("An object names a member twice.")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise MalformedJson("NaN and Infinity are not JSON.")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > _SAFE_INTEGER:
        raise MalformedJson("A number is outside the range that every reader can hold.")
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise MalformedJson("A number is outside the range that every reader can hold.")
    return value


def _check_depth(data: bytes) -> None:
    depth = 0
    in_text = escaped = False
    for byte in data:
        if in_text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte in (0x7B, 0x5B):
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedJson(f"The body is nested deeper than {MAX_DEPTH} levels.")
        elif byte in (0x7D, 0x5D):
            depth -= 1


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """
    Read a JSON body.

    :raises TooLarge: it is longer than `max_bytes`
    :raises MalformedJson: it is not JSON, or JSON that readers disagree about
    """
    if len(data) > max_bytes:
        raise TooLarge(f"The body may have {max_bytes} bytes at most.")
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _check_depth(data)
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_no_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_fraction,
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise MalformedJson("The body is not valid JSON in UTF-8.") from error
    if "\\u" in text:
        _check_text(value)
    elif "\x00" in text:
        raise MalformedJson("A text holds a zero character.")
    return value


def _check_text(value: Any) -> None:
    """Refuse what an escape can smuggle in: zero characters and half of a surrogate pair."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise MalformedJson("A text holds a character that cannot be stored.")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name)
            _check_text(member)
    elif isinstance(value, list):
        for member in value:
            _check_text(member)
