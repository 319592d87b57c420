"""Let time pass for what waits: retries that are due later become due now."""

from __future__ import annotations

from django.db import connection

from tests.support.cast import House


def let_retries_come(house: House) -> None:
    """Make every waiting submission and job of a practice due."""
    with house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_submission SET retry_at = now() WHERE retry_at > now()")
        cursor.execute("UPDATE jobs_job SET scheduled_at = now() WHERE scheduled_at > now()")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()")
