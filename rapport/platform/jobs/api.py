"""Jobs over HTTP: how they stand, and the dead letters."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec
from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import NotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer, Instant, Shape, instant, instant_or_none, path_id
from rapport.platform.db import sql

from . import services

router = RoomRouter(tag="Jobs")


class JobOut(Shape):
    """A piece of work after the request. Ids and codes only."""

    object: Literal["job"]
    id: str
    type: str
    state: Literal["queued", "running", "succeeded", "failed"]
    attempts: int
    error: str | None
    result: dict[str, Any] | None
    scheduled_at: Instant | None
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    request_id: str | None


EXAMPLE = {
    "object": "job",
    "id": "job_01h455vb4pex5vsknk084sn02q",
    "type": "claims.submit",
    "state": "failed",
    "attempts": 3,
    "error": "channel-unreachable",
    "result": None,
    "scheduled_at": None,
    "created_at": "2026-11-02T15:00:00.000Z",
    "started_at": "2026-11-02T15:06:10.000Z",
    "finished_at": "2026-11-02T15:06:12.000Z",
    "request_id": "req_01h455vb4pex5vsknk084sn02t",
}

COLUMNS = (
    "j.id, j.type, j.state, j.attempts, j.error, j.result, j.scheduled_at, j.created_at,"
    " j.started_at, j.finished_at, j.request_id"
)
"""What `job_out` reads, in its order."""


def job_out(row: tuple[Any, ...], scope: Scope) -> JobOut:
    """Return the shape of a job from a row of `COLUMNS`."""
    return JobOut(
        object="job",
        id=type_id("job", row[0]),
        type=row[1],
        state=row[2],
        attempts=row[3],
        error=row[4] or None,
        result=msgspec.json.decode(row[5]) if row[5] else None,
        scheduled_at=instant_or_none(row[6]),
        created_at=instant(row[7]),
        started_at=instant_or_none(row[8]),
        finished_at=instant_or_none(row[9]),
        request_id=type_id("request", row[10]) if row[10] else None,
    )


JOBS = ListSpec(
    route="jobs",
    columns=COLUMNS,
    source="jobs_job j",
    id_column="j.id",
    practice_column="j.practice_id",
    sorts={"created_at": Sort("j.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "state": Filter("j.state", "enum:queued|running|succeeded|failed", ("eq", "in", "ne")),
        "type": Filter("j.type", "text"),
    },
    build=job_out,
)


def _one(request: ScopedRequest, id: UUID) -> JobOut:
    row = sql.one(
        f"SELECT {COLUMNS} FROM jobs_job j WHERE j.practice_id = %s AND j.id = %s",  # noqa: S608
        (request.auth.practice_id, id),
    )
    if row is None:
        raise NotFound()
    request.auth.trail.target("job", id)
    return job_out(row, request.auth)


@router.get(
    "/jobs",
    summary="List jobs",
    needs=Permission.JOBS_READ,
    action="job.list",
    returns=(200, JobOut),
    list_spec=JOBS,
    example={
        "object": "list",
        "data": [EXAMPLE],
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    },
)
def list_jobs(request: ScopedRequest) -> Answer:
    """
    The practice's jobs, latest first. `state=failed` gives the dead letters.

    A failed job has used all its tries, and waits for a person to look and to call `retry`.
    """
    return JOBS.run(request, scope=request.auth)


@router.get(
    "/jobs/{job_id}",
    summary="Read a job",
    needs=Permission.JOBS_READ,
    action="job.read",
    returns=(200, JobOut),
    example=EXAMPLE,
)
def get_job(request: ScopedRequest, job_id: str) -> Answer:
    """One job. While it is queued or running, come back after the seconds in `Retry-After`."""
    job = _one(request, path_id("job", job_id))
    waits = job.state in ("queued", "running")
    return Answer(job, headers={"Retry-After": "2"} if waits else None)


@router.post(
    "/jobs/{job_id}/retry",
    summary="Run a failed job again",
    needs=Permission.JOBS_READ,
    action="job.retry",
    returns=(202, JobOut),
    problems=(StateConflict,),
    example=EXAMPLE | {"state": "queued", "attempts": 0, "error": None, "finished_at": None},
)
def retry_job(request: ScopedRequest, job_id: str) -> JobOut:
    """Take a job from the dead letters and run it again, with all its tries."""
    job = services.retry_job(scope=request.auth, job_id=path_id("job", job_id), now=timezone.now())
    return _one(request, job.id)
