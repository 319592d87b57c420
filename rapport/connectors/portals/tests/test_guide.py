"""Somebody who never saw the code follows DEFINITIONS.md against a portal that runs: each command in it, as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rapport.connectors.portals import loader
from rapport.connectors.portals.tests.live import needs_chromium
from tests.support.sandbox_portal import Portal

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
A_STEP = 150
"""Seconds. Four steps start a browser, which on a busy machine takes its time; one that hangs is named by its line."""

ROOT = loader.FOLDER.parents[3]
GUIDE = (loader.FOLDER.parent / "DEFINITIONS.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
BEFORE_THE_CHANGE = [line for block in BLOCKS[:-1] for line in block.splitlines()]
AFTER_IT = BLOCKS[-1].splitlines()


@dataclass
class Desk:
    """A folder in which somebody works, with a terminal."""

    home: Path
    portal: Portal
    printed: str = field(default="", init=False)

    def __post_init__(self) -> None:
        (self.home / "bin").mkdir(parents=True)
        shim = self.home / "bin" / "rapport"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -W ignore -m rapport "$@"\n')
        shim.chmod(0o755)
        secrets = self.home / "secrets.json"
        secrets.write_text(json.dumps({"password": self.portal.ready["users"]["nick"]["password"]}))
        secrets.chmod(0o600)

    def types(self, line: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a line as a shell does."""
        mine = {"PATH": f"{self.home / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(self.home)}
        portal = {"PORTAL": self.portal.ready["url"], "PRACTICE": "FERN", "WHO": "nick"}
        done = subprocess.run(["sh", "-c", line], cwd=self.home, env=mine | portal | more, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=A_STEP)
        self.printed += done.stdout + done.stderr
        return done

    def has(self, name: str) -> bytes:
        """Return a file of the folder."""
        return (self.home / name).read_bytes()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    here = tmp_path_factory.mktemp("author")
    running = Portal(here / "portal")
    try:
        yield Desk(here / "desk", running)
    finally:
        running.kill()


@needs_chromium
def test_a_stranger_adds_a_connector_by_following_the_guide(desk: Desk) -> None:
    for line in BEFORE_THE_CHANGE:
        done = desk.types(line)
        assert done.returncode == 0, (line, done.stdout[-2000:], done.stderr[-2000:])
    made = json.loads(desk.has("definitions/fern/definition.json"))
    assert made["level"] == "uncalibrated"
    assert made["session"]["carrier"]["cookies"] == ["fernbrook"]
    assert "A session is carried by: cookie fernbrook." in desk.printed
    assert {"patients", "clinicians"} <= made["calls"].keys()
    assert len(json.loads(desk.has("rows.json"))["patients"]) == 132
    assert json.loads(desk.has("calibration.json"))["calibrated"] == ["patients"]

    desk.portal.order("PUT", "trouble", [
        {"fault": "rename_label", "value": "status=Standing", "on": "/patients", "times": 0},
        {"fault": "date_format", "value": "%d/%m/%Y", "on": "/patients", "times": 0},
    ])  # fmt: skip
    recorded, diagnosed, patched = (desk.types(line) for line in AFTER_IT)
    assert recorded.returncode == 0, recorded.stderr
    assert diagnosed.returncode == 1, "something fell"
    shared = json.loads(desk.has("share.json"))
    assert shared["before"]["columns"] != shared["after"]["columns"]
    assert shared["tried"]["read"] is True, shared
    assert patched.returncode == 0, (patched.stdout, patched.stderr)
    assert desk.types(AFTER_IT[2].partition(" --calibration")[0]).returncode == 1, "the control: without the patch it does not read"

    people = [word for row in desk.portal.rows("patient") for word in (row["email"], row["phone"], f"{row['last']}, {row['first']}") if word]
    secret = desk.portal.ready["users"]["nick"]["password"]
    kept = b"".join(file.read_bytes() for file in desk.home.rglob("*") if file.is_file() and file.name != "secrets.json")
    assert len(people) > 200
    for word in (secret, *people):
        assert word.encode() not in kept
        assert word not in desk.printed


def test_the_guide_has_every_step_of_the_kit() -> None:
    from rapport.interfaces.cli.connect import STEPS

    typed = "\n".join(BLOCKS)
    assert [name for name, _, _ in STEPS if f"rapport connect {name} " not in typed] == []
