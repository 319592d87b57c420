"""Events wait here, written in the same transaction as the change they report."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord, VersionedRecord


class OutboxEvent(PracticeRecord):
    """One fact that happened: ids, a type and names of changed fields. Never edited."""

    type = models.CharField(max_length=60)
    """`resource.past_tense`, e.g. `claim.submitted`."""
    object_type = models.CharField(max_length=30)
    """Kind of the object, as in the API."""
    object_id = models.UUIDField()
    """The object."""
    version = models.IntegerField()
    """The object's version with this change."""
    sequence = models.IntegerField()
    """1, 2, 3 … per object, without gaps: the order of delivery."""
    changed = ArrayField(models.CharField(max_length=60), default=list)
    """Names of the fields that changed; never their values."""
    request_id = models.UUIDField(null=True)
    """The request that caused it."""
    created_at = models.DateTimeField()
    transaction_id = models.BigIntegerField()
    """The transaction that wrote it, plus the shift of a restore. Readers only go as far as every older one has ended, so a
    cursor can never step over an event that commits late."""
    position = models.BigIntegerField()
    """From a sequence: order within a transaction."""
    fanned_out_at = models.DateTimeField(null=True)
    """When its deliveries were made; null: the relay has yet to look at it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "object_id", "sequence"], name="event_sequence"
            )
        ]
        indexes = [
            models.Index(fields=["practice", "transaction_id", "position"], name="event_order"),
            models.Index(
                fields=["position"],
                name="event_not_fanned_out",
                condition=models.Q(fanned_out_at=None),
            ),
        ]


class WebhookEndpoint(VersionedRecord):
    """An address outside that wants to be told."""

    url = models.CharField(max_length=2000)
    """https only, checked when made and again at every connection."""
    event_types = ArrayField(models.CharField(max_length=60), default=list)
    """Types it wants; empty: all."""
    description = models.CharField(max_length=200, blank=True)
    """In the owner's words."""
    signature = models.CharField(max_length=3, default="v1")
    """`v1` (HMAC-SHA256) or `v1a` (ed25519)."""
    secret_sealed = models.BinaryField()
    """The signing secret, sealed under the installation's key."""
    previous_secret_sealed = models.BinaryField(null=True)
    """The secret before the last rotation."""
    previous_secret_until = models.DateTimeField(null=True)
    """Until when both secrets sign."""
    public_key = models.CharField(max_length=60, blank=True)
    """`whpk_…` that receivers check v1a signatures with; empty for v1."""
    previous_public_key = models.CharField(max_length=60, blank=True)
    """The public key before the last rotation."""
    state = models.CharField(max_length=10, default="enabled")
    """`enabled`, `disabled`, or `deleted`: then its secrets are gone and only its past is left."""
    disabled_reason = models.CharField(max_length=40, blank=True)
    """`by_owner`, `gone` (it answered 410) or `failing`."""
    failing_since = models.DateTimeField(null=True)
    """First failure after the last success."""


class Delivery(PracticeRecord):
    """One event on its way to one endpoint."""

    endpoint = PracticeForeignKey(WebhookEndpoint)
    """Where to."""
    event = PracticeForeignKey(OutboxEvent)
    """What."""
    object_id = models.UUIDField()
    """Copied from the event: deliveries of one object go one after the other."""
    sequence = models.IntegerField()
    """Copied from the event."""
    state = models.CharField(max_length=10, default="pending")
    """`pending`, `succeeded` or `dead`."""
    attempts = models.IntegerField(default=0)
    """How often it was tried."""
    next_attempt_at = models.DateTimeField()
    """Not before this."""
    leased_until = models.DateTimeField(null=True)
    """A relay is on it until then."""
    fence = models.IntegerField(default=0)
    """Counts leases: a relay that slept through its lease cannot write its answer."""
    last_status = models.IntegerField(null=True)
    """HTTP status of the last try; null when there was no answer."""
    last_error = models.CharField(max_length=60, blank=True)
    """`timeout`, `blocked_address`, `redirect`, … ; never what the other side said."""
    last_attempt_at = models.DateTimeField(null=True)
    """When it was last tried."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "endpoint", "event"], name="delivery_once")
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="delivery_due",
                condition=models.Q(state="pending"),
            ),
            models.Index(
                fields=["practice", "endpoint", "object_id", "sequence"],
                name="delivery_head",
                condition=models.Q(state="pending"),
            ),
        ]
