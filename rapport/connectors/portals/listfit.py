"""
Where a list stands on a practice's pages, and by what its rows, its end and its emptiness are told.

What the definition itself says stays where it holds on these pages. Only where it does not is something
else proposed: what is marked for machines first (ids, attributes), then classes and links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from rapport.connectors.portals import anchors, calibration, markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode.table import extract, link_id
from rapport.connectors.portals.definition import Call, Definition
from rapport.connectors.portals.lexicon import leads_on
from rapport.connectors.portals.predicates import holds, take
from rapport.connectors.portals.proposal import Proposal
from rapport.connectors.portals.terms import Element, Pick
from rapport.connectors.portals.words import clean, folded

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
SHORT = 40
"""Letters: a control or a mark has no more of them."""


def tables(call: Call, pages: Sequence[Answer]) -> tuple[list[HtmlElement], bool]:
    """Return the list's table on each page that has one, and whether the definition's own rule finds them."""
    rule = call.rows.table
    own = [markup.find_all(page.tree, rule) for page in pages] if rule else []
    if own and all(len(found) == 1 for found in own):
        return [found[0] for found in own], True
    first = largest(pages[0])
    id = first.get("id", "") if first is not None else ""
    return [one for one in (largest(page, id) for page in pages) if one is not None], False


def largest(page: Answer, id: str = "") -> HtmlElement | None:
    """Return the table with the most rows of its own, among those with an id where one has it."""
    seen = [one for one in page.tree.iter("table") if markup.is_seen(one)]
    same = [one for one in seen if id and one.get("id") == id]
    return max(same or seen, key=lambda one: len(_own(one)), default=None)


def alike(page: Answer, table: HtmlElement) -> HtmlElement | None:
    """Return the one table of a page that has the same heads as another."""
    fit = [one for one in page.tree.iter("table") if markup.is_seen(one) and heads(one) == heads(table)]
    return fit[0] if len(fit) == 1 else None


def heads(table: HtmlElement) -> list[str]:
    """Return the words of a table's first row."""
    return [markup.text_of(cell) for cell in next(iter(_own(table)), ())]


def rows(table: HtmlElement) -> list[HtmlElement]:
    """Return the rows below the first that have cells."""
    return [row for row in _own(table)[1:] if any(cell.tag == "td" for cell in row)]


def _own(table: HtmlElement) -> list[HtmlElement]:
    """Its rows, and not those of tables inside."""
    return [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]


def ids(name: str, definition: Definition, pages: Sequence[Answer], found: Sequence[HtmlElement], proposal: Proposal) -> None:
    """Propose by what the rows are told apart, where the definition's own way does not do it."""
    place = f"calls.{name}"
    made = _so_far(definition, proposal)
    if made is not None and _told_apart(name, made, pages):
        return
    body = [row for table in found for row in rows(table)]
    names = {name for row in body[:1] for name in row.attrib if str(name).startswith("data-") or name == "id"}
    for attribute in sorted(map(str, names)):
        values = [row.get(attribute) for row in body]
        if None not in values and len(set(values)) == len(values):
            proposal.say(f"{place}.remote_id", {"from": "row", "attribute": attribute}, f"`{attribute}` is there and different in all {len(body)} rows")
            return
    column = _linked(body)
    head = heads(found[0])
    if column is None or column >= len(head):
        proposal.questions[f"{place}.remote_id"] = "No attribute of the rows tells them apart: which column or link has the id?"
        return
    fields = (made or definition).calls[name].fields
    field = next((one for one, rule in fields.items() if folded(head[column]) in {folded(word) for words in rule.labels.values() for word in words}), "")
    if not field:
        proposal.questions[f"{place}.remote_id"] = f"Each row has a link of its own under {head[column]!r}, which no field is bound to: write a field for it, and `remote_id` from its link."
        return
    proposal.say(f"{place}.remote_id", {"from": "link", "field": field}, f"the link under {head[column]!r} is different in all {len(body)} rows")


def _so_far(definition: Definition, proposal: Proposal) -> Definition | None:
    try:
        return calibration.apply(definition, proposal.overlay)
    except calibration.BadCalibration:
        return None


def _told_apart(name: str, made: Definition, pages: Sequence[Answer]) -> bool:
    call = made.calls[name]
    told = [row.remote_id for page in pages for row in extract(call, page, place=name, locales=made.locales).rows]
    return bool(told) and all(told) and len(set(told)) == len(told)


