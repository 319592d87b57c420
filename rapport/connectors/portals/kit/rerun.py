"""A definition run over a recording: the same rows as before (`replay`), and never wrong ones (`gym`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rapport.connectors.portals import calibration, canary, gym, signature
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.decode.columns import Decoded
from rapport.connectors.portals.definition import Definition
from rapport.connectors.portals.kit import files
from rapport.connectors.portals.kit.outcome import Outcome, Unusable
from rapport.connectors.portals.kit.paging import without_number
from rapport.connectors.portals.outgoing import ValueMissing
from rapport.connectors.portals.reading import Reading, Whole
from rapport.connectors.portals.signature import of
from rapport.rooms.exchange.ports import Trouble

AT = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing that is replayed depends on when; the same rows come out on every day."""
_ADVICE = {
    "second page cut short": (
        "Five rows of it are gone, and nothing else: `count` sees it where the portal says how many there are, "
        "else `page.size` where each page but the last has as many."
    ),
    "second page without rows": "Its rows are gone, and nothing else: `count` sees it, or `page.size`.",
    "heads of like columns exchanged": "Name both fields in `canary`, or give one a `pattern`.",
    "no rows, no words for it": "`empty.when` holds where nothing is said: name words or an element that only an empty list has.",
    "no rows, words for it, and a count": "The count stands there still: let `count` read it.",
    "ids of rows gone": "Take `remote_id` from what each row must have.",
}  # fmt: skip
"""By what each of the cases is seen that an author meets first."""
ENOUGH = 25
"""Fewer mutations than these say little."""


def lists(definition: Definition, exchanges: Sequence[Exchange]) -> list[str]:
    """Return the calls that a recording has an answer to."""
    found = []
    for name, call in definition.calls.items():
        kept = {of(one.request, volatile=call.volatile) for one in exchanges}
        try:
            first = Reading(definition, name, given={}).start()
        except ValueMissing:
            continue
        if of(signature.line(first.method, first.url, first.body, first.form), volatile=call.volatile) in kept:
            found.append(name)
    return found


def wanted(definition: Definition) -> list[str]:
    """Return what each list asks for first, where it needs nothing given."""
    found = []
    for name in definition.calls:
        try:
            first = Reading(definition, name, given={}).start()
        except ValueMissing:
            continue
        found.append(f"{name} asks for {signature.line(first.method, first.url, first.body, first.form)}")
    return found


def beside(asked: Sequence[str], exchanges: Sequence[Exchange], *, volatile: Sequence[str]) -> list[str]:
    """
    Return the recorded pages that differ from those asked for in the number of their page alone.

    A list whose end is told wrongly stops before them, and reads well.
    """
    recorded = dict.fromkeys(of(one.request, volatile=volatile).removeprefix("GET ") for one in exchanges if one.request.startswith("GET "))
    read = {one.removeprefix("GET ") for one in asked}
    mine = {without_number(one) for one in read}
    return [one for one in recorded if one not in read and without_number(one) in mine and without_number(one) != one]


def rows_of(whole: Whole) -> dict[str, dict[str, Any]]:
    """Return rows in the one form in which they are compared: by id, values as JSON has them."""
    kept: dict[str, dict[str, Any]] = json.loads(json.dumps(
        {row.remote_id: {"values": dict(row.values), "absent": dict(row.absent)} for row in whole.rows}, default=str, sort_keys=True
    ))  # fmt: skip
    return kept


def with_overlay(definition: Definition, overlay: Mapping[str, Any]) -> Definition:
    """Return a definition as a practice has it. :raises Unusable: the overlay does not fit"""
    try:
        return calibration.apply(definition, overlay)
    except calibration.BadCalibration as problem:
        raise Unusable(f"the calibration does not fit: {problem}") from problem


def replay(
    given: str, recording: str, *, rows: Path | None, save: bool, shapes: Path | None, overlay: Path | None = None
) -> Outcome:
    """
    Read every list of a recording, and compare with the rows kept before.

    :param overlay: calibration with which it is read
    :param rows: file with the rows that are right; written when `save`
    :param shapes: folder for the shape of each list, which `diagnose` compares
    """
    definition = with_overlay(files.definition(given), files.read_json(overlay) if overlay else {})
    exchanges = files.recording(recording)
    outcome = Outcome(data={"calls": {}, "differences": []})
    read: dict[str, dict[str, dict[str, Any]]] = {}
    names = lists(definition, exchanges)
    if not names:
        raise Unusable(f"the recording has no page that this definition asks for: {', '.join(wanted(definition)) or 'each list needs something given'}")
    for name in names:
        asked: list[str] = []
        result = gym.replay(definition, name, exchanges, given={}, at=AT, asked=asked)
        if isinstance(result, Trouble):
            outcome.failed = True
            outcome.say(f"{name}: not read. {result.reason.value}: {result.detail}")
            for one in result.findings[:3]:
                outcome.say(f"  {one.place}: {one.seen}; expected {one.expected}")
            outcome.data["calls"][name] = {"read": False, "reason": result.reason.value, "findings": [_finding(one) for one in result.findings]}
            continue
        read[name] = rows_of(result)
        outcome.say(f"{name}: {len(result.rows)} rows, whole by {result.complete}, {result.verdict.value}")
        unread = beside(asked, exchanges, volatile=definition.calls[name].volatile)
        if unread:
            outcome.say(f"{name}: recorded at the same address, and not read as pages of it: {', '.join(unread)}. Is the end of the list told rightly?")
        outcome.data["calls"][name] = {"read": True, "unread": unread, "rows": len(result.rows), "complete": result.complete, "verdict": result.verdict.value, "fingerprint": result.fingerprint}
        if shapes is not None:
            files.write_json(shapes / f"{name}.shape.json", {"shape": result.shape, "coverage": result.coverage})
    if rows is not None and save:
        files.write_json(rows, read)
        outcome.say(f"Kept as right: {rows}")
    elif rows is not None:
        _compare(files.read_json(rows), read, outcome)
    return outcome


