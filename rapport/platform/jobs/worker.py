"""
The worker: runs jobs, relays events, links the audit chain, clears away what is old.

Any number of workers may run, on any number of machines; each duty is safe beside itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection, connections
from django.utils import timezone
from procrastinate.contrib.django import DjangoApp
from procrastinate.contrib.django import app as queue

from rapport.platform import memory
from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.audit import chain
from rapport.platform.db import sql
from rapport.platform.db.session import entered
from rapport.platform.outbox.relay import Relay

from .registry import Dead, TryAgain, execute, give_up_turn, room_duties

logger = logging.getLogger(__name__)

RELAY_THREADS = 4
HEARTBEAT_SECONDS = 5
STALLED_SECONDS = 30
"""A worker that was not heard of for so long is dead; its jobs are run by others."""
GRACE_SECONDS = 30
"""What a job under way has to finish when the worker is told to stop."""


def chain_all() -> int:
    """Link what waits, in every practice; return how many rows there were."""
    linked = 0
    for (practice_id,) in sql.rows("SELECT rapport_unchained_practices()"):
        with entered(_scope(practice_id)) as scope:
            linked += chain.chain_practice(scope)
    return linked


def checkpoint_all() -> None:
    """Note outside the database where each chain that has grown stands."""
    for (practice_id,) in sql.rows("SELECT rapport_chained_practices()"):
        with entered(_scope(practice_id)) as scope:
            chain.make_checkpoint(scope, now=timezone.now())


def revive_stalled() -> int:
    """Give the jobs of dead workers back to the queue; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT procrastinate_prune_stalled_workers_v1(%s)", [STALLED_SECONDS])
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL")
        left = [row[0] for row in cursor.fetchall()]
        give_up_turn(*left)
        cursor.execute(
            "SELECT procrastinate_retry_job_v2(j.id, now(), NULL, NULL, NULL) FROM procrastinate_jobs j"
            " WHERE j.id = ANY(%s) AND j.status = 'doing' AND j.worker_id IS NULL",
            [left],
        )
        return int(cursor.rowcount)


def purge() -> None:
    """Remove what has outlived its use: credentials, stored answers, old events and jobs."""
    sql.rows("SELECT rapport_purge()")


def _scope(practice_id: UUID) -> Scope:
    return system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))


@dataclass
class Duty:
    """Something to be done again and again."""

    name: str
    every_seconds: float
    do: Callable[[], object]
    due: float = field(default_factory=time.monotonic)


def duties() -> list[Duty]:
    """Return what a worker does beside jobs and events."""
    return [
        Duty("chain", 3, chain_all),
        Duty("checkpoint", 60, checkpoint_all),
        Duty("revive", 15, revive_stalled),
        Duty("purge", 3600, purge),
        *(Duty(name, seconds, run) for name, seconds, run in room_duties()),
    ]


def keep_house(stop: threading.Event) -> None:
    """Do every duty in its time until told to stop."""
    todo = duties()
    while not stop.is_set():
        for duty in todo:
            if duty.due > time.monotonic() or stop.is_set():
                continue
            try:
                duty.do()
            except Exception:
                logger.exception("duty failed", extra={"job": duty.name})
                connections.close_all()
            duty.due = time.monotonic() + duty.every_seconds
        stop.wait(0.5)
    connections.close_all()


async def _run_queue(concurrency: int, stop: threading.Event) -> None:
    """Run jobs until told to stop; then finish what is under way."""
    # An app of its own: the tasks keep their link to the first one, so a job that is asked for
    # inside a job is part of that job's transaction, on Django's connection.
    app = DjangoApp(connector=queue.connector.get_worker_connector())  # type: ignore[attr-defined]
    app.tasks = queue.tasks
    async with app.open_async():
        running = asyncio.create_task(
            app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                shutdown_graceful_timeout=GRACE_SECONDS,
                delete_jobs="successful",
            )
        )
        while not stop.is_set() and not running.done():
            await asyncio.sleep(0.2)
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled() and running.exception() is not None:
            raise RuntimeError("the queue stopped") from running.exception()


def run_worker(*, concurrency: int, stop_event: threading.Event) -> None:
    """
    Work until told to stop, then finish what is under way.

    :param concurrency: jobs at once
    """
    memory.settle()
    threads = [
        threading.Thread(target=Relay().run, args=(stop_event,), name=f"relay-{number}")
        for number in range(RELAY_THREADS)
    ]
    threads.append(threading.Thread(target=keep_house, args=(stop_event,), name="house"))
    for thread in threads:
        thread.start()
    logger.info("worker started", extra={"count": concurrency})
    while not stop_event.is_set():
        try:
            asyncio.run(_run_queue(concurrency, stop_event))
        except Exception:
            logger.exception("queue failed")
            stop_event.wait(2)
    for thread in threads:
        thread.join()
    logger.info("worker stopped")


def drain(practice_id: UUID, timeout: float = 30.0) -> int:
    """
    Do everything that is due now for one practice, in this thread; for tests and the demo.

    Jobs and deliveries that are due later stay. Return how many steps of work there were.

    :raises TimeoutError: there was still work when the time was over
    """
    deadline = time.monotonic() + timeout
    relay, steps = Relay(practice_id=practice_id), 0
    worker = _register()
    try:
        while _run_next(practice_id, worker) or relay.run_once():
            steps += 1
            if time.monotonic() > deadline:
                raise TimeoutError("there is still work to do")
    finally:
        sql.rows("SELECT procrastinate_unregister_worker_v1(%s)", (worker,))
    with entered(_scope(practice_id)) as scope:
        chain.chain_practice(scope)
    return steps


def _register() -> int:
    row = sql.one("SELECT worker_id FROM procrastinate_register_worker_v1()")
    assert row is not None
    return int(row[0])


def _run_next(practice_id: UUID, worker: int) -> bool:
    """Run the next job of a practice as the queue would; return whether there was one."""
    sql.rows("SELECT procrastinate_update_heartbeat_v1(%s)", (worker,))
    row = sql.one(
        "SELECT id, args::text FROM procrastinate_fetch_job_v2(%s::varchar[], %s)",
        ([str(practice_id)], worker),
    )
    if row is None or row[0] is None:
        return False
    queue_id, job_id = row[0], UUID(msgspec.json.decode(row[1])["job_id"])
    try:
        execute(practice_id=practice_id, job_id=job_id)
    except TryAgain as again:
        give_up_turn(queue_id)
        sql.rows(
            "SELECT procrastinate_retry_job_v2("
            "%s, clock_timestamp() + make_interval(secs => %s), NULL, NULL, NULL)",
            (queue_id, again.seconds),
        )
    except Dead:
        sql.rows("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", (queue_id,))
    else:
        sql.rows("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", (queue_id,))
    return True
