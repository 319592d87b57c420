"""Tasks for tests: they leave marks in a file, or events in the log."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from rapport.kernel.problems import Conflict
from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.platform.jobs.registry import GiveUp, defer, task
from rapport.platform.outbox.emit import emit


@task("sample.tell")
def tell(*, scope: Scope, now: datetime, thing_id: UUID, **more: Any) -> dict[str, Any]:
    """Emit an event: an effect in the database."""
    emit(
        "patient.updated", scope=scope, object_type="patient", object_id=thing_id, version=1,
        now=now,
    )  # fmt: skip
    return {"told": 1}


@task("sample.tell_then_fail")
def tell_then_fail(*, scope: Scope, now: datetime, thing_id: UUID) -> None:
    """Emit an event and fail: the event must not stay."""
    tell(scope=scope, now=now, thing_id=thing_id)
    raise Conflict


@task("sample.mark", outside=True)
def mark(*, practice_id: UUID, file: str, text: str, seconds: float = 0) -> None:
    """Add a line to a file, after a while: an effect outside."""
    with Path(file).open("a") as marks:
        marks.write(f"begin {text}\n")
    time.sleep(seconds)
    with Path(file).open("a") as marks:
        marks.write(f"end {text}\n")


@task("sample.refuse")
def refuse(*, practice_id: UUID) -> None:
    """Never succeed, and know it."""
    raise GiveUp("not-wanted")


@task("sample.chain")
def chain(*, scope: Scope, thing_id: UUID) -> None:
    """Ask for another job, and fail: the other one must not stay."""
    defer("sample.tell", scope, thing_id=thing_id)
    raise Conflict


@task("sample.ask_a_twin_and_fail", outside=True, retries=1)
def ask_a_twin_and_fail(*, scope: Scope, thing_id: UUID) -> None:
    """Let another like this one begin to wait while this one runs, and fail."""
    with entered(scope):
        defer("sample.tell", scope, queueing_lock="once", lock="one", thing_id=thing_id)
    raise Conflict