def _finding(one: Any) -> dict[str, str]:
    return {"place": one.place, "seen": one.seen, "expected": one.expected}


def _compare(right: Mapping[str, Any], read: Mapping[str, Any], outcome: Outcome) -> None:
    """Say where rows differ, by list, row and field; the values stay where they are."""
    for name in sorted({*right, *read}):
        before, now = right.get(name, {}), read.get(name, {})
        if before and not now:
            outcome.data["differences"].append(f"{name}: none of its {len(before)} rows is read any more")
            continue
        differing = [f"{name} {id}: not read any more" for id in before if id not in now]
        differing += [f"{name} {id}: new" for id in now if id not in before]
        for id in (one for one in before if one in now and before[one] != now[one]):
            old, new = before[id], now[id]
            fields = sorted(
                field for part in ("values", "absent") for field in {*old[part], *new[part]} if old[part].get(field) != new[part].get(field)
            )
            differing.append(f"{name} {id}: {', '.join(dict.fromkeys(fields))}")
        outcome.data["differences"] += differing
    for line in outcome.data["differences"]:
        outcome.say(f"differs: {line}")
    outcome.failed = outcome.failed or bool(outcome.data["differences"])
    if not outcome.data["differences"]:
        outcome.say("The same rows as were kept.")


def run_gym(given: str, recording: str) -> Outcome:
    """Show every list what happens to portals; wrong rows that would be published fail."""
    definition, exchanges = files.definition(given), files.recording(recording)
    outcome = Outcome(data={"calls": {}, "silent": []})
    shown = 0
    for name in lists(definition, exchanges):
        if definition.calls[name].kind != "html_table":
            outcome.say(f"{name}: not shown, the gym knows what happens to tables of pages")
            continue
        pages = _pages(definition, name, exchanges)
        result = gym.replay(definition, name, pages, given={}, at=AT)
        if isinstance(result, Trouble) or not result.rows:
            outcome.failed = True
            outcome.say(f"{name}: not read as it was recorded")
            outcome.data["calls"][name] = {"read": False}
            continue
        shown += 1
        _shown(definition, name, pages, result, outcome)
    if not shown:
        raise Unusable("the recording has no list that the gym can show")
    outcome.failed = outcome.failed or bool(outcome.data["silent"])
    outcome.say(f"{len(outcome.data['silent'])} cases of wrong rows with a good verdict")
    return outcome


def _pages(definition: Definition, name: str, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the pages of one list, in the order in which they are read."""
    volatile = definition.calls[name].volatile
    asked: list[str] = []
    gym.replay(definition, name, exchanges, given={}, at=AT, asked=asked)
    kept = {of(one.request, volatile=volatile): one for one in reversed(exchanges)}
    return [kept[one] for one in dict.fromkeys(asked)]


def _shown(definition: Definition, name: str, pages: Sequence[Exchange], whole: Whole, outcome: Outcome) -> None:
    """One list in the gym, as a practice has it: what was last believed is known, and one record by its digests."""
    known = whole.rows[min(2, len(whole.rows) - 1)]
    remembered = canary.remember(Decoded(known.remote_id, dict(known.values), {}, 0), fields=list(known.values), salt="gym")
    reader = gym.reader_of(
        definition, name, given={}, baseline={"shape": whole.shape, "coverage": whole.coverage},
        calibration={"canary": {name: remembered}}, at=AT,
    )  # fmt: skip
    bouts = gym.run(pages, reader, truth={row.remote_id: dict(row.values) for row in whole.rows})
    silent = gym.silent(bouts)
    counts = {kind: sum(one.outcome == kind for one in bouts) for kind in ("right", "partly", "refused", "wrong")}
    outcome.data["calls"][name] = {"read": True, "mutations": len(bouts), **counts}
    outcome.data["silent"] += [{"call": name, "mutation": one.mutation, "verdict": one.verdict} for one in silent]
    few = "" if len(bouts) >= ENOUGH else f", fewer than the {ENOUGH} that say something"
    outcome.say(
        f"{name}: {len(bouts)} mutations{few}: {counts['right']} read right, {counts['partly']} with values said to be missing, "
        f"{counts['refused']} refused, {counts['wrong']} held back or wrong"
    )
    for one in silent:
        outcome.say(f"{name}: WRONG ROWS, verdict {one.verdict}: {one.mutation}")
        outcome.say(f"  {_ADVICE.get(one.mutation, 'What a page shows when this happened is no mark of a whole list: take another one.')}")
    outcome.failed = outcome.failed or len(bouts) < ENOUGH
