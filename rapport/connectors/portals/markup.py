"""A page as a tree: what is seen of it, which role a thing has, and which things a rule means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from lxml import etree
from lxml.html import HtmlElement

from rapport.connectors.portals.terms import Element
from rapport.connectors.portals.words import clean, says_any

_EMPTY = b"<html><body></body></html>"
_PLAIN = etree.ElementDefaultClassLookup(element=HtmlElement)
"""Every element of one class: to look for another one by its tag takes longer than to read what is in it."""
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_BLOCKS = frozenset(("br", "p", "div", "li", "td", "th", "tr", "option", "h1", "h2", "h3", "dt", "dd"))
"""Words on both sides of their edges are not one word."""
_UNSEEN_TAGS = frozenset(("script", "style", "template", "noscript", "head", "title"))
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9-]*")
_UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ROLES = {
    "a": "link", "button": "button", "form": "form", "table": "table", "tr": "row", "td": "cell", "th": "columnheader",
    "select": "combobox", "textarea": "textbox", "dialog": "dialog", "fieldset": "group", "nav": "navigation",
} | {f"h{level}": "heading" for level in range(1, 7)}  # fmt: skip
_INPUT_ROLES = {
    "submit": "button", "button": "button", "image": "button", "reset": "button", "checkbox": "checkbox",
    "radio": "radio", "hidden": "hidden", "file": "file",
}  # fmt: skip


def parse(body: bytes, content_type: str = "") -> HtmlElement:
    """Return a page as a tree. It is read as browsers do; bytes that are no page give an empty one."""
    found = _CHARSET.search(content_type)
    encoding = found.group(1) if found else None if b"charset" in body[:2048].lower() else "utf-8"
    try:
        found_tree = etree.fromstring(body.strip() or _EMPTY, parser=_parser(encoding))
    except (etree.ParserError, etree.XMLSyntaxError, LookupError, ValueError):
        found_tree = None
    return found_tree if found_tree is not None else etree.fromstring(_EMPTY, parser=_parser(None))


def _parser(encoding: str | None) -> etree.HTMLParser:
    parser = etree.HTMLParser(encoding=encoding, no_network=True, remove_comments=True)
    parser.set_element_class_lookup(_PLAIN)
    return parser


def is_seen(element: HtmlElement) -> bool:
    """Tell whether nothing above an element, nor itself, hides it."""
    if _hides(element):
        return False
    for one in element.iterancestors():
        if _hides(one):
            return False
    return True


def only_seen(elements: Iterable[HtmlElement]) -> list[HtmlElement]:
    """Return those that nothing hides; what is above them is looked at once for all of them."""
    known: dict[HtmlElement, bool] = {}
    return [one for one in elements if _is_seen(one, known)]


def _is_seen(element: HtmlElement, known: dict[HtmlElement, bool]) -> bool:
    seen = known.get(element)
    if seen is None:
        above = element.getparent()
        seen = not _hides(element) and (above is None or _is_seen(above, known))
        known[element] = seen
    return seen


def _hides(element: HtmlElement) -> bool:
    tag, said = element.tag, element.keys()
    if not isinstance(tag, str) or tag in _UNSEEN_TAGS:
        return True
    return bool(said) and (
        "hidden" in said
        or ("aria-hidden" in said and element.get("aria-hidden") == "true")
        or ("style" in said and _UNSEEN_STYLE.search(element.get("style")) is not None)
    )


def text_of(element: HtmlElement, *, without: Iterable[HtmlElement] = ()) -> str:
    """Return the clean text that is seen in an element, but for the parts `without`."""
    if not len(element):
        text = element.text
        return clean(text) if text else ""
    pieces: list[str] = []
    _gather(element, set(without), pieces)
    return clean("".join(pieces))


def _gather(element: HtmlElement, left_out: set[HtmlElement], pieces: list[str]) -> None:
    text = element.text
    if text:
        pieces.append(text)
    for child in element:
        if not _hides(child) and child not in left_out:
            block = child.tag in _BLOCKS
            if block:
                pieces.append(" ")
            _gather(child, left_out, pieces)
            if block:
                pieces.append(" ")
        tail = child.tail
        if tail:
            pieces.append(tail)


def role_of(element: HtmlElement) -> str:
    """Return what an element is to somebody who cannot see it; empty: nothing of note."""
    said = element.get("role")
    stated = str(said).lower().split() if said else ()
    if stated:
        return stated[0]
    if element.tag == "input":
        return _INPUT_ROLES.get(element.get("type", "text").lower(), "textbox")
    if element.tag == "a" and element.get("href") is None:
        return ""
    return _ROLES.get(str(element.tag), "")


def language_of(tree: HtmlElement) -> str:
    """Return the language a page says it is in, without its region."""
    for element in tree.iter("html"):
        return (element.get("lang") or "").split("-")[0].lower()
    return ""


def matches(element: HtmlElement, rule: Element) -> bool:
    """Tell whether everything that a rule says holds of an element."""
    return (
        isinstance(element.tag, str)
        and (not rule.tag or element.tag == rule.tag)
        and (not rule.id or element.get("id") == rule.id)
        and (not rule.name or element.get("name") in rule.name)
        and (not rule.role or role_of(element) == rule.role)
        and (not rule.type or element.get("type", "text").lower() in rule.type)
        and (not rule.autocomplete or rule.autocomplete in element.get("autocomplete", "").split())
        and (not rule.has_class or rule.has_class in element.get("class", "").split())
        and (not rule.attributes or all(_has(element, name, value) for name, value in rule.attributes.items()))
        and (not rule.text_any or says_any(text_of(element), rule.text_any))
    )


def _has(element: HtmlElement, name: str, value: str) -> bool:
    there = element.get(name)
    if there is None or not value:
        return there is not None
    return bool(there.split() == value.split() if name == "class" else there == value)


def find_all(tree: HtmlElement, rule: Element) -> list[HtmlElement]:
    """Return every seen element that a rule means, in the order of the page."""
    return [one for one in _likely(tree, rule) if matches(one, rule) and (is_seen(one) or one.tag == "meta")]


def _likely(tree: HtmlElement, rule: Element) -> list[HtmlElement]:
    """Elements among which those that a rule means are, found by the quickest of its members."""
    if rule.id:
        return having(tree, "id")
    name = next(iter(rule.attributes), "")
    if _PLAIN_NAME.fullmatch(name):
        return having(tree, name)
    if rule.has_class:
        return having(tree, "class")
    return list(tree.iter(rule.tag) if rule.tag else tree.iter())


def having(tree: HtmlElement, attribute: str) -> list[HtmlElement]:
    """Return every element with an attribute of this name, in the order of the page."""
    found = _by_attribute(attribute)(tree)
    return [one for one in found if isinstance(one, HtmlElement)] if isinstance(found, list) else []


@lru_cache(maxsize=256)
def _by_attribute(name: str) -> etree.XPath:
    # By way of the attribute: to ask each element of the page for it takes ten times as long.
    return etree.XPath(f"descendant-or-self::*/@{name}/..")
