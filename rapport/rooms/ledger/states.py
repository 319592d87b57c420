"""The words of the ledger that are one of a few. Nothing here touches the database."""

from __future__ import annotations

from enum import StrEnum


class Account(StrEnum):
    """
    Where money is, or who owes it. A positive posting is a debit, a negative one a credit.

    Of an entry, the postings of each patient add up to zero.
    """

    CASH = "cash"
    """Money that has reached the practice."""
    PATIENT_RECEIVABLE = "patient_receivable"
    """What patients owe."""
    INSURANCE_RECEIVABLE = "insurance_receivable"
    """What payers owe."""
    REVENUE = "revenue"
    """What was charged for care (grows by credits)."""
    CONTRACTUAL_ADJUSTMENTS = "contractual_adjustments"
    """The part of charges that contracts with payers forbid to collect (CO-45 …)."""
    WRITE_OFFS = "write_offs"
    """What the practice decided not to collect."""
    UNAPPLIED = "unapplied"
    """Patients' money that pays for nothing yet: their credit (grows by credits)."""
    PAYER_CLEARING = "payer_clearing"
    """Between the practice and a payer, and no patient's: PLB, unmatched money (835)."""
    INTEREST = "interest"
    """Interest that payers paid (PLB L6), or took back."""
    PROCESSOR_FEES = "processor_fees"
    """What the card processor keeps (grows by debits)."""
    REFUNDS_DUE = "refunds_due"
    """Credit on its way back to a card, and not there yet."""


class EntryKind(StrEnum):
    """What an entry is about."""

    CHARGE = "charge"
    INSURANCE_PAYMENT = "insurance_payment"
    CONTRACTUAL_ADJUSTMENT = "contractual_adjustment"
    TRANSFER_TO_PATIENT = "transfer_to_patient"
    PATIENT_PAYMENT = "patient_payment"
    CREDIT_APPLIED = "credit_applied"
    CREDIT_RELEASED = "credit_released"
    """What a payment had paid for is open again, and its money is credit."""
    WRITE_OFF = "write_off"
    REFUND = "refund"
    REFUND_SET_ASIDE = "refund_set_aside"
    """Credit that is on its way back to a card."""
    PROCESSOR_FEE = "processor_fee"
    """What a card processor keeps of a charge, or asks for a dispute."""
    PAYER_LEVEL = "payer_level"
    """Money between practice and payer that belongs to no claim (PLB)."""
    REVERSAL = "reversal"
    """The exact opposite of another entry."""


class WriteOffReason(StrEnum):
    """Why something is given up."""

    SMALL_BALANCE = "small_balance"
    HARDSHIP = "hardship"
    SLIDING_FEE = "sliding_fee"
    """The part of a fee that a patient of small means is not asked for."""
    COURTESY = "courtesy"
    BAD_DEBT = "bad_debt"
    COLLECTION_AGENCY = "collection_agency"
    DISPUTE = "dispute"
    TIMELY_FILING = "timely_filing"
    NO_AUTHORIZATION = "no_authorization"
    NOT_COVERED = "not_covered"
    CONTRACTUAL = "contractual"
    OTHER = "other"


OF_PATIENTS = frozenset(
    {
        WriteOffReason.SMALL_BALANCE, WriteOffReason.HARDSHIP, WriteOffReason.SLIDING_FEE,
        WriteOffReason.COURTESY, WriteOffReason.BAD_DEBT, WriteOffReason.COLLECTION_AGENCY,
        WriteOffReason.DISPUTE, WriteOffReason.OTHER,
    }
)  # fmt: skip
"""Why a patient's debt may be given up."""
OF_PAYERS = frozenset(
    {
        WriteOffReason.SMALL_BALANCE, WriteOffReason.TIMELY_FILING, WriteOffReason.NO_AUTHORIZATION,
        WriteOffReason.NOT_COVERED, WriteOffReason.CONTRACTUAL, WriteOffReason.OTHER,
    }
)  # fmt: skip
"""Why a payer's may."""


class PaymentMethod(StrEnum):
    """How a patient paid. Card numbers are never kept."""

    CASH = "cash"
    CHECK = "check"
    CARD_RECORDED = "card_recorded"
    """Taken on a terminal outside this system."""
    CARD = "card"
    """Charged to a card on file, by the practice's processor."""
