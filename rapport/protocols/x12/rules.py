"""Which rules a transaction set is held to, by its guide."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from . import acks, remit835, rules27x
from .envelope import TransactionSet
from .guides import elements, g277ca, g835, g837p
from .guides.walker import walk
from .rules837p import Rules
from .scrub837p import npi_ok
from .syntax import Finding, Segment

_REASON = re.compile(r"(\d{1,3}|[A-Z]\d{1,2})\Z")


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller knows and a file cannot tell."""

    known_controls: Collection[str] | None = None
    """Claim control numbers (CLM01) we have sent; None: not known, do not check."""
    known_groups: Collection[str] | None = None
    """Group control numbers (GS06) we have sent; None: not known, do not check."""


def transaction_findings(
    unit: TransactionSet | Segment, guide: str, context: Context
) -> Iterator[Finding]:
    """Yield what is wrong inside one transaction set or TA1."""
    if isinstance(unit, Segment):
        yield from _ta1(unit)
        return
    for segment in unit.body:
        yield from elements.check(segment)
        yield from _characters(segment)
    yield from _levels(unit)
    if guide == "837P":
        yield from _claims(unit)
    elif guide == "835":
        yield from _remittance(unit, context)
    elif guide in ("999", "997"):
        yield from _acknowledgement(unit, context)
    elif guide in rules27x.GUIDES:
        yield from rules27x.findings(unit, guide)
    elif guide == "277CA":
        yield from _claim_acknowledgement(unit, context)


def _finding(
    segment: Segment, element: str, rule: str, message: str, severity: str = "error"
) -> Finding:
    return Finding(segment.tag, segment.index, element, rule, severity, message)


def _characters(segment: Segment) -> Iterator[Finding]:
    for number, value in enumerate(segment.elements):
        if not (value.isascii() and value.isprintable()):
            yield _finding(
                segment,
                f"{number:02}",
                "character",
                "A character is outside the X12 character sets.",
            )


def _levels(transaction: TransactionSet) -> Iterator[Finding]:
    """HL: counted from 1, below a level that stands before, with or without levels below."""
    levels: dict[str, Segment] = {}
    parents: set[str] = set()
    refused: set[str] = set()
    current = ""
    for segment in transaction.body:
        if segment.tag == "AAA":
            refused.add(current)  # the guide's own examples leave HL04 at 1 there
        if segment.tag != "HL":
            continue
        current = segment.get(1)
        if segment.get(1) != str(len(levels) + 1):
            yield _finding(segment, "01", "hl-number", f"HL01 must be {len(levels) + 1}.")
        if segment.get(2) and segment.get(2) not in levels:
            yield _finding(segment, "02", "hl-parent", "HL02 names no level that stands before.")
        levels[segment.get(1)] = segment
        parents.add(segment.get(2))
    for number, segment in levels.items():
        if segment.get(4) == "0" and number in parents:
            yield _finding(segment, "04", "hl-child", "HL04 is 0, but a level stands below.")
        elif segment.get(4) == "1" and number not in parents | refused:
            message = "HL04 is 1, but no level stands below."
            yield _finding(segment, "04", "hl-child", message, "warning")


def _claims(transaction: TransactionSet) -> Iterator[Finding]:
    placed, findings = walk(g837p.GUIDE, transaction.body, end=transaction.se or transaction.st)
    yield from findings
    begun = next((s.get(4) for s in transaction.body if s.tag == "BHT"), "")
    made = [made for text in (transaction.envelope.made_on, begun) if (made := elements.day(text))]
    yield from Rules(placed, sent_on=max(made, default=None)).run()
    if not any(segment.tag == "CLM" for _, segment in placed):
        yield _finding(transaction.se or transaction.st, "", "claim-missing", "There is no claim.")


def _ta1(segment: Segment) -> Iterator[Finding]:
    if not (segment.get(1).isdigit() and len(segment.get(1)) == 9):
        yield _finding(segment, "01", "ta1-control-number", "TA101 is nine digits, an ISA13.")
    if segment.get(4) not in ("A", "E", "R"):
        yield _finding(segment, "04", "ta1-code", "TA104 is A, E or R.")
    if not (segment.get(5).isdigit() and segment.get(5) <= "031" and len(segment.get(5)) == 3):
        yield _finding(segment, "05", "ta1-note", "TA105 is a note code from 000 to 031.")


