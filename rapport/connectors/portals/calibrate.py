"""
Propose how a definition fits a practice's own portal, from pages that a person opened there.

    calibrate(definition, {"patients": [page, page], "patients.empty": [page]}, answers={})

What follows from the pages is proposed with its evidence. What does not is a question, which a person
answers with the words that stand on the page. Nothing is sent and nothing is guessed past a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rapport.connectors.portals import calibration, listfit, markup
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.columnfit import Column, choose, columns_of
from rapport.connectors.portals.decode.binding import UNBOUND
from rapport.connectors.portals.definition import Call, Definition
from rapport.connectors.portals.proposal import Proposal
from rapport.connectors.portals.reading import Reading, Whole
from rapport.rooms.exchange.ports import Trouble

_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing of the trial reading is kept, its time neither."""


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
    tables, own = listfit.tables(call, pages)
    if not tables:
        proposal.questions[place] = "There is no table on this page."
        return
    if pages[0].path != call.request.path:
        proposal.say(f"{place}.request.path", pages[0].path, "the address of the page")
    if not own:
        id = tables[0].get("id", "")
        rule = {"table": {"id": id}} if id else {}
        proposal.say(f"{place}.rows", rule, f"the largest table, {'with an id' if id else 'told by its columns'}")
    attribute = next((one for one in ("data-column", "data-field", "data-key", "data-name") if _all_have(tables[0], one)), "")
    if attribute != call.bind.attribute:
        proposal.say(f"{place}.bind.attribute", attribute, "an attribute of every header cell" if attribute else "header cells have no name")
    language = markup.language_of(pages[0].tree)
    language = language if language in definition.locales else definition.locales[0]
    _fields(name, call, columns_of(tables, attribute), language, definition.locales, answers, proposal)
    listfit.ids(name, definition, pages, tables, proposal)
    listfit.end(place, call, pages, tables, empty, proposal)
    listfit.emptiness(place, call, pages, tables[0], empty, proposal)


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
        if said == "" or rule.source in UNBOUND:
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
