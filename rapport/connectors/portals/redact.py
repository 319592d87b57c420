"""
Pseudonyms of the same shape: what a person typed or a page showed, so that it can be kept and looked at.

The same word gets the same pseudonym through a whole recording, two words never share one, and a
date keeps its format. Secrets and tokens become a mark with their name.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from lxml import etree
from lxml.html import HtmlElement

from rapport.connectors.portals.words import clean, folded

_WORD = re.compile(r"\w+")
_TOKENS = re.compile(r"csrf|token|nonce|viewstate|verification|session|secret|auth", re.IGNORECASE)
_VALUE_TAGS = frozenset(("td", "dd", "option", "textarea"))
_SAID = ("aria-label", "title", "alt", "placeholder")
_HEAD_TAGS = ("h1", "h2", "h3", "title", "p", "span", "strong", "b", "em", "i", "small", "div", "caption", "li")
_DATES = {
    "%m/%d/%Y": r"\b\d{1,2}/\d{1,2}/\d{4}\b", "%Y-%m-%d": r"\b\d{4}-\d{2}-\d{2}(?=\b|T)", "%d.%m.%Y": r"\b\d{1,2}\.\d{1,2}\.\d{4}\b",
    "%d/%m/%Y": r"\b\d{1,2}/\d{1,2}/\d{4}\b", "%d %b %Y": r"\b\d{1,2} [A-Z][a-z]{2} \d{4}\b",
}  # fmt: skip
_SLASHED = ("%m/%d/%Y", "%d/%m/%Y")
_STROKES = re.compile(_DATES[_SLASHED[0]])
_HEBREW = "".join(chr(0x05D0 + number) for number in range(27))
_CLOCK = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?(?: ?[AP]M)?\b")
USUAL_DATES = ("%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y")


class Redactor:
    """Pseudonyms of one recording."""

    def __init__(
        self,
        key: bytes,
        *,
        secrets: Mapping[str, str] | None = None,
        keep: Iterable[str] = (),
        plain: Iterable[str] = (),
        dates: Iterable[str] = USUAL_DATES,
        data_attributes: Iterable[str] = ("data-id", "data-code"),
    ) -> None:
        """
        :param key: made for this recording, and thrown away with it
        :param secrets: name -> what must not be seen
        :param keep: words of the portal that may stand in a cell: codes, texts of codes
        :param plain: names of parameters and JSON members that are no person's: page, count
        :param dates: patterns by which days are written
        """
        self._key = key
        self._secrets = {value: name for name, value in (secrets or {}).items() if value}
        self._keep = {folded(word) for word in keep}
        self._plain = set(plain)
        self._dates = tuple(dates)
        self._slashed = "%m/%d/%Y"
        self._attributes = tuple(data_attributes)
        self._shift = timedelta(days=400 + int.from_bytes(self._draw("days", 0)[:2], "big") % 300)
        self._given: dict[str, str] = {}
        self._used: set[str] = set(self._keep)

    def _draw(self, text: str, turn: int) -> bytes:
        return hmac.new(self._key, f"{turn}:{text}".encode(), hashlib.sha512).digest()

    def text(self, text: str) -> str:
        """Return a shown or typed text in pseudonyms."""
        for secret, name in self._secrets.items():
            text = text.replace(secret, f"[{name}]")
        if folded(text) in self._keep:
            return text
        kept: list[str] = []
        for pattern in dict.fromkeys(self._slashed if one in _SLASHED else one for one in self._dates):
            text = re.sub(_DATES[pattern], lambda found, by=pattern: self._day(found[0], by, kept), text)  # type: ignore[misc]
        text = _CLOCK.sub(lambda found: self._kept(found[0], kept), text)
        return re.sub(r"\x00(\d+)\x00|\w+", lambda found: kept[int(found[1])] if found[1] else self.word(found[0]), text)

    def _day(self, text: str, pattern: str, kept: list[str]) -> str:
        try:
            moved = datetime.strptime(text, pattern) - self._shift  # noqa: DTZ007 - a day without a zone
        except ValueError:
            return text
        return self._kept(moved.strftime(pattern), kept)

    def _kept(self, text: str, kept: list[str]) -> str:
        kept.append(text)
        return f"\x00{len(kept) - 1}\x00"

    def word(self, word: str) -> str:
        """Return the pseudonym of one word or number."""
        if folded(word) in self._keep or not word.strip("0_"):
            return word
        known = folded(word)
        if known not in self._given:
            self._given[known] = self._new(known)
        return _cased(self._given[known], word)

    def _new(self, word: str) -> str:
        for turn in range(50):
            stream = self._draw(word, turn)
            made = "".join(_char(char, stream[place % 64], place == 0) for place, char in enumerate(word))
            if made not in self._used and made != word:
                self._used.add(made)
                return made
        # Nearly all of this shape are taken, as by the numbers 20 to 99 of a list: any that is left, itself last of all.
        shapes = ("".join(one) for one in product(*(_like(char, place == 0) for place, char in enumerate(word))))
        made = next((one for one in shapes if one not in self._used and one != word), word)
        self._used.add(made)
        return made

    def knows(self, word: str) -> bool:
        """Tell whether a word was somebody's value anywhere so far."""
        return folded(word) in self._given

    def _is_plain(self, name: str) -> bool:
        """Portals put a mark before names that are their own: `@sort`, `_page`."""
        return name in self._plain or name.lstrip("@_.:$") in self._plain

    def url(self, url: str) -> str:
        """Return an address with its ids and values in pseudonyms."""
        parts = urlsplit(url)
        path = "/".join(
            self.text(one) if any(char.isdigit() for char in one) or self.knows(one) else one for one in parts.path.split("/")
        )
        pairs = [(name, value if self._is_plain(name) else self.text(value)) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
        return urlunsplit((parts.scheme, parts.netloc, quote(path, safe="/%"), urlencode(pairs), ""))

    def form(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return what was typed, in pseudonyms; tokens become marks."""
        return [
            (name, f"[{name}]" if _TOKENS.search(name) or "password" in name.lower() else value if self._is_plain(name) else self.text(value))
            for name, value in pairs
        ]

    def json(self, value: Any, name: str = "") -> Any:
        """Return a JSON value with its leaves in pseudonyms; names of members stay."""
        if isinstance(value, dict):
            return {key: self.json(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.json(one, name) for one in value]
        if isinstance(value, bool) or value is None or name in self._plain:
            return value
        if isinstance(value, str):
            return f"[{name}]" if _TOKENS.search(name) else self.text(value)
        number = self.text(str(value))
        return type(value)(number)

    def _learn_order(self, tree: HtmlElement) -> None:
        """Days with strokes have one order on a page; where it does not tell, it is as on the page before."""
        found = [one for element in tree.iter(*_VALUE_TAGS) for one in _STROKES.findall(element.text_content())]
        fit = [pattern for pattern in _SLASHED if found and all(_is_day(one, pattern) for one in found)]
        if len(fit) == 1:
            self._slashed = fit[0]

    def page(self, tree: HtmlElement) -> None:
        """Put pseudonyms into a page: cells and controls first, then whatever repeats their words."""
        self._learn_order(tree)
        for element in tree.iter():
            if isinstance(element.tag, str):
                self._controls(element)
                if element.tag in _VALUE_TAGS or (element.tag == "th" and heads_a_row(element)):
                    self._cell(element)
        for element in tree.iter(*_HEAD_TAGS):
            if not any(one.tag in _VALUE_TAGS for one in element.iterancestors()):
                element.text = self._repeated(element.text)
                for child in element:
                    child.tail = self._repeated(child.tail)
        for element in tree.iter():
            for name in _SAID:
                if isinstance(element.tag, str) and element.get(name):
                    element.set(name, self._repeated(element.get(name)))

    def _controls(self, element: HtmlElement) -> None:
        for name in self._attributes:
            if element.get(name):
                element.set(name, self.text(element.get(name, "")))
        for name in ("href", "action", "src"):
            if element.get(name):
                element.set(name, self.url(element.get(name, "")))
        if element.tag == "meta" and _TOKENS.search(element.get("name", "")):
            element.set("content", f"[{element.get('name')}]")
        if element.tag == "input" and element.get("value"):
            name, type = element.get("name", ""), element.get("type", "text").lower()
            if type == "password" or (type == "hidden" and _TOKENS.search(name)):
                element.set("value", f"[{name}]")
            elif type not in ("submit", "button", "checkbox", "radio"):
                element.set("value", self.text(element.get("value", "")))
        if element.tag == "option" and element.get("value"):
            element.set("value", self.text(element.get("value", "")))
        if element.get("nonce"):
            element.set("nonce", "[nonce]")
        if element.tag in ("script", "style"):
            etree.strip_elements(element, with_tail=False)
            element.text = ""

    def _cell(self, element: HtmlElement) -> None:
        """Whatever stands in it; of a cell around a whole table the heads of the columns stay."""
        for one in element.iter():
            if one.text and not _is_head(one, element):
                one.text = self.text(one.text)
            if one is not element and one.tail and not _is_head(one.getparent(), element):
                one.tail = self.text(one.tail)

    def _repeated(self, text: str | None) -> str | None:
        if not text:
            return text
        for secret, name in self._secrets.items():
            text = text.replace(secret, f"[{name}]")
        return _WORD.sub(lambda found: self.word(found[0]) if len(found[0]) > 2 and not found[0].isdigit() and self.knows(found[0]) else found[0], text)

    def heads(self, name: str, value: str) -> str:
        """Return the value of a header: a cookie's name with a mark, an address in pseudonyms."""
        if name in ("set-cookie", "cookie"):
            return "\n".join(f"{line.partition('=')[0].strip()}=[cookie]" for line in value.splitlines())
        if name == "authorization" or _TOKENS.search(name):
            return f"[{name}]"
        return self.url(value) if name == "location" else clean(value)


def _is_day(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 - a day without a zone
    except ValueError:
        return False
    return True


def heads_a_row(head: HtmlElement) -> bool:
    """
    Tell whether a `th` names somebody's row and no column: in a table with a row of heads it stands beside cells.

    In a table without such a row it is what the cell beside it is called, and stays.
    """
    if head.get("scope") == "row":
        return True
    row = head.getparent()
    if row is None or row.tag != "tr" or not any(cell.tag == "td" for cell in row):
        return False
    table = next(row.iterancestors("table"), None)
    rows = table.iter("tr") if table is not None else ()
    return any(len(one) > 1 and all(cell.tag == "th" for cell in one) for one in rows if next(one.iterancestors("table")) is table)


def _is_head(element: HtmlElement, cell: HtmlElement) -> bool:
    """Whether an element inside a cell stands in a head of a table that is in that cell."""
    while element is not None and element is not cell:
        if element.tag in _VALUE_TAGS:
            return False
        if element.tag == "th":
            return not heads_a_row(element)
        element = element.getparent()
    return False


def _like(char: str, first: bool) -> str:
    """Every character of the same kind. A first 0 or 1 stays: what begins with it is another kind of number."""
    if char.isdigit():
        return "0123456789" if not first else char if char in "01" else "23456789"
    if char.isalpha():
        return _HEBREW if "\u0590" <= char <= "\u08ff" else "abcdefghijklmnopqrstuvwxyz"
    return char


def _char(char: str, byte: int, first: bool) -> str:
    kind = _like(char, first)
    return kind[byte % len(kind)]


def _cased(made: str, like: str) -> str:
    if len(made) != len(like):
        return made
    return "".join(one.upper() if other.isupper() else one for one, other in zip(made, like, strict=True))
