"""The words of the roster that are one of a few. Nothing here touches the database."""

from __future__ import annotations

from enum import StrEnum


class PatientStatus(StrEnum):
    """Where a patient is in their time with the practice."""

    INQUIRY = "inquiry"
    """Asked for care; not yet accepted."""
    ACTIVE = "active"
    INACTIVE = "inactive"
    """No longer seen here; the record stays."""
    DECEASED = "deceased"


class Sex(StrEnum):
    """As the payer has it (837P DMG03: F, M, U)."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"
