"""Good-faith estimates: when due, what they say, that they stay as they were given, and who hears of a bill above them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rapport.rooms.coverage import jobs
from rapport.rooms.coverage.rules import estimates as rules
from rapport.rooms.coverage.states import EstimateStanding
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House


@pytest.fixture
def billing(willow: House) -> Billing:
    billing = Billing(willow)
    billing.things["patient"] = props.patient(willow, clinician_ids=[billing.things["clinician"]["id"]])
    return billing


def estimate(billing: Billing, quantity: int = 2, **fields: Any) -> Any:
    body = {
        "patient_id": billing.things["patient"]["id"], "starts_on": (timezone.now() - timedelta(days=60)).date().isoformat(),
        "services": [
            {"service_code": "90837", "clinician_id": billing.things["clinician"]["id"], "quantity": quantity}
        ],
    } | fields  # fmt: skip
    return billing.house.scheduler.post("/v1/good-faith-estimates", body)


def give(billing: Billing, made: Any) -> Any:
    path = f"/v1/good-faith-estimates/{made['id']}"
    answer = billing.house.scheduler.post(
        f"{path}/give", {"method": "paper"}, if_match=billing.house.scheduler.get(path)["ETag"]
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


def read(billing: Billing, made: Any) -> Any:
    return billing.house.scheduler.get(f"/v1/good-faith-estimates/{made['id']}").json()


def told(billing: Billing) -> list[str]:
    """Let the duty run twice, and return which events there are of estimates."""
    jobs.watch_estimates()
    jobs.watch_estimates()
    with billing.house.entered(), connection.cursor() as cursor:
        cursor.execute("SELECT type FROM outbox_outboxevent WHERE starts_with(type, 'estimate.') AND practice_id = %s ORDER BY id", [billing.house.id])
        return [row[0] for row in cursor.fetchall()]


def visit(billing: Billing, day: int) -> None:
    billing.visit(days_ago=day, patient=billing.things["patient"])


def test_it_is_made_of_the_rates_numbered_when_given_and_never_changes_then(billing: Billing) -> None:
    made = props.made(estimate(billing, 24, diagnosis_codes=["F41.1"]))
    assert (made["state"], made["number"], made["total"]["amount"]) == ("draft", None, 24 * 18000)
    assert billing.house.scheduler.get(
        f"/v1/good-faith-estimates/{made['id']}", accept="application/pdf"
    ).status_code == 409
    now = give(billing, made)
    assert (now["state"], now["number"]) == ("given", "GFE-000001")

    paper = billing.house.scheduler.get(f"/v1/good-faith-estimates/{made['id']}", accept="application/pdf")
    assert paper.content.startswith(b"%PDF")
    path = f"/v1/good-faith-estimates/{made['id']}"
    again = billing.house.scheduler.post(f"{path}/give", {}, if_match=billing.house.scheduler.get(path)["ETag"])
    assert (again.status_code, again.json()["code"]) == (409, "state-conflict")
    for statement in (
        "UPDATE coverage_estimate SET total_cents = 1", "UPDATE coverage_estimate SET state = 'draft'",
        "DELETE FROM coverage_estimate", "UPDATE coverage_estimateline SET quantity = 1, amount_cents = rate_cents",
    ):  # fmt: skip
        with pytest.raises(DatabaseError), billing.house.entered(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_later_one_takes_the_place_of_the_one_before(billing: Billing) -> None:
    first = give(billing, props.made(estimate(billing, 2)))
    second = give(billing, props.made(estimate(billing, 9)))
    assert (read(billing, first)["state"], second["number"]) == ("replaced", "GFE-000002")
    listed = billing.house.scheduler.get("/v1/good-faith-estimates?state=given").json()["data"]
    assert [one["id"] for one in listed] == [second["id"]]


def test_the_alarm_rings_at_four_hundred_dollars_above_it_and_the_warning_before(billing: Billing) -> None:
    """One visit of 180 dollars is estimated. The third is 360 above it: near. The fourth is 540 above: disputable."""
    made = give(billing, props.made(estimate(billing, 1)))
    for day in (20, 19):
        visit(billing, day)
    assert (read(billing, made)["charged"]["amount"], read(billing, made)["standing"]) == (36000, "within")
    assert told(billing) == ["estimate.given"]
    visit(billing, 18)
    assert read(billing, made)["standing"] == "near"
    assert told(billing) == ["estimate.given", "estimate.near"]
    visit(billing, 17)
    assert told(billing) == ["estimate.given", "estimate.near", "estimate.exceeded"]
    now = read(billing, made)
    assert now["standing"] == "exceeded"
    assert now["exceeded_at"]
    assert now["total"] == made["total"]


def test_what_a_payer_is_asked_for_is_no_charge_to_the_patient(billing: Billing) -> None:
    made = give(billing, props.made(estimate(billing, 1)))
    props.policy(billing.house, billing.things["patient"], billing.things["payer"])
    visit(billing, 10)
    assert read(billing, made)["charged"]["amount"] == 0


def test_what_cannot_be_estimated_is_refused(billing: Billing, aspen: House) -> None:
    assert estimate(billing, ends_on="2040-01-01").json()["errors"][0]["pointer"] == "/ends_on"
    stranger = props.patient(aspen)
    assert estimate(billing, patient_id=stranger["id"]).json()["code"] == "reference-not-found"
    nobody = [{"service_code": "90837", "clinician_id": "clin_x", "quantity": 1}]
    assert estimate(billing, services=nobody).json()["errors"][0]["pointer"] == "/services/0/clinician_id"


def test_the_day_by_which_it_is_due() -> None:
    monday = date(2026, 11, 2)
    assert rules.due_on(asked_on=monday, first_service_on=date(2026, 11, 4)) is None, "two business days ahead"
    assert rules.due_on(asked_on=monday, first_service_on=date(2026, 11, 5)) == date(2026, 11, 3)
    assert rules.due_on(asked_on=monday, first_service_on=date(2026, 11, 13)) == date(2026, 11, 3)
    assert rules.due_on(asked_on=monday, first_service_on=date(2026, 11, 16)) == date(2026, 11, 5)
    assert rules.due_on(asked_on=date(2026, 11, 6), first_service_on=None) == date(2026, 11, 11)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 40_000))
def test_disputable_is_never_missed_and_never_said_too_early(estimated: int, charged: int, warn: int) -> None:
    found = rules.standing(estimated_cents=estimated, charged_cents=charged, warn_cents=warn)
    assert (found is EstimateStanding.EXCEEDED) == (charged - estimated >= 40_000)
    if found is EstimateStanding.NEAR:
        assert charged - estimated >= max(warn, 1)
