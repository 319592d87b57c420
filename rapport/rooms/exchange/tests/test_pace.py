"""How fast a portal is asked, and when it is not asked at all."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from rapport.rooms.exchange import services
from rapport.rooms.exchange.jobs.locks import LockTimeout, held
from rapport.rooms.exchange.jobs.pace import Governed
from rapport.rooms.exchange.models import Breaker, Pace
from rapport.rooms.exchange.services import pacing as governor
from tests.support.connected import Connected, at_once
from tests.support.portal import ScriptedPortal


def pace(connected: Connected) -> Pace:
    with connected.house.entered() as scope:
        found: Pace = Pace.objects.visible_to(scope).get(connection_id=connected.id)
        return found


def test_ten_at_once_never_ask_faster_than_the_definition_allows(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.limits |= {"requests_per_second": 10.0, "burst": 3}
    connected.link()
    stamps: list[float] = []

    def caller() -> None:
        governed = Governed(connected.house.scope, connected.id, keep=0)
        for _ in range(4):
            governed.before()
            stamps.append(time.monotonic())

    assert at_once(*[caller] * 10) == [None] * 10
    stamps.sort()
    assert len(stamps) == 40
    for first in range(len(stamps)):
        within = [at for at in stamps[first:] if at < stamps[first] + 1.0]
        assert len(within) <= 10 + 3 + 1, "rate and burst, and one for the clock"
    assert stamps[-1] - stamps[0] >= (40 - 3) / 10 - 0.5


def test_who_waits_for_an_answer_is_told_when_to_come_back(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    assert connected.admin.post(f"{connected.path}/refresh", {}).status_code == 202, "the control"
    with connected.house.entered() as scope:
        Pace.objects.visible_to(scope).filter(connection_id=connected.id).update(
            tokens=-50, rate=1.0, filled_at=timezone.now()
        )
    answer = connected.admin.post(f"{connected.path}/refresh", {})
    assert (answer.status_code, answer.json()["code"]) == (429, "portal-pace")
    assert 40 < int(answer["Retry-After"]) <= 52


def test_who_asks_for_what_waits_already_at_a_portal_at_its_pace_is_told_when_to_come_back(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    path = f"{connected.path}/refresh"
    assert connected.admin.post(path, {"what": ["patients"]}).status_code == 202
    assert connected.admin.post(path, {"what": ["patients"]}).status_code == 202, "it waits already, and will go at once"
    with connected.house.entered() as scope:
        Pace.objects.visible_to(scope).filter(connection_id=connected.id).update(
            tokens=1, rate=0.1, burst=6, filled_at=timezone.now()
        )
    told = connected.admin.post(path, {"what": ["patients"]})
    assert (told.status_code, told.json()["code"]) == (429, "portal-pace")
    assert 1 <= int(told["Retry-After"]) <= 60
    assert connected.admin.post(path, {"what": ["notes"]}).status_code == 202, "the control: what does not wait yet"


def test_who_came_first_has_the_lock_first_and_who_has_no_time_is_sent_away(connected: Connected) -> None:
    connected.link()
    came: list[int] = []

    def wait(place: int) -> None:
        time.sleep(place * 0.3)
        with held(connected.id, "turn", wait_seconds=60):
            came.append(place)
            time.sleep(0.05)

    def refused() -> None:
        with pytest.raises(LockTimeout), held(connected.id, "turn", wait_seconds=0.2):
            came.append(-1)

    with held(connected.id, "turn", wait_seconds=60):
        late = threading.Thread(target=at_once, args=[(lambda place=place: wait(place)) for place in range(4)])
        late.start()
        assert at_once(refused) == [None]
        time.sleep(1.8)
    late.join(30)
    assert came == [0, 1, 2, 3]


def test_a_sync_leaves_a_token_for_whoever_waits(connected: Connected, portal: ScriptedPortal) -> None:
    portal.limits |= {"requests_per_second": 1.0, "burst": 2}
    connected.link()
    now = timezone.now()
    with connected.house.entered() as scope:
        ask = {"scope": scope, "connection_id": connected.id, "now": now}
        assert services.take_token(**ask, keep=1.0) == 0
        assert services.take_token(**ask, keep=1.0) > 0, "a sync waits"
        assert services.take_token(**ask, keep=0.0) == 0, "who waits for an answer does not"


def test_the_rate_is_halved_when_the_portal_slows_and_comes_back(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.limits |= {"requests_per_second": 8.0}
    connected.link()
    now = timezone.now()
    note = {"connection_id": connected.id, "busy": False}
    with connected.house.entered() as scope:
        for second in range(5):
            governor.note_answer(scope=scope, seconds=0.1, now=now + timedelta(seconds=second), **note)
        for second in range(5, 12):
            governor.note_answer(scope=scope, seconds=0.6, now=now + timedelta(seconds=second), **note)
    assert pace(connected).rate <= 4.0
    with connected.house.entered() as scope:
        Pace.objects.visible_to(scope).filter(connection_id=connected.id).update(parallel=8)
        at_once, scheduled = governor.parallel_of(scope=scope, connection_id=connected.id)
        assert at_once <= 4, "and fewer at once"
        assert scheduled == at_once - 1 or at_once == 2, "one place is left to whoever waits"
    with connected.house.entered() as scope:
        for second in range(12, 70):
            governor.note_answer(scope=scope, seconds=0.1, now=now + timedelta(seconds=second), **note)
    assert pace(connected).rate == 8.0


def test_a_portal_that_asks_for_silence_gets_it(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("read:patients", {"trouble": "busy", "retry_after": 40})
    assert connected.sync("patients")["reason"] == "busy"
    refused = connected.admin.post(f"{connected.path}/refresh", {})
    assert refused.status_code == 429
    assert 30 < int(refused["Retry-After"]) <= 41


def test_requests_that_left_without_asking_are_charged(connected: Connected) -> None:
    connected.link()
    before = pace(connected).tokens
    Governed(connected.house.scope, connected.id, keep=0).settle(requests=7)
    assert pace(connected).tokens <= before - 6


def test_a_breaker_of_one_part_leaves_the_others_alone(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    finding = {"place": "notes.status", "seen": "no such column", "expected": "Status"}
    portal.script("read:notes", {"trouble": "drift_breaking", "findings": [finding]})
    assert connected.sync("notes")["reason"] == "drift_breaking"
    assert connected.read()["state"] == "degraded"
    before = len(portal.log("read:notes"))
    assert connected.sync("notes")["state"] == "refused"
    assert len(portal.log("read:notes")) == before, "it is not asked again"
    assert connected.sync("patients")["state"] == "published", "the control: another part works"
    parts = {one["name"]: one for one in connected.read("/capabilities")["data"]}
    assert (parts["notes.read"]["breaker"], parts["notes.read"]["works"]) == ("drift", False)
    assert (parts["patients.read"]["breaker"], parts["patients.read"]["works"]) == (None, True)
    report = connected.list("drift-reports")[0]
    assert report["findings"] == [finding | {"note": ""}]

    item = next(i for i in connected.list("attention") if i["matter"] == "drift_breaking")
    assert connected.admin.post(
        f"{connected.path}/attention/{item['id']}/resolve", {"outcome": "accepted"}
    ).status_code == 200  # fmt: skip
    assert connected.sync("notes")["state"] == "published"
    assert connected.read()["state"] == "healthy"


def test_a_newer_definition_closes_a_drift_breaker(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("read:notes", {"trouble": "drift_breaking"})
    connected.sync("notes")
    assert connected.sync("notes")["state"] == "refused"
    portal.limits["revision"] = 2
    assert connected.sync("notes")["state"] == "published"


def test_a_portal_that_is_down_is_probed_once_an_interval(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("read:patients", *[{"trouble": "portal_down"}] * 4)
    before = len(portal.log("read:patients"))
    for _ in range(6):
        connected.sync("patients")
    assert len(portal.log("read:patients")) == before + 3, "three times, then the breaker is open"
    assert connected.read()["state"] == "degraded"

    def interval_ends() -> None:
        with connected.house.entered() as scope:
            Breaker.objects.visible_to(scope).filter(kind="transport").update(probe_at=timezone.now())

    interval_ends()
    from rapport.rooms.exchange.jobs.syncing import sync

    scope = connected.house.scope
    at_once(
        *(
            (lambda kind=kind: sync(scope=scope, connection_id=connected.id, kind=kind, near=False))
            for kind in ("patients", "patients", "patients", "patients")
        )
    )  # fmt: skip
    assert len(portal.log("read:patients")) == before + 4, "one probe, of four that wanted"
    interval_ends()
    assert connected.sync("patients")["state"] == "published"
    assert connected.read()["state"] == "healthy"
    assert len(portal.log("sign_in")) == 1
