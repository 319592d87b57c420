"""After a change of a portal: what fell, both shapes side by side, and what would mend it. Shapes only, no values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rapport.connectors.portals import drift, gym
from rapport.connectors.portals.kit import files
from rapport.connectors.portals.kit.outcome import Outcome, Unusable
from rapport.connectors.portals.kit.rerun import AT
from rapport.connectors.portals.lexicon import FIELDS
from rapport.connectors.portals.reading import Reading
from rapport.connectors.portals.words import folded, says_any
from rapport.rooms.exchange.ports import Finding, Trouble


def diagnose(
    call: str, *, before: Path, after: Path | None, recording: str, definition: str, out: Path | None
) -> Outcome:
    """
    Compare the shape of a list with what it was.

    :param after: its shape now; or `recording` of the pages now, read by `definition`
    :param out: where to put what may be shared: shapes, findings and the patch
    """
    old = _shape(before)
    found: Sequence[Finding] = ()
    if after is not None:
        new = _shape(after)
    elif recording and definition:
        new, found = _now(definition, call, recording)
    else:
        raise Unusable("say --after SHAPE, or --recording with --definition")
    patch = _patch(call, old, new)
    lost = [
        {"field": name, "was": bound["column"], "by": bound["by"]}
        for name, bound in old["bound"].items()
        if name not in new["bound"]
    ]
    weaker = [
        {"field": name, "was": old["bound"][name]["by"], "now": bound["by"], "column": bound["column"]}
        for name, bound in new["bound"].items()
        if name in old["bound"] and old["bound"][name]["by"] != bound["by"]
    ]
    data: dict[str, Any] = {
        "call": call, "before": old, "after": new, "fingerprints": [drift.fingerprint(old), drift.fingerprint(new)],
        "lost": lost, "found_otherwise": weaker, "patch": patch,
        "findings": [{"place": one.place, "seen": one.seen, "expected": one.expected, "note": one.note} for one in found],
    }  # fmt: skip
    outcome = Outcome(data=data, failed=bool(lost) or _differs(old, new))
    _tell(outcome, old, new)
    if out is not None:
        files.write_json(out, data)
        outcome.say(f"To share, without anybody's data: {out}")
    return outcome


def _shape(file: Path) -> dict[str, Any]:
    """Read a shape, as `replay --shapes` or a drift report has it."""
    kept = files.read_json(file)
    found = kept.get("shape", kept)
    if not isinstance(found, dict) or not {"columns", "bound", "language"} <= found.keys():
        raise Unusable(f"{file} is no shape of a list")
    return {name: found[name] for name in ("kind", "language", "columns", "bound", "types") if name in found}


def _now(given: str, call: str, recording: str) -> tuple[dict[str, Any], Sequence[Finding]]:
    """Return the shape of the pages as they are, whether or not they can be published."""
    definition, exchanges = files.definition(given), files.recording(recording)
    if call not in definition.calls:
        raise Unusable(f"{definition.definition} has no list {call}")
    reading = Reading(definition, call, given={})
    result = gym.replay(definition, call, exchanges, given={}, at=AT, reading=reading)
    _, judged = reading.so_far()
    if not reading.pages_read:
        raise Unusable(f"the recording has no page of {call}")
    shape = {name: judged.shape[name] for name in ("kind", "language", "columns", "bound", "types")}
    return shape, (*(result.findings if isinstance(result, Trouble) else ()), *judged.findings)


def _differs(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(old[name] != new[name] for name in ("columns", "bound"))


def _patch(call: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Propose lines of a calibration: a column that is new for one that is gone. For a person to judge."""
    gone = {one["name"] or one["label"] for one in old["columns"]} - {one["name"] or one["label"] for one in new["columns"]}
    fresh = [one for one in new["columns"] if (one["name"], one["label"]) not in {(was["name"], was["label"]) for was in old["columns"]}]
    labels = {one["name"] or one["label"]: one["label"] for one in old["columns"]}
    patch: list[dict[str, Any]] = []
    for field, bound in old["bound"].items():
        column = bound["column"]
        if field in new["bound"] and column not in gone:
            continue
        chosen, because = _instead(field, labels.get(column, column), fresh)
        if chosen is None:
            patch.append({"place": f"calls.{call}.fields.{field}", "value": None, "because": "no new column has words known for it: a person has to say"})
            continue
        patch.append({"place": f"calls.{call}.fields.{field}.labels", "value": {new["language"]: [chosen["label"]]}, "because": because})
        if chosen["name"]:
            patch.append({"place": f"calls.{call}.fields.{field}.column", "value": [chosen["name"]], "because": "its own name"})
    return patch


def _instead(field: str, label: str, fresh: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any] | None, str]:
    """The one new column whose words are known for the field, never the one that stands where it stood. Two are none."""
    words = (label, *FIELDS.get(field, ()))
    same = [one for one in fresh if folded(one["label"]) in {folded(word) for word in words}]
    like = same or [one for one in fresh if says_any(one["label"], {"": words})]
    return (like[0], f"{like[0]['label']!r} is a word for {field}") if len(like) == 1 else (None, "")


def _tell(outcome: Outcome, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    by = [{bound["column"]: name for name, bound in side["bound"].items()} for side in (old, new)]
    outcome.say(f"{'before':<36} now")
    for number in range(max(len(old["columns"]), len(new["columns"]))):
        cells = []
        for side, names in zip((old, new), by, strict=True):
            one = side["columns"][number] if number < len(side["columns"]) else None
            key = (one["name"] or one["label"]) if one else ""
            cells.append(f"{one['label']} [{one['name'] or '-'}]{' > ' + names[key] if key in names else ''}" if one else "")
        outcome.say(f"{cells[0]:<36} {cells[1]}")
    for one in outcome.data["lost"]:
        outcome.say(f"lost: {one['field']} stood in {one['was']!r}, told by its {one['by']}")
    for one in outcome.data["found_otherwise"]:
        outcome.say(f"told otherwise: {one['field']} by its {one['now']}, before by its {one['was']}")
    for one in outcome.data["patch"]:
        outcome.say(f"patch: {one['place']} = {one['value']!r} ({one['because']})")
    if not outcome.failed:
        outcome.say("The shape is the same.")
