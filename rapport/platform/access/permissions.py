"""Every permission, and the roles that bundle them (PRODUCT row A2)."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """`resource:action`. Write does not imply read. There is no wildcard."""

    SELF_READ = "self:read"
    """Read one's own identity, sessions and factors. Every signed-in actor has it."""
    PRACTICE_READ = "practice:read"
    PRACTICE_WRITE = "practice:write"
    MEMBERS_READ = "members:read"
    MEMBERS_MANAGE = "members:manage"
    API_KEYS_MANAGE = "api_keys:manage"
    AUDIT_READ = "audit:read"
    EVENTS_READ = "events:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    JOBS_READ = "jobs:read"
    CLINICIANS_READ = "clinicians:read"
    CLINICIANS_WRITE = "clinicians:write"
    LOCATIONS_READ = "locations:read"
    LOCATIONS_WRITE = "locations:write"
    PATIENTS_READ = "patients:read"
    PATIENTS_WRITE = "patients:write"
    CODES_READ = "codes:read"
    CODES_WRITE = "codes:write"
    APPOINTMENTS_READ = "appointments:read"
    APPOINTMENTS_WRITE = "appointments:write"
    APPOINTMENTS_OVERRIDE = "appointments:override"
    TELEHEALTH_HOST = "telehealth:host"
    NOTES_READ_METADATA = "notes:read_metadata"
    NOTES_READ = "notes:read"
    NOTES_WRITE = "notes:write"
    NOTES_SIGN = "notes:sign"
    NOTES_COSIGN = "notes:cosign"
    NOTES_UNLOCK = "notes:unlock"
    PSYCHOTHERAPY_NOTES_READ = "psychotherapy_notes:read"
    PSYCHOTHERAPY_NOTES_WRITE = "psychotherapy_notes:write"
    DOCUMENTS_READ = "documents:read"
    PAYERS_READ = "payers:read"
    PAYERS_WRITE = "payers:write"
    POLICIES_READ = "policies:read"
    POLICIES_WRITE = "policies:write"
    CLAIMS_READ = "claims:read"
    CLAIMS_WRITE = "claims:write"
    CLAIMS_SUBMIT = "claims:submit"
    REMITTANCES_READ = "remittances:read"
    REMITTANCES_POST = "remittances:post"
    LEDGER_READ = "ledger:read"
    LEDGER_CLOSE = "ledger:close"
    """Close the books up to a day, and open them again."""
    PAYMENTS_WRITE = "payments:write"
    PAYMENTS_REFUND = "payments:refund"
    WRITE_OFFS_WRITE = "write_offs:write"
    ACCOUNTING_READ = "accounting:read"
    """Read what the whole practice is owed, its journal, and what clinicians earn."""
    ACCOUNTING_MANAGE = "accounting:manage"
    CONNECTIONS_READ = "connections:read"
    CONNECTIONS_MANAGE = "connections:manage"


P = Permission

_EVERYONE = {P.SELF_READ, P.PRACTICE_READ, P.CLINICIANS_READ, P.LOCATIONS_READ, P.CODES_READ}
_CALENDAR = {P.APPOINTMENTS_READ, P.APPOINTMENTS_WRITE, P.CONNECTIONS_READ}
_CHART = {
    P.PATIENTS_READ, P.NOTES_READ_METADATA, P.NOTES_READ, P.NOTES_WRITE, P.DOCUMENTS_READ,
}  # fmt: skip
_BILLING = {
    P.PATIENTS_READ, P.APPOINTMENTS_READ, P.NOTES_READ_METADATA, P.PAYERS_READ, P.POLICIES_READ,
    P.POLICIES_WRITE, P.CLAIMS_READ, P.CLAIMS_WRITE, P.CLAIMS_SUBMIT, P.LEDGER_READ,
    P.PAYMENTS_WRITE, P.CONNECTIONS_READ,
}  # fmt: skip


