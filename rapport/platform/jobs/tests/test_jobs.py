"""Jobs: part of the transaction, run at least once, given up in the end, and never lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.platform.access.permissions import Permission
from rapport.platform.db.local import locate
from rapport.platform.jobs import worker
from rapport.platform.jobs.registry import DeferredOutsideTransaction, UnknownTask, defer
from tests.support import process
from tests.support.cast import House

from . import sample  # noqa: F401 - registers the tasks


def ask(house: House, name: str, **ids: Any) -> UUID:
    with house.entered() as scope:
        id = defer(name, scope, **ids)
    assert id is not None
    return id


def jobs(house: House, query: str = "") -> list[dict[str, Any]]:
    answer = house.admin.get(f"/v1/jobs?sort=created_at{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def let_time_pass(house: House) -> None:
    """Make every job of the practice due."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE queue_name = %s",
            [str(house.id)],
        )


def wait_for(what: Callable[[], Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.2)


def test_a_job_runs_in_its_practice_and_its_result_can_be_read(willow: House) -> None:
    thing = new_uuid()
    ask(willow, "sample.tell", thing_id=thing)
    assert [job["state"] for job in jobs(willow)] == ["queued"]

    worker.drain(willow.id)

    (job,) = jobs(willow)
    assert (job["state"], job["attempts"], job["result"]) == ("succeeded", 1, {"told": 1})
    assert len(willow.admin.get("/v1/events").json()["data"]) == 1
    assert willow.admin.get(f"/v1/jobs/{job['id']}").json() == job
    noted = willow.auditor.get("/v1/audit-events?action=job.run").json()["data"]
    assert [(row["actor"]["type"], row["outcome"]) for row in noted] == [("system", "allow")]


def test_a_job_of_a_rolled_back_change_never_was(willow: House) -> None:
    def change_that_fails() -> None:
        with willow.entered() as scope:
            defer("sample.tell", scope, thing_id=new_uuid())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_that_fails()

    assert worker.drain(willow.id) == 0
    assert jobs(willow) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = %s", [str(willow.id)]
        )
        assert cursor.fetchone()[0] == 0


def test_a_defect_in_asking_is_refused(willow: House) -> None:
    with pytest.raises(DeferredOutsideTransaction):
        defer("sample.tell", willow.scope, thing_id=new_uuid())
    with pytest.raises(UnknownTask), willow.entered() as scope:
        defer("sample.nothing", scope)


def test_a_poison_job_is_a_dead_letter_after_three_tries_and_can_be_run_again(
    willow: House,
) -> None:
    ask(willow, "sample.tell_then_fail", thing_id=new_uuid())
    for attempt in (1, 2, 3):
        worker.drain(willow.id)
        (job,) = jobs(willow)
        assert (job["attempts"], job["error"]) == (attempt, "conflict")
        assert worker.drain(willow.id) == 0
        let_time_pass(willow)

    assert worker.drain(willow.id) == 0
    (dead,) = jobs(willow, "&state=failed")
    assert willow.admin.get("/v1/events").json()["data"] == []
    again = willow.admin.post(f"/v1/jobs/{dead['id']}/retry")
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (
        202,
        "queued",
        0,
    )
    twice = willow.admin.post(f"/v1/jobs/{dead['id']}/retry")
    assert (twice.status_code, twice.json()["code"]) == (409, "state-conflict")
    assert worker.drain(willow.id) == 1


def test_a_task_that_knows_better_is_not_tried_again(willow: House) -> None:
    ask(willow, "sample.refuse")

    worker.drain(willow.id)

    (dead,) = jobs(willow, "&state=failed")
    assert (dead["attempts"], dead["error"]) == (1, "not-wanted")


def test_a_job_asked_for_by_a_failed_job_never_was(willow: House) -> None:
    ask(willow, "sample.chain", thing_id=new_uuid())

    worker.drain(willow.id)

    assert [job["type"] for job in jobs(willow)] == ["sample.chain"]


def test_one_of_a_kind_waits_at_a_time(willow: House, aspen: House) -> None:
    for house in (willow, aspen):
        with house.entered() as scope:
            first = defer("sample.tell", scope, queueing_lock="once", thing_id=new_uuid())
            second = defer("sample.tell", scope, queueing_lock="once", thing_id=new_uuid())
            assert first is not None
            assert second is None
        assert len(jobs(house)) == 1


def test_a_job_that_fails_goes_back_beside_one_like_it_that_waits(willow: House, tmp_path: Path) -> None:
    with willow.entered() as scope:
        defer("sample.ask_a_twin_and_fail", scope, queueing_lock="once", lock="one", thing_id=new_uuid())
    running = process.start("worker", "rapport.platform.jobs.tests.sample")
    try:
        # The second has the lock "one" too: it runs when the first has failed for good.
        wait_for(lambda: {"succeeded"} <= {job["state"] for job in jobs(willow)}, 60)
    finally:
        running.terminate()
        running.wait()
    worker.drain(willow.id)  # the event it told

    (failed, twin) = jobs(willow)
    assert (failed["type"], failed["error"]) == ("sample.ask_a_twin_and_fail", "conflict")
    assert (twin["type"], twin["state"]) == ("sample.tell", "succeeded")


