"""A definition fitted to one practice: pages of its lists, what follows from them, and what a person has to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rapport.connectors.portals import calibration
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.calibrate import calibrate
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.definition import Definition
from rapport.connectors.portals.http import Caller
from rapport.connectors.portals.kit import files
from rapport.connectors.portals.kit.live import Ask, NotIn, Place
from rapport.connectors.portals.kit.outcome import Outcome, Unusable
from rapport.connectors.portals.kit.paging import as_recorded, next_number, way_on
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.proposal import Proposal
from rapport.rooms.exchange.ports import Trouble

MOST_PAGES = 20


def at_portal(
    place: Place, ask: Ask, *, pages: Mapping[str, str], empty: Mapping[str, str], answers: Mapping[str, str], out: Path
) -> Outcome:  # fmt: skip
    """
    Propose an overlay from a portal.

    :param pages: call -> address of its list, from `/`
    :param empty: call -> address where that list has nothing in it
    """
    try:
        with place.visit(ask) as (caller, _):
            found = {name: _list(caller, address) for name, address in pages.items()}
            found |= {f"{name}.empty": [_page(caller, address)] for name, address in empty.items()}
    except NotIn as problem:
        reason = problem.found.reason.value if isinstance(problem.found, Trouble) else "a code is asked for, and nobody gave it"
        where = problem.where()
        return Outcome([f"Nobody could be signed in: {reason}.", *where], {"signed_in": False, "why": reason, "where": where}, failed=True)
    return propose(place.definition, found, answers=answers, overlay=place.target.calibration, out=out)


def _page(caller: Caller, address: str) -> Answer:
    if not address.startswith("/") or address.startswith("//"):
        raise Unusable("an address of a page begins with one /")
    answer = caller.read(Outgoing("GET", address, expected="html"), place="page")
    if isinstance(answer, Trouble):
        raise Unusable(f"a page could not be read: {answer.reason.value}. {answer.detail}")
    return answer


def _list(caller: Caller, address: str) -> list[Answer]:
    found = [_page(caller, address)]
    while (following := way_on(found[-1]) or next_number(found[-1])) is not None:
        if len(found) >= MOST_PAGES:
            raise Unusable(f"the list has more than {MOST_PAGES} pages: give an address where it shows more at once")
        parts = following.removeprefix(caller.session().base_url)
        found.append(_page(caller, parts))
    return found


def from_recording(
    definition: Definition, exchanges: Sequence[Exchange], *, pages: Mapping[str, str], empty: Mapping[str, str],
    answers: Mapping[str, str], out: Path,
) -> Outcome:  # fmt: skip
    """Propose an overlay from pages that were recorded."""
    kept = {one.request.removeprefix("GET "): one for one in exchanges if one.request.startswith("GET ")}
    found = {name: list(_recorded(kept, address)) for name, address in pages.items()}
    found |= {f"{name}.empty": list(_recorded(kept, address))[:1] for name, address in empty.items()}
    return propose(definition, found, answers=answers, overlay={}, out=out)


def _recorded(kept: Mapping[str, Exchange], address: str) -> Iterable[Answer]:
    seen: set[str] = set()
    here = as_recorded(address)
    while here in kept and here not in seen:
        seen.add(here)
        page = kept[here].answer(here)
        yield page
        here = as_recorded(way_on(page) or next_number(page))
    if not seen:
        raise Unusable("the recording does not have a page at one of these addresses")


def propose(
    definition: Definition, pages: Mapping[str, Sequence[Answer]], *, answers: Mapping[str, str], overlay: Mapping[str, Any], out: Path
) -> Outcome:  # fmt: skip
    """Write the overlay, with what it stands on. Failed: a question is open, or no list reads whole with it."""
    unknown = [name for name in pages if name.removesuffix(".empty") not in definition.calls]
    if unknown:
        raise Unusable(f"{definition.definition} has no list {unknown[0]}; it has {', '.join(definition.calls)}")
    proposal = calibrate(definition, pages, answers=answers)
    made = {**overlay, **proposal.overlay, "set": {**(overlay.get("set") or {}), **proposal.overlay["set"]}}
    made["calibrated"] = sorted({*(overlay.get("calibrated") or ()), *proposal.overlay["calibrated"]})
    try:
        calibration.apply(definition, made)
    except calibration.BadCalibration as problem:
        proposal.questions.setdefault("calibration", str(problem))
    files.write_json(out, made)
    return _told(proposal, made, out)


def _told(proposal: Proposal, made: Mapping[str, Any], out: Path) -> Outcome:
    outcome = Outcome(data={
        "calibrated": made["calibrated"], "checked": proposal.checked, "questions": proposal.questions, "unbound": proposal.unbound,
        "evidence": [{"place": one.place, "value": one.value, "because": one.because} for one in proposal.evidence],
    })  # fmt: skip
    for one in proposal.evidence:
        outcome.say(f"{one.place} = {one.value!r}: {one.because}")
    for name, what in proposal.checked.items():
        outcome.say(f"{name}: {what}")
    for place, what in proposal.unbound.items():
        outcome.say(f"not found, and may be missing: {place}. {what}")
    for place, what in proposal.questions.items():
        outcome.say(f"QUESTION {place}: {what}")
    outcome.failed = bool(proposal.questions) or not proposal.overlay["calibrated"]
    outcome.say(f"The overlay is in {out}.{' Answer the questions in a file for --answers: place, and the words of the header.' if proposal.questions else ''}")
    return outcome
