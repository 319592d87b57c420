"""R-47: production does not start on settings under which an acknowledged write could be lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from rapport.config import safety
from rapport.platform.db import bootstrap, local

ROOT = Path(__file__).resolve().parents[2]


def test_a_cluster_that_may_forget_is_named_for_each_setting() -> None:
    # The test's own cluster is started without durability, for speed.
    found = [finding for finding in safety.database_findings() if finding.code == "not-durable"]

    assert len(found) == 3


@pytest.fixture
def durable(tmp_path: Path) -> local.LocalServer:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o001 == 0 and os.access(parent, os.W_OK) and "pytest" in parent.name:
            parent.chmod(0o755)
    return local.locate(tmp_path / "postgres")


def test_production_refuses_to_serve_and_says_why(durable: local.LocalServer, tmp_path: Path) -> None:
    local.start(durable)
    try:
        bootstrap.prepare_local(durable, database="rapport")
        with psycopg.connect(durable.url(local.APP, "rapport")) as app:
            row = app.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')").fetchone()
        assert row == ("on", "on"), "the control: a cluster as we start it is durable"
        done = subprocess.run(
            [sys.executable, "-m", "rapport", "serve"], cwd=ROOT, capture_output=True, text=True,
            timeout=60, check=False,
            env=os.environ | {"RAPPORT_MODE": "production", "RAPPORT_HOME": str(tmp_path),
                              "RAPPORT_LOCAL_WEBHOOKS": "", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    finally:
        local.stop(durable)

    assert done.returncode != 0
    assert "refusing to start in production mode" in done.stderr
    assert "no-tls" in done.stderr
    assert "not-durable" not in done.stderr
