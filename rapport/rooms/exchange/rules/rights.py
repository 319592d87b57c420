"""Which permission of ours an ability of a portal takes, beside what the portal itself allows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rapport.platform.access.permissions import Permission

from .finding import kind_of

P = Permission

READS: Mapping[str, Permission] = MappingProxyType(
    {
        "patients": P.PATIENTS_READ, "appointments": P.APPOINTMENTS_READ, "notes": P.NOTES_READ,
        "claims": P.CLAIMS_READ, "remittances": P.REMITTANCES_READ, "eras": P.REMITTANCES_READ, "payments": P.LEDGER_READ,
        "working_hours": P.APPOINTMENTS_READ, "clinicians": P.CLINICIANS_READ, "policies": P.POLICIES_READ,
        # A file of claims tells of many patients: it is for those who send such files.
        "claim_files": P.CLAIMS_SUBMIT,
    }
)  # fmt: skip
"""Kind -> who may see its values."""

WRITES: Mapping[str, Permission] = MappingProxyType(
    {
        "patients": P.PATIENTS_WRITE, "appointments": P.APPOINTMENTS_WRITE, "notes": P.NOTES_WRITE,
        "claims": P.CLAIMS_WRITE, "remittances": P.REMITTANCES_POST, "payments": P.PAYMENTS_WRITE,
        "clinicians": P.CLINICIANS_WRITE, "policies": P.POLICIES_WRITE,
    }
)  # fmt: skip
"""Kind -> who may have it written."""

SPECIAL: Mapping[str, Permission] = MappingProxyType(
    {"claims.submit": P.CLAIMS_SUBMIT, "notes.sign": P.NOTES_SIGN, "notes.cosign": P.NOTES_COSIGN}
)
"""Abilities that take more than others of their kind."""


def to_see(ability: str) -> Permission:
    """Return who may see what an ability is about; of an unknown kind, who manages connections."""
    return READS.get(kind_of(ability), P.CONNECTIONS_MANAGE)


def to_write(ability: str) -> Permission:
    """
    Return who may have it written.

    >>> to_write("claims.submit").value, to_write("appointments.create").value
    ('claims:submit', 'appointments:write')
    """
    return SPECIAL.get(ability) or WRITES.get(kind_of(ability), P.CONNECTIONS_MANAGE)
