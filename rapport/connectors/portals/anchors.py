"""
Finding a control on a page by ordered evidence, and refusing where the evidence does not agree.

The order: name or test id, id, label, autocomplete, group with synonym, only one of its kind. Each step
must find exactly one control, and the meaning guard must let it pass: role, type of input, no veto word,
and words that say the same as the name. A refusal costs a person a look; the wrong button costs more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml.html import HtmlElement

from rapport.connectors.portals import markup
from rapport.connectors.portals.terms import Anchor
from rapport.connectors.portals.words import all_words, clean, folded, is_one_of, says_any

RUNGS = ("name", "id", "label", "autocomplete", "group", "only")
_TELLING_TYPES = frozenset(("password", "email", "tel", "date", "time", "datetime-local", "number", "file"))
"""Types of an input that say by themselves what belongs there."""
_TEST_IDS = ("data-testid", "data-test-id", "data-test", "data-qa", "data-cy")
_CONTROLS = ("a", "button", "input", "select", "textarea", "form")
_SAME_ROLE = {"searchbox": "textbox", "spinbutton": "textbox", "listbox": "combobox"}
_SAID = frozenset(("aria-labelledby", "aria-label"))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.:\[\]]+")


@dataclass(frozen=True, slots=True)
class Control:
    """The control that is meant, and by which evidence."""

    element: HtmlElement
    by: str
    healed: bool
    """Found by less than what it was recorded by."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """No control that can be used. Nothing is pressed or typed."""

    why: str
    """`none`, `two`, or `guard`: there is one, and it means something else."""
    rung: str = ""


def find(scope: HtmlElement, anchor: Anchor, *, commits: bool = False) -> Control | NotFound:
    """
    Return the control an anchor means, within a page or a part of it.

    :param commits: pressing it writes something: only the recorded evidence or the label counts
    """
    kind = [one for one in _controls(scope) if _is_kind(one, anchor)]
    words = frozenset(all_words(anchor.labels))
    told_by: tuple[tuple[str, bool, Callable[[HtmlElement], bool]], ...] = (
        ("name", bool(anchor.name or anchor.test_id), lambda one: _named(one, anchor)),
        ("id", bool(anchor.id), lambda one: one.get("id") == anchor.id),
        ("label", bool(anchor.labels), lambda one: folded(label_of(one)) in words),
        ("autocomplete", bool(anchor.autocomplete), lambda one: _completes(one, anchor)),
        ("group", bool(anchor.group and anchor.synonyms), lambda one: _in_group(one, anchor)),
        ("only", anchor.only, lambda _: True),
    )
    for rung, asked, fits in told_by:
        if not asked or (commits and rung not in (anchor.recorded, "label")):
            continue
        found = _seen([one for one in kind if fits(one)], anchor)
        passing = [one for one in found if not _vetoed(one, anchor) and _fits_type(one, anchor)]
        if rung == "only":
            found = passing
        if len(found) > 1:
            return NotFound("two", rung)
        if found and not passing:
            return NotFound("guard", rung)
        if found:
            if not _means_it(passing[0], rung, kind, anchor):
                return NotFound("guard", rung)
            return Control(passing[0], rung, RUNGS.index(rung) > RUNGS.index(anchor.recorded))
    return NotFound("none")


def _controls(scope: HtmlElement) -> list[HtmlElement]:
    return [*scope.iter(*_CONTROLS), *(one for one in markup.having(scope, "role") if one.tag not in _CONTROLS)]


def _seen(elements: list[HtmlElement], anchor: Anchor) -> list[HtmlElement]:
    """Those that somebody sees; of hidden inputs nobody sees any."""
    return elements if anchor.role == "hidden" else markup.only_seen(elements)


def _is_kind(element: HtmlElement, anchor: Anchor) -> bool:
    """Whether it is a control of the anchor's role that somebody could use, where it is seen."""
    role = markup.role_of(element)
    if _SAME_ROLE.get(role, role) != anchor.role:
        return False
    return anchor.role == "hidden" or element.get("disabled") is None


def _fits_type(element: HtmlElement, anchor: Anchor) -> bool:
    """A password goes where what is typed is not shown, and nothing else goes there."""
    if anchor.role != "textbox":
        return not anchor.type or element.get("type", "").lower() in anchor.type
    type = element.get("type", "text").lower() if element.tag == "input" else "text"
    return type in anchor.type if anchor.type else type != "password"


def _named(element: HtmlElement, anchor: Anchor) -> bool:
    if anchor.test_id and any(element.get(name) == anchor.test_id for name in _TEST_IDS):
        return True
    return bool(anchor.name) and element.get("name") in anchor.name


