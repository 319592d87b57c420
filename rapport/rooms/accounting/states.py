"""The words of accounting that are one of a few. Nothing here touches the database."""

from __future__ import annotations

from enum import StrEnum


class PaperKind(StrEnum):
    """What a paper is."""

    INVOICE = "invoice"
    """Asks a patient, or an organisation, to pay. Numbered."""
    CREDIT_NOTE = "credit_note"
    """Takes back an invoice, whole. Numbered in the same row of numbers."""
    STATEMENT = "statement"
    """What happened to a patient's money in a period."""
    SUPERBILL = "superbill"
    """What a patient paid for, with the codes that their payer asks for."""


class PayerMethod(StrEnum):
    """How an organisation paid."""

    CHECK = "check"
    ACH = "ach"
    OTHER = "other"


class PlanStatus(StrEnum):
    """Where a payment plan stands."""

    ACTIVE = "active"
    COMPLETED = "completed"
    """Nothing of it is owed any more, whoever paid or gave it up."""
    CANCELLED = "cancelled"
    """A person ended it."""
    BROKEN = "broken"
    """A person ended it, since the patient did not keep it."""
    REPLACED = "replaced"
    """Another plan took its place."""


class PlanInterval(StrEnum):
    """How far instalments lie apart."""

    WEEKLY = "weekly"
    TWO_WEEKS = "two_weeks"
    MONTHLY = "monthly"


class InstalmentState(StrEnum):
    """Where an instalment stands on a day. Reckoned from the ledger whenever it is asked for, and never kept."""

    UPCOMING = "upcoming"
    PART_PAID = "part_paid"
    """Something of it is paid, and its day has not come."""
    DUE = "due"
    """Today is its day."""
    OVERDUE = "overdue"
    PAID = "paid"
    FALLEN_AWAY = "fallen_away"
    """Less is owed by now than was agreed: nothing of it is left to pay."""
    ENDED = "ended"
    """It was open when the plan ended."""


class PayBasis(StrEnum):
    """What a clinician's percentage is of."""

    COLLECTED = "collected"
    """What patients and payers paid for their visits, in the period."""
    BILLED = "billed"
    """What was charged for their visits, in the period."""


class LinkState(StrEnum):
    """Where the link to a practice's books elsewhere stands."""

    ASKED = "asked"
    """A person was sent there to allow it."""
    LINKED = "linked"
    SIGNED_OUT = "signed_out"
    """It does not let us in any more: a person has to allow it anew."""


class EntryState(StrEnum):
    """What became of an entry for the books elsewhere."""

    READY = "ready"
    SENDING = "sending"
    """Noted before the socket opens: who finds it so looks for it there first."""
    IN_DOUBT = "in_doubt"
    KEPT = "kept"
    REFUSED = "refused"


PLAN_MOVES = {
    PlanStatus.ACTIVE: {PlanStatus.COMPLETED, PlanStatus.CANCELLED, PlanStatus.BROKEN, PlanStatus.REPLACED},
    PlanStatus.COMPLETED: {PlanStatus.ACTIVE},
    PlanStatus.CANCELLED: set(),
    PlanStatus.BROKEN: set(),
    PlanStatus.REPLACED: set(),
}
"""Status -> where it can go. ACTIVE follows COMPLETED when a payment bounces."""
LINK_MOVES = {
    LinkState.ASKED: {LinkState.ASKED, LinkState.LINKED, LinkState.SIGNED_OUT},
    LinkState.LINKED: {LinkState.LINKED, LinkState.ASKED, LinkState.SIGNED_OUT},
    LinkState.SIGNED_OUT: {LinkState.ASKED, LinkState.SIGNED_OUT},
}
ENTRY_MOVES = {
    EntryState.READY: {EntryState.SENDING},
    EntryState.SENDING: {EntryState.READY, EntryState.IN_DOUBT, EntryState.KEPT, EntryState.REFUSED},
    EntryState.IN_DOUBT: {EntryState.READY, EntryState.IN_DOUBT, EntryState.KEPT},
    EntryState.KEPT: set(),
    EntryState.REFUSED: {EntryState.READY},
}
