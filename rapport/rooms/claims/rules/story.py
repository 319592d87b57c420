"""
A claim's life as sentences: what happened, when, by whom, and in which file it was read.

No sentence names a patient or repeats what somebody wrote; amounts and codes are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from .deciding import REVERSAL, Decided, owed

RANK_WORDS = {
    "primary": "first", "secondary": "second", "tertiary": "third", "quaternary": "fourth",
}  # fmt: skip

MOVES = {
    "create": "The claim was made.",
    "pass": "Nothing stands against sending it.",
    "fail": "Something stands against sending it.",
    "hold": "It was held back.",
    "release": "It was let go again.",
    "queue": "It was frozen into a file, which waits to be sent.",
    "unqueue": "Its file came to nothing; it is ready to be sent again.",
    "begin_send": "The file is handed over.",
    "carry": "Somebody carried the file to the payer by hand.",
    "record_sent": "The clearinghouse has the file.",
    "record_doubt": "No clear answer came: the file may or may not have arrived.",
    "record_not_sent": "The file did not arrive; it will be sent again.",
    "record_refused": "The clearinghouse refused the file.",
    "acknowledge": "The file was taken in.",
    "accept": "The payer has taken it into adjudication.",
    "reject": "It was turned away before it was decided.",
    "return": "The file was turned away for another claim's fault: this one can leave anew.",
    "ask_status": "The payer is asked what became of it.",
    "status_told": "The payer said where it stands.",
    "reopen": "It was opened to be mended.",
    "reopen_sent": "Somebody opened it again: no payer answered for what was sent.",
    "turn_up": "The payer has it after all, as it was sent.",
    "pay": "The payer's decision was posted.",
    "deny": "The payer's decision was posted: nothing was paid.",
    "reverse": "The payer's decision no longer counts.",
    "void": "It was withdrawn before any payer had it.",
    "cancel": "Its payer took it back, as it was asked to.",
    "replace": "Another claim stands in its place.",
    "reinstate": "The file by which its payer ended it was taken back: it is where it was.",
}
_ANSWERS = {
    ("TA1", "received"): "The envelope of the file was accepted.",
    ("TA1", "rejected"): "The envelope of the file was refused.",
    ("999", "received"): "The file was read: its syntax is right.",
    ("999", "rejected"): "The file was read: its syntax is wrong.",
    ("999", "returned"): "The file was turned away, and not for this claim's fault.",
    ("277CA", "received"): "It was received, and not yet accepted.",
    ("277CA", "accepted"): "The payer has taken it into adjudication.",
    ("277CA", "rejected"): "It was turned away before it was decided.",
}
_BY_ANSWER = frozenset({"acknowledge", "accept", "reject", "return"})
_BY_DECISION = frozenset({"pay", "deny", "reverse"})


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a claim."""

    at: datetime
    kind: str
    """The move (`queue`, `reject` …), `answer`, `decision`, `reversal`, `withdrawal`, `proposal` or `override`."""
    text: str
    """One plain sentence, without a person's data."""
    by: UUID | None = None
    """Who: a person, a key, or the practice itself; None: the payer or clearinghouse."""
    state: str = ""
    """Where the claim was after it; empty: it did not move."""
    code: str = ""
    """What was said, as a code."""
    inbound_file_id: UUID | None = None
    """The file of answers that says so."""
    era_file_id: UUID | None = None
    """The remittance file that says so."""
    segment: int = 0
    """Position of the segment in that file; 0: none."""
    submission_id: UUID | None = None
    other_claim_id: UUID | None = None
    """Another claim that came of it."""


