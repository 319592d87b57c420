"""The words of coverage that are one of a few. Nothing here touches the database."""

from __future__ import annotations

from enum import StrEnum


class Rank(StrEnum):
    """The order in which policies are billed."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"
    QUATERNARY = "quaternary"


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
