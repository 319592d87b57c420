"""
Tasks by name, and how a job of one is asked for and run.

A job is part of the transaction that asks for it: rolled back, it never was. It runs at least
once: a task must bear being run again. A task that only touches the database runs in one
transaction with the note that it succeeded, so its effect is kept exactly once.
"""

from __future__ import annotations

import inspect
import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone
from procrastinate.exceptions import AlreadyEnqueued

from rapport.kernel.problems import Problem
from rapport.platform.access.scope import Scope, Source, system_scope
from rapport.platform.audit import write as audit
from rapport.platform.db import sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.session import entered
from rapport.platform.telemetry import metrics

from .models import Job

logger = logging.getLogger(__name__)

Run = Callable[..., Any]

BACKOFF_SECONDS = (10, 60, 300, 1800, 7200)
"""Waits after the first, second … failure; the last one repeats. Shortened or lengthened by 20 %."""


class UnknownTask(LookupError):
    """A defect: nobody has registered a task of this name (is its module imported in `ready`?)."""


class DeferredOutsideTransaction(RuntimeError):
    """A defect: the job could be kept while the change that asks for it is rolled back."""


class GiveUp(Exception):
    """Raised by a task: to try again would not help. The job goes to the dead letters."""

    def __init__(self, code: str) -> None:
        """:param code: why, as a code; no person's data"""
        super().__init__(code)
        self.code = code


class TryAgain(Exception):
    """The try failed; the queue is to run the job again after a while."""

    def __init__(self, seconds: float) -> None:
        super().__init__("try again")
        self.seconds = seconds


