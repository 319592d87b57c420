"""
Propose how a definition fits a practice's own portal, from pages that a person opened there.

    calibrate(definition, {"patients": [page, page], "patients.empty": [page]}, answers={})

What follows from the pages is proposed with its evidence. What does not is a question, which a person
answers with the words that stand on the page. Nothing is sent and nothing is guessed past a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rapport.connectors.portals import calibration, markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.columnfit import Column, choose, columns_of
from rapport.connectors.portals.definition import Call, Definition
from rapport.connectors.portals.lexicon import NEXT
from rapport.connectors.portals.reading import Reading, Whole
from rapport.connectors.portals.words import clean, folded
from rapport.rooms.exchange.ports import Trouble

_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing of the trial reading is kept, its time neither."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of an overlay, and why. No value of a record in it."""

    place: str
    value: Any
    because: str


@dataclass(slots=True)
class Proposal:
    """What calibrating came to."""

    overlay: dict[str, Any] = field(default_factory=lambda: {"set": {}, "calibrated": []})
    evidence: list[Evidence] = field(default_factory=list)
    questions: dict[str, str] = field(default_factory=dict)
    """Place -> what a person has to say: the header, or nothing where the portal has no such column."""
    unbound: dict[str, str] = field(default_factory=dict)
    """Fields that may be missing, and were not found: questions that stop nothing."""
    checked: dict[str, str] = field(default_factory=dict)
    """Call -> what reading the given pages with the overlay came to."""

    def say(self, place: str, value: Any, because: str) -> None:
        """Propose one line."""
        self.overlay["set"][place] = value
        self.evidence.append(Evidence(place, value, because))


def calibrate(
    definition: Definition, pages: Mapping[str, Sequence[Answer]], *, answers: Mapping[str, str] | None = None
) -> Proposal:
    """
    Propose an overlay.

    :param pages: call -> all pages of one list, in order; `call.empty` -> a page of it with nothing in it
    :param answers: place of a question -> the header's words; empty: there is no such column
    """
    proposal = Proposal()
    for name, call in definition.calls.items():
        given = pages.get(name)
        if given:
            _call(name, call, list(given), list(pages.get(f"{name}.empty", ())), definition, dict(answers or {}), proposal)
    for name in pages:
        if name in definition.calls:
            _check(name, definition, list(pages[name]), proposal)
    return proposal


def _call(
    name: str, call: Call, pages: list[Answer], empty: list[Answer], definition: Definition, answers: dict[str, str],
    proposal: Proposal,
) -> None:  # fmt: skip
    place = f"calls.{name}"
    table = _table(pages[0])
    if table is None:
        proposal.questions[place] = "There is no table on this page."
        return
    if pages[0].path != call.request.path:
        proposal.say(f"{place}.request.path", pages[0].path, "the address of the page")
    id = table.get("id", "")
    rule = {"id": id} if id else None
    proposal.say(f"{place}.rows", {"table": rule} if rule else {}, f"the largest table, {'with an id' if id else 'told by its columns'}")
    attribute = next((one for one in ("data-column", "data-field", "data-key", "data-name") if _all_have(table, one)), "")
    if attribute != call.bind.attribute:
        proposal.say(f"{place}.bind.attribute", attribute, "an attribute of every header cell" if attribute else "header cells have no name")
    language = markup.language_of(pages[0].tree)
    language = language if language in definition.locales else definition.locales[0]
    columns = columns_of([one for one in (_table(page, id) for page in pages) if one is not None], attribute)
    _fields(name, call, columns, language, definition.locales, answers, proposal)
    _ids(place, columns, pages, id, proposal)
    _end(place, call, pages, id, proposal)
    _empty(place, empty, pages, proposal)


def _table(page: Answer, id: str = "") -> Any:
    tables = [one for one in page.tree.iter("table") if markup.is_seen(one)]
    same = [one for one in tables if id and one.get("id") == id]
    return max(same or tables, key=lambda one: len(list(one.iter("tr"))), default=None)


def _all_have(table: Any, attribute: str) -> bool:
    head = next(iter(table.iter("tr")), None)
    return head is not None and len(head) > 0 and all(cell.get(attribute) for cell in head)


def _fields(
    name: str, call: Call, columns: Sequence[Column], language: str, locales: tuple[str, ...], answers: dict[str, str],
    proposal: Proposal,
) -> None:  # fmt: skip
    taken: set[int] = set()
    for field_name in sorted(call.fields, key=lambda one: call.fields[one].type == "text"):
        rule = call.fields[field_name]
        place = f"calls.{name}.fields.{field_name}"
        said = answers.get(place)
        if said == "":
            continue
        choice = choose(field_name, rule, columns, language=language, taken=taken, said=said)
        if choice.question:
            asked = proposal.questions if rule.required or said is not None else proposal.unbound
            asked[place] = choice.question
            continue
        column = columns[choice.place]
        if rule.type != "text":
            taken.add(choice.place)
        proposal.say(f"{place}.labels", {language: [column.label]}, choice.because)
        proposal.say(f"{place}.column", [column.name] if column.name else [], "the column's own name" if column.name else "it has none")
        for member, value, because in choice.more:
            value = {one: value for one in locales} if member in ("formats", "texts") else value
            proposal.say(f"{place}.{member}", value, because)


