"""Tables of documents."""

from __future__ import annotations

from django.db import models

from rapport.platform.tenancy.models import PracticeForeignKey, PracticeRecord


class Document(PracticeRecord):
    """A file as it was stored. Neither the row nor the file ever changes."""

    patient = PracticeForeignKey("roster.Patient", null=True)
    """Whom it is about; none for files of the practice itself."""
    kind = models.CharField(max_length=30)
    """What it is: `clinical_note`, `addendum`, `cms1500`, `era_file` …"""
    file_name = models.CharField(max_length=80)
    """Made by us from kind and id; it says nothing of anybody."""
    blob_key = models.CharField(max_length=64)
    """Its name in the store of files."""
    sha256 = models.CharField(max_length=64)
    """Hex digest of the file; checked at every reading."""
    size = models.BigIntegerField()
    """Bytes."""
    content_type = models.CharField(max_length=60)
    """Media type; one of a few."""
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["practice", "patient", "-created_at"], name="document_by_patient"),
            models.Index(fields=["blob_key"], name="document_by_blob"),
        ]


class DocumentLink(PracticeRecord):
    """
    A way to one document, for whoever holds it, for five minutes at most.

    The token is not kept, only its keyed digest: a copy of this table opens nothing.
    """

    document = PracticeForeignKey(Document)
    """What it opens."""
    digest = models.BinaryField()
    """HMAC-SHA256 of the token."""
    sha256 = models.CharField(max_length=64)
    """Digest of the file it was made for."""
    actor_type = models.CharField(max_length=10)
    """Who made it: `user`, `api_key` or `system`."""
    actor_id = models.UUIDField()
    """Their id. A request that proves to be somebody else's is refused."""
    user_id = models.UUIDField(null=True)
    """The person behind the actor; when they lose their membership the link dies."""
    single_use = models.BooleanField(default=False)
    """Whether it opens once only."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    """Judged by the database's clock."""
    used_at = models.DateTimeField(null=True)
    """When it was used last."""
    revoked_at = models.DateTimeField(null=True)
    """When it was withdrawn."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "digest"], name="document_link_once")
        ]
        indexes = [models.Index(fields=["digest"], name="document_link_by_digest")]


class OrphanBlob(models.Model):
    """
    A file that no row referred to when the sweeper last looked; it may be of a running transaction.

    The one table here without a practice: it holds names of files and nothing else.
    """

    key = models.CharField(max_length=64, primary_key=True)
    """Its name in the store of files."""
    seen_at = models.DateTimeField()
    """When it was first seen without a row."""

    def __str__(self) -> str:
        return f"OrphanBlob {self.key}"
