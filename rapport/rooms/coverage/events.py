"""What coverage tells."""

from __future__ import annotations

POLICY_CREATED = "insurance_policy.created"
POLICY_UPDATED = "insurance_policy.updated"
PAYER_CREATED = "payer.created"
PAYER_UPDATED = "payer.updated"
