"""One key, one effect, one owner (security S-077)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.db.local import locate
from rapport.rooms.roster import examples
from tests.support.cast import Api, House

BODY = examples.NEW_PATIENT | {"external_ids": []}


def count(house: House) -> int:
    return len(house.scheduler.get("/v1/patients?limit=100").json()["data"])


def denials(house: House) -> list[str]:
    rows = house.auditor.get("/v1/audit-events?outcome=deny&limit=100").json()["data"]
    return [row["reason"] for row in rows]


@pytest.fixture
def used(willow: House) -> str:
    """A key that has made one patient."""
    key = new_uuid().hex
    assert willow.scheduler.post("/v1/patients", BODY, idempotency_key=key).status_code == 201
    return key


def test_a_key_is_refused_for_another_body_path_or_method(willow: House, used: str) -> None:
    patient = willow.scheduler.get("/v1/patients").json()["data"][0]["id"]
    etag = willow.scheduler.get(f"/v1/patients/{patient}")["ETag"]

    for answer in (
        willow.scheduler.post("/v1/patients", BODY | {"sex": "male"}, idempotency_key=used),
        willow.scheduler.patch(
            f"/v1/patients/{patient}", BODY, idempotency_key=used, if_match=etag
        ),
        willow.scheduler.post("/v1/patients?x=1", BODY, idempotency_key=used),
    ):
        assert answer.status_code in (400, 422)
        assert answer.json()["code"] in ("idempotency-key-reused", "unknown-parameter")

    assert count(willow) == 1
    assert denials(willow).count("idempotency_conflict") == 2


def test_another_person_or_practice_with_the_same_key_does_their_own_work(
    willow: House, aspen: House, used: str
) -> None:
    colleague = willow.person("second", Role.SCHEDULER)

    theirs = colleague.post("/v1/patients", BODY, idempotency_key=used)
    foreign = aspen.scheduler.post("/v1/patients", BODY, idempotency_key=used)

    for answer in (theirs, foreign):
        assert answer.status_code == 201
        assert "Idempotent-Replayed" not in answer
    assert count(willow) == 2


def test_a_stored_answer_is_not_given_to_somebody_who_lost_the_right(
    willow: House, used: str
) -> None:
    member = willow.members["scheduler"]
    with willow.entered():
        type(member).objects.filter(id=member.id).update(roles=[Role.AUDITOR.value])

    answer = willow.scheduler.post("/v1/patients", BODY, idempotency_key=used)

    assert answer.status_code == 403
    assert "Rivera" not in answer.content.decode()


def test_after_its_time_a_key_is_new(willow: House, used: str) -> None:
    server = locate(settings.RAPPORT.home / "postgres")
    with psycopg.connect(server.url("postgres", "rapport")) as superuser:
        superuser.execute(
            "UPDATE api_storedanswer SET expires_at = now() - interval '1 second' WHERE key = %s",
            [used],
        )

    again = willow.scheduler.post("/v1/patients", BODY, idempotency_key=used)

    assert (again.status_code, "Idempotent-Replayed" in again) == (201, False)
    assert count(willow) == 2


@pytest.mark.parametrize(
    "key",
    ["k" * 300, "short", "abcdefghijklmnop\r\nX-Other: 1", "abcdefghijklmnop'; DROP TABLE x--"],
)
def test_a_malformed_key_is_refused_before_any_work(willow: House, key: str) -> None:
    answer = willow.scheduler.post("/v1/patients", BODY, idempotency_key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-malformed")
    assert count(willow) == 0


def test_twenty_clicks_at_once_make_one_patient(willow: House) -> None:
    key, token = new_uuid().hex, willow.scheduler.token
    gate = threading.Barrier(8)

    def click(_: int) -> tuple[int, Any]:
        try:
            api = Api(token)
            gate.wait()
            answer = api.post("/v1/patients", BODY, idempotency_key=key)
            if answer.status_code == 409:
                assert answer.json()["code"] == "idempotency-in-flight"
                assert answer["Retry-After"]
            return answer.status_code, answer.json().get("id")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(click, range(8)))

    assert {status for status, _ in answers} <= {201, 409}
    assert len({id for status, id in answers if status == 201}) == 1
    assert count(willow) == 1


def test_a_refusal_before_the_work_is_not_kept_and_one_after_it_is(willow: House) -> None:
    willow.scheduler.post("/v1/patients", examples.NEW_PATIENT)
    early, late = new_uuid().hex, new_uuid().hex

    faulty = willow.scheduler.post("/v1/patients", {"sex": "x"}, idempotency_key=early)
    mended = willow.scheduler.post("/v1/patients", BODY, idempotency_key=early)
    taken = willow.scheduler.post("/v1/patients", examples.NEW_PATIENT, idempotency_key=late)
    again = willow.scheduler.post("/v1/patients", examples.NEW_PATIENT, idempotency_key=late)

    assert (faulty.status_code, mended.status_code) == (422, 201)
    assert taken.status_code == again.status_code == 409
    assert again["Idempotent-Replayed"] == "true"


def test_a_key_of_a_program_is_its_own(willow: House, used: str) -> None:
    program = willow.key("scheduler", Permission.PATIENTS_WRITE, Permission.PATIENTS_READ)

    answer = program.post("/v1/patients", BODY, idempotency_key=used)

    assert (answer.status_code, "Idempotent-Replayed" in answer) == (201, False)
