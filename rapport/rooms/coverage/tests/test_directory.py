"""How the practice and its clinicians stand with payers, and what a claim hears of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rapport.rooms.coverage.rules.directory import (
    Enrollment,
    Span,
    not_credentialed,
    not_enrolled,
)
from rapport.rooms.coverage.states import EnrollmentState, Transaction
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House

DAY = date(2026, 3, 2)


@pytest.fixture
def billing(willow: House) -> Billing:
    return Billing(willow)


def enroll(billing: Billing, transaction: str, state: str, **fields: Any) -> Any:
    path = f"/v1/payers/{billing.things['payer']['id']}/enrollments"
    return props.made(billing.house.biller.post(path, {"transaction": transaction, "state": state} | fields))


def findings(billing: Billing, claim: Any) -> list[tuple[str, str]]:
    answer = billing.house.biller.post(f"/v1/claims/{claim['id']}/validate", {})
    assert answer.status_code == 200, answer.content
    return [(one["code"], one["severity"]) for one in answer.json()["findings"]]


def test_an_enrolment_keeps_its_history_and_shows_on_the_payer(billing: Billing) -> None:
    first = enroll(billing, "835", "requested", note="Form sent.")
    second = enroll(billing, "835", "active", effective_on="2026-02-01")
    enroll(billing, "276", "none", needed=False)

    now = {one["transaction"]: (one["needed"], one["state"]) for one in second["transactions"]}
    assert now == {
        "837P": (False, "none"), "835": (True, "active"), "270": (False, "none"),
        "276": (False, "none"), "275": (False, "none"),
    }  # fmt: skip
    assert [(one["state"], one["note"]) for one in second["history"]] == [("active", None), ("requested", "Form sent.")]
    assert second["history"][1] == first["history"][0]
    payer = billing.house.biller.get(f"/v1/payers/{billing.things['payer']['id']}")
    assert payer.json()["enrollments"] == {"835": "active"}
    assert payer.json()["version"] == 4
    bad = billing.house.biller.post(
        f"/v1/payers/{billing.things['payer']['id']}/enrollments", {"transaction": "834", "state": "active"}
    )
    assert bad.status_code == 422


def test_a_claim_is_warned_until_its_transactions_are_enrolled(billing: Billing) -> None:
    claim = billing.claim()
    assert findings(billing, claim) == []
    enroll(billing, "837P", "requested")
    enroll(billing, "835", "none")
    assert findings(billing, claim) == [("not-enrolled-837p", "warning"), ("not-enrolled-835", "warning")]
    enroll(billing, "837P", "refused")
    assert findings(billing, claim) == [("not-enrolled-837p", "error"), ("not-enrolled-835", "warning")]
    enroll(billing, "837P", "active", effective_on=(timezone.now() + timedelta(days=9)).date().isoformat())
    enroll(billing, "835", "none", needed=False)
    assert findings(billing, claim) == [("not-enrolled-837p", "warning")]
    enroll(billing, "837P", "active", effective_on="2026-01-01")
    assert findings(billing, claim) == []


def test_a_paper_claim_needs_no_enrolment(billing: Billing) -> None:
    visit = billing.visit()
    billing.note(visit)
    enroll(billing, "837P", "refused")
    claim = props.made(
        billing.house.biller.post("/v1/claims", {"appointment_ids": [visit["id"]], "format": "cms1500"})
    )
    assert claim["findings"] == []


def span(billing: Billing, clinician: Any, begins: str, **fields: Any) -> Any:
    return billing.house.biller.post(
        "/v1/credential-spans",
        {"clinician_id": clinician["id"], "payer_id": billing.things["payer"]["id"], "starts_on": begins} | fields,
    )


def test_a_clinician_without_a_span_on_the_day_is_found_at_booking_and_on_the_claim(billing: Billing) -> None:
    """Maya bills Example Health Plan. Nobody's spans are kept, then Noor's, then Maya's own."""
    claim = billing.claim()
    assert findings(billing, claim) == []
    noor = props.clinician(billing.house, "Noor", npi="1245319599")
    assert span(billing, noor, "2026-01-01").status_code == 201
    assert findings(billing, claim) == [("clinician-not-credentialed", "warning")]
    visit = billing.house.scheduler.get(f"/v1/appointments/{claim['lines'][0]['appointment_id']}").json()
    assert [one["code"] for one in visit["warnings"]] == ["clinician-not-credentialed"]

    maya = billing.things["clinician"]
    made = props.made(span(billing, maya, "2030-01-01"))
    assert findings(billing, claim) == [("clinician-not-credentialed", "error")]
    biller, path = billing.house.biller, f"/v1/credential-spans/{made['id']}"
    changed = biller.patch(path, {"starts_on": "2026-01-01"}, if_match=biller.get(path)["ETag"])
    assert changed.status_code == 200, changed.content
    assert findings(billing, claim) == []
    visit = billing.house.scheduler.get(f"/v1/appointments/{claim['lines'][0]['appointment_id']}").json()
    assert visit["warnings"] == []


def test_two_spans_of_a_clinician_and_payer_share_no_day(billing: Billing) -> None:
    maya = billing.things["clinician"]
    assert span(billing, maya, "2026-01-01", ends_on="2026-06-30").status_code == 201
    overlapping = span(billing, maya, "2026-06-30")
    assert (overlapping.status_code, overlapping.json()["code"]) == (409, "credential-overlap")
    assert span(billing, maya, "2026-07-01", payer_number="P-1").status_code == 201
    assert span(billing, maya, "2027-02-02", ends_on="2027-02-01").status_code == 422
    listed = billing.house.biller.get(f"/v1/credential-spans?clinician_id={maya['id']}&active_on=2026-08-01")
    assert [one["payer_number"] for one in listed.json()["data"]] == ["P-1"]


@given(st.sampled_from(list(EnrollmentState)), st.booleans(), st.none() | st.dates())
def test_only_an_enrolment_that_holds_is_silent_where_one_is_needed(
    state: EnrollmentState, needed: bool, effective_on: date | None
) -> None:
    for transaction in Transaction:
        said = not_enrolled(Enrollment(transaction, needed, state, effective_on), on=DAY)
        holds = state is EnrollmentState.ACTIVE and (effective_on is None or effective_on <= DAY)
        assert (said is None) == (holds or not needed)


@given(st.lists(st.tuples(st.booleans(), st.integers(-9, 9), st.none() | st.integers(0, 9)), max_size=4), st.integers(-9, 9))
def test_a_day_is_covered_or_it_is_said(spans: list[tuple[bool, int, int | None]], offset: int) -> None:
    day = DAY + timedelta(days=offset)
    known = [
        Span(mine, DAY + timedelta(days=begins), None if length is None else DAY + timedelta(days=begins + length))
        for mine, begins, length in spans
    ]  # fmt: skip
    covered = any(one.mine and one.starts_on <= day and (one.ends_on or date.max) >= day for one in known)
    said = not_credentialed(known, days=[day])
    assert (said is None) == (covered or not known)
    assert said is None or said.serious == any(one.mine for one in known)