def tell(
    *, claim: Any, moves: Iterable[Any], answers: Iterable[Any], decisions: Iterable[tuple[Any, Decided]],
    proposals: Iterable[Any], overrides: Iterable[Any],
) -> list[Happening]:  # fmt: skip
    """
    Return what happened to a claim, in order.

    :param moves: rows of `ClaimHistory`; the other rows likewise by their models
    """
    answers, decisions, moves = list(answers), list(decisions), list(moves)
    answered = {(row.received_at, row.kind) for row in answers}
    posted = {row.at for row, _ in decisions}
    found: list[Happening] = []
    states: dict[datetime, str] = {}
    for row in moves:
        source = row.detail.partition(":")[0]
        if row.action in _BY_ANSWER and (row.at, source) in answered:
            states[row.at] = row.state
        elif row.action in _BY_DECISION and row.at in posted:
            states[row.at] = row.state
        else:
            found.append(_move(claim, row))
    found += [_answer(row, states) for row in answers]
    for row, words in decisions:
        found += _decision(row, words, states)
    for row in proposals:
        found += _proposal(row)
    found += [
        Happening(row.at, "override", f"Somebody answered for the finding {row.code}.", row.by, code=row.code)
        for row in overrides
    ]
    return sorted(found, key=lambda one: one.at)


def _move(claim: Any, row: Any) -> Happening:
    text = MOVES.get(row.action, "Something happened to it.")
    if row.action == "create":
        word = RANK_WORDS.get(claim.rank, "other")
        what = {"replacement": "in place of an earlier one", "void": "to take an earlier one back"}
        asked = what.get(claim.frequency, f"for {dollars(claim.charge_cents)}")
        text = f"The claim to the {word} payer was made, {asked}."
    return Happening(
        row.at, row.action, text, row.by, row.state, row.detail, submission_id=row.submission_id
    )


def _answer(row: Any, states: Mapping[datetime, str]) -> Happening:
    codes = ", ".join(str(one["code"]) for one in row.codes[:3])
    return Happening(
        row.received_at, "answer", _ANSWERS.get((row.kind, row.verdict), "An answer came."), None,
        states.get(row.received_at, ""), f"{row.kind} {codes}".strip(),
        inbound_file_id=row.inbound_file_id, segment=row.segment, submission_id=row.submission_id,
    )  # fmt: skip


def _decision(row: Any, words: Decided, states: Mapping[datetime, str]) -> Iterator[Happening]:
    adjusted = [*words.adjustments, *(one for service in words.services for one in service.adjustments)]
    left = owed(adjusted)
    before = sum(one.cents for one in adjusted if one.reason == "23" and one.group != "PR")
    off = sum(one.cents for one in adjusted) - left - before
    if words.status_code == REVERSAL:
        kind, text = "reversal", f"The payer took its decision back, and {dollars(-words.paid_cents)} with it."
    else:
        kind = "decision"
        text = (
            f"The payer decided: {dollars(words.paid_cents)} of {dollars(words.charge_cents)} paid,"
            f"{f' {dollars(before)} paid or taken off by payers before,' if before else ''}"
            f" {dollars(off)} taken off, {dollars(left)} left to the patient."
        )
        if words.passed_on:
            text += " It has passed the claim on."
        elif words.awaits_next and left:
            text += " That waits for the next payer."
    yield Happening(
        row.at, kind, text, None, states.get(row.at, ""), f"835:{words.status_code}",
        era_file_id=words.source.era_file_id, segment=words.source.segment,
    )  # fmt: skip
    if row.withdrawn_at is not None:
        yield Happening(
            row.withdrawn_at, "withdrawal", "What that file says of it was taken back here.",
            era_file_id=words.source.era_file_id, segment=words.source.segment,
        )  # fmt: skip


def _proposal(row: Any) -> Iterator[Happening]:
    what = (
        f"That the next payer be asked for {dollars(row.left_cents)} was proposed."
        if row.kind == "next_payer"
        else "That the next payer be told anew was proposed."
    )
    yield Happening(row.created_at, "proposal", what, code=row.kind)
    settled = {
        "accepted": "The proposal was accepted, and the claim made.",
        "dismissed": "The proposal was dismissed: what waited is the patient's.",
        "withdrawn": "The proposal was withdrawn with the decision.",
    }
    if row.state in settled:
        yield Happening(
            row.updated_at, "proposal", settled[row.state], code=row.state, other_claim_id=row.made_id
        )


def dollars(cents: int) -> str:
    """
    Return an amount as people write it.

    >>> dollars(11900), dollars(-5), dollars(123456789)
    ('$119.00', '-$0.05', '$1,234,567.89')
    """
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02}"
