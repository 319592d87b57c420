"""Questions about coverage. They take the scope first and change nothing."""

from __future__ import annotations

from .authorizations import (
    Standings,
    authorization_notices,
    authorizations_of,
    get_authorization,
    numbers_of,
    standings_of,
    supply_claims,
)
from .booking import WhoPays, in_short, who_pays
from .directory import (
    Credentials,
    credentials_of,
    enrollment_history,
    enrollment_notices,
    enrollment_notices_of,
    enrollments_of,
    get_credential_span,
)
from .eligibility import (
    checks_of,
    due_checks,
    exchanges_of,
    get_check,
    last_asked,
    latest_exchange,
    place,
    response_bytes,
)
from .policies import (
    get_payer,
    get_policy,
    payer_by_external_id,
    payers_called,
    payers_of,
    policies_of,
    policies_on,
    policy_for,
    refer_to_payer,
    refer_to_policy,
    submitter_of,
)
from .settings import settings_of

__all__ = [
    "Credentials",
    "Standings",
    "WhoPays",
    "authorization_notices",
    "authorizations_of",
    "checks_of",
    "credentials_of",
    "due_checks",
    "enrollment_history",
    "enrollment_notices",
    "enrollment_notices_of",
    "enrollments_of",
    "exchanges_of",
    "get_authorization",
    "get_check",
    "get_credential_span",
    "get_payer",
    "get_policy",
    "in_short",
    "last_asked",
    "latest_exchange",
    "numbers_of",
    "payer_by_external_id",
    "payers_called",
    "payers_of",
    "place",
    "policies_of",
    "policies_on",
    "policy_for",
    "refer_to_payer",
    "refer_to_policy",
    "response_bytes",
    "settings_of",
    "standings_of",
    "submitter_of",
    "supply_claims",
    "who_pays",
]
