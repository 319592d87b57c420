"""Patients over HTTP, as the people of two practices see them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Permission, Role
from rapport.rooms.roster import examples
from tests.support.cast import Api, House, public
from tests.support.props import uuid_of


def add_patient(house: House, **fields: Any) -> dict[str, Any]:
    answer = house.scheduler.post("/v1/patients", examples.NEW_PATIENT | fields)
    assert answer.status_code == 201, answer.content
    return answer.json()


def clinician(house: House, name: str) -> dict[str, Any]:
    answer = house.admin.post(
        "/v1/clinicians", {"first_name": name, "last_name": "Chen", "npi": "1234567893"}
    )
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_new_patient_can_be_read_back_with_its_etag(willow: House) -> None:
    made = add_patient(willow)

    answer = willow.scheduler.get(f"/v1/patients/{made['id']}")

    assert answer.status_code == 200
    assert answer.json() == made
    assert answer["ETag"].startswith('"1-')
    assert made["phones"] == [{"use": "mobile", "number": "+15035550123"}]
    assert made["external_ids"] == [{"system": "urn:example:crm", "value": "4711"}]


def test_another_practice_cannot_tell_the_patient_exists(willow: House, aspen: House) -> None:
    made = add_patient(willow)

    foreign = aspen.admin.get(f"/v1/patients/{made['id']}")
    nobody = aspen.admin.get(f"/v1/patients/{public('patient', new_uuid())}")

    assert foreign.status_code == nobody.status_code == 404
    drop = ("instance", "request_id")
    assert {k: v for k, v in foreign.json().items() if k not in drop} == {
        k: v for k, v in nobody.json().items() if k not in drop
    }


def test_a_clinician_sees_their_own_patients_only(willow: House) -> None:
    chen, diaz = clinician(willow, "Maya"), clinician(willow, "Luz")
    hers = add_patient(willow, clinician_ids=[chen["id"]], external_ids=[])
    theirs = add_patient(willow, clinician_ids=[diaz["id"]], external_ids=[])
    from rapport.kernel.ids import parse_type_id

    maya = willow.person("maya", Role.CLINICIAN, clinician_id=parse_type_id("clinician", chen["id"]))

    assert [p["id"] for p in maya.get("/v1/patients").json()["data"]] == [hers["id"]]
    assert maya.get(f"/v1/patients/{theirs['id']}").status_code == 404


def test_a_stale_etag_changes_nothing_and_a_missing_one_is_asked_for(willow: House) -> None:
    made = add_patient(willow)
    etag = willow.scheduler.get(f"/v1/patients/{made['id']}")["ETag"]
    path = f"/v1/patients/{made['id']}"

    assert willow.scheduler.patch(path, {"email": "new@example.org"}).status_code == 428
    first = willow.scheduler.patch(path, {"email": "new@example.org"}, if_match=etag)
    second = willow.scheduler.patch(path, {"email": "late@example.org"}, if_match=etag)

    assert (first.status_code, second.status_code) == (200, 412)
    assert second["ETag"] == first["ETag"]
    assert willow.scheduler.get(path).json()["email"] == "new@example.org"


def test_every_fault_of_a_body_is_named_with_its_pointer(willow: House) -> None:
    answer = willow.scheduler.post(
        "/v1/patients",
        {"name": {"first": "A"}, "birth_on": "1990-13-01", "sex": "f", "is_staff": True},
    )

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/name/last", "/birth_on", "/sex", "/is_staff",
    }  # fmt: skip


def test_the_same_key_gives_the_same_patient_and_refuses_another_body(willow: House) -> None:
    key = new_uuid().hex
    body = examples.NEW_PATIENT | {"external_ids": []}

    first = willow.scheduler.post("/v1/patients", body, idempotency_key=key)
    again = willow.scheduler.post("/v1/patients", body, idempotency_key=key)
    other = willow.scheduler.post("/v1/patients", body | {"sex": "male"}, idempotency_key=key)

    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_a_walk_with_small_pages_meets_every_patient_once(willow: House) -> None:
    ids = {add_patient(willow, external_ids=[])["id"] for _ in range(7)}

    seen: list[str] = []
    url = "/v1/patients?limit=3"
    while True:
        page = willow.scheduler.get(url).json()
        seen += [patient["id"] for patient in page["data"]]
        if not page["has_more"]:
            break
        url = f"/v1/patients?limit=3&cursor={page['next_cursor']}"

    assert len(seen) == len(ids)
    assert set(seen) == ids


def test_a_cursor_is_worthless_to_anybody_else(willow: House, aspen: House) -> None:
    for _ in range(2):
        add_patient(willow, external_ids=[])
    cursor = willow.scheduler.get("/v1/patients?limit=1").json()["next_cursor"]

    for answer in (
        aspen.scheduler.get(f"/v1/patients?limit=1&cursor={cursor}"),
        willow.admin.get(f"/v1/patients?limit=1&cursor={cursor}"),
        willow.scheduler.get(f"/v1/patients?limit=1&cursor={cursor}&status=active"),
        willow.scheduler.get(f"/v1/patients?limit=1&cursor={cursor[:-4]}AAAA"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


def test_search_finds_by_the_start_of_any_name(willow: House) -> None:
    made = add_patient(willow)

    for body in ({"name": "riv an"}, {"name": "annie"}, {"birth_on": "1990-04-12"},
                 {"external_id": {"system": "urn:example:crm", "value": "4711"}}):  # fmt: skip
        found = willow.scheduler.post("/v1/patients/search", body).json()["data"]
        assert [patient["id"] for patient in found] == [made["id"]]
    assert willow.scheduler.post("/v1/patients/search", {"name": "%%"}).json()["data"] == []


def test_a_key_opens_what_its_scopes_and_its_owner_both_allow(willow: House) -> None:
    willow.scheduler.get("/v1/me")
    key = willow.key("scheduler", Permission.APPOINTMENTS_READ, Permission.NOTES_READ)

    answer = key.get("/v1/patients")

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")
    assert 'scope="patients:read"' in answer["WWW-Authenticate"]


def test_an_external_id_belongs_to_one_patient(willow: House, aspen: House) -> None:
    add_patient(willow)

    again = willow.scheduler.post("/v1/patients", examples.NEW_PATIENT)

    assert (again.status_code, again.json()["code"]) == (409, "external-id-taken")
    add_patient(aspen)


def test_a_patient_is_put_by_external_id_and_keeps_what_was_not_sent(willow: House, aspen: House) -> None:
    body = examples.NEW_PATIENT | {"external_ids": [{"system": "urn:example:crm", "value": "8"}]}

    first = willow.scheduler.call("PUT", "/v1/patients/by-external-id", body)
    spare = {name: body[name] for name in ("birth_on", "sex", "external_ids")}
    second = willow.scheduler.call(
        "PUT", "/v1/patients/by-external-id", spare | {"name": {"first": "Ana", "last": "Soto"}}
    )
    elsewhere = aspen.scheduler.call("PUT", "/v1/patients/by-external-id", body)

    assert (first.status_code, second.status_code, elsewhere.status_code) == (201, 200, 201)
    assert second.json()["id"] == first.json()["id"] != elsewhere.json()["id"]
    assert (second.json()["name"]["last"], second.json()["email"]) == ("Soto", "ana@example.org")
    assert second.json()["version"] == 2
    without = willow.scheduler.call("PUT", "/v1/patients/by-external-id", body | {"external_ids": []})
    assert (without.status_code, without.json()["errors"][0]["pointer"]) == (422, "/external_ids")


def test_a_patient_outside_the_caseload_is_not_put(willow: House) -> None:
    chen, diaz = clinician(willow, "Maya"), clinician(willow, "Luz")
    theirs = add_patient(willow, clinician_ids=[diaz["id"]])
    maya = willow.person("maya", Role.CLINICIAN, clinician_id=uuid_of("clinician", chen))

    answer = maya.call(
        "PUT", "/v1/patients/by-external-id",
        examples.NEW_PATIENT | {"name": {"first": "Eve", "last": "Other"}, "clinician_ids": [chen["id"]]},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["code"]) == (409, "external-id-taken")
    assert willow.scheduler.get(f"/v1/patients/{theirs['id']}").json() == theirs


@pytest.mark.parametrize(
    ("path", "new", "change"),
    [
        ("/v1/clinicians", examples.NEW_CLINICIAN, {"credentials": "PsyD"}),
        ("/v1/locations", examples.NEW_LOCATION, {"name": "Upstairs"}),
    ],
)
def test_clinicians_and_places_have_external_ids_too(
    willow: House, path: str, new: dict[str, Any], change: dict[str, Any]
) -> None:
    ids = {"external_ids": [{"system": "urn:example:hr", "value": "12"}]}
    made = willow.admin.post(path, new | ids)
    taken = willow.admin.post(path, new | ids)
    put = willow.admin.call("PUT", f"{path}/by-external-id", new | ids | change)
    at = f"{path}/{made.json()['id']}"

    assert (made.status_code, made.json()["external_ids"]) == (201, ids["external_ids"])
    assert (taken.status_code, taken.json()["code"]) == (409, "external-id-taken")
    assert (put.status_code, put.json()["id"]) == (200, made.json()["id"])
    assert change.items() <= willow.admin.get(at).json().items()
    freed = willow.admin.patch(at, {"external_ids": []}, if_match=put["ETag"])
    assert (freed.status_code, freed.json()["external_ids"]) == (200, [])
    again = willow.admin.call("PUT", f"{path}/by-external-id", new | ids)
    assert again.status_code == 201, "the control: the id is free, so this makes another one"


def test_of_many_puts_at_once_one_creates(willow: House) -> None:
    token, gate = willow.scheduler.token, threading.Barrier(6)
    body = examples.NEW_PATIENT | {"external_ids": [{"system": "urn:example:crm", "value": "9"}]}

    def put(_: int) -> int:
        try:
            gate.wait()
            return Api(token).call("PUT", "/v1/patients/by-external-id", body).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(put, range(6)))

    assert answers == [200] * 5 + [201]
    assert len(willow.scheduler.get("/v1/patients").json()["data"]) == 1


@pytest.mark.parametrize("born", ["0001-01-01", "1879-12-31", "2999-01-01", "9999-12-31"])
def test_a_day_of_birth_on_which_nobody_alive_was_born_is_refused(willow: House, born: str) -> None:
    made = add_patient(willow)
    etag = willow.scheduler.get(f"/v1/patients/{made['id']}")["ETag"]

    new = willow.scheduler.post("/v1/patients", examples.NEW_PATIENT | {"external_ids": [], "birth_on": born})
    change = willow.scheduler.patch(f"/v1/patients/{made['id']}", {"birth_on": born}, if_match=etag)

    for answer in (new, change):
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/birth_on")
    newborn = {"external_ids": [], "birth_on": datetime.now(ZoneInfo("America/Los_Angeles")).date().isoformat()}
    add_patient(willow, **newborn)