def _ids(place: str, columns: Sequence[Column], pages: list[Answer], id: str, proposal: Proposal) -> None:
    rows = [row for page in pages for row in _rows(page, id)]
    names = {name for row in rows[:1] for name in row.attrib if str(name).startswith("data-") or name == "id"}
    for name in sorted(map(str, names)):
        values = [row.get(name) for row in rows]
        if None not in values and len(set(values)) == len(values):
            proposal.say(f"{place}.remote_id", {"from": "row", "attribute": name}, f"`{name}` is there and different in all {len(rows)} rows")
            return
    proposal.questions[f"{place}.remote_id"] = "No attribute of the rows tells them apart: which column or link has the id?"


def _rows(page: Answer, id: str) -> list[Any]:
    table = _table(page, id)
    rows = list(table.iter("tr")) if table is not None else []
    return [row for row in rows[1:] if any(cell.tag == "td" for cell in row)]


def _end(place: str, call: Call, pages: list[Answer], id: str, proposal: Proposal) -> None:
    total = sum(len(_rows(page, id)) for page in pages)
    found = _count(pages[0], str(total))
    if found is None:
        proposal.questions[f"{place}.count"] = f"Nothing on the page says that there are {total} rows: how is the end of the list to be told?"
    else:
        proposal.say(f"{place}.count", {"pick": found}, f"{total} rows on {len(pages)} pages, and the page says {total}")
    links = [link for link in pages[0].tree.iter("a") if link.get("rel") == "next" or folded(markup.text_of(link)) in NEXT]
    if len(links) == 1:
        words = markup.text_of(links[0])
        language = next(iter(call.page.next.labels), "en") if call.page.next else "en"
        rule = {"by": "link", "next": {"role": "link", "labels": {language: [words]}, "recorded": "label"}}
        proposal.say(f"{place}.page", rule, f"one link {words!r}, which the last page does not have")
    elif len(pages) > 1:
        proposal.questions[f"{place}.page"] = "Which link leads to the next page?"


def _count(page: Answer, total: str) -> dict[str, Any] | None:
    """The element that says the count: by an attribute first, then as the last number of its text."""
    for element in page.tree.iter():
        if not isinstance(element.tag, str) or element.get("id") is None or any(True for _ in element.iter("table")):
            continue
        attribute = next((str(name) for name, value in element.attrib.items() if name != "id" and value == total), "")
        rule = {"id": element.get("id")}
        if attribute:
            return {"element": rule, "attribute": attribute}
        numbers = [word for word in clean(markup.text_of(element)).replace(",", "").split() if word.strip(".").isdigit()]
        if numbers and numbers[-1].strip(".") == total:
            return {"element": rule, "number": "last"}
    return None


def _empty(place: str, empty: list[Answer], pages: list[Answer], proposal: Proposal) -> None:
    if not empty:
        proposal.questions[f"{place}.empty"] = "Open this list where it has nothing in it, and give that page."
        return
    there = {one.get("id") for page in pages for one in page.tree.iter() if isinstance(one.tag, str)}
    for element in empty[0].tree.iter():
        if isinstance(element.tag, str) and element.get("id") and element.get("id") not in there and markup.is_seen(element):
            proposal.say(f"{place}.empty", {"when": {"has": {"id": element.get("id")}}}, "stands on the empty page and on no other")
            return
    proposal.questions[f"{place}.empty"] = "Nothing tells the empty list from the others: which words stand there?"


def _check(name: str, definition: Definition, pages: list[Answer], proposal: Proposal) -> None:
    """Read the given pages with the overlay: only what reads whole counts as calibrated."""
    if any(place.startswith(f"calls.{name}") for place in proposal.questions):
        proposal.checked[name] = "questions are open"
        return
    try:
        made = calibration.apply(definition, proposal.overlay)
    except calibration.BadCalibration as problem:
        proposal.checked[name] = str(problem)
        return
    reading = Reading(made, name, given={"from_on": "", "to_on": "", **{one: "1" for one in made.calls[name].needs}})
    outgoing: Any = reading.start()
    for page in pages:
        if outgoing is None:
            break
        outgoing = reading.take(page, at=_NO_TIME)
    result = reading.finish()
    if isinstance(result, Trouble):
        proposal.checked[name] = f"{result.reason}: {result.detail}"
    elif isinstance(result, Whole):
        proposal.checked[name] = f"{len(result.rows)} rows, {result.complete}, {result.verdict}"
        proposal.overlay["calibrated"].append(name)