class Dead(Exception):
    """The job was given up; it waits among the dead letters for a person."""


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of job."""

    name: str
    run: Run
    retries: int
    outside: bool
    takes: frozenset[str]


_tasks: dict[str, Task] = {}


def task(name: str, *, retries: int = 2, outside: bool = False) -> Callable[[Run], Run]:
    """
    Register a function as a task: `@task("claims.submit") def submit(*, practice_id, claim_id)`.

    The function is called with `practice_id`, the ids the job was made with (names that end in
    `_id` as UUIDs), and, if it names them, `scope` (the practice's system scope), `now` and
    `job_id`. It runs in a transaction of the practice. What it returns (a dict of ids and counts,
    or None) is kept as the job's result.

    :param retries: tries after the first; then the job is a dead letter
    :param outside: it speaks to another system: no transaction is open, it enters its own
    """

    def register(run: Run) -> Run:
        if name in _tasks and _tasks[name].run.__qualname__ != run.__qualname__:
            raise ValueError(f"two tasks are called {name}")
        takes = frozenset(inspect.signature(run).parameters)
        _tasks[name] = Task(name, run, retries, outside, takes)
        return run

    return register


Duty = tuple[str, float, Callable[[], Any]]
"""Name, seconds between runs, what to run."""

_duties: list[Duty] = []


def periodic(name: str, *, seconds: float) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """
    Let every worker run a function again and again, outside any transaction.

    Several workers run it side by side: it must be safe to run twice at once.
    """

    def register(run: Callable[[], Any]) -> Callable[[], Any]:
        if all(known != name for known, _, _ in _duties):
            _duties.append((name, seconds, run))
        return run

    return register


def room_duties() -> list[Duty]:
    """Return what the rooms asked workers to do again and again."""
    return list(_duties)


def find(name: str) -> Task:
    """Return a task. :raises UnknownTask: nobody has registered it"""
    try:
        return _tasks[name]
    except KeyError:
        raise UnknownTask(name) from None


def defer(
    name: str,
    scope: Scope,
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    schedule_in: timedelta | None = None,
    **ids: UUID | str | int | bool | None,
) -> UUID | None:
    """
    Ask for a job, in the present transaction: rolled back, it never was.

    :param lock: jobs of this practice with the same lock run one after the other
    :param queueing_lock: do nothing if such a job of this practice waits already
    :param schedule_in: not before this time from now
    :param ids: what the task is called with; ids and codes, no person's data
    :return: the job's id, or None when one with the same queueing lock waits already
    :raises UnknownTask: or DeferredOutsideTransaction: defects
    """
    find(name)
    if not connection.in_atomic_block:
        raise DeferredOutsideTransaction(name)
    now = timezone.now()
    job = Job(
        practice_id=scope.practice_id,
        type=name,
        arguments={
            key: str(value) if isinstance(value, UUID) else value for key, value in ids.items()
        },
        lock_name=lock or "",
        once_name=queueing_lock or "",
        scheduled_at=now + schedule_in if schedule_in else None,
        request_id=scope.source.request_id,
        created_at=now,
    )
    try:
        with transaction.atomic():
            job.save(force_insert=True)
            enqueue(job)
    except AlreadyEnqueued:
        return None
    return job.id


def enqueue(job: Job) -> None:
    """Hand a job to the queue. :raises AlreadyEnqueued: one with its `once_name` waits"""
    from .tasks import run_job

    practice = str(job.practice_id)
    run_job.configure(
        queue=practice,
        lock=f"{practice}:{job.lock_name}" if job.lock_name else None,
        queueing_lock=f"{practice}:{job.once_name}" if job.once_name else None,
        schedule_at=job.scheduled_at,
    ).defer(practice_id=practice, job_id=str(job.id))


def give_up_turn(*queue_ids: int | None) -> None:
    """
    Let jobs wait again beside others like them.

    While a job runs, another with its `queueing_lock` may begin to wait. Two that wait with one are refused by
    the queue: a job that could not be put back would be under way for good, and hold its `lock` from all others.
    """
    sql.run(
        "UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = ANY(%s) AND queueing_lock IS NOT NULL",
        ([id for id in queue_ids if id is not None],),
    )


_BEGIN = """
UPDATE jobs_job j SET state = 'running', attempts = j.attempts + 1, started_at = clock_timestamp()
FROM tenancy_practice p
WHERE j.practice_id = %s AND j.id = %s AND j.state IN ('queued', 'running') AND p.id = j.practice_id
RETURNING j.type, j.arguments, j.attempts, j.request_id, p.time_zone, p.livemode
"""


@dataclass(frozen=True, slots=True)
class _Try:
    """One try of a job that has begun."""

    job_id: UUID
    task: Task
    arguments: dict[str, Any]
    attempt: int
    scope: Scope


def execute(*, practice_id: UUID, job_id: UUID) -> None:
    """
    Run a job once, and note what became of it. Called by the worker, outside a transaction.

    :raises TryAgain: it failed and has tries left
    :raises Dead: it failed for good
    """
    attempt = _begin(practice_id, job_id)
    if attempt is None:
        return  # it succeeded before, and the queue did not hear of it
    if attempt.attempt > attempt.task.retries + 1:
        # Each try that began is counted, so a job that kills its worker comes to an end too.
        _fail(attempt, "worker_died", again=False)
    crashpoint(Crashpoint.JOB_BEFORE_WORK)
    try:
        if attempt.task.outside:
            result = _call(attempt)
            with entered(attempt.scope):
                _succeed(attempt, result)
        else:
            with entered(attempt.scope):
                _succeed(attempt, _call(attempt))
    except GiveUp as error:
        _fail(attempt, error.code, again=False)
    except Exception as error:
        logger.warning(
            "job failed",
            exc_info=True,
            extra={"job": attempt.task.name, "job_id": str(job_id), "attempt": attempt.attempt},
        )
        code = error.code if isinstance(error, Problem) else type(error).__name__
        _fail(attempt, code, again=attempt.attempt <= attempt.task.retries)
    crashpoint(Crashpoint.JOB_AFTER_WORK)


def _begin(practice_id: UUID, job_id: UUID) -> _Try | None:
    base = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
    with entered(base):
        row = sql.one(_BEGIN, (practice_id, job_id))
    if row is None:
        return None
    name, arguments, attempt, request_id, time_zone, livemode = row
    scope = Scope(
        practice_id=practice_id,
        actor_type="system",
        actor_id=practice_id,
        permissions=base.permissions,
        time_zone=ZoneInfo(time_zone),
        livemode=livemode,
        source=Source(request_id=request_id),
    )
    known = _tasks.get(name) or Task(name, _gone, 0, outside=False, takes=frozenset())
    return _Try(job_id, known, _read(arguments), attempt, scope)


def _gone() -> None:
    raise GiveUp("unknown_task")


def _read(arguments: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(arguments)
    return {
        key: UUID(value) if key.endswith("_id") and isinstance(value, str) else value
        for key, value in values.items()
    }


def _call(attempt: _Try) -> Any:
    offered = {
        "practice_id": attempt.scope.practice_id,
        "scope": attempt.scope,
        "now": timezone.now(),
        "job_id": attempt.job_id,
    }
    takes = attempt.task.takes
    given = {name: value for name, value in offered.items() if name in takes}
    arguments = attempt.arguments if takes else {}
    return attempt.task.run(**given, **arguments)


def _succeed(attempt: _Try, result: Any) -> None:
    """Note the success, in the present transaction."""
    scope = attempt.scope
    Job.objects.visible_to(scope).filter(id=attempt.job_id).update(
        state="succeeded", error="", finished_at=timezone.now(),
        result=result if isinstance(result, dict) else None,
    )  # fmt: skip
    scope.trail.reason = scope.trail.reason or attempt.task.name
    if scope.trail.target_type is None:
        scope.trail.target("job", attempt.job_id)
    audit.append_trail(scope=scope, action="job.run")
    metrics.count_job(attempt.task.name, "done")


def _fail(attempt: _Try, code: str, *, again: bool) -> None:
    """Note the failure, and tell the queue by raising TryAgain or Dead."""
    scope = attempt.scope
    scope.trail.clear()
    with entered(scope):
        Job.objects.visible_to(scope).filter(id=attempt.job_id).update(
            state="queued" if again else "failed",
            error=code[:80],
            finished_at=None if again else timezone.now(),
        )
        audit.append(
            scope=scope, action="job.run", outcome="error", reason=f"{attempt.task.name}: {code}",
            target_type="job", target_id=attempt.job_id,
        )  # fmt: skip
    metrics.count_job(attempt.task.name, "retry" if again else "dead")
    if not again:
        raise Dead
    wait = BACKOFF_SECONDS[min(attempt.attempt, len(BACKOFF_SECONDS)) - 1]
    raise TryAgain(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, no secret
