"""Whether a predicate holds of an answer, and which value a pick takes out of it. A closed set of tests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from rapport.connectors.portals import markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.terms import JsonTest, Pick, Predicate
from rapport.connectors.portals.words import all_words, clean, says_any

_NUMBER = re.compile(r"\d{1,3}(?:[.,\u2019' ]\d{3})+(?!\d)|\d+")


@lru_cache(maxsize=512)
def compiled(path: str) -> ParsedResult:
    """Return a JMESPath ready to use. :raises ValueError: it cannot be read"""
    try:
        return jmespath.compile(path)
    except JMESPathError as problem:
        raise ValueError(f"not a JMESPath: {path}") from problem


def search(path: str, value: Any) -> Any:
    """Return what a JMESPath finds in a value; None where it finds nothing or does not fit."""
    try:
        return compiled(path).search(value)
    except JMESPathError:
        return None


def holds(predicate: Predicate, answer: Answer, *, expected: str = "") -> bool:
    """
    Tell whether everything a predicate says holds of an answer.

    :param expected: what the call was to bring: json, html, csv or file
    """
    p = predicate
    return (
        (not p.status or answer.status in p.status)
        and (not p.address or _is_at(answer.path, p.address))
        and (not p.redirect_to or _leads(answer, p.redirect_to))
        and (not p.expected or p.expected == expected)
        and (not p.got or p.got == answer.got)
        and all(compare(test, answer.json) for test in p.json)
        and (not p.text_any or says_any(answer.text, p.text_any))
        and (p.has is None or bool(answer.find(p.has)))
        and (p.lacks is None or not answer.find(p.lacks))
    )


def _leads(answer: Answer, path: str) -> bool:
    there = answer.leads_to_with if "?" in path else answer.leads_to
    return bool(there) and there.startswith(path)


def _is_at(path: str, address: str) -> bool:
    return path.startswith(address[:-1]) if address.endswith("*") else path == address


def compare(test: JsonTest, value: Any) -> bool:
    """Carry out one comparison. What is not there equals nothing but `null`."""
    found = search(test.path, value) if value is not None else None
    match test.test:
        case "present":
            return found is not None
        case "absent":
            return found is None
        case "equal":
            return _same(found, test.to)
        case "not_equal":
            return not _same(found, test.to)
        case "contains":
            return isinstance(found, (str, list)) and test.to in found if found else False
        case "one_of":
            return isinstance(test.to, list) and any(_same(found, one) for one in test.to)
        case "at_least":
            return _number(found) and found >= test.to
        case "at_most":
            return _number(found) and found <= test.to
    return False


def _same(one: Any, other: Any) -> bool:
    """JSON tells true from 1, Python does not."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def take(pick: Pick, answer: Answer) -> str | None:
    """
    Return the value a pick means, as clean text; None where it is not there or there twice.

    Two different values for one pick are no value: nobody can tell which is meant. An element and one around
    it that say the same once they are trimmed are one.
    """
    if pick.json:
        found = search(pick.json, answer.json)
        return None if found is None or isinstance(found, (dict, list)) else _trim(_text(found), pick)
    if pick.element is None:
        return None
    values = set()
    for element in answer.find(pick.element):
        raw = element.get(pick.attribute) if pick.attribute else markup.text_of(element)
        if raw is not None:
            values.add(_trim(raw, pick))
    return values.pop() if len(values) == 1 else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _trim(text: str, pick: Pick) -> str | None:
    text = clean(text)
    text = _cut(text, pick.after, front=True)
    text = _cut(text, pick.before, front=False)
    if not pick.number:
        return text
    numbers = [re.sub(r"\D", "", found) for found in _NUMBER.findall(text)]
    if not numbers or (pick.number == "only" and len(numbers) != 1):
        return None
    return numbers[-1] if pick.number == "last" else numbers[0]


def _cut(text: str, labels: Mapping[str, Sequence[str]], *, front: bool) -> str:
    for word in sorted(filter(None, all_words(labels)), key=len, reverse=True):
        found = re.search(re.escape(word), text, re.IGNORECASE)
        if found:
            return (text[found.end() :] if front else text[: found.start()]).strip(" :")
    return text