def test_a_job_for_later_waits(willow: House) -> None:
    with willow.entered() as scope:
        defer("sample.tell", scope, schedule_in=timedelta(hours=1), thing_id=new_uuid())

    assert worker.drain(willow.id) == 0
    assert jobs(willow)[0]["scheduled_at"] is not None


def test_another_practice_cannot_see_or_run_a_job(willow: House, aspen: House) -> None:
    ask(willow, "sample.refuse")
    worker.drain(willow.id)
    (dead,) = jobs(willow)

    assert jobs(aspen) == []
    assert aspen.admin.get(f"/v1/jobs/{dead['id']}").status_code == 404
    assert aspen.admin.post(f"/v1/jobs/{dead['id']}/retry").status_code == 404
    assert willow.scheduler.get("/v1/jobs").status_code == 403
    willow.admin.get("/v1/me")
    assert willow.key("admin", Permission.EVENTS_READ).get("/v1/jobs").status_code == 403


def _heartbeat_long_ago() -> None:
    server = locate(settings.RAPPORT.home / "postgres")
    with psycopg.connect(server.url("postgres", "rapport")) as superuser:
        superuser.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"
        )


def test_a_job_whose_worker_was_killed_is_run_by_another(willow: House, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    ask(willow, "sample.mark", queueing_lock="once", file=str(marks), text="one", seconds=30)
    first = process.start("worker", "rapport.platform.jobs.tests.sample")
    try:
        wait_for(marks.exists, 20)
    finally:
        first.kill()
        first.wait()
    with willow.entered() as scope:
        from rapport.platform.jobs.models import Job

        job = Job.objects.visible_to(scope).get()
        # Another like it waits meanwhile: that does not keep the first from being put back.
        defer("sample.tell", scope, queueing_lock="once", schedule_in=timedelta(hours=1), thing_id=new_uuid())
        job.arguments["seconds"] = 0
        job.save(update_fields=["arguments"])
    _heartbeat_long_ago()
    assert worker.revive_stalled() >= 1
    second = process.start("worker", "rapport.platform.jobs.tests.sample")
    try:
        wait_for(lambda: "end one" in marks.read_text(), 20)
        wait_for(lambda: jobs(willow)[0]["state"] == "succeeded", 5)
        second.terminate()
        assert second.wait(15) == 0
    finally:
        second.kill()
        second.wait()
    assert marks.read_text() == "begin one\nbegin one\nend one\n"


def test_a_worker_told_to_stop_finishes_its_job(willow: House, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    ask(willow, "sample.mark", file=str(marks), text="one", seconds=2)
    running = process.start("worker", "rapport.platform.jobs.tests.sample")
    try:
        wait_for(marks.exists, 20)
        running.terminate()
        assert running.wait(20) == 0
    finally:
        running.kill()
        running.wait()

    assert marks.read_text() == "begin one\nend one\n"
    assert jobs(willow)[0]["state"] == "succeeded"


def test_a_worker_that_dies_after_the_work_leaves_one_effect(willow: House) -> None:
    ask(willow, "sample.tell", thing_id=new_uuid())
    dying = process.start(
        "worker", "rapport.platform.jobs.tests.sample", RAPPORT_CRASHPOINTS="job.after_work:1"
    )
    assert dying.wait(30) == -9
    _heartbeat_long_ago()
    worker.revive_stalled()

    worker.drain(willow.id)

    assert [job["state"] for job in jobs(willow)] == ["succeeded"]
    assert len(willow.admin.get("/v1/events").json()["data"]) == 1
    assert worker.drain(willow.id) == 0


def test_a_job_that_kills_its_worker_comes_to_an_end(willow: House) -> None:
    id = ask(willow, "sample.tell", thing_id=new_uuid())
    with willow.entered() as scope:
        from rapport.platform.jobs.models import Job

        Job.objects.visible_to(scope).filter(id=id).update(state="running", attempts=3)

    worker.drain(willow.id)

    (dead,) = jobs(willow)
    assert (dead["state"], dead["error"]) == ("failed", "worker_died")
    assert parse_type_id("job", dead["id"]) == id


def test_the_duties_of_a_worker_link_note_and_clear_away(willow: House) -> None:
    willow.scheduler.get("/v1/patients")
    for duty in worker.duties():
        duty.do()

    found = willow.auditor.get("/v1/audit/verify").json()
    assert (found["valid"], found["checkpoint"]) == (True, "match")
    assert found["checked"] >= 1
