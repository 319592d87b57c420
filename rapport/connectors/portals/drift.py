"""
What became of a list since it was last believed: its shape, and the verdict on this batch of it.

`same`, `additive` and `healed` may be published; `suspect` is held back, `breaking` refused. The shape
has names of columns and the words of headers, never a value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.connectors.portals.decode.columns import Decoded, Tally
from rapport.connectors.portals.decode.raw import Extract, Noted, note
from rapport.connectors.portals.definition import Call, Coverage, Field
from rapport.rooms.exchange.ports import Finding, Verdict

SEVERITY = tuple(Verdict)
ENOUGH_ROWS = 20
"""Shares say nothing about fewer."""
FEW = 0.02
"""Up to this share, cells that cannot be read are a matter of their rows and not of the list."""
USUAL = Coverage(floor=0.0, tolerance=0.1)


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on a batch, with what led to it."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    shape: Mapping[str, Any]
    fingerprint: str
    coverage: Mapping[str, float]


def judge(
    call: Call,
    pages: Sequence[Extract],
    rows: Sequence[Decoded],
    tallies: Mapping[str, Tally],
    *,
    place: str,
    baseline: Mapping[str, Any] | None = None,
    canary: Sequence[Noted] = (),
    given: Mapping[str, str] | None = None,
) -> Judged:
    """
    Judge a whole list.

    :param baseline: `{"shape": …, "coverage": …}` of the last batch that was believed
    :param given: what the list was asked for with
    """
    coverage = {name: round(tally.values / len(rows), 4) for name, tally in tallies.items() if rows}
    known = dict(baseline or {})
    noted = [one for page in pages for one in page.noted]
    for name, field in call.fields.items():
        noted += _field(f"{place}.{name}", field, tallies[name])
        noted += _coverage(f"{place}.{name}", field, name, coverage, len(rows), known)
    noted += _ids(place, rows)
    noted += _days(call, place, tallies, rows, known.get("shape") or {}, given or {})
    noted += canary
    shape = shape_of(call, pages, tallies, len(rows))
    seen = bool(shape["columns"])
    if seen and known.get("shape"):
        noted += _columns(call, place, shape, known["shape"])
        noted += _inner(call, place, shape, known["shape"])
    if not seen and known.get("shape"):
        shape = known["shape"]  # an empty JSON list shows no names: what was known still stands
    unique = {(one.verdict, one.finding): one for one in noted}
    verdict = max((one.verdict for one in unique.values()), key=SEVERITY.index, default=Verdict.SAME)
    found = sorted(unique.values(), key=lambda one: -SEVERITY.index(one.verdict))
    return Judged(verdict, tuple(one.finding for one in found), shape, fingerprint(shape), coverage)


def shape_of(call: Call, pages: Sequence[Extract], tallies: Mapping[str, Tally], rows: int) -> dict[str, Any]:
    """Return the shape of a list: columns in their order, what is bound to them, and a few shares."""
    page = next((one for one in pages if one.columns), Extract((), {}, [], pages[0].language if pages else ""))
    return {
        "kind": call.kind,
        "language": page.language,
        "columns": [{"name": one.name, "label": one.label, "hidden": one.hidden} for one in page.columns],
        "bound": {
            name: {"by": bound.by, "column": page.columns[bound.place].known_as}
            for name, bound in sorted(page.bound.items())
        },
        "types": {name: field.type for name, field in sorted(call.fields.items())},
        "statistics": {
            "rows": rows,
            "written": {name: list(tally.written) for name, tally in tallies.items() if tally.written},
            "plain_days": {name: round(tally.plain / tally.values, 3) for name, tally in tallies.items() if tally.plain},
            "inner": {name: sorted({one for each in pages for one in each.inner.get(name, ())}) for name in call.fields},
        },
    }


def fingerprint(shape: Mapping[str, Any]) -> str:
    """Return the digest of a shape, less what changes with the rows."""
    lasting = {name: part for name, part in shape.items() if name != "statistics"}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def _field(place: str, field: Field, tally: Tally) -> Iterator[Noted]:
    share = tally.unreadable / tally.rows if tally.rows else 0.0
    many = share > FEW if tally.rows >= ENOUGH_ROWS else tally.unreadable >= 3 or share >= 0.5
    seen = f"{tally.unreadable} of {tally.rows} cells"
    if tally.unknown:
        grave = many or field.unknown == "suspect"
        verdict = Verdict.SUSPECT if grave else Verdict.ADDITIVE
        yield note(verdict, place, seen=f"unknown code in {seen}", expected="a code that is known", why="unknown_code")
    others = tally.unreadable - tally.unknown
    if tally.ambiguous:
        yield note(Verdict.SUSPECT, place, seen="days that can be read in two ways", expected="one way", why="ambiguous")
    elif others and (many or field.required):
        yield note(Verdict.SUSPECT, place, seen=f"another format in {seen}", expected=field.type, why="format")
    elif others:
        yield note(Verdict.SAME, place, seen=f"not readable in {seen}", expected=field.type)
    if tally.fallen_back:
        yield note(Verdict.HEALED, place, seen="no code", expected=f"attribute {field.attribute}", why="told by its text")
    if field.unique and any(times > 1 for times in tally.seen.values()):
        yield note(Verdict.SUSPECT, place, seen="a value twice", expected="each value once", why="unique")
    empty = tally.rows - tally.values - tally.unreadable
    if field.required and tally.rows and empty:
        grave = empty / tally.rows > FEW
        yield note(Verdict.SUSPECT if grave else Verdict.SAME, place, seen=f"empty in {empty} of {tally.rows} rows", expected="a value")


def _coverage(
    place: str, field: Field, name: str, coverage: Mapping[str, float], rows: int, known: Mapping[str, Any]
) -> Iterator[Noted]:
    rule = field.coverage or USUAL
    if rows < rule.minimum or name not in coverage:
        return
    share = coverage[name]
    if share < rule.floor - rule.tolerance:
        yield note(Verdict.SUSPECT, place, seen=f"a value in {share:.0%} of rows", expected=f"{rule.floor:.0%}", why="coverage")
    before = (known.get("coverage") or {}).get(name)
    rows_before = ((known.get("shape") or {}).get("statistics") or {}).get("rows", 0)
    if before is not None and rows_before >= rule.minimum and share < before - rule.tolerance:
        yield note(Verdict.SUSPECT, place, seen=f"a value in {share:.0%} of rows", expected=f"{before:.0%} before", why="coverage")


def _ids(place: str, rows: Sequence[Decoded]) -> Iterator[Noted]:
    without = sum(not row.remote_id for row in rows)
    if without:
        yield note(Verdict.SUSPECT, place, seen=f"no id in {without} of {len(rows)} rows", expected="an id", why="remote_id")


def _days(
    call: Call, place: str, tallies: Mapping[str, Tally], rows: Sequence[Decoded], before: Mapping[str, Any],
    given: Mapping[str, str],
) -> Iterator[Noted]:  # fmt: skip
    plain = (before.get("statistics") or {}).get("plain_days", {})
    for name, tally in tallies.items():
        if tally.values >= ENOUGH_ROWS and plain.get(name, 0) >= 0.25 and not tally.plain:
            yield note(Verdict.SUSPECT, f"{place}.{name}", seen="no day after the 12th", expected=f"{plain[name]:.0%} before", why="day and month")
    rule = call.within
    first, last = (given.get(rule.from_given, ""), given.get(rule.to_given, "")) if rule else ("", "")
    if rule and first and last:
        outside = sum(not first <= str(row.values[rule.field])[:10] <= last for row in rows if row.values.get(rule.field))
        if outside:
            yield note(Verdict.SUSPECT, f"{place}.{rule.field}", seen=f"{outside} of {len(rows)} rows", expected="days that were asked for", why="within")


def _columns(call: Call, place: str, shape: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Noted]:
    """Columns that came or went. Without names of its own a page in another language shows new words only."""
    for name, bound in (before.get("bound") or {}).items():
        if name not in shape["bound"] and name in call.fields and not call.fields[name].required:
            yield note(Verdict.SUSPECT, f"{place}.{name}", seen="no such column", expected=bound["column"], why="lost")
    named = all(one["name"] for one in (*shape["columns"], *before["columns"]))
    if not named and shape["language"] != before["language"]:
        return
    key = "name" if named else "label"
    old, new = ([one[key] or one["name"] for one in side["columns"]] for side in (before, shape))
    used = {one["column"] for one in (*shape["bound"].values(), *before["bound"].values())}
    for name in new:
        if name not in old and name not in used:
            yield note(Verdict.ADDITIVE, place, seen=f"new column {name!r}", expected="the columns known", why="new column")
    for name in old:
        if name not in new and name not in used:
            yield note(Verdict.ADDITIVE, place, seen="a column less", expected=f"column {name!r}", why="unused column gone")
    if sorted(old) == sorted(new) and old != new:
        yield note(Verdict.SAME, place, seen="columns in another order", expected="the order known")


def _inner(call: Call, place: str, shape: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Noted]:
    """Something new inside the cells of a column: a badge beside a name reads like a part of the name."""
    old = (before.get("statistics") or {}).get("inner") or {}
    known = shape["statistics"]["inner"]
    for name, kinds in known.items():
        new = [one for one in kinds if one not in old.get(name, kinds)]
        if new and old.get(name):
            verdict = Verdict.SUSPECT if call.fields[name].type == "text" else Verdict.ADDITIVE
            yield note(verdict, f"{place}.{name}", seen=f"<{new[0]}> in its cells", expected="the markup known", why="inner")
        known[name] = sorted({*kinds, *old.get(name, ())})
