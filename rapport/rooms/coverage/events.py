"""What coverage tells."""

from __future__ import annotations

POLICY_CREATED = "insurance_policy.created"
POLICY_UPDATED = "insurance_policy.updated"
PAYER_CREATED = "payer.created"
PAYER_UPDATED = "payer.updated"
AUTHORIZATION_CREATED = "authorization.created"
AUTHORIZATION_UPDATED = "authorization.updated"
CREDENTIAL_CREATED = "credential_span.created"
CREDENTIAL_UPDATED = "credential_span.updated"
ELIGIBILITY_ANSWERED = "eligibility_check.answered"
ELIGIBILITY_REFUSED = "eligibility_check.refused"
ELIGIBILITY_UNANSWERED = "eligibility_check.unanswered"
ESTIMATE_GIVEN = "estimate.given"
ESTIMATE_NEAR = "estimate.near"
ESTIMATE_EXCEEDED = "estimate.exceeded"
