"""A form of a portal, filled in as a person would who types with care. Pure: a page in, one request out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from rapport.connectors.portals import anchors, markup, signals
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.definition import Control, Write
from rapport.connectors.portals.multipart import MULTIPART
from rapport.connectors.portals.outgoing import Outgoing, resolve
from rapport.connectors.portals.predicates import holds
from rapport.connectors.portals.terms import Anchor
from rapport.connectors.portals.words import clean, folded
from rapport.rooms.exchange.ports import Finding, Reason, Trouble

_US_NUMBER = re.compile(r"\+1(\d{3})(\d{3})(\d{4})")
_NEVER_SENT = ("submit", "button", "reset", "image", "file")


@dataclass(frozen=True, slots=True)
class NoSuchChoice:
    """The portal does not offer what is wanted: a person at the form could not choose it either."""

    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Found:
    form: HtmlElement
    button: HtmlElement
    controls: Mapping[str, HtmlElement] = field(default_factory=dict)


def filled(write: Write, page: Answer, *, values: Mapping[str, Any], place: str) -> Outgoing | NoSuchChoice | Trouble:
    """
    Return what a press of the form's button would send.

    Hidden inputs and everything that is not asked for go as the form has them. A control that is not
    where it was recorded is not written into, and a button that is not the recorded one not pressed.

    :param values: field of the contract -> value; one that is not there is left as the form has it
    :param place: name of the write, for what is reported
    """
    if write.not_permitted is not None and holds(write.not_permitted, page, expected="html"):
        return signals.trouble(Reason.NOT_PERMITTED)
    if write.locked is not None and holds(write.locked, page, expected="html"):
        return signals.trouble(Reason.WITHHELD_LOCKED)
    found = _found(write, page, place)
    if isinstance(found, Trouble):
        return found
    chosen: dict[HtmlElement, str | None] = {}
    missing: dict[str, str] = {}
    for name, element in found.controls.items():
        value = _written(write.fields[name], element, _wanted(write.fields[name], name, values))
        if value is None and element.tag == "select":
            missing[name] = "The portal offers no such choice."
        else:
            chosen[element] = value
    if missing:
        return NoSuchChoice(missing)
    pairs = list(_pairs(found.form, chosen))
    if write.version and not any(name == write.version for name, _ in pairs):
        return _lost(f"{place}.version", "no such control", write.version)
    if write.version and values.get("version") is not None:
        pairs = [(name, str(values["version"]) if name == write.version else value) for name, value in pairs]
    if found.button.get("name"):
        pairs.append((str(found.button.get("name")), found.button.get("value", "")))
    return _outgoing(found, page, pairs, place)


def _found(write: Write, page: Answer, place: str) -> _Found | Trouble:
    form = _control(page.tree, write.form, f"{place}.form")
    if isinstance(form, Trouble):
        return form
    button = _control(form, write.submit, f"{place}.submit")
    if isinstance(button, Trouble):
        return button
    controls: dict[str, HtmlElement] = {}
    for name, control in write.fields.items():
        element = _control(form, control.anchor, f"{place}.{name}")
        if isinstance(element, Trouble):
            if control.optional and element.reason is Reason.DRIFT_BREAKING:
                continue
            return element
        controls[name] = element
    if len(set(controls.values())) != len(controls):
        return _guarded(f"{place}.fields", "one control for two fields", "a control for each")
    return _Found(form, button, controls)


def _control(scope: HtmlElement, anchor: Anchor, place: str) -> HtmlElement | Trouble:
    found = anchors.find(scope, anchor, commits=True)
    if isinstance(found, anchors.Control):
        return found.element
    if found.why == "none":
        return _lost(place, "no such control", anchor.role)
    return _guarded(place, "two controls" if found.why == "two" else "a control that means something else", anchor.role)


def _lost(place: str, seen: str, expected: str) -> Trouble:
    return signals.trouble(Reason.DRIFT_BREAKING, findings=[Finding(place=place, seen=seen, expected=expected)])


def _guarded(place: str, seen: str, expected: str) -> Trouble:
    return signals.trouble(Reason.MEANING_GUARD, findings=[Finding(place=place, seen=seen, expected=expected)])


_AS_IT_IS = object()


def _wanted(control: Control, name: str, values: Mapping[str, Any]) -> Any:
    if control.pieces:
        given = [str(values[piece]) for piece in control.pieces if values.get(piece) not in (None, "")]
        return " ".join(given) if given else _AS_IT_IS
    if control.value:
        flat = {f"values.{key}": str(value) for key, value in values.items() if value is not None}
        found = resolve(control.value, flat)
        return _AS_IT_IS if found is None else found
    return values.get(name, _AS_IT_IS)


def _written(control: Control, element: HtmlElement, value: Any) -> str | None:
    """Return the value as this control sends it; None: a box that is not ticked, or no such choice."""
    if value is _AS_IT_IS:
        return _as_it_is(element)
    if element.tag == "input" and element.get("type", "").lower() in ("checkbox", "radio"):
        return element.get("value", "on") if value in (True, "true") else None
    text = _text(control, value)
    spelled = control.codes.get(text, (text,)) if control.codes else (text,)
    if element.tag != "select":
        return spelled[0]
    options = list(element.iter("option"))
    for one in spelled:
        fitting = [option for option in options if _value_of(option) == one] or [
            option for option in options if folded(markup.text_of(option)) == folded(one)
        ]
        if len(fitting) == 1:
            return _value_of(fitting[0])
    return None


def _text(control: Control, value: Any) -> str:
    if control.money == "dollars" and isinstance(value, int):
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02}"
    if control.phone == "dashes" and (number := _US_NUMBER.fullmatch(str(value))):
        return "-".join(number.groups())
    if control.format and value not in (None, ""):
        when = value if isinstance(value, date) else datetime.fromisoformat(str(value))
        return when.strftime(control.format)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _value_of(option: HtmlElement) -> str:
    stated = option.get("value")
    return clean(option.text_content()) if stated is None else str(stated)


def _as_it_is(element: HtmlElement) -> str | None:
    if element.tag == "select":
        options = list(element.iter("option"))
        chosen = next((one for one in options if one.get("selected") is not None), options[0] if options else None)
        return None if chosen is None else _value_of(chosen)
    if element.tag == "textarea":
        return str(element.text_content()).removeprefix("\n")
    if element.get("type", "").lower() in ("checkbox", "radio"):
        return element.get("value", "on") if element.get("checked") is not None else None
    return str(element.get("value", ""))


def _pairs(form: HtmlElement, chosen: Mapping[HtmlElement, str | None]) -> Iterator[tuple[str, str]]:
    """What a browser would send of a form, in its order."""
    for one in form.iter("input", "select", "textarea"):
        name = one.get("name")
        if not name or one.get("disabled") is not None:
            continue
        if one.tag == "input" and one.get("type", "").lower() in _NEVER_SENT:
            continue
        value = chosen[one] if one in chosen else _as_it_is(one)
        if value is not None:
            lines = value.replace("\r\n", "\n").replace("\n", "\r\n") if one.tag == "textarea" else value
            yield str(name), lines


def _outgoing(found: _Found, page: Answer, pairs: list[tuple[str, str]], place: str) -> Outgoing | Trouble:
    form, button = found.form, found.button
    method = (button.get("formmethod") or form.get("method") or "get").upper()
    kind = (button.get("formenctype") or form.get("enctype") or "application/x-www-form-urlencoded").lower()
    if method != "POST" or kind not in ("application/x-www-form-urlencoded", MULTIPART):
        return _lost(f"{place}.form", f"a form that is sent by {method}, {kind}", "POST, urlencoded or multipart")
    url = urljoin(page.url, button.get("formaction") or form.get("action") or "")
    parts = urlsplit(page.url)
    headers = {"Origin": f"{parts.scheme}://{parts.netloc}", "Referer": page.url}
    return Outgoing(method, url, form=tuple(pairs), headers=headers, expected="html", multipart=kind == MULTIPART)
