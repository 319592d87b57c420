"""What coverage does by itself as days go by, and what it asks of the outside. No call is made inside a transaction."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.db import sql
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs

from . import queries, services


@jobs.periodic("coverage.roll_over", seconds=1800)
def roll_over() -> None:
    """Where a policy begins or ends about now, show the one that is in force on the practice's day."""
    with transaction.atomic():
        practices = sql.rows("SELECT practice_id, time_zone FROM rapport_turning_practices()")
    for practice_id, zone in practices:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo(zone))
        with entered(scope):
            services.roll_over(scope=scope, now=timezone.now())


@jobs.task("coverage.ask_eligibility", retries=10, outside=True)
def ask_eligibility(*, scope: Scope, check_id: UUID) -> None:
    """Ask one payer about one policy, and write down what it says."""
    with entered(scope):
        asking = services.begin_asking(scope=scope, check_id=check_id, now=timezone.now())
    if asking is None:
        return
    answer = asking.send(scope)
    with entered(scope):
        services.record_answer(scope=scope, asking=asking, answer=answer, now=timezone.now())


@jobs.task("coverage.ask_by_file", retries=10)
def ask_by_file(*, scope: Scope) -> dict[str, int]:
    """Put what waits for it into files of questions; claims hands them over."""
    return {"files": services.make_files(scope=scope, now=timezone.now())}


@jobs.periodic("coverage.eligibility", seconds=60)
def look_after_eligibility() -> None:
    """Ask the payers of visits that are near, and take up checks that a dead worker left open."""
    with transaction.atomic():
        practices = sql.rows("SELECT practice_id, time_zone FROM rapport_asking_practices()")
    for practice_id, zone in practices:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo(zone))
        with entered(scope):
            now = timezone.now()
            for check in queries.due_checks(scope=scope, now=now):
                services.take_up(scope=scope, check=check)
            services.check_before_visits(scope=scope, now=now)
            services.give_up_what_is_lost(scope=scope, now=now)


@jobs.periodic("coverage.estimates", seconds=600)
def watch_estimates() -> None:
    """Tell of charges that leave a good-faith estimate."""
    with transaction.atomic():
        practices = sql.rows("SELECT practice_id, time_zone FROM rapport_estimating_practices()")
    for practice_id, zone in practices:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo(zone))
        with entered(scope):
            services.watch_estimates(scope=scope, now=timezone.now())
