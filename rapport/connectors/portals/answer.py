"""An answer of a portal, parsed once and only when it is looked at. Pure: bytes in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from rapport.connectors.portals import markup
from rapport.connectors.portals.terms import Element

_WORD = re.compile(r"[a-z]{3,}")
_CLOSED = re.compile(rb"<(/?)(?:table|form|div|main|section|select|ul|script)[\s>]")
"""Elements that have an end wherever a page was sent whole: HTML lets it be left out of others, and of the page itself."""
_TAIL_BYTES = 2048
_LETTER_BY_NUMBER = re.compile(rb"&#(?:x0*[4-7]|0*(?:[6-9]\d|1[0-2]\d))")


@dataclass(frozen=True)
class Answer:
    """Status, where it was reached, headers by lower-case name, and the bytes."""

    status: int
    url: str
    """The address that was asked, or on which a browser ended."""
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    under: str = ""
    """Path below which the portal lies on its host: definitions know nothing of it."""

    @property
    def path(self) -> str:
        """Path of the address in the portal, with the part behind `#` where a page keeps its route there."""
        return _path(self.url, self.under)

    @property
    def content_type(self) -> str:
        """Media type, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def leads_to(self) -> str:
        """Path in the portal to which it redirects; empty: it does not."""
        location = self.headers.get("location", "")
        return _path(location, self.under) if 300 <= self.status < 400 and location else ""

    @property
    def leads_to_with(self) -> str:
        """Path to which it redirects, and its parameters: a portal may say there why it does. Empty: it does not."""
        if not self.leads_to:
            return ""
        query = urlsplit(self.headers.get("location", "")).query
        return self.leads_to.partition("#")[0] + (f"?{query}" if query else "")

    @cached_property
    def got(self) -> str:
        """What it is, judged by the bytes: `json`, `html`, `csv` or `other`."""
        if self.json is not None:
            return "json"
        start = self.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if start.startswith((b"<!doctype html", b"<html")) or (start[:1] == b"<" and "html" in self.content_type):
            return "html"
        return "csv" if self.content_type in ("text/csv", "application/csv") else "other"

    @cached_property
    def json(self) -> Any:
        """The value of a JSON answer; None: it is none."""
        if self.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
            return None
        try:
            return json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            return None

    @cached_property
    def breaks_off(self) -> bool:
        """
        Whether it stops before its end, as a connection that was cut leaves it.

        That is nothing at all, JSON without its last bracket, or a page that says nowhere that it ends and has not
        closed what it began.

        >>> Answer(200, "/", b"<!doctype html><table><tr><td>1").breaks_off, Answer(200, "/", b"<!doctype html><p>1").breaks_off
        (True, False)
        """
        body = self.body.strip()
        if body[:1] in (b"{", b"["):
            return self.json is None and body[-1:] != {b"{": b"}", b"[": b"]"}[body[:1]]
        if not body:
            return True
        if self.got != "html" or b"</html" in body[-_TAIL_BYTES:].lower():
            return False
        ends = [end for end in _CLOSED.findall(self._lowered)]
        return body.rfind(b"<") > body.rfind(b">") or ends.count(b"") > ends.count(b"/")

    @cached_property
    def tree(self) -> HtmlElement:
        """The page; an answer that is none is an empty page."""
        return markup.parse(self.body, self.headers.get("content-type", ""))

    def find(self, rule: Element) -> list[HtmlElement]:
        """Return every seen element that a rule means, in the order of the page."""
        return markup.find_all(self.tree, rule) if self._may_have(rule) else []

    def _may_have(self, rule: Element) -> bool:
        """Tell from the bytes whether looking for an element can find one: most pages have none of what is looked for."""
        if not self._is_plain:
            return True
        name, value = next(iter(rule.attributes.items()), ("", ""))
        told = (rule.id, rule.has_class, rule.autocomplete, name, value)
        return all(word.encode() in self._lowered for part in told for word in _WORD.findall(part.lower()))

    @cached_property
    def _lowered(self) -> bytes:
        return self.body.lower()

    @cached_property
    def _is_plain(self) -> bool:
        """Whether each letter stands for itself: no letter by number, and one byte for each."""
        return b"\x00" not in self.body and not _LETTER_BY_NUMBER.search(self._lowered)

    @cached_property
    def text(self) -> str:
        """What a person sees of the page."""
        return markup.text_of(self.tree)


def _path(url: str, under: str) -> str:
    parts = urlsplit(url)
    path = parts.path
    if under and (path == under or path.startswith(f"{under}/")):
        path = path[len(under) :]
    return (path or "/") + (f"#{parts.fragment}" if parts.fragment.startswith("/") else "")
