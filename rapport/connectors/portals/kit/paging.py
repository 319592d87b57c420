"""How the pages of one list hang together: by a link with words that lead on, or by a number in their addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

from rapport.connectors.portals import markup, signature
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.lexicon import leads_on

NUMBERS = ("page", "p", "pg", "pageno", "page_number", "pagenumber", "seite")
"""Parameters by which portals commonly count their pages."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Pages of one list that are told by a number."""

    parameter: str
    first: int
    addresses: tuple[str, ...]


def way_on(page: Answer) -> str | None:
    """Return the address of the page after this one, where one link with such words leads there."""
    links = {
        urljoin(page.url, one.get("href", ""))
        for one in page.tree.iter("a")
        if one.get("href") and (one.get("rel") == "next" or leads_on(markup.text_of(one)))
    }
    return links.pop() if len(links) == 1 else None


def next_number(page: Answer) -> str | None:
    """Return the address of the page with the next number, where this page has a link to it; written as this one's is."""
    here = urlsplit(page.url)
    query = parse_qsl(here.query, keep_blank_values=True)
    for parameter in NUMBERS:
        said = dict(query).get(parameter)
        if said is not None and not said.isdigit():
            continue
        following = str(int(said or 1) + 1)
        for link in _links(page):
            if link.path == here.path and (parameter, following) in parse_qsl(link.query):
                others = [(name, value) for name, value in query if name != parameter]
                return here._replace(query=urlencode([*others, (parameter, following)])).geturl()
    return None


def _links(page: Answer) -> Iterator[SplitResult]:
    for one in page.tree.iter("a"):
        if one.get("href"):
            yield urlsplit(urljoin(page.url, one.get("href", "")))


def numbered(addresses: Collection[str]) -> Numbered | None:
    """
    Return the longest run of addresses that differ in the number of their page alone.

    >>> numbered(["/a", "/a?page=2", "/a?page=1", "/a?page=1&q=x", "/b?page=3"])
    Numbered(parameter='page', first=1, addresses=('/a?page=1', '/a?page=2'))
    """
    runs: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[int, str]] = {}
    for address in addresses:
        parts = urlsplit(address)
        query = parse_qsl(parts.query)
        for parameter, value in query:
            if parameter in NUMBERS and value.isdigit():
                rest = tuple(sorted(one for one in query if one[0] != parameter))
                runs.setdefault((parameter, parts.path, rest), {})[int(value)] = address
    best: Numbered | None = None
    for (parameter, _, _), pages in runs.items():
        first = min(pages)
        last = next(number for number in range(first, first + len(pages) + 1) if number not in pages)
        run = tuple(pages[number] for number in range(first, last))
        if first in (0, 1) and len(run) > len(best.addresses if best else (run[0],)):
            best = Numbered(parameter, first, run)
    return best


def without_number(address: str) -> str:
    """
    Write an address without the number of its page, and without parameters that say nothing.

    >>> without_number("/a?page=2&q=&x=1"), without_number("/a?x=1")
    ('/a?x=1', '/a?x=1')
    """
    parts = urlsplit(address)
    query = [(name, value) for name, value in parse_qsl(parts.query) if not (name in NUMBERS and value.isdigit())]
    return parts._replace(query=urlencode(query)).geturl()


def as_recorded(address: str | None) -> str:
    """Write an address as a recording has it, with its parameters in order; empty: there is none."""
    return signature.line("GET", address).removeprefix("GET ") if address else ""
