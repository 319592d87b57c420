"""A request as a definition has it, with its values put in. Nothing is sent here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

from rapport.connectors.portals.terms import Request

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ABSENT = object()


class ValueMissing(Exception):
    """A request needs a value that was not given; says its name."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be sent, but for what the session adds to it."""

    method: str
    url: str
    """From `/`: at the practice's own address; else whole."""
    form: tuple[tuple[str, str], ...] = ()
    body: Any = None
    """JSON; None: there is none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    expected: str = ""
    """What it is to bring: json, html, csv or file."""
    multipart: bool = False
    """The form goes as `multipart/form-data`, since the portal's own does."""


def build(request: Request, values: Mapping[str, str], *, expected: str = "") -> Outgoing:
    """
    Put values into a request.

    :param values: reference without its `$` -> value, e.g. `{"given.from_on": "2026-11-01"}`
    :raises ValueMissing: the path needs one that is not there
    """
    given = dict(values) | {
        f"given.{name}": _written(values[f"given.{name}"], pattern)
        for name, pattern in request.formats.items()
        if values.get(f"given.{name}")
    }
    path = _PLACE.sub(lambda found: _in_path(found[1], given), request.path)
    query = urlencode(_pairs(request.query, given))
    url = path + (("&" if "?" in path else "?") + query if query else "")
    host = "" if request.host == "$base" else f"https://{request.host}"
    return Outgoing(
        request.method, host + url, form=tuple(_pairs(request.form, given)), body=_body(request.body, given),
        headers=dict(_pairs(request.headers, given)), expected=expected,
    )  # fmt: skip


def resolve(text: str, values: Mapping[str, str]) -> str | None:
    """Return what a string of a definition stands for; None: it refers to a value that was not given."""
    return (values.get(text[1:]) or None) if text.startswith("$") else text


def _in_path(name: str, given: Mapping[str, str]) -> str:
    value = given.get(f"given.{name}", "")
    if not value or value in (".", ".."):
        raise ValueMissing(name)
    return quote(value, safe="")


def _pairs(members: Mapping[str, str], given: Mapping[str, str]) -> list[tuple[str, str]]:
    found = [(name, resolve(text, given)) for name, text in members.items()]
    return [(name, value) for name, value in found if value is not None]


def _body(body: Any, given: Mapping[str, str]) -> Any:
    if body is None:
        return None
    filled = _filled(body, given)
    return None if filled is _ABSENT else filled


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        found = resolve(value, given)
        if found is None:
            return _ABSENT
        if value == "$page.ids":
            return json.loads(found)
        numeric = value.startswith("$page.") and found.isdigit()
        return int(found) if numeric else found
    if isinstance(value, dict):
        filled = {name: _filled(one, given) for name, one in value.items()}
        return {name: one for name, one in filled.items() if one is not _ABSENT}
    if isinstance(value, (list, tuple)):
        return [one for one in (_filled(one, given) for one in value) if one is not _ABSENT]
    return value


def _written(text: str, pattern: str) -> str:
    """Write an ISO day or wall time as the portal wants it."""
    moment = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return moment.strftime(pattern)
