"""The lives of a charge, a refund, a card and a planned charge, as data. Nothing here touches the database."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ChargeState(StrEnum):
    """Where a charge of a card is."""

    QUEUED = "queued"
    """Nothing was asked of the processor, or it is known that nothing came of it."""
    SENDING = "sending"
    """Committed before the socket opens: from here on money may have moved."""
    IN_DOUBT = "in_doubt"
    """No clear answer. It is looked up before anything is asked again."""
    SUCCEEDED = "succeeded"
    """The processor took the money, and the ledger has it."""
    FAILED = "failed"
    """The processor said no, or it never left. No money moved."""
    DISPUTED = "disputed"
    """The patient contests it at their bank; the ledger still has it."""
    CHARGED_BACK = "charged_back"
    """The bank took it back for good: the ledger's entry is undone."""


C = ChargeState
TAKEN = frozenset({C.SUCCEEDED, C.DISPUTED, C.CHARGED_BACK})
"""The ledger has a payment of it."""
UNSETTLED = frozenset({C.QUEUED, C.SENDING, C.IN_DOUBT})
"""It is not known yet what becomes of it."""

CHARGE_MOVES: Mapping[ChargeState, frozenset[ChargeState]] = MappingProxyType(
    {
        C.QUEUED: frozenset({C.SENDING, C.FAILED, C.SUCCEEDED}),
        C.SENDING: frozenset({C.SUCCEEDED, C.FAILED, C.IN_DOUBT, C.QUEUED}),
        C.IN_DOUBT: frozenset({C.SUCCEEDED, C.FAILED, C.QUEUED}),
        C.SUCCEEDED: frozenset({C.DISPUTED, C.CHARGED_BACK}),
        C.FAILED: frozenset(),
        C.DISPUTED: frozenset({C.SUCCEEDED, C.CHARGED_BACK}),
        C.CHARGED_BACK: frozenset(),
    }
)
"""State -> states it can go to. QUEUED follows SENDING and IN_DOUBT only where nothing came of it."""


class RefundState(StrEnum):
    """Where a refund to a card is. The credit is set aside from the start."""

    QUEUED = "queued"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    SUCCEEDED = "succeeded"
    """The processor gives it back, and the ledger says so."""
    FAILED = "failed"
    """Refused, or it bounced: the credit is the patient's again."""


R = RefundState
REFUND_MOVES: Mapping[RefundState, frozenset[RefundState]] = MappingProxyType(
    {
        R.QUEUED: frozenset({R.SENDING, R.FAILED, R.SUCCEEDED}),
        R.SENDING: frozenset({R.SUCCEEDED, R.FAILED, R.IN_DOUBT, R.QUEUED}),
        R.IN_DOUBT: frozenset({R.SUCCEEDED, R.FAILED, R.QUEUED}),
        R.SUCCEEDED: frozenset({R.FAILED}),
        R.FAILED: frozenset(),
    }
)
"""State -> states it can go to. A refund that bounced later goes from SUCCEEDED to FAILED."""


class CardState(StrEnum):
    """Where a card on file is."""

    ASKED = "asked"
    """The processor is asked for a page."""
    READY = "ready"
    """The processor's page may ask the patient for the card."""
    ACTIVE = "active"
    """It can be charged."""
    FAILED = "failed"
    """The bank did not take it."""
    REMOVED = "removed"
    """It is charged no more, and the processor was told to forget it."""


K = CardState
CARD_MOVES: Mapping[CardState, frozenset[CardState]] = MappingProxyType(
    {
        K.ASKED: frozenset({K.READY, K.FAILED, K.REMOVED}),
        K.READY: frozenset({K.ACTIVE, K.FAILED, K.REMOVED}),
        K.ACTIVE: frozenset({K.REMOVED}),
        K.FAILED: frozenset(),
        K.REMOVED: frozenset(),
    }
)


class PlanState(StrEnum):
    """Where a charge that AutoPay has planned is."""

    PLANNED = "planned"
    """It leaves on its day, unless somebody cancels it."""
    CHARGING = "charging"
    """Its card is being charged."""
    PAID = "paid"
    CANCELLED = "cancelled"
    """A person does not want it; what it was for is not planned again."""
    OVERTAKEN = "overtaken"
    """Nothing of it is owed any more, or the patient left AutoPay."""
    GIVEN_UP = "given_up"
    """The card was declined for good, or too often: somebody has to talk to the patient."""


P = PlanState
PLAN_MOVES: Mapping[PlanState, frozenset[PlanState]] = MappingProxyType(
    {
        P.PLANNED: frozenset({P.CHARGING, P.CANCELLED, P.OVERTAKEN}),
        P.CHARGING: frozenset({P.PAID, P.PLANNED, P.GIVEN_UP}),
        P.GIVEN_UP: frozenset({P.CANCELLED}),
        P.PAID: frozenset(),
        P.CANCELLED: frozenset(),
        P.OVERTAKEN: frozenset(),
    }
)
"""State -> states it can go to. PLANNED follows CHARGING when the card is to be tried on another day."""
