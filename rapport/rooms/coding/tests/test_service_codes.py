"""Service codes and rates over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.rooms.coding import examples, queries
from tests.support.cast import House, public


def add_code(house: House, code: str = "90837", **fields: Any) -> dict[str, Any]:
    answer = house.admin.post(
        "/v1/service-codes", examples.NEW_SERVICE_CODE | {"code": code} | fields
    )
    assert answer.status_code == 201, answer.content
    return answer.json()


def clinician(house: House) -> str:
    body = {"first_name": "Maya", "last_name": "Chen", "npi": "1234567893"}
    return str(house.admin.post("/v1/clinicians", body).json()["id"])


def test_time_rules_come_with_a_known_code_unless_the_practice_says_otherwise(
    willow: House,
) -> None:
    made = add_code(willow, "90834", duration_minutes=45)
    own = add_code(willow, "90832", most_minutes=None, least_minutes=20)

    assert (made["least_minutes"], made["most_minutes"]) == (38, 52)
    assert (own["least_minutes"], own["most_minutes"]) == (20, None)
    read = willow.scheduler.get(f"/v1/service-codes/{made['id']}")
    assert read.json() == made
    assert read["ETag"].startswith('"1-')


def test_a_code_exists_once_in_a_practice_and_may_exist_in_another(
    willow: House, aspen: House
) -> None:
    add_code(willow)
    again = willow.admin.post("/v1/service-codes", examples.NEW_SERVICE_CODE)

    assert (again.status_code, again.json()["code"]) == (409, "service-code-taken")
    add_code(aspen)


def test_only_those_who_may_change_codes(willow: House) -> None:
    made = add_code(willow)
    path = f"/v1/service-codes/{made['id']}"
    etag = willow.scheduler.get(path)["ETag"]

    assert willow.scheduler.post("/v1/service-codes", examples.NEW_SERVICE_CODE).status_code == 403
    assert willow.scheduler.patch(path, {"label": "x"}, if_match=etag).status_code == 403
    assert willow.admin.patch(path, {"label": "x"}).status_code == 428
    changed = willow.admin.patch(path, {"label": "Hour", "rate": {"amount": 100}}, if_match=etag)
    assert changed.json()["rate"] == {"amount": 100, "currency": "USD"}
    assert willow.admin.patch(path, {"label": "late"}, if_match=etag).status_code == 412


def test_faults_name_their_fields(willow: House, aspen: House) -> None:
    def pointers(body: dict[str, Any]) -> set[str]:
        answer = willow.admin.post("/v1/service-codes", body)
        assert answer.status_code == 422, answer.content
        return {error["pointer"] for error in answer.json()["errors"]}

    assert pointers({"code": "9 0", "label": "", "rate": {"amount": -1}}) == {
        "/code",
        "/label",
        "/rate/amount",
    }
    assert pointers(examples.NEW_SERVICE_CODE | {"least_minutes": 50, "most_minutes": 10}) == {
        "/most_minutes"
    }
    assert pointers(examples.NEW_SERVICE_CODE | {"add_on": True}) == {"/parent_codes"}
    made = add_code(willow)
    etag = willow.admin.get(f"/v1/service-codes/{made['id']}")["ETag"]
    path = f"/v1/service-codes/{made['id']}/rates"
    rate = {"rate": {"amount": 1}}
    for rates, pointer in (
        ([rate], "/rates/0"),
        ([rate | {"clinician_id": clinician(aspen)}], "/rates/0/clinician_id"),
        ([rate | {"clinician_id": public("clinician", new_uuid())}], "/rates/0/clinician_id"),
        (
            [
                rate
                | {
                    "clinician_id": clinician(willow),
                    "starts_on": "2026-02-01",
                    "ends_on": "2026-01-01",
                }
            ],
            "/rates/0/ends_on",
        ),
    ):
        answer = willow.admin.call("PUT", path, {"rates": rates}, if_match=etag)
        assert answer.status_code == 422, answer.content
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_another_practice_does_not_see_the_code(willow: House, aspen: House) -> None:
    made = add_code(willow)

    assert aspen.admin.get(f"/v1/service-codes/{made['id']}").status_code == 404
    assert aspen.admin.get(f"/v1/service-codes/{made['id']}/rates").status_code == 404
    assert aspen.admin.get("/v1/service-codes").json()["data"] == []


def test_the_most_special_rate_of_the_day_is_charged(willow: House) -> None:
    made = add_code(willow)
    maya = clinician(willow)
    path = f"/v1/service-codes/{made['id']}"
    etag = willow.admin.get(path)["ETag"]
    rates = [{"clinician_id": maya, "rate": {"amount": 17000}, "starts_on": "2026-01-01", "ends_on": "2026-06-30"},
             {"clinician_id": maya, "rate": {"amount": 17500}, "starts_on": "2026-03-01"}]  # fmt: skip

    twice = [*rates, {"clinician_id": maya, "rate": {"amount": 1}, "starts_on": "2026-03-01"}]
    refused = willow.admin.call("PUT", f"{path}/rates", {"rates": twice}, if_match=etag)
    assert refused.status_code == 422, "neither of the two started later"
    assert [refused.json()["errors"][0][k] for k in ("pointer", "code")] == ["/rates/2", "overlaps"]

    answer = willow.admin.call("PUT", f"{path}/rates", {"rates": rates}, if_match=etag)

    assert answer.status_code == 200, answer.content
    assert answer.json()["version"] == 2
    assert len(answer.json()["rates"]) == 2
    code_id, maya_id = parse_type_id("service_code", made["id"]), parse_type_id("clinician", maya)
    assert code_id
    assert maya_id
    for day, clinician_id, cents, step in (
        (date(2026, 2, 1), maya_id, 17000, "clinician_code"),
        (date(2026, 3, 2), maya_id, 17500, "clinician_code"),
        (date(2025, 12, 31), maya_id, 18000, "code_default"),
        (date(2026, 3, 2), new_uuid(), 18000, "code_default"),
    ):
        with willow.entered() as scope:
            found = queries.rate_for(
                scope=scope,
                service_code_id=code_id,
                clinician_id=clinician_id,
                payer_id=None,
                on=day,
            )
        assert (found.rate_cents, found.step) == (cents, step)


def test_a_service_code_is_put_by_its_external_id(willow: House) -> None:
    body = examples.NEW_SERVICE_CODE | {
        "external_ids": [{"system": "urn:example:crm", "value": "7"}]
    }

    first = willow.admin.call("PUT", "/v1/service-codes/by-external-id", body)
    second = willow.admin.call("PUT", "/v1/service-codes/by-external-id", body | {"label": "Hour"})
    same = willow.admin.call("PUT", "/v1/service-codes/by-external-id", body | {"label": "Hour"})
    other = willow.admin.call("PUT", "/v1/service-codes/by-external-id", body | {"code": "90834"})

    assert [answer.status_code for answer in (first, second, same)] == [201, 200, 200]
    assert second.json() == first.json() | {
        "label": "Hour",
        "version": 2,
        "updated_at": second.json()["updated_at"],
    }
    assert same.json()["version"] == 2
    assert other.json()["errors"][0] == {"pointer": "/code", "code": "immutable-field"}
    taken = willow.admin.post("/v1/service-codes", body | {"code": "90834"})
    assert (taken.status_code, taken.json()["code"]) == (409, "external-id-taken")
    without = willow.admin.call(
        "PUT", "/v1/service-codes/by-external-id", body | {"external_ids": []}
    )
    assert without.status_code == 422
