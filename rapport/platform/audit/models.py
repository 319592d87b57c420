"""The audit trail's tables. The application role can add rows and read them; nothing else."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from rapport.platform.tenancy.models import PracticeRecord


class AuditEvent(PracticeRecord):
    """
    One operation: who, what, on whom, from where, and whether it was allowed.

    Written in the transaction of the change, and before the answer of a read. Holds ids, codes
    and names of fields; never a value of a record. (ASTM E2147-18 §7; 45 CFR 164.312(b).)
    """

    occurred_at = models.DateTimeField()
    """The database's clock."""
    actor_type = models.CharField(max_length=10)
    """`user`, `api_key`, `system`, or `nobody` when the caller was not known."""
    actor_id = models.UUIDField(null=True)
    """The user's or the key's own id: a key never acts under a person's name."""
    roles = ArrayField(models.CharField(max_length=40), default=list)
    """Roles held at that moment."""
    session_id = models.UUIDField(null=True)
    """The session, when a person acted."""
    amr = ArrayField(models.CharField(max_length=20), default=list)
    """Ways of proof of that session."""
    action = models.CharField(max_length=60)
    """`patient.read`, `note.sign`, …"""
    outcome = models.CharField(max_length=5)
    """`allow`, `deny` or `error`."""
    reason = models.CharField(max_length=200, null=True)
    """Why it was denied, or the reason the person gave."""
    patient_ids = ArrayField(models.UUIDField(), default=list)
    """Patients whose records were touched."""
    target_type = models.CharField(max_length=30, null=True)
    """Kind of the object, as in the API."""
    target_id = models.UUIDField(null=True)
    """The object."""
    target_version = models.IntegerField(null=True)
    """Its version after the operation."""
    fields = ArrayField(models.CharField(max_length=60), default=list)
    """Fields or expansions that were asked for, where the caller chose them."""
    changed = ArrayField(models.CharField(max_length=60), default=list)
    """Names of the fields that changed."""
    count = models.IntegerField(default=0)
    """How many objects were returned."""
    ip = models.GenericIPAddressField(null=True)
    """Address of the caller, as seen by the server or its named trusted proxy."""
    user_agent = models.CharField(max_length=200, blank=True)
    """The caller's program, cut to 200 characters."""
    request_id = models.UUIDField(null=True)
    """The request that did it."""

    class Meta:
        indexes = [
            models.Index(fields=["practice", "occurred_at", "id"], name="audit_by_time"),
            models.Index(fields=["practice", "request_id"], name="audit_by_request"),
            GinIndex(fields=["patient_ids"], name="audit_by_patient"),
        ]


class AuditLink(PracticeRecord):
    """
    One link of a practice's chain: the event at position `seq`, and the hash of all before it.

    Links are made in batches, moments after the events, under one lock per practice; so reading
    costs no lock. (Decision record on the audit chain says what was measured.)
    """

    seq = models.BigIntegerField()
    """1, 2, 3 … without gaps, per practice."""
    event_id = models.UUIDField()
    """The event."""
    prev_hash = models.BinaryField()
    """Hash of the link before; 32 zero bytes for the first."""
    hash = models.BinaryField()
    """SHA-256 over prev_hash, seq and the event's canonical form (see `chain`)."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "seq"], name="audit_link_seq"),
            models.UniqueConstraint(fields=["practice", "event_id"], name="audit_link_event"),
        ]
