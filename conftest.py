"""
The stage: a real PostgreSQL, made for this run, and the cast.

Nothing is rolled back: each test founds its own practices, and the wall between practices keeps
tests apart. So what tests see is what users see: commits, triggers, constraints, listeners.
Where tests are spread over processes, each has a stage of its own, and the one that hands them out none.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

_home = Path(tempfile.mkdtemp(prefix="rapport-test-"))
_home.chmod(0o755)
os.environ.update(
    RAPPORT_MODE="test",
    RAPPORT_HOME=str(_home),
    RAPPORT_RATE_PER_ACTOR="1000000",
    RAPPORT_RATE_PER_PRACTICE="1000000",
    RAPPORT_LOCAL_WEBHOOKS="1",
    DJANGO_SETTINGS_MODULE="rapport.config.settings",
)
for _name in ("RAPPORT_DATABASE_URL", "RAPPORT_APP_DATABASE_URL", "RAPPORT_BASE_URL"):
    os.environ.pop(_name, None)


def _stage() -> None:
    import django

    if os.environ.get("RAPPORT_TEST_PROCESSES") and not os.environ.get("PYTEST_XDIST_WORKER"):
        django.setup()
        return
    from rapport.platform.db import bootstrap, local, migrating
    from rapport.platform.telemetry import logs

    server = local.locate(_home / "postgres")
    # Unit tests may lose the last second of a run that crashes; the fault suite may not.
    local.start(server, fsync="off", synchronous_commit="off", full_page_writes="off")

    def clear() -> None:
        local.stop(server, mode="immediate")
        shutil.rmtree(_home, ignore_errors=True)

    atexit.register(clear)
    bootstrap.prepare_local(server, database="rapport")
    django.setup()
    logs.configure()
    migrating.migrate()


_stage()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what waits for other programs, so that nothing is left to wait for; leave out what is too long for every run."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/"))
    if os.environ.get("RAPPORT_LONG"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if not item.get_closest_marker("long")]


from tests.support.cast import *  # noqa: E402, F403
