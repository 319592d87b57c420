"""After a change of a portal: what fell, both shapes side by side, and what would mend it. Shapes only, no values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport.connectors.portals import calibration, drift, gym
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.definition import Definition
from rapport.connectors.portals.kit import files, mending
from rapport.connectors.portals.kit.mending import Mend
from rapport.connectors.portals.kit.outcome import Outcome, Unusable
from rapport.connectors.portals.kit.rerun import AT, with_overlay
from rapport.connectors.portals.reading import Reading
from rapport.rooms.exchange.ports import Finding, Trouble

_PARTS = ("kind", "language", "columns", "bound", "types", "written")


@dataclass(frozen=True, slots=True)
class Now:
    """The pages as they are, read by a definition."""

    definition: Definition
    exchanges: Sequence[Exchange]
    reading: Reading
    shape: dict[str, Any]
    findings: Sequence[Finding]


def diagnose(
    call: str, *, before: Path, after: Path | None, recording: str, definition: str, out: Path | None,
    overlay: Path | None = None, patch: Path | None = None,
) -> Outcome:  # fmt: skip
    """
    Compare the shape of a list with what it was.

    :param after: its shape now; or `recording` of the pages now, read by `definition`
    :param out: where to put what may be shared: shapes, findings and the patch
    :param overlay: calibration of the practice, which the definition is read with and the patch is added to
    :param patch: where the overlay with the patch goes; not written when there is none
    """
    old = _shape(before)
    set_ = files.read_json(overlay) if overlay else {}
    now = _now(definition, set_, call, recording) if recording and definition else None
    if after is None and now is None:
        raise Unusable("say --after SHAPE, or --recording with --definition")
    new = now.shape if now is not None else _shape(after or before)
    mend = mending.propose(call, old, new, of=now.definition if now else None, reading=now.reading if now else None)
    tried = _try(call, now, mend) if now is not None and mend.lines else {}
    findings = now.findings if now else ()
    data: dict[str, Any] = {
        "call": call, "before": old, "after": new, "fingerprints": [drift.fingerprint(old), drift.fingerprint(new)],
        "fell": mend.fell, "patch": mend.lines, "unmended": mend.unmended, "tried": tried,
        "findings": [{"place": one.place, "seen": one.seen, "expected": one.expected, "note": one.note} for one in findings],
    }  # fmt: skip
    outcome = Outcome(data=data, failed=bool(mend.fell) or any(old[name] != new[name] for name in ("columns", "bound")))
    _tell(outcome, old, new)
    if out is not None:
        files.write_json(out, data)
        outcome.say(f"To share, without anybody's data: {out}")
    if patch is not None and mend.lines:
        files.write_json(patch, {**set_, "set": {**(set_.get("set") or {}), **mend.overlay["set"]}})
        outcome.say(f"The overlay with the patch: {patch}")
    return outcome


def _shape(file: Path) -> dict[str, Any]:
    """Read a shape, as `replay --shapes` or a drift report has it."""
    kept = files.read_json(file)
    found = kept.get("shape", kept)
    if not isinstance(found, dict) or not {"columns", "bound", "language"} <= found.keys():
        raise Unusable(f"{file} is no shape of a list")
    return _parts(found)


def _parts(shape: Mapping[str, Any]) -> dict[str, Any]:
    """What of a shape can be shared: no counts of anything."""
    told = {name: shape[name] for name in _PARTS if name in shape}
    return told | {"written": (shape.get("statistics") or {}).get("written", told.get("written", {}))}


def _now(given: str, overlay: Mapping[str, Any], call: str, recording: str) -> Now:
    """Read the pages as they are, whether or not they can be published."""
    definition, exchanges = with_overlay(files.definition(given), overlay), files.recording(recording)
    if call not in definition.calls:
        raise Unusable(f"{definition.definition} has no list {call}")
    reading = Reading(definition, call, given={})
    result = gym.replay(definition, call, exchanges, given={}, at=AT, reading=reading)
    _, judged = reading.so_far()
    if not reading.pages_read:
        raise Unusable(f"the recording has no page of {call}")
    found = (*(result.findings if isinstance(result, Trouble) else ()), *judged.findings)
    return Now(definition, exchanges, reading, _parts(judged.shape), tuple(dict.fromkeys(found)))


def _try(call: str, now: Now, mend: Mend) -> dict[str, Any]:
    """
    Read the pages with the patch, and take back what did not mend its own field.

    What is left may be right and not enough: a column that is gone is not brought back by the new words of another.
    """
    while mend.lines:
        try:
            patched = calibration.apply(now.definition, mend.overlay)
        except calibration.BadCalibration as problem:
            mend.take_back({field for field, _ in mend.each()}, f"the definition does not take it: {problem}")
            break
        reading = Reading(patched, call, given={})
        result = gym.replay(patched, call, now.exchanges, given={}, at=AT, reading=reading)
        _, judged = reading.so_far()
        found = (*(result.findings if isinstance(result, Trouble) else ()), *judged.findings)
        still = {field for field, _ in mend.each() for one in found if one.place == f"{call}.{field}"}
        if not still:
            reason = {"reason": result.reason.value} if isinstance(result, Trouble) else {"verdict": result.verdict.value, "rows": len(result.rows)}
            return {"read": not isinstance(result, Trouble), **reason}
        mend.take_back(still, "with these words it still does not read as it should")
    return {}


def _tell(outcome: Outcome, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    by = [{bound["column"]: name for name, bound in side["bound"].items()} for side in (old, new)]
    outcome.say(f"{'before':<36} now")
    for number in range(max(len(old["columns"]), len(new["columns"]))):
        cells = []
        for side, names in zip((old, new), by, strict=True):
            one = side["columns"][number] if number < len(side["columns"]) else None
            key = (one["name"] or one["label"]) if one else ""
            field = names.get(key, "")
            written = " or ".join((side.get("written") or {}).get(field, ()))
            cells.append(f"{one['label']} [{one['name'] or '-'}]{f' > {field}' if field else ''}{f' as {written}' if written else ''}" if one else "")
        outcome.say(f"{cells[0]:<36} {cells[1]}")
    for one in outcome.data["fell"]:
        outcome.say(f"fell: {one['place']}: was {one['was']!r}, is {one['now']!r}{'; ' + one['told_by'] if one['told_by'] else ''}")
    for one in outcome.data["patch"]:
        outcome.say(f"patch: {one['place']} = {one['value']!r} ({one['because']})")
    for one in outcome.data["unmended"]:
        outcome.say(f"no patch: {one['place']}: {one['because']}")
    tried = outcome.data["tried"]
    if tried:
        outcome.say(f"With the patch the pages read {'whole: ' + str(tried['rows']) + ' rows, ' + tried['verdict'] if tried['read'] else 'not yet: ' + tried['reason']}.")
    if not outcome.failed:
        outcome.say("The shape is the same.")
