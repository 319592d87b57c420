"""Answers that were given once and are given again for the same Idempotency-Key."""

from __future__ import annotations

from django.db import models

from rapport.platform.tenancy.models import PracticeRecord


class StoredAnswer(PracticeRecord):
    """The first answer to one key of one actor, written in the transaction of its work."""

    actor_id = models.UUIDField()
    """Keys belong to an actor: another one's equal key is another key."""
    key = models.CharField(max_length=128)
    """The Idempotency-Key header."""
    fingerprint = models.BinaryField()
    """SHA-256 of method, path and body: the same key with other input is refused."""
    status = models.IntegerField()
    """HTTP status of the first answer."""
    headers = models.JSONField(default=dict)
    """Headers of the first answer that depend on its content."""
    body_sealed = models.BinaryField()
    """The body, sealed: it can hold a person's data."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    """24 hours later; 30 days for claims and payments."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "actor_id", "key"], name="stored_answer_key"
            )
        ]
        indexes = [models.Index(fields=["expires_at"], name="stored_answer_expiry")]
