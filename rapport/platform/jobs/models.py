"""Jobs as their practice sees them. The queue itself knows two ids of each and nothing more."""

from __future__ import annotations

from django.db import models

from rapport.platform.tenancy.models import PracticeRecord


class Job(PracticeRecord):
    """A piece of work after the request: what, on which objects, and what became of it."""

    type = models.CharField(max_length=60)
    """Name of the task, e.g. `claims.submit`."""
    state = models.CharField(max_length=10, default="queued")
    """`queued`, `running`, `succeeded`, or `failed`: a dead letter."""
    arguments = models.JSONField(default=dict)
    """Ids of objects and codes; never a person's data."""
    attempts = models.IntegerField(default=0)
    """Tries that began, also those whose process died."""
    error = models.CharField(max_length=80, blank=True)
    """Code of the last failure; never its text."""
    result = models.JSONField(null=True)
    """What the task gave back: ids and counts."""
    lock_name = models.CharField(max_length=120, blank=True)
    """Jobs of one lock run one after the other, in the order they were made."""
    once_name = models.CharField(max_length=120, blank=True)
    """Of jobs with the same name here, one waits at a time."""
    scheduled_at = models.DateTimeField(null=True)
    """Not before this."""
    request_id = models.UUIDField(null=True)
    """The request that asked for it."""
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    """When the last try began."""
    finished_at = models.DateTimeField(null=True)
    """When it succeeded or was given up."""

    class Meta:
        indexes = [
            models.Index(fields=["practice", "created_at", "id"], name="job_by_time"),
            models.Index(
                fields=["practice", "finished_at"],
                name="job_dead",
                condition=models.Q(state="failed"),
            ),
        ]
