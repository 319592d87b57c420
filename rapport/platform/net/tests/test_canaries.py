"""In a network of its own, with a listener on every forbidden address (S-053 to S-056)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rapport.platform.net.tests.stage import FORBIDDEN

ROOT = Path(__file__).resolve().parents[4]
NAMESPACES = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])


def _namespace() -> list[str]:
    if sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("network namespaces need Linux, unshare and ip")
    for command in NAMESPACES:
        probe = [*command, "ip", "link", "set", "lo", "up"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return command
    pytest.skip("network namespaces are not permitted here")


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    run = subprocess.run(
        [*_namespace(), sys.executable, "-m", "rapport.platform.net.tests.stage"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_a_naive_client_reaches_every_canary(played: dict[str, Any]) -> None:
    assert played["naive"] == sorted(FORBIDDEN)


def test_the_guarded_client_reaches_none(played: dict[str, Any]) -> None:
    acts = ("literals", "names", "rebinding", "redirect", "proxy")

    assert played["guarded"] == {act: [] for act in acts}


def test_each_address_is_refused_as_text_and_as_answer_of_a_lookup(played: dict[str, Any]) -> None:
    assert set(played["outcomes"]["literal"]) == {"UrlNotAllowed"}
    assert set(played["outcomes"]["resolved"]) == {"BlockedAddress"}


def test_a_public_name_is_called_until_it_turns_private(played: dict[str, Any]) -> None:
    assert played["outcomes"]["rebinding"] == ["200", "BlockedAddress", "BlockedAddress"]


def test_the_receiver_saw_its_own_name_and_no_redirect_was_followed(played: dict[str, Any]) -> None:
    assert played["outcomes"]["redirect"] == ["302"]
    assert played["outcomes"]["proxy"] == ["200"]
    assert played["seen"] == [
        "hooks.example.org/in", "hooks.example.org/moved", "hooks.example.org/in",
    ]  # fmt: skip
