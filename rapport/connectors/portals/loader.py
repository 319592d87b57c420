"""Definitions as they are shipped: read, checked for their signature and their rules, and summed up."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from rapport.connectors.portals import publish, signing
from rapport.connectors.portals.definition import DECODER, AbilityRule, Definition
from rapport.rooms.exchange.ports import Ability, CodeMail, Manifest

FOLDER = Path(__file__).resolve().parent / "definitions"

log = logging.getLogger(__name__)


class NotDefined(Exception):
    """There is no such definition, or it is refused; says why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A definition, and the digest of the bytes it was read from."""

    definition: Definition
    sha256: str


def decode(content: bytes) -> Definition:
    """
    Read the bytes of a definition.

    :raises NotDefined: a member is unknown or wrong, or a rule of publishing is broken
    """
    try:
        definition = DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise NotDefined(str(problem)) from problem
    wrong = publish.faults(definition)
    if wrong:
        raise NotDefined("; ".join(wrong))
    return definition


def load(name: str, *, folder: Path = FOLDER) -> Loaded:
    """
    Return a definition by its name.

    :raises NotDefined: there is none, nobody known signed it, or it breaks a rule
    """
    place = folder / name
    if place.parent != folder or not (place / "definition.json").is_file():
        raise NotDefined(f"no definition is called {name}")
    return _read(place)


@cache
def _shipped(folder: Path) -> Mapping[str, Loaded]:
    found = {}
    for place in sorted(folder.iterdir()):
        if (place / "definition.json").is_file():
            try:
                found[place.name] = _read(place)
            except NotDefined as problem:
                log.warning("definition %s is refused: %s", place.name, problem)
    return found


def shipped(*, folder: Path = FOLDER) -> Mapping[str, Loaded]:
    """Return every definition that is there and holds, by name. Read once in the life of the program."""
    return _shipped(folder)


def _read(place: Path) -> Loaded:
    content = (place / "definition.json").read_bytes()
    signature = place / "definition.sig"
    signers = [file.read_text("ascii") for file in sorted((place.parent / "signers").glob("*.pub"))]
    try:
        signing.check(content, signature.read_text("ascii") if signature.is_file() else "", signers=signers)
    except (signing.NotSigned, UnicodeDecodeError) as problem:
        raise NotDefined(str(problem)) from problem
    definition = decode(content)
    if definition.definition != place.name:
        raise NotDefined("its folder has another name")
    return Loaded(definition, hashlib.sha256(content).hexdigest())


def manifest(loaded: Loaded) -> Manifest:
    """Sum a definition up for the room."""
    d = loaded.definition
    return Manifest(
        definition=d.definition, revision=d.revision, product=d.product, level=d.level,
        identity_fields=d.identity_fields, factors=d.factors,
        abilities=tuple(_ability(name, rule, d) for name, rule in sorted(d.abilities.items())),
        requests_per_second=d.limits.requests_per_second, burst=d.limits.burst, parallel=d.limits.parallel,
        logins_per_hour=d.limits.logins_per_hour, sha256=loaded.sha256, code_mail=_code_mail(d),
        code_text=d.login.code_text.pattern if d.login is not None and d.login.code_text is not None else "",
    )  # fmt: skip


def _code_mail(d: Definition) -> CodeMail | None:
    rule = d.login.code_mail if d.login is not None else None
    return CodeMail(rule.senders, rule.pattern) if rule is not None else None


def _ability(name: str, rule: AbilityRule, d: Definition) -> Ability:
    level = rule.level or ("uncalibrated" if d.level == "uncalibrated" else "calibrated")
    write = d.writes.get(rule.call) if rule.kind == "write" else None
    back = (other for other, one in sorted(d.abilities.items()) if write and (one.kind, one.call) == ("read", write.read_back))
    return Ability(
        name=name, kind=rule.kind, level=level, cites=rule.cites, read_back=next(back, ""),
        needs=d.calls[rule.call].needs if rule.kind == "read" else (),
        key=write.key if write else (), settle_seconds=write.settle_seconds if write else 0,
        attended=write.attended if write else False, fields=tuple(write.fields) if write else (),
        makes_child=write.makes_child if write else False, makes_another=write.makes_another if write else False,
        sheets=tuple(sorted(d.files[rule.call].sheets)) if rule.kind == "file" else (),
        watched=publish.watched(d, rule.call) if rule.kind == "read" else (),
    )  # fmt: skip


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a definition, for editors and for reviewers."""
    schema: dict[str, Any] = json.loads(msgspec.json.encode(msgspec.json.schema(Definition)))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Definition of a portal", **schema}
