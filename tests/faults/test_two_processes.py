"""Two web servers on one database: one slot, one key (R-01, R-49)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from rapport.kernel.ids import new_uuid
from rapport.rooms.roster import examples
from tests.faults import ROUNDS
from tests.support import props
from tests.support.cast import House
from tests.support.server import Server, servers

CALLERS, SLOTS, REPEATS = 24, 15, 50
PATIENT = examples.NEW_PATIENT | {"external_ids": []}


@pytest.fixture(scope="module")
def pair() -> Iterator[list[Server]]:
    with servers(2) as running:
        yield running


def at_once(number: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Make so many calls at the same instant."""
    gate, answers = threading.Barrier(number), [None] * number

    def run(place: int) -> None:
        gate.wait()
        answers[place] = call(place)  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answer for answer in answers if answer is not None]


def clients(pair: list[Server], house: House, number: int) -> list[httpx.Client]:
    """Return so many callers, of one server and the other in turn, connected already."""
    made = [pair[place % 2].client(house.scheduler.token) for place in range(number)]
    for client in made:
        client.get("/v1/me").raise_for_status()
    return made


def booked(house: House) -> list[Any]:
    return list(house.scheduler.get("/v1/appointments?limit=100&status=booked").json()["data"])


@pytest.mark.slow
def test_r01_one_slot_through_two_servers_is_booked_once(willow: House, pair: list[Server]) -> None:
    body = {
        "patient_id": props.patient(willow)["id"], "clinician_id": props.clinician(willow)["id"],
        "service_code": props.service_code(willow)["code"], "location_id": props.location(willow)["id"],
    }  # fmt: skip
    callers = clients(pair, willow, CALLERS)

    for slot in range(SLOTS * ROUNDS):
        wanted = body | {"start_at": f"2031-{slot // 28 % 12 + 1:02}-{slot % 28 + 1:02}T18:00:00Z"}
        answers = at_once(
            CALLERS,
            lambda place, wanted=wanted: callers[place].post(
                "/v1/appointments", json=wanted, headers={"Idempotency-Key": new_uuid().hex}
            ),
        )
        assert Counter(a.status_code for a in answers) == {201: 1, 409: CALLERS - 1}
        refused = [a.json() for a in answers if a.status_code == 409]
        assert {r["code"] for r in refused} == {"slot-taken"}
        assert all(len(r["alternatives"]) == 3 for r in refused)

    assert len(booked(willow)) == min(SLOTS * ROUNDS, 100)


def test_the_control_callers_who_want_different_slots_all_get_one(
    willow: House, pair: list[Server]
) -> None:
    body = {
        "patient_id": props.patient(willow)["id"], "clinician_id": props.clinician(willow)["id"],
        "service_code": props.service_code(willow)["code"], "location_id": props.location(willow)["id"],
    }  # fmt: skip
    callers = clients(pair, willow, CALLERS)
    answers = at_once(
        CALLERS,
        lambda place: callers[place].post(
            "/v1/appointments", json=body | {"start_at": f"2031-03-{place + 1:02}T18:00:00Z"},
            headers={"Idempotency-Key": new_uuid().hex},
        ),
    )  # fmt: skip
    assert Counter(a.status_code for a in answers) == {201: CALLERS}


@pytest.mark.slow
def test_r49_one_key_fifty_times_at_once_does_its_work_once(willow: House, pair: list[Server]) -> None:
    callers = clients(pair, willow, REPEATS)
    for _ in range(ROUNDS):
        before = len(willow.scheduler.get("/v1/patients?limit=100").json()["data"])
        head = {"Idempotency-Key": new_uuid().hex}

        answers = at_once(
            REPEATS, lambda place, head=head: callers[place].post("/v1/patients", json=PATIENT, headers=head)
        )
        again = callers[0].post("/v1/patients", json=PATIENT, headers=head)
        other = callers[1].post("/v1/patients", json=PATIENT | {"sex": "male"}, headers=head)

        made = [a for a in answers if a.status_code == 201]
        assert made
        assert len({a.json()["id"] for a in made}) == 1
        assert sum("Idempotent-Replayed" not in a.headers for a in made) == 1
        for busy in (a for a in answers if a.status_code != 201):
            assert (busy.status_code, busy.headers["Retry-After"]) == (409, "1"), busy.content
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
        assert again.json() == made[0].json()
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
        assert len(willow.scheduler.get("/v1/patients?limit=100").json()["data"]) == before + 1


def test_the_control_fifty_keys_do_fifty_works(willow: House, pair: list[Server]) -> None:
    callers = clients(pair, willow, REPEATS)
    answers = at_once(
        REPEATS,
        lambda place: callers[place].post(
            "/v1/patients", json=PATIENT, headers={"Idempotency-Key": new_uuid().hex}
        ),
    )
    assert len({a.json()["id"] for a in answers}) == REPEATS
