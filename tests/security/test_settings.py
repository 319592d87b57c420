"""R-47: production does not start on settings under which an acknowledged write could be lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from rapport.config import safety
from rapport.platform.db import bootstrap, local
from tests.support.server import free_port

ROOT = Path(__file__).resolve().parents[2]
HOST = {"Host": "practice.example.org"}


def test_a_cluster_that_may_forget_is_named_for_each_setting() -> None:
    # The test's own cluster is started without durability, for speed.
    found = [finding for finding in safety.database_findings() if finding.code == "not-durable"]

    assert len(found) == 3


@pytest.fixture(scope="module")
def durable() -> Iterator[local.LocalServer]:
    """A cluster of its own, as we make it, at rest."""
    with tempfile.TemporaryDirectory(prefix="rapport-settings-") as folder:
        Path(folder).chmod(0o755)
        server = local.locate(Path(folder) / "postgres")
        with running(server):
            bootstrap.prepare_local(server, database="rapport")
        yield server


@contextmanager
def running(durable: local.LocalServer, **settings: str) -> Iterator[None]:
    """Run the cluster with these settings of PostgreSQL."""
    local.start(durable, **settings)
    try:
        yield
    finally:
        local.stop(durable)


def serve(home: Path, **environment: str) -> subprocess.Popen[str]:
    """Start the web server in production mode, all that is asked for in place but for `environment`."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "rapport", "serve"], cwd=ROOT, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=os.environ | {
            "RAPPORT_MODE": "production", "RAPPORT_HOME": str(home), "RAPPORT_LOCAL_WEBHOOKS": "",
            "RAPPORT_BASE_URL": "https://practice.example.org", "RAPPORT_TRUSTED_PROXIES": "127.0.0.1/32",
            "RAPPORT_PORT": str(free_port()), "RAPPORT_WORKERS": "1", "PYTHONPATH": str(ROOT),
        } | environment,
    )  # fmt: skip


def external(server: local.LocalServer, role: str) -> dict[str, str]:
    """Return the settings that name the cluster as somebody else's, with the application as this role."""
    return {
        "RAPPORT_DATABASE_URL": server.url(local.OWNER, "rapport"),
        "RAPPORT_APP_DATABASE_URL": server.url(role, "rapport"),
    }


def refusal(home: Path, **environment: str) -> str:
    """Return what production mode said when it did not start."""
    process = serve(home, **environment)
    try:
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode != 0, said
    assert "refusing to start in production mode" in said
    return said


def test_production_refuses_to_serve_and_says_why(durable: local.LocalServer, tmp_path: Path) -> None:
    with running(durable):
        with psycopg.connect(durable.url(local.APP, "rapport")) as app:
            row = app.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')").fetchone()
        assert row == ("on", "on"), "the control: a cluster as we start it is durable"
        naked = refusal(tmp_path, RAPPORT_BASE_URL="", RAPPORT_TRUSTED_PROXIES="", **external(durable, local.APP))
        superuser = refusal(tmp_path, **external(durable, "postgres"))

    assert "no-tls" in naked
    assert "no-base-url" in naked
    assert "unsafe-role" not in naked
    assert "not-durable" not in naked
    assert "unsafe-role" in superuser
    assert "no-tls" not in superuser


def test_production_refuses_a_database_that_may_forget(durable: local.LocalServer, tmp_path: Path) -> None:
    off = ("fsync", "synchronous_commit", "full_page_writes")
    with running(durable, **dict.fromkeys(off, "off")):
        said = refusal(tmp_path, **external(durable, local.APP))

    assert re.findall(r"^  ([a-z-]+): PostgreSQL has (\w+)=off", said, re.MULTILINE) == [
        ("not-durable", setting) for setting in off
    ]


def test_production_refuses_a_replica(durable: local.LocalServer, tmp_path: Path) -> None:
    signal = durable.home / "data" / "standby.signal"
    signal.touch()
    os.chown(signal, (owner := signal.parent.stat()).st_uid, owner.st_gid)
    try:
        with running(durable):
            said = refusal(tmp_path, **external(durable, local.APP))
    finally:
        signal.unlink()

    assert re.findall(r"^  ([a-z-]+):", said, re.MULTILINE) == ["replica"]


def test_the_control_with_safe_settings_production_does_serve(durable: local.LocalServer, tmp_path: Path) -> None:
    with running(durable):
        process = serve(tmp_path, RAPPORT_PORT=(port := str(free_port())), **external(durable, local.APP))
        try:
            end, status = time.monotonic() + 60, 0
            while status == 0 and process.poll() is None and time.monotonic() < end:
                with suppress(httpx.TransportError):
                    status = httpx.get(f"http://127.0.0.1:{port}/healthz", headers=HOST, trust_env=False).status_code
                time.sleep(0.1)
        finally:
            process.terminate()
            _, said = process.communicate(timeout=30)

    assert status == 200, said
