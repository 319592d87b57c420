"""The one task that the queue knows: run the job with this id. (Found by procrastinate by name.)"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.contrib.django import app

from .registry import TryAgain, execute, give_up_turn


class WhenAsked(BaseRetryStrategy):
    """Run again when the try said so, and not otherwise."""

    def get_retry_decision(self, *, exception: BaseException, job: Any) -> RetryDecision | None:
        """Return when to run again, or None."""
        if isinstance(exception, TryAgain):
            return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=exception.seconds))
        return None


@app.task(name="rapport.run_job", retry=WhenAsked(), pass_context=True)
def run_job(context: JobContext, *, practice_id: str, job_id: str) -> None:
    """Run a job once."""
    try:
        execute(practice_id=UUID(practice_id), job_id=UUID(job_id))
    except TryAgain:
        give_up_turn(context.job.id)
        raise
