"""
Acknowledgements: TA1, 999 (005010X231A1) and 277CA (005010X214) -> records.

Read tolerantly: what is not understood is kept as a code, never guessed at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from .envelope import TransactionSet
from .syntax import Segment


@dataclass(frozen=True, slots=True)
class InterchangeAck:
    """TA1: what became of an interchange as a whole."""

    interchange: str
    """ISA13 of the interchange it is about."""
    code: str
    """A accepted, E accepted with errors, R rejected."""
    note: str
    """TA105, e.g. 025 for a duplicate."""

    @property
    def accepted(self) -> bool:
        """E went through."""
        return self.code in ("A", "E")


def read_ta1(segment: Segment) -> InterchangeAck:
    """Read a TA1 segment."""
    return InterchangeAck(segment.get(1), segment.get(4), segment.get(5))


@dataclass(frozen=True, slots=True)
class SyntaxError_:
    """One fault that a 999 names (IK3 and, for an element, IK4)."""

    segment: str
    position: int
    """IK302: position in the transaction set, ST is 1."""
    loop: str
    code: str
    """IK304 or IK403."""
    element: str
    """IK401 as it stands; empty when it is about the whole segment."""


@dataclass(slots=True)
class SetAck:
    """What a 999 says of one transaction set (AK2 to IK5)."""

    kind: str
    control: str
    """ST02 of the set it is about."""
    code: str = ""
    """A, E (accepted, errors noted), R, M, W, X."""
    errors: list[SyntaxError_] = field(default_factory=list)
    index: int = 0
    """Position of its AK2 in the file."""

    @property
    def accepted(self) -> bool:
        """A and E went through."""
        return self.code in ("A", "E")


@dataclass(slots=True)
class GroupAck:
    """A 999: what it says of one functional group."""

    group: str
    """AK102: GS06 of the group it is about."""
    functional_id: str
    code: str = ""
    """AK901: A, E, P (partly) or R."""
    included: int = 0
    received: int = 0
    accepted_sets: int = 0
    sets: list[SetAck] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Every set of the group went through."""
        return self.code in ("A", "E")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def read_999(transaction: TransactionSet) -> GroupAck:
    """Read a 999 (or a 997, whose AK3/AK4/AK5 mean the same)."""
    ack = GroupAck(group="", functional_id="")
    current: SetAck | None = None
    place = ("", 0, "")
    for s in transaction.body:
        tag = s.tag
        if tag == "AK1":
            ack.functional_id, ack.group = s.get(1), s.get(2)
        elif tag == "AK2":
            current = SetAck(s.get(1), s.get(2), index=s.index)
            ack.sets.append(current)
        elif tag in ("IK3", "AK3") and current is not None:
            place = (s.get(1), _number(s.get(2)), s.get(3))
            current.errors.append(SyntaxError_(*place, s.get(4), ""))
        elif tag in ("IK4", "AK4") and current is not None:
            current.errors.append(SyntaxError_(*place, s.get(3), s.get(1)))
        elif tag in ("IK5", "AK5") and current is not None:
            current.code = s.get(1)
        elif tag == "AK9":
            ack.code = s.get(1)
            ack.included, ack.received, ack.accepted_sets = (_number(s.get(n)) for n in (2, 3, 4))
    return ack


REJECTING = frozenset({"A3", "A4", "A6", "A7", "A8"})
"""277CA categories that turn a claim away. (A3 is a rejection, whatever public pages say.)"""
ACCEPTING = frozenset({"A2", "A5"})
"""Taken into adjudication. A0 and A1 mean received or passed on, and no more."""


@dataclass(frozen=True, slots=True)
class Status:
    """One STC reason: category, status code, entity."""

    category: str
    code: str
    entity: str
    action: str
    """WQ accept, U reject."""
    on: str
    """CCYYMMDD as it stands."""

    @property
    def rejects(self) -> bool:
        """It turns the claim away."""
        return self.category in REJECTING or self.action == "U"


@dataclass(slots=True)
class ClaimAck:
    """What a 277CA says of one claim (2200D)."""

    control: str
    """TRN02: our CLM01."""
    statuses: list[Status] = field(default_factory=list)
    payer_claim_number: str = ""
    """REF*1K."""
    trace: str = ""
    """REF*D9."""
    line_statuses: dict[str, list[Status]] = field(default_factory=dict)
    """REF*FJ (our REF*6R) -> reasons of the line."""
    index: int = 0
    """Position of its TRN in the file."""

    @property
    def verdict(self) -> str:
        """`rejected`, `accepted` (into adjudication) or `received`; the worst reason decides."""
        every = [*self.statuses, *(s for line in self.line_statuses.values() for s in line)]
        if any(status.rejects for status in every):
            return "rejected"
        if any(status.category in ACCEPTING for status in self.statuses):
            return "accepted"
        return "received"


@dataclass(slots=True)
class ClaimAcks:
    """A 277CA."""

    source: str = ""
    """Name of who answers (NM1 after HL 20): a clearinghouse or a payer."""
    source_kind: str = ""
    """NM101: AY clearinghouse, PR payer."""
    batch_id: str = ""
    """TRN02 of the receiver's loop: our BHT03."""
    rejected_amount: Decimal | None = None
    claims: list[ClaimAck] = field(default_factory=list)


def _statuses(s: Segment) -> Iterator[Status]:
    for number in (1, 10, 11):
        parts = s.components(number)
        if parts[0]:
            yield Status(
                parts[0], parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else "",
                s.get(3), s.get(2),
            )  # fmt: skip


def read_277ca(transaction: TransactionSet) -> ClaimAcks:
    """Read a 277CA. Levels are told apart by HL03: 20 source, 21 receiver, 19 provider, PT patient."""
    acks = ClaimAcks()
    level = ""
    claim: ClaimAck | None = None
    in_line = False
    line_statuses: list[Status] = []
    for s in transaction.body:
        tag = s.tag
        if tag == "HL":
            level, claim, in_line = s.get(3), None, False
        elif tag == "NM1" and level == "20" and not acks.source:
            acks.source_kind, acks.source = s.get(1), s.get(3)
        elif tag == "TRN":
            if level == "21":
                acks.batch_id = acks.batch_id or s.get(2)
            elif level in ("PT", "22", "23"):
                claim, in_line = ClaimAck(s.get(2), index=s.index), False
                acks.claims.append(claim)
        elif tag == "SVC":
            in_line, line_statuses = True, []
        elif tag == "STC" and claim is not None:
            (line_statuses if in_line else claim.statuses).extend(_statuses(s))
        elif tag == "REF" and claim is not None:
            if in_line and s.get(1) == "FJ":
                claim.line_statuses[s.get(2)] = line_statuses
            elif s.get(1) == "1K":
                claim.payer_claim_number = s.get(2)
            elif s.get(1) == "D9":
                claim.trace = s.get(2)
        elif tag == "AMT" and s.get(1) == "YY" and level == "21":
            try:
                acks.rejected_amount = Decimal(s.get(2))
            except InvalidOperation:
                acks.rejected_amount = None
    return acks
