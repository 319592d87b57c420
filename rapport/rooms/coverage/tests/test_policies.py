"""Policies over HTTP: ranks, days, subscribers, and what shows on the patient."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from rapport.kernel.ids import new_uuid
from rapport.rooms.coverage import jobs, queries, services
from rapport.rooms.coverage.states import Rank
from tests.support import props
from tests.support.cast import House, public
from tests.support.props import uuid_of

SUBSCRIBER = {
    "name": {"first": "Luis", "last": "Rivera"},
    "birth_on": "1960-01-31",
    "sex": "male",
    "address": {
        "line1": "12 Alder Court",
        "city": "Portland",
        "state": "or",
        "postal_code": "97205",
    },
}


def shown(house: House, patient: dict[str, Any]) -> Any:
    return house.scheduler.get(f"/v1/patients/{patient['id']}").json()["primary_insurance"]


def test_the_primary_policy_of_today_shows_on_the_patient(willow: House) -> None:
    ana, plan = props.patient(willow), props.payer(willow)

    made = props.policy(willow, ana, plan, member_id=" w12 345-6789 ", copay={"amount": 2500})

    assert made["member_id"] == "W12345-6789"
    assert made["copay"] == {"amount": 2500, "currency": "USD"}
    assert shown(willow, ana) == {
        "policy_id": made["id"],
        "payer": {"id": plan["id"], "name": "Example Health Plan"},
        "member_id": "W12345-6789",
        "relationship": "self",
    }
    read = willow.scheduler.get(f"/v1/insurance-policies/{made['id']}")
    assert read.json() == made
    etag = read["ETag"]
    ended = willow.scheduler.patch(
        f"/v1/insurance-policies/{made['id']}", {"ends_on": "2026-01-31"}, if_match=etag
    )
    assert ended.status_code == 200
    assert shown(willow, ana) is None


def test_a_new_name_of_the_payer_shows_on_its_patients(willow: House) -> None:
    ana, plan = props.patient(willow), props.payer(willow)
    props.policy(willow, ana, plan)
    etag = willow.admin.get(f"/v1/payers/{plan['id']}")["ETag"]

    willow.admin.patch(f"/v1/payers/{plan['id']}", {"name": "Renamed Plan"}, if_match=etag)

    assert shown(willow, ana)["payer"]["name"] == "Renamed Plan"


def test_four_ranks_fit_on_one_day_and_no_rank_twice(willow: House) -> None:
    ana, plan = props.patient(willow), props.payer(willow)
    for rank in Rank:
        props.policy(willow, ana, plan, rank=rank.value, ends_on="2026-06-30")

    body = {"patient_id": ana["id"], "payer_id": plan["id"], "member_id": "X1", "rank": "primary"}
    again = willow.scheduler.post("/v1/insurance-policies", body | {"starts_on": "2026-06-30"})
    after = willow.scheduler.post("/v1/insurance-policies", body | {"starts_on": "2026-07-01"})

    assert (again.status_code, again.json()["code"]) == (409, "policy-overlap")
    assert after.status_code == 201
    with willow.entered() as scope:
        on = {
            "scope": scope,
            "patient_id": uuid_of("patient", ana),
        }
        found = queries.policy_for(on=date(2026, 7, 1), **on)
        assert found is not None
        assert found.member_id == "X1"
        assert [p.rank for p in queries.policies_on(on=date(2026, 6, 30), **on)] == list(Rank)
        assert queries.policy_for(on=date(2025, 12, 31), **on) is None


def test_of_two_people_who_add_a_primary_policy_at_once_one_is_told(willow: House) -> None:
    ana, plan = props.patient(willow), props.payer(willow)
    willow.scheduler.get("/v1/me")
    body = {"patient_id": ana["id"], "payer_id": plan["id"], "member_id": "X1"}
    gate, statuses = threading.Barrier(6), []

    def add() -> None:
        gate.wait()
        statuses.append(willow.scheduler.post("/v1/insurance-policies", body).status_code)
        connection.close()

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]


def test_the_subscriber_is_the_patient_or_complete(willow: House) -> None:
    ana, plan = props.patient(willow), props.payer(willow)
    body = {"patient_id": ana["id"], "payer_id": plan["id"], "member_id": "X1"}

    def pointers(**fields: Any) -> list[str]:
        answer = willow.scheduler.post("/v1/insurance-policies", body | fields)
        assert answer.status_code == 422, answer.content
        return [error["pointer"] for error in answer.json()["errors"]]

    assert pointers(relationship="child") == ["/subscriber"]
    assert pointers(relationship="self", subscriber=SUBSCRIBER) == ["/subscriber"]
    assert pointers(relationship="child", subscriber={"name": {"first": "L", "last": "R"}}) == [
        "/subscriber/birth_on", "/subscriber/sex", "/subscriber/address",
    ]  # fmt: skip
    assert pointers(member_id=" 1 ") == ["/member_id"]
    assert pointers(starts_on="2026-02-01", ends_on="2026-01-01") == ["/ends_on"]
    assert pointers(rank="fifth", copay={"amount": -5}) == ["/rank", "/copay/amount"]
    made = props.policy(willow, ana, plan, relationship="child", subscriber=SUBSCRIBER)
    assert made["subscriber"]["address"]["state"] == "OR"
    path = f"/v1/insurance-policies/{made['id']}"
    etag = willow.scheduler.get(path)["ETag"]
    assert willow.scheduler.patch(path, {"member_id": "X2"}).status_code == 428
    changed = willow.scheduler.patch(path, {"relationship": "self"}, if_match=etag)
    assert (changed.status_code, changed.json()["subscriber"]) == (200, None)
    assert willow.scheduler.patch(path, {"member_id": "X2"}, if_match=etag).status_code == 412


def test_ids_of_another_practice_are_as_unknown_as_ids_of_nobody(
    willow: House, aspen: House
) -> None:
    ana, plan = props.patient(willow), props.payer(willow)
    theirs, their_plan = props.patient(aspen), props.payer(aspen)
    body = {"patient_id": ana["id"], "payer_id": plan["id"], "member_id": "X1"}

    for name, foreign, kind in (
        ("patient_id", theirs["id"], "patient"),
        ("payer_id", their_plan["id"], "payer"),
    ):
        answers = [
            willow.scheduler.post("/v1/insurance-policies", body | {name: id})
            for id in (foreign, public(kind, new_uuid()), "nonsense")
        ]
        drop = ("instance", "request_id")
        bodies = [{k: v for k, v in a.json().items() if k not in drop} for a in answers]
        assert [a.status_code for a in answers] == [422, 422, 422]
        assert bodies[0] == bodies[1] == bodies[2]
        assert bodies[0]["code"] == "reference-not-found"
        assert bodies[0]["errors"][0]["pointer"] == f"/{name}"


def test_who_may_do_what(willow: House) -> None:
    ana, plan = props.patient(willow), props.payer(willow)
    policy = props.policy(willow, ana, plan)

    assert willow.auditor.get(f"/v1/insurance-policies/{policy['id']}").status_code == 403
    assert (
        willow.scheduler.post("/v1/payers", {"name": "x", "payer_id_code": "12"}).status_code == 403
    )
    assert willow.biller.get("/v1/payers").status_code == 200
    listed = willow.biller.get(
        f"/v1/insurance-policies?patient_id={ana['id']}&active_on=2026-03-01"
    )
    assert [p["id"] for p in listed.json()["data"]] == [policy["id"]]


def test_a_payer_is_put_by_its_external_id(willow: House) -> None:
    body = {
        "name": "Plan", "payer_id_code": "60054",
        "external_ids": [{"system": "urn:example:crm", "value": "7"}],
    }  # fmt: skip

    first = willow.admin.call("PUT", "/v1/payers/by-external-id", body)
    second = willow.admin.call("PUT", "/v1/payers/by-external-id", body | {"name": "Plan B"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert second.json()["name"] == "Plan B"
    taken = willow.admin.post("/v1/payers", body)
    assert (taken.status_code, taken.json()["code"]) == (409, "external-id-taken")
    assert (
        willow.admin.post(
            "/v1/payers", body | {"external_ids": [], "claim_filing_indicator": "QQ"}
        ).status_code
        == 422
    )


def test_as_days_pass_the_next_policy_comes_up(willow: House) -> None:
    ana, plan = props.patient(willow), props.payer(willow)
    today = datetime.now(UTC).date()
    soon = today + timedelta(days=30)
    props.policy(willow, ana, plan, member_id="OLD", ends_on=str(soon - timedelta(days=1)))
    props.policy(willow, ana, plan, member_id="NEW", starts_on=str(soon))
    assert shown(willow, ana)["member_id"] == "OLD"

    with willow.entered() as scope:
        later = datetime(soon.year, soon.month, soon.day, 20, tzinfo=UTC)
        assert services.roll_over(scope=scope, now=later) == 1

    assert shown(willow, ana)["member_id"] == "NEW"


def test_the_workers_duty_shows_the_policy_that_began(willow: House) -> None:
    ana, plan = props.patient(willow), props.payer(willow)
    today = datetime.now(UTC).date()
    props.policy(willow, ana, plan, member_id="OLD", ends_on=str(today - timedelta(days=2)))
    props.policy(willow, ana, plan, member_id="NEW", starts_on=str(today - timedelta(days=1)))
    with willow.entered() as scope:  # as it was left when nothing ran since
        patient = uuid_of("patient", ana)
        services.show_primary(
            scope=scope, patient_id=patient, now=datetime.now(UTC) - timedelta(days=4)
        )
    assert shown(willow, ana)["member_id"] == "OLD"

    jobs.roll_over()

    assert shown(willow, ana)["member_id"] == "NEW"


def test_a_rate_may_name_a_payer_of_this_practice_only(willow: House, aspen: House) -> None:
    code, plan, foreign = props.service_code(willow), props.payer(willow), props.payer(aspen)
    path = f"/v1/service-codes/{code['id']}/rates"
    etag = willow.admin.get(path)["ETag"]

    def put(payer_id: str) -> Any:
        rates = [{"payer_id": payer_id, "rate": {"amount": 1}, "starts_on": "2026-01-01"}]
        return willow.admin.call("PUT", path, {"rates": rates}, if_match=etag)

    refused = put(foreign["id"])
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (
        422,
        "/rates/0/payer_id",
    )
    assert put(plan["id"]).status_code == 200


@pytest.mark.parametrize("path", ["/v1/payers", "/v1/insurance-policies"])
def test_lists_of_another_practice_are_empty(willow: House, aspen: House, path: str) -> None:
    props.policy(willow, props.patient(willow), props.payer(willow))

    assert len(willow.admin.get(path).json()["data"]) == 1
    assert aspen.admin.get(path).json()["data"] == []
