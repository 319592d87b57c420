"""The words of coverage that are one of a few. Nothing here touches the database."""

from __future__ import annotations

from enum import StrEnum


class Rank(StrEnum):
    """The order in which policies are billed."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"
    QUATERNARY = "quaternary"


class PayerKind(StrEnum):
    """How a payer is asked for money: an insurance by claims, everybody else by invoices."""

    INSURANCE = "insurance"
    EAP = "eap"
    """An employee assistance programme: so many sessions, then no more."""
    EMPLOYER = "employer"
    SCHOOL = "school"
    COURT = "court"
    GRANT = "grant"


class InvoiceName(StrEnum):
    """What an invoice to a payer says of whom it is about."""

    REFERENCE = "reference"
    """The case number of the policy (`member_id`)."""
    INITIALS = "initials"
    NAME = "name"


class InvoiceDetail(StrEnum):
    """What an invoice to a payer says of a session."""

    SESSIONS = "sessions"
    """That there was one."""
    SERVICES = "services"
    """Its service code, too."""
    DIAGNOSES = "diagnoses"
    """Code and diagnoses."""


class Remainder(StrEnum):
    """What becomes of what a payer of invoices leaves unpaid, once it has paid all it will."""

    OPEN = "open"
    """It stays with the payer."""
    PATIENT = "patient"
    """The patient owes it."""
    WRITE_OFF = "write_off"
    """Nobody does."""


class Relationship(StrEnum):
    """What the patient is to the subscriber (837P SBR02 and PAT01)."""

    SELF = "self"
    SPOUSE = "spouse"
    CHILD = "child"
    OTHER = "other"


class Submitter(StrEnum):
    """Who sends the practice's claims to a payer. One of them does, never both."""

    RAPPORT = "rapport"
    """This system."""
    PORTAL = "portal"
    """The practice's portal."""


class CountedBy(StrEnum):
    """What an authorisation counts."""

    VISIT = "visit"
    UNIT = "unit"


class Standing(StrEnum):
    """What a visit means for an authorisation that it falls under."""

    USED = "used"
    """The payer paid a claim for it."""
    IN_FLIGHT = "in_flight"
    """It took place, and the payer has not decided."""
    BOOKED = "booked"
    """It is still to come."""


class Transaction(StrEnum):
    """What a payer may want a practice to enrol for."""

    CLAIM = "837P"
    REMITTANCE = "835"
    ELIGIBILITY = "270"
    STATUS = "276"
    ATTACHMENT = "275"


class EnrollmentState(StrEnum):
    """How far an enrolment is."""

    NONE = "none"
    REQUESTED = "requested"
    ACTIVE = "active"
    REFUSED = "refused"


class CheckReason(StrEnum):
    """Why a payer was asked."""

    ASKED = "asked"
    """Somebody wanted to know."""
    BEFORE_VISIT = "before_visit"
    """A visit is near."""


class CheckState(StrEnum):
    """How far an eligibility check is."""

    QUEUED = "queued"
    """Not asked yet, or to be asked again at `retry_at`."""
    ASKING = "asking"
    """A worker waits for the answer at this moment."""
    ASKED = "asked"
    """It is in a file of questions, whose answer is awaited."""
    ANSWERED = "answered"
    """The payer told the benefits."""
    REFUSED = "refused"
    """The payer or the clearinghouse would not answer, and says why."""
    UNANSWERED = "unanswered"
    """No answer came that could be read; given up."""


class AskedBy(StrEnum):
    """How a payer is asked about eligibility, where the practice says so."""

    AT_ONCE = "at_once"
    """One question, answered in the same call."""
    FILE = "file"
    """A file with the questions of many patients; the answers come as files, hours later."""


class EstimateState(StrEnum):
    """How far a good-faith estimate is."""

    DRAFT = "draft"
    """Made, and not given to anybody."""
    GIVEN = "given"
    """The patient has it. It is numbered, and never changes."""
    REPLACED = "replaced"
    """A later one was given for some of its days."""


class EstimateStanding(StrEnum):
    """How charges stand to an estimate."""

    WITHIN = "within"
    NEAR = "near"
    """Above it by as much as the practice wants to be warned of."""
    EXCEEDED = "exceeded"
    """Above it by what lets the patient dispute the bill."""


class MedicareReason(StrEnum):
    """Why Medicare pays after another payer."""

    WORKING_AGED = "working_aged"
    RENAL_DISEASE = "renal_disease"
    NO_FAULT = "no_fault"
    WORKERS_COMPENSATION = "workers_compensation"
    FEDERAL_AGENCY = "federal_agency"
    BLACK_LUNG = "black_lung"
    VETERANS = "veterans"
    DISABLED = "disabled"
    OTHER_LIABILITY = "other_liability"


FILING_INDICATORS: dict[str, str] = {
    "11": "other non-federal programme", "12": "preferred provider organisation",
    "13": "point of service", "14": "exclusive provider organisation", "15": "indemnity",
    "16": "Medicare risk HMO", "17": "dental maintenance organisation", "AM": "automobile medical",
    "BL": "Blue Cross or Blue Shield", "CH": "Champus", "CI": "commercial",
    "DS": "disability", "FI": "federal employees", "HM": "health maintenance organisation",
    "LM": "liability medical", "MA": "Medicare part A", "MB": "Medicare part B", "MC": "Medicaid",
    "OF": "other federal programme", "TV": "title V", "VA": "Veterans Affairs",
    "WC": "workers' compensation", "ZZ": "mutually defined",
}  # fmt: skip
"""Claim filing indicator (837P SBR09) -> our words for it."""
