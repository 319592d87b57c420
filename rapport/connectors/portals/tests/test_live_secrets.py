"""Nothing secret and nobody's data in what is logged, printed or raised; and no browser but for a sign-in."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rapport.connectors.portals.sessions import Session, opened, resumed
from rapport.connectors.portals.tests.live import Stage, needs_chromium, now, waiting
from rapport.rooms.exchange.ports import Got, SignedIn, Submitted, Trouble

pytestmark = [needs_chromium, pytest.mark.long]


def browsers() -> int:
    """Return how many browser processes this process has, at any depth."""
    parents: dict[int, tuple[int, str]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (place / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        parents[int(place.name)] = (int(rest.split()[1]), name)

    def ours(pid: int) -> bool:
        while pid > 1 and pid in parents:
            if pid == os.getpid():
                return True
            pid = parents[pid][0]
        return False

    return sum("chrom" in name and ours(pid) for pid, (_, name) in parents.items())


class Counted:
    """The most browser processes that were there at once, looked at all the time."""

    def __enter__(self) -> Counted:
        self.most, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self.most = max(self.most, browsers())

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_a_browser_runs_for_a_sign_in_and_for_nothing_else(stage: Stage) -> None:
    with Counted() as signing_in:
        session = stage.sign_in("nick")
    with Counted() as reading:
        began = time.monotonic()
        first = stage.driver.who(stage.target(), session=session, now=now())
        took = time.monotonic() - began
        got = stage.read("patients.read", session)
    assert isinstance(first, SignedIn)
    assert isinstance(got, Got)
    assert signing_in.most > 0
    assert reading.most == 0
    assert took < 0.3
    assert browsers() == 0


def test_no_secret_and_no_value_is_in_what_anybody_could_read(
    stage: Stage, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[object] = []
    wrong = stage.driver.sign_in(stage.target("nick", password="wr0ng-pass-w0rd"), now=now())
    challenge = waiting(stage.driver.sign_in(stage.target("dana"), now=now()))
    code = stage.code("dana")
    dana = stage.driver.answer(stage.target("dana"), resume=challenge.resume, code=code, now=now())
    robin = stage.driver.sign_in(stage.target("robin"), now=now())
    assert isinstance(robin, SignedIn)
    got = stage.read("patients.read", robin.session)
    assert isinstance(got, Got)
    booked = stage.driver.submit(
        replace(stage.target("robin"), secrets={}), ability="appointments.create", session=got.session, now=now(),
        values={"patient": "7", "clinician": "2", "start_local": "2027-01-04T10:00:00", "duration_minutes": 50, "service_code": "90837"},
    )  # fmt: skip
    assert isinstance(booked, Submitted), booked
    stage.trouble({"fault": "drop_column", "value": "status", "on": "/patients", "times": 0})
    drifted = stage.read("patients.read", robin.session)
    assert isinstance(drifted, Trouble)
    said += [wrong, challenge, dana, robin, got, booked, drifted, stage.target("robin"), stage.target("dana")]

    base = stage.portal.ready["url"]
    users = stage.portal.ready["users"]
    secrets = {users[login]["password"] for login in ("nick", "dana", "robin")} | {"wr0ng-pass-w0rd", code, users["robin"]["totp_secret"]}
    kept: list[Session] = [opened(one, base_url=base) for one in (robin.session, got.session, booked.session)]
    kept.append(resumed(challenge.resume, base_url=base).session)
    secrets |= {cookie.value for one in kept for cookie in one.cookies}
    people = {str(row[name]) for row in stage.rows("patient")[:20] for name in ("last", "email", "phone", "birth_on", "member_id") if row[name]}
    shown = " ".join([*(repr(one) for one in said), *(repr(one) for one in kept), caplog.text, *capfd.readouterr()])
    shown += " ".join(str(vars(record)) for record in caplog.records)

    assert [secret for secret in secrets if secret in shown] == []
    assert [value for value in people if len(value) > 4 and value in shown] == []
    # The control: the same scan finds a secret where it may be, in the bytes that the room seals.
    assert any(secret in robin.session.decode() for secret in secrets)
    assert len(secrets) >= 8
    assert len(people) >= 20
