"""
What a chain costs: rows a second on one hot practice, linked inline or in batches.

Starts a PostgreSQL of its own with fsync on. Run: `python bench/audit_chain.py [SECONDS]`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

CLIENTS = 8


def prepare() -> Path:
    home = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    home.chmod(0o755)
    os.environ.update(
        RAPPORT_MODE="test", RAPPORT_HOME=str(home),
        DJANGO_SETTINGS_MODULE="rapport.config.settings",
    )  # fmt: skip
    import django

    from rapport.platform.db import bootstrap, local, migrating

    server = local.locate(home / "postgres")
    local.start(server)
    bootstrap.prepare_local(server, database="rapport")
    django.setup()
    migrating.migrate()
    return home


def rate(work: Callable[[], None], seconds: float) -> float:
    """Return how often eight clients together finish the work in a second."""
    from django.db import connections

    counts, stop = [0] * CLIENTS, time.monotonic() + seconds

    def client(number: int) -> None:
        while time.monotonic() < stop:
            work()
            counts[number] += 1
        connections.close_all()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - started)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    home = prepare()
    from zoneinfo import ZoneInfo

    from django.utils import timezone

    from rapport.platform.access.scope import system_scope
    from rapport.platform.audit import chain, write
    from rapport.platform.db import local
    from rapport.platform.db.session import entered
    from rapport.platform.jobs.worker import chain_all
    from rapport.platform.tenancy.services import create_practice

    def practice():  # noqa: ANN202
        made = create_practice(name="Hot", time_zone="UTC", now=timezone.now())
        return system_scope(practice_id=made.id, actor_id=made.id, time_zone=ZoneInfo("UTC"))

    def plain(scope) -> Callable[[], None]:  # noqa: ANN001
        def work() -> None:
            with entered(scope):
                write.append(scope=scope, action="patient.read")

        return work

    def inline(scope) -> Callable[[], None]:  # noqa: ANN001
        def work() -> None:
            with entered(scope):
                write.append(scope=scope, action="patient.read")
                chain.chain_practice(scope)

        return work

    try:
        print(f"{CLIENTS} clients, one practice, fsync on, {seconds:g} s each")
        print(f"linked inline            {rate(inline(practice()), seconds):7.0f} rows/s")
        scope = practice()
        print(f"not linked yet           {rate(plain(scope), seconds):7.0f} rows/s")
        started = time.monotonic()
        linked = chain_all()
        print(f"linking what waits       {linked / (time.monotonic() - started):7.0f} rows/s")
        with entered(scope):
            started = time.monotonic()
            found = chain.verify(scope)
            print(f"verifying                {found.checked / (time.monotonic() - started):7.0f} rows/s")
        stop = threading.Event()

        def linker() -> None:
            while not stop.wait(3):
                chain_all()

        helper = threading.Thread(target=linker)
        helper.start()
        print(f"linked in batches        {rate(plain(practice()), seconds):7.0f} rows/s")
        stop.set()
        helper.join()
    finally:
        local.stop(local.locate(home / "postgres"), mode="immediate")
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