def _linked(body: Sequence[HtmlElement]) -> int | None:
    """Return the first column in which each row has one link, to something of its own."""
    for column in range(min((len(row) for row in body), default=0)):
        told = [link_id(row[column], "") for row in body]
        if all(told) and len(set(told)) == len(told):
            return column
    return None


def linked(found: Sequence[HtmlElement]) -> tuple[str, int] | None:
    """
    Return the header of the first column whose links are different in all rows, and which part of their path the id is.

    -1 is the last part; of `/ticket/7/change/`, which ends in a slash, the id is -3.
    """
    body = [row for table in found for row in rows(table)]
    head = heads(found[0])
    for column in range(min((len(row) for row in body), default=0)):
        paths = [{urlsplit(link.get("href", "")).path for link in row[column].iter("a")} for row in body]
        if column >= len(head) or not head[column] or any(len(one) != 1 for one in paths):
            continue
        parts = [one.pop().split("/") for one in paths]
        last = -1 if parts[0][-1] else -2
        for place in (last, last - 1):
            told = [one[place] if len(one) >= -place else "" for one in parts]
            tails = {tuple(one[place + 1 :] if place < -1 else ()) for one in parts}
            if all(told) and len(set(told)) == len(told) and len(tails) == 1:
                return head[column], -1 if place == last else place
    return None


