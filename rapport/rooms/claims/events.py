"""What claims tell."""

from __future__ import annotations

CLAIM_CREATED = "claim.created"
CLAIM_SUBMITTED = "claim.submitted"
CLAIM_ACKNOWLEDGED = "claim.acknowledged"
CLAIM_ACCEPTED = "claim.accepted"
CLAIM_REJECTED = "claim.rejected"
CLAIM_UNKNOWN = "claim.unknown"
CLAIM_PAID = "claim.paid"
CLAIM_DENIED = "claim.denied"
CLAIM_VOIDED = "claim.voided"
CLAIM_BATCH_COMPLETED = "claim_batch.completed"
"""Every claim of a batch was looked through; its file is frozen, or there is none to send."""
CLAIM_STATUS_TOLD = "claim.status_told"
"""A payer said where a claim stands (277), and the claim stays where it is here."""
REMITTANCE_FILE_RECEIVED = "channel.remittance_received"
"""An 835 came through a channel. The object is the inbound file; `era.received` says what it is."""
