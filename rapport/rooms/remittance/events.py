"""What remittance tells."""

from __future__ import annotations

ERA_RECEIVED = "era.received"
ERA_POSTED = "era.posted"
ERA_HELD = "era.held"
ERA_UNPOSTED = "era.unposted"
POLICY_CHANGED = "posting_policy.updated"
DENIAL_OPENED = "denial.opened"
DENIAL_RESOLVED = "denial.resolved"
UNDERPAYMENT_OPENED = "underpayment.opened"
UNDERPAYMENT_UPDATED = "underpayment.updated"
LINE_WORKED_ON = "era.updated"
