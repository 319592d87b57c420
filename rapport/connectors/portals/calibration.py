"""
What a practice's own portal is called differently: an overlay on a definition, applied when it is loaded.

An overlay is flat, so that a person can read it line by line:

    {"set": {"calls.patients.fields.birth_on.labels": {"en": ["DOB"]}, …},
     "calibrated": ["patients"], "canary": {…}}

It may say how things are called, where they are and how they are written. It may not say what they
mean to us: no type, no veto word, no key of a write, no host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from rapport.connectors.portals import publish
from rapport.connectors.portals.definition import Definition

_FIELD = r"calls\.\w+\.fields\.\w+\.(column|labels|from|attribute|formats|codes|texts|badges|cuts|amount|pattern|drop_initial|withheld|not_permitted|coverage)"
_CALL = r"calls\.\w+\.(request\.(path|query|formats)|needs|rows|bind\.attribute|remote_id|page|count|empty|end|last_page|order|within)"
_CONTROL = r"(test_id|name|id|labels|autocomplete|group|synonyms|recorded)"
_ALLOWED = re.compile(
    rf"{_FIELD}|{_CALL}|files\.\w+\.(request\.(path|query)|content_type)"
    rf"|writes\.\w+\.(open\.(path|query)|(form|submit|fields\.\w+\.anchor)\.{_CONTROL}|fields\.\w+\.(format|codes)|done|refused|remote_id|locked|not_permitted)"
    rf"|login\.(start|prompts\.\w+\.(seen|press\.{_CONTROL}|fill\.\w+\.anchor\.{_CONTROL}|challenge\.(masked|resend\.{_CONTROL})))"
    r"|session\.(oracle\.(call\.path|true_when|subject)|sign_out\.(path|method)|keep_alive\.path|carrier\.cookies|idle_seconds)"
)


class BadCalibration(ValueError):
    """An overlay says something that it may not say, or that does not fit; says which line."""


def apply(definition: Definition, calibration: Mapping[str, Any]) -> Definition:
    """
    Return a definition with a practice's overlay on it.

    :raises BadCalibration: a line is not allowed, leads nowhere, or breaks a rule of publishing
    """
    lines: Mapping[str, Any] = calibration.get("set") or {}
    if not lines:
        return definition
    whole = json.loads(msgspec.json.encode(definition))
    for place, value in lines.items():
        if not _ALLOWED.fullmatch(place):
            raise BadCalibration(f"{place} cannot be calibrated")
        _put(whole, place, value)
    try:
        made = msgspec.convert(whole, type=Definition)
    except msgspec.ValidationError as problem:
        raise BadCalibration(str(problem)) from problem
    wrong = publish.faults(made)
    if wrong:
        raise BadCalibration("; ".join(wrong))
    return made


def _put(whole: dict[str, Any], place: str, value: Any) -> None:
    *way, last = place.split(".")
    here: Any = whole
    for number, step in enumerate(way):
        if isinstance(here, list):
            here = next((one for one in here if one.get("name") == step), None)
        elif step in here or number >= 2:
            here = here.setdefault(step, {})
        else:
            here = None
        if here is None:
            raise BadCalibration(f"{place} leads nowhere")
    if way[0] in ("calls", "writes", "files") and way[1] not in whole.get(way[0], {}):
        raise BadCalibration(f"{place} leads nowhere")
    here[last] = value


def is_calibrated(definition: Definition, calibration: Mapping[str, Any], *, call: str) -> bool:
    """Tell whether a call may be used: its definition is certified, or this practice has calibrated it."""
    return definition.level != "uncalibrated" or call in (calibration.get("calibrated") or ())
