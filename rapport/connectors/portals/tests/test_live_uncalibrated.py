"""A definition that knows a vendor's help pages only, fitted to a portal that it has never seen: the kit's own commands, and no code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals import loader
from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.tests.live import needs_chromium, now
from rapport.rooms.exchange.ports import Got, SignedIn, Target
from tests.support.sandbox_portal import Portal

pytestmark = [pytest.mark.long, needs_chromium]

NAME = "therapynotes"
LISTS = {"patients": "/patients", "clinicians": "/staff", "appointments": "/calendar", "notes": "/notes", "billing_items": "/billing/claims", "eras": "/billing/eras"}
NEVER = "from=2035-01-01&to=2035-01-02"
EMPTY = {"patients": "name=zzzz", "appointments": NEVER, "notes": NEVER, "billing_items": NEVER, "eras": NEVER}
BY_HAND = {
    "login.start": "/login", "login.prompts.password.fill.practice_code.anchor.labels": {"en": ["Organization ID"]},
    "login.prompts.password.press.labels": {"en": ["Enter"]}, "session.oracle.call.path": "/home",
    "session.oracle.true_when": {"status": [200], "has": {"id": "who"}}, "session.oracle.subject": {"element": {"id": "who"}},
    "calls.clinicians.empty": {"never": True},
}  # fmt: skip
"""What a person reads off the sign-in page and the one behind it, and that somebody always works there."""


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    running = Portal(tmp_path / "portal", patients=30)
    running.set(look="C")
    yield running
    running.kill()


def calibrate(portal: Portal, home: Path, *more: str) -> dict[str, Any]:
    """Run the step as a person does. :return: what it said"""
    (home / "secrets.json").write_text(json.dumps({"password": portal.ready["users"]["nick"]["password"]}))
    (home / "secrets.json").chmod(0o600)
    lists = [part for name, address in LISTS.items() for part in ("--page", f"{name}={address}")]
    lists += [part for name, query in EMPTY.items() for part in ("--empty", f"{name}={LISTS[name]}?{query}")]
    line = [
        sys.executable, "-W", "ignore", "-m", "rapport", "connect", "calibrate", "--definition", NAME, "--url", portal.ready["url"], "--user", "nick",
        "--identity", "practice_code=FERN", "--secrets", "secrets.json", "--out", "fitted.json", "--json", *lists, *more,
    ]  # fmt: skip
    done = subprocess.run(line, cwd=home, env=os.environ | {"PYTHONPATH": str(loader.FOLDER.parents[3])}, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return dict(json.loads(done.stdout)) | {"ended": done.returncode}


def test_it_is_fitted_to_a_look_that_it_has_never_seen_without_code(portal: Portal, tmp_path: Path) -> None:
    lost = calibrate(portal, tmp_path)
    assert lost["ended"] == 1
    assert lost["where"] == ["password.practice_code: no such control; expected textbox"], "it says which line a person has to write"

    (tmp_path / "by-hand.json").write_text(json.dumps({"set": BY_HAND}))
    told = calibrate(portal, tmp_path, "--calibration", "by-hand.json")
    assert (told["ended"], told["questions"], set(told["calibrated"])) == (0, {}, set(LISTS))

    fitted = json.loads((tmp_path / "fitted.json").read_text())
    target = Target(NAME, portal.ready["url"], {"practice_code": "FERN", "username": "nick"}, {"password": portal.ready["users"]["nick"]["password"]}, fitted)
    driver = PortalDriver(local=True)
    session = driver.sign_in(target, now=now())
    assert isinstance(session, SignedIn), session
    read = driver.read(target, ability="patients.read", given={}, session=session.session, baseline=None, now=now())
    assert isinstance(read, Got), read
    own = {str(one["id"]): one for one in portal.rows("patient")}
    assert {row.remote_id: (row.values["last_name"], row.values["first_name"], row.values["birth_on"], row.values["status"]) for row in read.rows} == {
        id: (one["last"], one["first"], one["birth_on"], one["status"].lower()) for id, one in own.items()
    }
    assert read.complete == "count"