def _remittance(transaction: TransactionSet, context: Context) -> Iterator[Finding]:
    end = transaction.se or transaction.st
    _, findings = walk(g835.GUIDE, transaction.body, end=end)
    yield from findings
    remittance = remit835.from_transaction(transaction)
    covered = {"number", "date", "claim-status", "adjustment-group", "bpr-missing", "trn-missing"}
    yield from (one for one in remittance.findings if one.rule not in covered)
    for segment in transaction.body:
        yield from _payment_codes(segment)
    if context.known_controls is not None:
        for claim in remittance.claims:
            if claim.control not in context.known_controls:
                yield Finding(
                    "CLP", claim.index, "01", "claim-unknown", "error",
                    "The remittance pays a claim that was not sent from here.",
                )  # fmt: skip


def _payment_codes(segment: Segment) -> Iterator[Finding]:
    tag = segment.tag
    if tag == "N1" and segment.get(3) == "XX" and not npi_ok(segment.get(4)):
        yield _finding(segment, "04", "npi-check-digit", "The NPI's check digit is wrong.")
    elif tag == "NM1" and segment.get(8) == "XX" and not npi_ok(segment.get(9)):
        yield _finding(segment, "09", "npi-check-digit", "The NPI's check digit is wrong.")
    elif tag == "CAS":
        for number in range(2, len(segment.elements), 3):
            if segment.elements[number] and not _REASON.match(segment.elements[number]):
                yield _finding(
                    segment, f"{number:02}", "adjustment-reason", "This is not the form of a CARC."
                )
    elif tag == "PLB":
        for number in range(3, len(segment.elements), 2):
            reason = segment.components(number)[0]
            if reason and reason not in g835.PLB_REASONS:
                yield _finding(
                    segment, f"{number:02}-1", "plb-reason", "The guide lists no such PLB reason."
                )


def _acknowledgement(transaction: TransactionSet, context: Context) -> Iterator[Finding]:
    ack = acks.read_999(transaction)
    first = transaction.body[0] if transaction.body else transaction.st
    last = transaction.body[-1] if transaction.body else transaction.st
    if first.tag != "AK1":
        yield _finding(first, "", "ak1-missing", "A 999 begins with AK1.")
    elif context.known_groups is not None and ack.group not in context.known_groups:
        yield _finding(first, "02", "group-unknown", "The 999 is about a group not sent from here.")
    if last.tag != "AK9":
        yield _finding(last, "", "ak9-missing", "A 999 ends with AK9.")
        return
    if ack.code not in ("A", "E", "M", "P", "R", "W", "X"):
        yield _finding(last, "01", "ak9-code", "AK901 is A, E, M, P, R, W or X.")
    good = sum(one.accepted for one in ack.sets)
    if ack.received < len(ack.sets):
        yield _finding(last, "03", "ak9-count", "AK903 is less than the sets that are answered.")
    if ack.accepted_sets > ack.received:
        yield _finding(last, "04", "ak9-count", "AK904 is more than AK903, the sets received.")
    if len(ack.sets) == ack.received and good != ack.accepted_sets:
        yield _finding(last, "04", "ak9-count", f"AK904 must be {good}, the sets accepted.")
    for segment in transaction.body:
        if segment.tag in ("IK5", "AK5") and segment.get(1) not in ("A", "E", "M", "R", "W", "X"):
            yield _finding(segment, "01", "ik5-code", "IK501 is A, E, M, R, W or X.")


def _claim_acknowledgement(transaction: TransactionSet, context: Context) -> Iterator[Finding]:
    _, findings = walk(g277ca.GUIDE, transaction.body, end=transaction.se or transaction.st)
    yield from findings
    if context.known_controls is None:
        return
    level = ""
    for segment in transaction.body:
        if segment.tag == "HL":
            level = segment.get(3)
        elif segment.tag == "TRN" and level in ("PT", "22", "23"):
            if segment.get(2) not in context.known_controls:
                yield _finding(
                    segment,
                    "02",
                    "claim-unknown",
                    "The answer is about a claim not sent from here.",
                )
