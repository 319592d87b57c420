"""What no table can say of 270, 271, 276 and 277: the rules between elements, with their place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .entities import RANKS, money
from .envelope import TransactionSet
from .guides import g270, g276
from .guides.elements import period_ok
from .guides.walker import Guide, walk
from .scrub837p import npi_ok
from .status277 import standing
from .syntax import Finding, Segment

GUIDES: dict[str, Guide] = {
    "270": g270.INQUIRY, "271": g270.ANSWER, "276": g276.INQUIRY, "277": g276.ANSWER,
}  # fmt: skip
_CATEGORY = re.compile(r"[A-Z][A-Z0-9]{1,2}\Z")
Placed = list[tuple[str, Segment]]


def findings(transaction: TransactionSet, guide: str) -> Iterator[Finding]:
    """Yield what is wrong in a transaction set of one of these guides."""
    end = transaction.se or transaction.st
    placed, found = walk(GUIDES[guide], transaction.body, end=end)
    yield from found
    for _, segment in placed:
        yield from _anywhere(segment)
    if guide == "270":
        yield from _inquiry(placed)
    elif guide == "271":
        yield from _benefits(placed)
    elif guide == "276":
        yield from _request(placed)
    else:
        yield from _statuses(placed)


def _finding(
    segment: Segment, element: str, rule: str, message: str, severity: str = "error"
) -> Finding:
    return Finding(segment.tag, segment.index, element, rule, severity, message)


def _anywhere(s: Segment) -> Iterator[Finding]:
    if s.tag == "DTP" and s.get(3) and not period_ok(s.get(2), s.get(3)):
        yield _finding(s, "03", "date", "This is not a date or span of the form that DTP02 names.")
    elif s.tag == "DMG" and s.get(2) and not period_ok("D8", s.get(2)):
        yield _finding(s, "02", "date", "This is not a date of the form CCYYMMDD.")
    elif s.tag == "NM1":
        if s.get(8) == "XX" and not npi_ok(s.get(9)):
            yield _finding(s, "09", "npi-check-digit", "The NPI's check digit is wrong.")
        if bool(s.get(8)) != bool(s.get(9)):
            place = "09" if s.get(8) else "08"
            yield _finding(s, place, "id-pair", "NM108 and NM109 stand together or not at all.")


def _levels(placed: Placed) -> Iterator[tuple[Segment, Placed, bool]]:
    """Yield each HL, what stands in it, and whether a deeper level follows it."""
    starts = [at for at, (_, segment) in enumerate(placed) if segment.tag == "HL"]
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(placed)
        head = placed[start][1]
        below = end < len(placed) and _rank(placed[end][1]) > _rank(head)
        yield head, placed[start + 1 : end], below


def _rank(head: Segment) -> int:
    return RANKS.get(head.get(3), 5)


def _inquiry(placed: Placed) -> Iterator[Finding]:
    for head, inside, below in _levels(placed):
        if head.get(3) not in ("22", "23"):
            continue
        segments = [segment for _, segment in inside]
        name = next((s for s in segments if s.tag == "NM1"), head)
        born = any(s.tag == "DMG" and s.get(2) for s in segments)
        if not below and not any(s.tag == "EQ" for s in segments):
            yield _finding(head, "", "question-missing", "Nothing is asked about this patient.")
        if head.get(3) == "22" and not name.get(9) and not (name.get(3) and name.get(4) and born):
            yield _finding(
                name, "09", "patient-search",
                "A member id is needed, or last name, first name and date of birth.",
            )  # fmt: skip
        for eq in (s for s in segments if s.tag == "EQ"):
            if bool(eq.get(1)) == bool(eq.get(2)):
                yield _finding(eq, "01", "question", "EQ asks by service type or by procedure.")


def _benefits(placed: Placed) -> Iterator[Finding]:
    for head, inside, below in _levels(placed):
        tags = {segment.tag for _, segment in inside}
        if head.get(3) in ("22", "23") and not below and not tags & {"EB", "AAA"}:
            yield _finding(
                head, "", "answer-empty", "Neither a benefit nor a refusal is told.", "warning"
            )
    opened: Segment | None = None
    for loop, segment in placed:
        if segment.tag == "EB":
            yield from _benefit(segment)
        if segment.tag == "LS":
            opened = segment
        elif segment.tag == "LE":
            if opened is None:
                yield _finding(segment, "", "ls-missing", "There is no LS to this LE.")
            opened = None
        elif opened is not None and segment.tag in ("EB", "HL"):
            yield _finding(opened, "", "le-missing", "There is no LE to this LS.")
            opened = None
        elif loop.startswith("2120") and segment.tag == "NM1" and opened is None:
            yield _finding(segment, "", "ls-missing", "A 2120 loop stands between LS and LE.")
    if opened is not None:
        yield _finding(opened, "", "le-missing", "There is no LE to this LS.")


def _benefit(eb: Segment) -> Iterator[Finding]:
    percent = money(eb, 8)
    if percent is not None and not 0 <= percent <= 1:
        message = "A percentage is a fraction from 0 to 1: .2 is 20 per cent."
        yield _finding(eb, "08", "percent-range", message, "warning")
    if eb.get(7) and eb.get(8):
        yield _finding(eb, "08", "amount-or-percent", "A row has an amount or a percentage.")
    if bool(eb.get(9)) != bool(eb.get(10)):
        place = "10" if eb.get(9) else "09"
        yield _finding(eb, place, "quantity-pair", "EB09 and EB10 stand together or not at all.")
    if eb.get(3) and eb.get(13):
        yield _finding(eb, "13", "benefit-key", "A row is about service types or a procedure.")


def _request(placed: Placed) -> Iterator[Finding]:
    for head, inside, below in _levels(placed):
        if head.get(3) not in ("22", "23"):
            continue
        traces = [segment for _, segment in inside if segment.tag == "TRN"]
        if not below and not traces:
            yield _finding(head, "", "question-missing", "Nothing is asked about this patient.")
        yield from _undated(inside)
    seen: set[str] = set()
    for _, segment in placed:
        if segment.tag == "TRN":
            if segment.get(2) in seen:
                message = "The trace occurs twice: the answers could not be told apart."
                yield _finding(segment, "02", "trace-twice", message)
            seen.add(segment.get(2))


def _undated(inside: Placed) -> Iterator[Finding]:
    """A claim has its days of service, or each of its lines has."""
    trace: Segment | None = None
    dated = True
    for _, segment in inside:
        if segment.tag == "TRN":
            if trace is not None and not dated:
                yield _undated_at(trace)
            trace, dated = segment, False
        elif segment.tag == "DTP":
            dated = True
    if trace is not None and not dated:
        yield _undated_at(trace)


def _undated_at(trace: Segment) -> Finding:
    return _finding(trace, "", "service-date", "DTP*472 is missing, at the claim and its lines.")


def _statuses(placed: Placed) -> Iterator[Finding]:
    for head, inside, below in _levels(placed):
        if not below and not any(segment.tag == "TRN" for _, segment in inside):
            yield _finding(head, "", "answer-empty", "No status is told at this level.", "warning")
    for _, segment in placed:
        if segment.tag != "STC":
            continue
        for element in (1, 10, 11):
            category = segment.components(element)[0]
            place = f"{element:02}-1"
            if not category:
                continue
            if not _CATEGORY.match(category):
                yield _finding(segment, place, "status-category", "This is no status category.")
            elif standing(category) == "unknown":
                message = "No list of ours has this category."
                yield _finding(segment, place, "status-category", message, "warning")
        charge, paid = money(segment, 4), money(segment, 5)
        if charge is not None and paid is not None and paid > charge:
            yield _finding(
                segment, "05", "paid-over-charge", "More was paid than was charged.", "warning"
            )
