"""How fast the portal was asked, by its own log."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rapport.connectors.portals import loader
from rapport.connectors.portals.tests.live import needs_chromium
from rapport.kernel.ids import new_uuid
from tests.connect.expected import KINDS
from tests.connect.stage import Linked, Stage, until

pytestmark = [needs_chromium, pytest.mark.long]
CLIENTS = 10
MINUTE = 60
JITTER = 1
"""Requests that may come this much closer together on the way than they left."""


def densest(stamps: list[float], seconds: float) -> int:
    """Return how many fell into the fullest stretch of so many seconds."""
    return max(sum(first <= one < first + seconds for one in stamps) for first in stamps)


def test_ten_callers_for_a_minute_are_told_when_to_come_back_and_the_portal_is_asked_no_faster_than_is_declared(
    stage: Stage, robin: Linked
) -> None:
    limits = loader.load("sandbox-portal").definition.limits
    stage.portal.order("DELETE", "request")
    ends = time.monotonic() + MINUTE

    def caller(number: int) -> list[tuple[int, str]]:
        http, told = stage.server.client(stage.house.admin.token), []
        kinds = sorted(KINDS)
        while time.monotonic() < ends:
            kind = kinds[(number + len(told)) % len(kinds)]
            answer = http.post(f"/v1/connections/{robin.id}/refresh", json={"what": [kind]}, headers={"Idempotency-Key": new_uuid().hex})
            told.append((answer.status_code, answer.headers.get("Retry-After", "")))
            time.sleep(0.2)
        return told

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [one for each in pool.map(caller, range(CLIENTS)) for one in each]

    stamps = [one["at"] for one in stage.portal.rows("request?login=robin")]
    assert len(stamps) > MINUTE, "the control: the portal was asked all the while"
    for seconds in (1, 5, 10, MINUTE):
        assert densest(stamps, seconds) <= limits.requests_per_second * seconds + limits.burst + JITTER, seconds
    assert {status for status, _ in answers} == {202, 429}
    assert all(int(after) > 0 for status, after in answers if status == 429)


def test_ten_clients_at_once_never_make_the_portal_be_asked_faster_than_is_declared(stage: Stage, robin: Linked) -> None:
    limits = loader.load("sandbox-portal").definition.limits
    stage.portal.order("DELETE", "request")
    known = {one["id"] for one in robin.listed("runs")}

    def client(number: int) -> list[tuple[int, str]]:
        http = stage.server.client(stage.house.admin.token)
        asked = []
        for kind in sorted(KINDS):
            answer = http.post(f"/v1/connections/{robin.id}/refresh", json={"what": [kind]}, headers={"Idempotency-Key": new_uuid().hex})
            asked.append((answer.status_code, answer.headers.get("Retry-After", "")))
        return asked

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [one for each in pool.map(client, range(CLIENTS)) for one in each]
    read = ("published", "quarantined", "refused")
    until(
        "every kind to be read again",
        lambda: {one["kind"] for one in robin.listed("runs") if one["id"] not in known and one["state"] in read} >= {*KINDS} - held(answers),
        seconds=90,
    )

    stamps = [one["at"] for one in stage.portal.rows("request?login=robin")]
    assert len(stamps) > limits.burst, "the control: there was enough to ask for"
    for seconds in (1, 5, 10):
        assert densest(stamps, seconds) <= limits.requests_per_second * seconds + limits.burst + JITTER, seconds
    assert {status for status, _ in answers} <= {202, 429}
    assert all(int(after) > 0 for status, after in answers if status == 429)


def held(answers: list[tuple[int, str]]) -> set[str]:
    """Return the kinds that every client was told to come back for."""
    kinds = sorted(KINDS)
    told = {kind: [answers[turn][0] for turn in range(place, len(answers), len(kinds))] for place, kind in enumerate(kinds)}
    return {kind for kind, each in told.items() if set(each) == {429}}


def test_the_control_a_burst_is_counted() -> None:
    assert densest([0.0, 0.1, 0.2, 5.0], 1) == 3
