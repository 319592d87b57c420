"""
Signatures of calls: method, path and parameters, less those that change each time and mean nothing.

A signature keys replay, budgets and the trail. It is written as one line, `GET /patients?page=2`, with
names sorted; a JSON body follows behind a space. Of JSON-RPC the `id` never counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def line(method: str, url: str, body: Any = None, form: Sequence[tuple[str, str]] = ()) -> str:
    """
    Write a request as one line, with everything it has.

    >>> line("GET", "http://portal.example/patients?page=2&b=x y")
    'GET /patients?b=x%20y&page=2'
    """
    parts = urlsplit(url)
    text = f"{method} {parts.path or '/'}"
    query = _sorted(parse_qsl(parts.query, keep_blank_values=True))
    if query:
        text += f"?{query}"
    if form:
        text += f" {_sorted(form)}"
    if body is not None:
        text += " " + json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text


def _sorted(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(pairs))


def of(request: str, *, volatile: Sequence[str] = ()) -> str:
    """
    Return the signature of a request line.

    :param volatile: names of parameters, or of members of a JSON body as paths (`params.0.token`)

    >>> of("GET /patients?_v=93&page=2", volatile=["_v"])
    'GET /patients?page=2'
    """
    head, tail = split(request)
    method, _, target = head.partition(" ")
    path, _, query = target.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in volatile]
    text = f"{method} {path}" + (f"?{_sorted(kept)}" if kept else "")
    value = _json(tail)
    if value is not None:
        return f"{text} {json.dumps(_without(value, volatile, ''), sort_keys=True, separators=(',', ':'), ensure_ascii=False)}"
    if tail:
        kept = [pair for pair in parse_qsl(tail, keep_blank_values=True) if pair[0] not in volatile]
        return f"{text} {_sorted(kept)}" if kept else text
    return text


def split(request: str) -> tuple[str, str]:
    """Return method with address, and body, of a request line."""
    method, _, rest = request.partition(" ")
    target, _, body = rest.partition(" ")
    return f"{method} {target}", body


def _json(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _without(value: Any, volatile: Sequence[str], place: str) -> Any:
    if isinstance(value, dict):
        rpc = not place and "method" in value and "id" in value
        return {
            name: _without(one, volatile, f"{place}.{name}".lstrip("."))
            for name, one in value.items()
            if f"{place}.{name}".lstrip(".") not in volatile and not (rpc and name == "id")
        }
    if isinstance(value, list):
        return [_without(one, volatile, f"{place}.{number}".lstrip(".")) for number, one in enumerate(value)]
    return value


def learn_volatile(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    """
    Find the parameters that change each time, from the same steps recorded twice.

    A parameter is volatile when it stands in the same call of both recordings with another value each
    time, and no two calls of one recording share one. What is the same in both, or tells pages apart
    in the same way in both, stays.
    """
    found: set[str] = set()
    for one, other in zip(first, second, strict=False):
        left, right = members(one), members(other)
        if _bare(one) != _bare(other):
            continue
        found |= {name for name in left.keys() & right.keys() if left[name] != right[name]}
    return tuple(sorted(found))


def members(request: str) -> Mapping[str, str]:
    """Return every parameter of a request line, and every plain member of its JSON body by path."""
    head, tail = split(request)
    found = dict(parse_qsl(head.partition("?")[2], keep_blank_values=True))
    value = _json(tail)
    if value is None:
        return found | dict(parse_qsl(tail, keep_blank_values=True))
    return found | dict(_leaves(value, ""))


def _leaves(value: Any, place: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _leaves(one, f"{place}.{number}".lstrip("."))
    else:
        yield place, json.dumps(value)


def _bare(request: str) -> str:
    """Method, path without ids that are made by chance, and of JSON-RPC which method is called."""
    head, tail = split(request)
    value = _json(tail)
    called = value.get("method", "") if isinstance(value, dict) else ""
    return f"{_UUID.sub('*', head.partition('?')[0])} {called}"
