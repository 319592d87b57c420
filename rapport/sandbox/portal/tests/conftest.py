"""A portal that runs: one for each file of tests, made tidy before each test, or one of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rapport.sandbox.portal.tests.support import Portal


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    portal = Portal(tmp_path_factory.mktemp("portal"))
    yield portal
    portal.kill()


@pytest.fixture
def portal(running: Portal) -> Portal:
    for path in ("settings", "trouble", "session", "idp_session", "code", "request", "attempt", "audit"):
        running.order("DELETE", path)
    for row in running.rows("user"):
        given = running.ready["users"][row["login"]]
        first = {"wrong": 0, "locked_until": 0, "notice": "", "last_step": 0, "role": given["role"], "password": given["password"]}
        if first != {name: row[name] for name in first}:
            running.order("PATCH", f"user/{row['login']}", first)
    return running


@pytest.fixture
def own_portal(tmp_path: Path) -> Iterator[Portal]:
    portal = Portal(tmp_path / "portal")
    yield portal
    portal.kill()