def _completes(element: HtmlElement, anchor: Anchor) -> bool:
    return anchor.autocomplete in element.get("autocomplete", "").lower().split()


def _in_group(element: HtmlElement, anchor: Anchor) -> bool:
    return says_any(label_of(element), anchor.synonyms) and says_any(group_of(element), anchor.group)


def _vetoed(element: HtmlElement, anchor: Anchor) -> bool:
    """Whether it carries a word that the control meant never carries, where a person or a program reads it."""
    names = (element.get(name, "") for name in ("name", "id", "value", "title", "formaction", *_TEST_IDS))
    said = " / ".join((label_of(element), *(_CAMEL.sub(" ", name) for name in names)))
    return says_any(said, anchor.veto)


def _means_it(element: HtmlElement, rung: str, kind: list[HtmlElement], anchor: Anchor) -> bool:
    """Whether other evidence agrees with that by which a control was found."""
    if not anchor.labels or rung in ("label", "group"):
        return True
    label = label_of(element)
    if is_one_of(label, anchor.labels) or says_any(label, anchor.synonyms):
        return True
    usable = [one for one in _seen(kind, anchor) if _fits_type(one, anchor)]
    if any(one is not element and is_one_of(label_of(one), anchor.labels) for one in usable):
        return False  # the words we know stand on another control
    if anchor.role in ("button", "link"):
        # Words nobody knows: only under its own name, and with no other button that could be meant.
        pressable = [one for one in usable if _same_form(one, element) and not says_any(label_of(one), anchor.veto) and _sends(one)]
        return rung in ("name", "id") and pressable == [element]
    alone = len([one for one in usable if _same_form(one, element)]) == 1
    typed = bool(anchor.type) and set(anchor.type) <= _TELLING_TYPES
    completes = bool(anchor.autocomplete) and _completes(element, anchor)
    return (typed and alone) or completes or alone


def _sends(element: HtmlElement) -> bool:
    return element.tag not in ("button", "input") or element.get("type", "submit").lower() in ("submit", "image")


def _same_form(one: HtmlElement, other: HtmlElement) -> bool:
    return next(one.iterancestors("form"), None) is next(other.iterancestors("form"), None)


def label_of(element: HtmlElement) -> str:
    """Return what a control is called, as somebody hears it who cannot see the page."""
    if element.tag == "a" and not len(element) and element.text and not _SAID.intersection(element.keys()):
        plain = clean(element.text)  # the usual link, of which a list has one in each row
        if plain:
            return plain
    for text in _labels(element):
        if text:
            return text
    return ""


def _labels(element: HtmlElement) -> Iterator[str]:
    by = element.get("aria-labelledby")
    if by:
        marked = list(element.getroottree().iterfind(".//*[@id]"))
        yield clean(" ".join(markup.text_of(one) for id in by.split() for one in marked if one.get("id") == id))
    said = element.get("aria-label")
    if said:
        yield clean(said)
    if element.tag == "form":
        yield next((markup.text_of(one) for one in element.iter("legend", "h1", "h2", "h3")), "")
        return
    if element.tag in ("button", "a") or (element.tag != "input" and element.get("role") in ("button", "link")):
        yield markup.text_of(element)
        yield clean(" ".join(one.get("alt", "") for one in element.iter("img")))
    if element.tag == "input" and element.get("type", "").lower() in ("submit", "button", "reset", "image"):
        yield clean(element.get("value", "") or element.get("alt", ""))
    if element.get("id"):
        labels = element.getroottree().iterfind(".//label")
        yield clean(" ".join(markup.text_of(one) for one in labels if one.get("for") == element.get("id")))
    around = next(element.iterancestors("label"), None)
    if around is not None:
        yield markup.text_of(around, without=[one for one in around.iter("input", "select", "textarea", "button") if one is not around])
    yield clean(element.get("placeholder", ""))
    yield clean(element.get("title", ""))
    cell = next(element.iterancestors("td", "dd"), None)
    beside = cell.getprevious() if cell is not None else None
    yield markup.text_of(beside) if beside is not None and not any(beside.iter("input", "select", "textarea")) else ""


def group_of(element: HtmlElement) -> str:
    """Return the words of whatever holds a control together with others: field set, dialogue, form, heading above."""
    said = []
    for one in element.iterancestors():
        if one.tag in ("fieldset", "form", "dialog", "section", "main") or one.get("role") in ("dialog", "group", "form", "region"):
            said.append(clean(one.get("aria-label", "")))
            said += [markup.text_of(head) for head in one.iter("legend", "h1", "h2", "h3") if markup.is_seen(head)]
        if one.tag in ("form", "dialog") and any(said):
            break
    return " / ".join(text for text in said if text)