def marks(pages: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """Yield the elements with a few words that stand beside the list on the last of these pages, and on none before it."""
    language = markup.language_of(pages[-1].tree) or "en"
    for element in pages[-1].tree.iter():
        if not isinstance(element.tag, str) or not markup.is_seen(element) or any(True for _ in element.iter("table")):
            continue
        if any(one.tag == "table" for one in element.iterancestors()):
            continue
        words = clean(markup.text_of(element))
        if not words or len(words) > SHORT or any(number != "0" for number in re.findall(r"\d+", words)):
            continue
        told: list[dict[str, str]] = [{"id": element.get("id", "")}] if element.get("id") else []
        told += [{"has_class": one} for one in element.get("class", "").split()]
        told += [{}] if element.tag in HEADINGS else []
        for how in told:
            meant = Element(tag=str(element.tag), text_any={"": (words,)}, id=how.get("id", ""), has_class=how.get("has_class", ""))
            if not any(markup.find_all(page.tree, meant) for page in pages[:-1]):
                yield {"tag": str(element.tag), **how, "text_any": {language: [words]}}
                break


def end(place: str, call: Call, pages: Sequence[Answer], found: Sequence[HtmlElement], empty: Sequence[Answer], proposal: Proposal) -> None:
    """Propose where the count stands and how the list goes on. What ends by a mark that holds here stays so."""
    if call.end == "last_page" and call.last_page is not None:
        marks = [holds(call.last_page, page, expected="html") for page in pages]
        if marks != [False] * (len(pages) - 1) + [True]:
            proposal.questions[f"{place}.last_page"] = f"The mark of the last page stands on {sum(marks)} of these {len(pages)} pages, and must stand on the last alone. It is mended in the definition."
        return
    total = sum(len(rows(table)) for table in found)
    own = call.count is not None and all(take(call.count.pick, page) == str(total) for page in pages)
    if not own:
        said = _count(pages, str(total))
        if said is None:
            proposal.questions[f"{place}.count"] = f"Nothing on the page says that there are {total} rows: how is the end of the list to be told?"
        else:
            unsaid = bool(empty) and take(_as_pick(said), empty[0]) is None
            proposal.say(
                f"{place}.count", {"pick": said} | ({"unless_empty": True} if unsaid else {}),
                f"{total} rows on {len(pages)} pages, and the page says {total}{'; an empty list says nothing' if unsaid else ''}",
            )  # fmt: skip
    _way_on(place, call, pages, proposal)


def _way_on(place: str, call: Call, pages: Sequence[Answer], proposal: Proposal) -> None:
    rule = call.page.next
    if call.page.by in ("number", "offset"):
        return
    if rule is not None and len(pages) > 1:
        there = [isinstance(anchors.find(page.tree, rule), anchors.Control) for page in pages]
        if all(there[:-1]) and not there[-1]:
            return
    links = [link for link in pages[0].tree.iter("a") if link.get("rel") == "next" or leads_on(markup.text_of(link))]
    if len(links) == 1:
        words = markup.text_of(links[0])
        language = next(iter(rule.labels), "en") if rule else "en"
        following = {"by": "link", "next": {"role": "link", "labels": {language: [words]}, "recorded": "label"}}
        proposal.say(f"{place}.page", following, f"one link {words!r}, which the last page does not have")
    elif len(pages) > 1:
        proposal.questions[f"{place}.page"] = "Which link leads to the next page?"


def _as_pick(said: Mapping[str, Any]) -> Pick:
    return Pick(element=Element(**said["element"]), attribute=said.get("attribute", ""), number=said.get("number", ""))


def _count(pages: Sequence[Answer], total: str) -> dict[str, Any] | None:
    """The element that says the count: by an id first, then by a class; as an attribute, or as the last number of its text."""
    for told in (_by_id, _by_class):
        for element in pages[0].tree.iter():
            if isinstance(element.tag, str) and not any(True for _ in element.iter("table")):
                for said in told(element, total):
                    if all(take(_as_pick(said), page) == total for page in pages):
                        return said
    return None


def _by_id(element: HtmlElement, total: str) -> Iterator[dict[str, Any]]:
    if element.get("id") is None:
        return
    rule = {"id": element.get("id")}
    attribute = next((str(name) for name, value in element.attrib.items() if name != "id" and value == total), "")
    if attribute:
        yield {"element": rule, "attribute": attribute}
    yield from _by_text(element, rule, total)


def _by_class(element: HtmlElement, total: str) -> Iterator[dict[str, Any]]:
    for name in element.get("class", "").split():
        yield from _by_text(element, {"tag": str(element.tag), "has_class": name}, total)


def _by_text(element: HtmlElement, rule: dict[str, str], total: str) -> Iterator[dict[str, Any]]:
    numbers = [word.strip(".") for word in clean(markup.text_of(element)).replace(",", "").split() if word.strip(".").isdigit()]
    if numbers and numbers[-1] == total:
        yield {"element": rule, "number": "last"}


def emptiness(
    place: str, call: Call, pages: Sequence[Answer], table: HtmlElement, empty: Sequence[Answer], proposal: Proposal
) -> None:  # fmt: skip
    """
    Propose by what an empty list is told.

    :param table: the list's on a page with rows
    """
    rule = call.empty.when
    if call.empty.never:
        return
    if not empty:
        proposal.questions[f"{place}.empty"] = "Open this list where it has nothing in it, and give that page. Where it can never be empty, say `never`."
        return
    if rule is not None and holds(rule, empty[0], expected="html") and not any(holds(rule, page, expected="html") for page in pages):
        return
    there = {one.get("id") for page in pages for one in page.tree.iter() if isinstance(one.tag, str)}
    for element in empty[0].tree.iter():
        if isinstance(element.tag, str) and element.get("id") and element.get("id") not in there and markup.is_seen(element):
            proposal.say(f"{place}.empty", {"when": {"has": {"id": element.get("id")}}}, "stands on the empty page and on no other")
            return
    bare = alike(empty[0], table)
    shown = _element(bare) if bare is not None and not rows(bare) else {}
    gone = _gone(pages, table, empty[0])
    if shown and gone:
        proposal.say(
            f"{place}.empty", {"when": {"has": shown, "lacks": gone}},
            "an empty list has its table, and lacks a control beside it that each page with rows has",
        )  # fmt: skip
        return
    words = list(dict.fromkeys(repr(word) for mark in marks([*pages, empty[0]]) for said in mark["text_any"].values() for word in said))
    if words:
        proposal.questions[f"{place}.empty"] = f"Which of these words, that stand on the empty page and on no other, say that there is nothing: {', '.join(words[:6])}?"
        return
    proposal.questions[f"{place}.empty"] = "Nothing beside its rows tells the empty list from the others: which words stand there, or can it `never` be empty?"


def _gone(pages: Sequence[Answer], table: HtmlElement, empty: Answer) -> dict[str, Any] | None:
    """
    A control that is on each page with rows and not on the empty one.

    What stands in the table goes with its rows when a page is broken, and so proves nothing.
    """
    for one in pages[0].tree.iter("select", "input", "button"):
        if one.get("name") and one.get("type") != "hidden" and table not in one.iterancestors():
            rule = {"tag": str(one.tag), "name": [one.get("name", "")]}
            meant = Element(tag=str(one.tag), name=(one.get("name", ""),))
            if all(markup.find_all(page.tree, meant) for page in pages) and not markup.find_all(empty.tree, meant):
                return rule
    return None


def _element(table: HtmlElement) -> dict[str, str]:
    if table.get("id"):
        return {"id": table.get("id", "")}
    named = table.get("class", "").split()
    return {"tag": "table", "has_class": named[0]} if named else {}
