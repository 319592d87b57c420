"""A page as a tree: what is seen of it, which role a thing has, and which things a rule means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree
from lxml.html import HtmlElement

from rapport.connectors.portals.terms import Element
from rapport.connectors.portals.words import clean, says_any

_EMPTY = b"<html><body></body></html>"
_PLAIN = etree.ElementDefaultClassLookup(element=HtmlElement)
"""Every element of one class: to look for another one by its tag takes longer than to read what is in it."""
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_UNSEEN_TAGS = frozenset(("script", "style", "template", "noscript", "head", "title"))
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
    tag, said = element.tag, element.attrib
    if not isinstance(tag, str) or tag in _UNSEEN_TAGS:
        return True
    if not said:
        return False
    style = said.get("style")
    return "hidden" in said or said.get("aria-hidden") == "true" or bool(style and _UNSEEN_STYLE.search(style))


def text_of(element: HtmlElement, *, without: Iterable[HtmlElement] = ()) -> str:
    """Return the clean text that is seen in an element, but for the parts `without`."""
    if not len(element):
        return clean(element.text or "")
    left_out = set(without)
    return clean("".join(_pieces(element, left_out, skip_head=element.tag == "html")))


def _pieces(element: HtmlElement, left_out: set[HtmlElement], *, skip_head: bool) -> Iterator[str]:
    if element.text:
        yield element.text
    for child in element:
        if child not in left_out and not _hides(child):
            block = child.tag in ("br", "p", "div", "li", "td", "th", "tr", "option", "h1", "h2", "h3", "dt", "dd")
            if block:
                yield " "
            yield from _pieces(child, left_out, skip_head=False)
            if block:
                yield " "
        if child.tail:
            yield child.tail


def role_of(element: HtmlElement) -> str:
    """Return what an element is to somebody who cannot see it; empty: nothing of note."""
    stated = str(element.get("role", "")).lower().split()
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
    if not isinstance(element.tag, str):
        return False
    checks = (
        not rule.tag or element.tag == rule.tag,
        not rule.id or element.get("id") == rule.id,
        not rule.name or element.get("name") in rule.name,
        not rule.role or role_of(element) == rule.role,
        not rule.type or element.get("type", "text").lower() in rule.type,
        not rule.autocomplete or rule.autocomplete in element.get("autocomplete", "").split(),
        not rule.has_class or rule.has_class in element.get("class", "").split(),
        all(_has(element, name, value) for name, value in rule.attributes.items()),
    )
    return all(checks) and (not rule.text_any or says_any(text_of(element), rule.text_any))


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
        return list(tree.xpath("descendant-or-self::*[@id = $value]", value=rule.id))
    name, value = next(iter(rule.attributes.items()), ("", ""))
    if re.fullmatch(r"[a-z][a-z0-9-]*", name) and name != "class":
        test = f"[@{name} = $value]" if value else f"[@{name}]"
        return list(tree.xpath(f"descendant-or-self::*{test}", value=value))
    if rule.has_class:
        return list(tree.xpath("descendant-or-self::*[contains(@class, $value)]", value=rule.has_class))
    return list(tree.iter(rule.tag) if rule.tag else tree.iter())