class Role(StrEnum):
    """A bundle of permissions in one practice. A person may hold several; they add up."""

    PRACTICE_ADMINISTRATOR = "practice_administrator"
    SCHEDULER = "scheduler"
    CLINICIAN = "clinician"
    INTERN = "intern"
    CLINICAL_ADMINISTRATOR = "clinical_administrator"
    SUPERVISOR = "supervisor"
    PRACTICE_BILLER = "practice_biller"
    BILLER_ASSIGNED = "biller_assigned"
    PRESCRIBER = "prescriber"
    AUDITOR = "auditor"
    """Reads the audit trail, and no patient's record."""


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PRACTICE_ADMINISTRATOR: frozenset(
        _EVERYONE
        | _CALENDAR
        | {
            P.PRACTICE_WRITE, P.MEMBERS_READ, P.MEMBERS_MANAGE, P.API_KEYS_MANAGE, P.AUDIT_READ,
            P.EVENTS_READ, P.WEBHOOKS_MANAGE, P.JOBS_READ, P.CLINICIANS_WRITE, P.LOCATIONS_WRITE,
            P.PATIENTS_READ, P.PATIENTS_WRITE, P.CODES_WRITE, P.APPOINTMENTS_OVERRIDE,
            P.NOTES_READ_METADATA, P.PAYERS_READ, P.PAYERS_WRITE, P.POLICIES_READ,
            P.CONNECTIONS_MANAGE, P.ACCOUNTING_READ, P.ACCOUNTING_MANAGE,
        }
    ),
    Role.SCHEDULER: frozenset(
        _EVERYONE
        | _CALENDAR
        | {
            P.PATIENTS_READ, P.PATIENTS_WRITE, P.APPOINTMENTS_OVERRIDE, P.PAYERS_READ,
            P.POLICIES_READ, P.POLICIES_WRITE,
        }
    ),
    Role.CLINICIAN: frozenset(
        _EVERYONE
        | _CALENDAR
        | _CHART
        | {
            P.PATIENTS_WRITE, P.NOTES_SIGN, P.TELEHEALTH_HOST, P.PSYCHOTHERAPY_NOTES_READ,
            P.PSYCHOTHERAPY_NOTES_WRITE, P.POLICIES_READ, P.PAYERS_READ,
        }
    ),
    Role.INTERN: frozenset(_EVERYONE | _CALENDAR | _CHART | {P.NOTES_SIGN, P.TELEHEALTH_HOST}),
    Role.CLINICAL_ADMINISTRATOR: frozenset(
        _EVERYONE
        | _CALENDAR
        | _CHART
        | {P.PATIENTS_WRITE, P.NOTES_SIGN, P.NOTES_COSIGN, P.NOTES_UNLOCK, P.CODES_WRITE}
    ),
    Role.SUPERVISOR: frozenset(
        _EVERYONE | _CHART | {P.APPOINTMENTS_READ, P.NOTES_SIGN, P.NOTES_COSIGN}
    ),
    Role.PRACTICE_BILLER: frozenset(
        _EVERYONE
        | _BILLING
        | {
            P.CODES_WRITE, P.PAYERS_WRITE, P.REMITTANCES_READ, P.REMITTANCES_POST,
            P.PAYMENTS_REFUND, P.WRITE_OFFS_WRITE, P.LEDGER_CLOSE, P.EVENTS_READ,
            P.ACCOUNTING_READ, P.ACCOUNTING_MANAGE,
        }
    ),
    Role.BILLER_ASSIGNED: frozenset(_EVERYONE | _BILLING),
    Role.PRESCRIBER: frozenset(_EVERYONE | _CALENDAR | _CHART | {P.NOTES_SIGN}),
    Role.AUDITOR: frozenset(_EVERYONE | {P.AUDIT_READ}),
}  # fmt: skip

# Events tell of every patient of the practice: no role that sees a caseload only reads them.
CASELOAD_ROLES = frozenset(
    {Role.CLINICIAN, Role.INTERN, Role.SUPERVISOR, Role.BILLER_ASSIGNED, Role.PRESCRIBER}
)
"""Roles that see assigned patients only, where the practice keeps caseloads apart. A person
who also holds a role outside this set that may read patients sees all of them."""


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Return what these roles allow together."""
    allowed: frozenset[Permission] = frozenset()
    for role in roles:
        allowed |= ROLE_PERMISSIONS[role]
    return allowed


def sees_every_patient(roles: frozenset[Role]) -> bool:
    """Tell whether one of the roles reads patients without being assigned to them."""
    return any(
        Permission.PATIENTS_READ in ROLE_PERMISSIONS[role] for role in roles - CASELOAD_ROLES
    )
