"""An add-on code goes to a payer beside its parent, on the same claim and day, and never alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House


@pytest.fixture
def billing(willow: House) -> Billing:
    billing = Billing(willow)
    for code in ("90785", "99213", "90833"):
        props.service_code(willow, code, duration_minutes=20, rate={"amount": 2000})
    return billing


def seen(billing: Billing, code: str, *, hour: int, days_ago: int = 3, patient: Any = None) -> Any:
    """A visit of that code, with a signed note."""
    visit = billing.visit(hour=hour, days_ago=days_ago, patient=patient, code=code)
    billing.note(visit)
    return visit


def claim_of(billing: Billing, *visits: Any) -> Any:
    return props.made(billing.house.biller.post("/v1/claims", {"appointment_ids": [visit["id"] for visit in visits]}))


def faults(claim: Any) -> list[tuple[str, str, str]]:
    return [(one["code"], one["severity"], one["pointer"]) for one in claim["findings"]]


ALONE = ("add-on-without-parent", "error")


def test_an_add_on_beside_its_parent_is_ready_and_alone_it_is_blocked(billing: Billing) -> None:
    parent = seen(billing, "90837", hour=1)
    patient = billing.things["patient"]
    add_on = seen(billing, "90785", hour=2, patient=patient)
    alone = claim_of(billing, add_on)

    assert (alone["state"], faults(alone)) == ("draft", [(*ALONE, "/lines/0/service_code")])
    assert "90837" in alone["findings"][0]["message"]
    biller, path = billing.house.biller, f"/v1/claims/{alone['id']}"
    refused = biller.post(f"{path}/submit", {}, if_match=biller.get(path)["ETag"])
    assert refused.json()["code"] == "claim-not-clean"

    claim_of(billing, parent)
    assert biller.post(f"{path}/validate", {}).json()["state"] == "draft", "a payer looks at no other claim"
    voided = biller.post(f"{path}/void", {}, if_match=biller.get(path)["ETag"])
    assert voided.json()["state"] == "voided"
    other = seen(billing, "90837", hour=3, patient=patient)
    together = claim_of(billing, add_on, other)
    assert (together["state"], faults(together)) == ("validated", [])


def test_the_parent_is_of_the_same_day_and_one_that_the_practice_names(billing: Billing, willow: House) -> None:
    first = seen(billing, "90833", hour=1)
    patient = billing.things["patient"]
    visit = seen(billing, "99213", hour=2, days_ago=4, patient=patient)
    claim = claim_of(billing, visit, first)
    assert faults(claim) == [(*ALONE, "/lines/1/service_code")], "the visit was on another day"

    code = next(one for one in willow.admin.get("/v1/service-codes").json()["data"] if one["code"] == "90833")
    path = f"/v1/service-codes/{code['id']}"
    changed = willow.admin.patch(path, {"add_on": False, "parent_codes": []}, if_match=willow.admin.get(path)["ETag"])
    assert changed.status_code == 200, changed.content
    again = willow.biller.post(f"/v1/claims/{claim['id']}/validate", {}).json()
    assert (again["state"], faults(again)) == ("validated", []), "the practice's own word goes before the table"
