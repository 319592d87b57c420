"""What can be done to a job."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from rapport.kernel.problems import NotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope

from .models import Job
from .registry import enqueue


def retry_job(*, scope: Scope, job_id: UUID, now: datetime) -> Job:
    """
    Take a job from the dead letters and let it run again, with all its tries.

    :raises NotFound: no such job here
    :raises StateConflict: it is not a dead letter, or another one like it waits already
    """
    scope.require(Permission.JOBS_READ)
    job: Job | None = Job.objects.visible_to(scope).select_for_update().filter(id=job_id).first()
    if job is None:
        raise NotFound(_sought=[("job", job_id)])
    if job.state != "failed":
        raise StateConflict("Only a failed job can be run again.", current_state=job.state)
    job.state, job.attempts, job.error, job.finished_at = "queued", 0, "", None
    job.scheduled_at = None
    try:
        with transaction.atomic():
            job.save()
            enqueue(job)
    except AlreadyEnqueued as error:
        raise StateConflict("Another job like it waits already.", current_state="failed") from error
    scope.trail.target("job", job.id)
    return job
