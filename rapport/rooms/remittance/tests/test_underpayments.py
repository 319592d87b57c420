"""What payers allow below their contracts: found when it is posted, worked on, gone with its decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support import eras, props
from tests.support.cast import House
from tests.support.remitting import Remitting


def contract(remitting: Remitting, cents: int = 15000, **more: Any) -> None:
    """Say what the payer's contract allows for 90837."""
    path = f"/v1/payers/{remitting.billing.things['payer']['id']}/contract-rates"
    rate = {"service_code": "90837", "rate": {"amount": cents}, "starts_on": "2026-01-01"} | more
    etag = remitting.house.biller.get(path)["ETag"]
    answer = remitting.house.biller.call("PUT", path, {"rates": [rate]}, if_match=etag)
    assert answer.status_code == 200, answer.content


def below(remitting: Remitting, state: str = "open") -> list[Any]:
    return remitting.house.biller.get(f"/v1/underpayments?state={state}").json()["data"]


def settle(remitting: Remitting, item: Any, **body: Any) -> Any:
    return remitting.house.biller.post(f"/v1/underpayments/{item['id']}/settle", body)


def test_a_payer_that_allows_less_than_its_contract_is_found_when_it_is_posted(remitting: Remitting) -> None:
    claim = remitting.claim()
    contract(remitting)
    remitting.hand_in(eras.check(remitting.paid(claim)))

    [item] = below(remitting)
    amounts = {name: item[name]["amount"] for name in ("charge", "paid", "expected", "allowed", "difference")}
    assert amounts == {"charge": 18000, "paid": 11900, "expected": 15000, "allowed": 14400, "difference": 600}
    assert (item["rule"], item["stated"]) == ("90837, from 2026-01-01", True)
    assert (item["claim_id"], item["payer_claim_number"], item["trace"]) == (claim["id"], "ICN00000031", "EFT0000001")
    assert item["deadline_on"] == "2027-02-22", "90 days from the payer's decision, as the posting policy says"
    assert remitting.accounts()["contractual_adjustments"] == 3600, "it books nothing"
    told = [e["type"] for e in remitting.house.admin.get("/v1/events?limit=100").json()["data"]]
    assert told.count("underpayment.opened") == 1


@pytest.mark.parametrize(
    ("tolerance", "cents", "open_", "noted"),
    [
        ({}, 14400, 0, 0), ({}, 14500, 0, 0), ({}, 14501, 1, 0), ({}, 14300, 0, 0), ({}, 14299, 0, 1), ({}, 50000, 1, 0),
        ({"tolerance": {"amount": 600}}, 15000, 0, 0), ({"tolerance_percent": 4}, 15000, 0, 0),
        ({"tolerance_percent": 3}, 15000, 1, 0), ({"tolerance": {"amount": 0}}, 14401, 1, 0),
    ],
)  # fmt: skip
def test_the_practice_says_how_far_off_is_too_far(
    remitting: Remitting, tolerance: Any, cents: int, open_: int, noted: int
) -> None:
    if tolerance:
        remitting.policy(**tolerance)
    claim = remitting.claim()
    contract(remitting, cents)
    remitting.hand_in(eras.check(remitting.paid(claim)))
    assert (len(below(remitting)), len(below(remitting, "noted"))) == (open_, noted)
    if cents == 50000:
        assert below(remitting)[0]["expected"]["amount"] == 18000, "no payer allows more than it was asked for"


def check_of(remitting: Remitting, claim: Any, **line: Any) -> eras.Check:
    """Return the usual decision, changed."""
    one = remitting.paid(claim)
    return eras.check(replace(one, lines=(replace(one.lines[0], **line),)))


def verdict(remitting: Remitting, file: Any) -> Any:
    """Return how the API says that the file's only service stands beside the contract."""
    id = file["remittances"][0]["lines"][0]["id"]
    return remitting.house.biller.get(f"/v1/remittance-lines/{id}").json()["contract"]


def test_where_the_payer_does_not_say_what_it_allowed_it_is_worked_out(remitting: Remitting) -> None:
    claim = remitting.claim()
    contract(remitting)
    # Sequestration takes something off the payment; what is allowed stays.
    said = (("CO", "45", Decimal(36)), ("CO", "253", Decimal(2)), ("PR", "3", Decimal(25)))
    file = remitting.hand_in(check_of(remitting, claim, allowed=None, paid=Decimal(117), adjustments=said))
    [item] = below(remitting)
    assert (item["allowed"]["amount"], item["stated"]) == (14400, False)
    assert verdict(remitting, file)["difference"]["amount"] == 600


@pytest.mark.parametrize(
    ("reasons", "status", "why"),
    [
        ((("CO", "197", 180),), "1", "denied"),
        ((("CO", "59", 80), ("PR", "3", 25)), "1", "multiple-procedures"),
        ((("OA", "23", 155),), "2", "another-payer"),
        ((("CO", "45", 36), ("OA", "23", 119)), "1", "another-payer"),
        ((("CO", "45", 36), ("CO", "151", 100)), "1", "denied"),
    ],
)  # fmt: skip
def test_what_is_no_matter_of_the_contract_is_left_out_and_says_why(
    remitting: Remitting, reasons: Any, status: str, why: str
) -> None:
    claim = remitting.claim()
    contract(remitting, 17000)
    paid = 180 - sum(amount for _, _, amount in reasons)
    line = eras.service("90837", 180, paid, *reasons, day=claim["lines"][0]["service_on"], control=claim["lines"][0]["control_number"])
    file = remitting.hand_in(eras.check(eras.claim(claim["control_number"], line, status=status)))
    if file["state"] != "posted":
        remitting.act(file, "post")
    assert (below(remitting), below(remitting, "noted")) == ([], [])
    said = verdict(remitting, file)
    assert (said["left_out"], said["expected"]) == (why, None)
    assert said["says"]


def test_without_a_contracted_rate_for_the_service_nothing_is_compared(remitting: Remitting) -> None:
    claim = remitting.claim()
    contract(remitting, credential="LPC")
    file = remitting.hand_in(eras.check(remitting.paid(claim)))
    assert (below(remitting), verdict(remitting, file)["left_out"]) == ([], "no-contract")
    contract(remitting, credential="PhD")
    assert verdict(remitting, file)["rule"] == "90837, PHD, from 2026-01-01", "asked again, it is compared with today's"


def test_work_on_it_goes_with_its_decision_and_comes_back_with_it(remitting: Remitting) -> None:
    claim = remitting.claim()
    contract(remitting)
    file = remitting.hand_in(eras.check(remitting.paid(claim)))
    [item] = below(remitting)
    assert settle(remitting, item, state="recovered").status_code == 422, "how much?"
    assert settle(remitting, item, state="disputed", note="by fax").json()["note"] == "by fax"
    assert settle(remitting, item, state="disputed").status_code == 409

    remitting.act(file, "unpost", {"reason": "wrong file"})
    assert [one["id"] for one in below(remitting, "withdrawn")] == [item["id"]]
    assert settle(remitting, item, state="accepted").status_code == 409
    remitting.act(file, "post")
    assert [(one["id"], one["note"]) for one in below(remitting, "disputed")] == [(item["id"], "by fax")]

    back = remitting.hand_in(eras.check(eras.reversal(remitting.paid(claim)), trace="EFT2"))
    remitting.act(back, "post")  # a check below zero waits for a person
    assert (below(remitting, "disputed"), len(below(remitting, "withdrawn"))) == ([], 1)
    remitting.act(back, "unpost", {"reason": "not ours"})
    assert [one["id"] for one in below(remitting, "disputed")] == [item["id"]], "the decision stands again"
    more = settle(remitting, item, state="recovered", recovered={"amount": 601})
    assert (more.status_code, more.json()["errors"][0]["pointer"]) == (422, "/recovered/amount")
    assert "600 cents" in more.json()["errors"][0]["detail"], "what it may be at most"
    done = settle(remitting, item, state="recovered", recovered={"amount": 600})
    assert (done.json()["state"], done.json()["recovered"]["amount"]) == ("recovered", 600)


def test_a_contract_that_was_mended_meanwhile_says_nothing_is_missing(remitting: Remitting) -> None:
    claim = remitting.claim()
    contract(remitting)
    file = remitting.hand_in(eras.check(remitting.paid(claim)))
    remitting.act(file, "unpost", {"reason": "wrong schedule"})
    contract(remitting, 14400)
    remitting.act(file, "post")
    assert (below(remitting), len(below(remitting, "withdrawn"))) == ([], 1)


def test_the_letter_is_kept_with_the_patients_documents(remitting: Remitting) -> None:
    claim = remitting.claim()
    contract(remitting)
    remitting.hand_in(eras.check(remitting.paid(claim)))
    [item] = below(remitting)
    letter = remitting.house.biller.post(f"/v1/underpayments/{item['id']}/letter", {"words": "See *Schedule A*."})
    assert letter.status_code == 201, letter.content
    document = remitting.billing.maya.get(f"/v1/documents/{letter.json()['letter_id']}").json()
    assert (document["patient_id"], document["content_type"]) == (claim["patient_id"], "application/pdf")


def test_the_summary_says_which_payer_owes_for_what(remitting: Remitting) -> None:
    claims = [remitting.claim(), remitting.claim(days_ago=4), remitting.claim(days_ago=5)]
    contract(remitting)
    remitting.hand_in(eras.check(*(remitting.paid(claim) for claim in claims)))
    settle(remitting, below(remitting)[0], state="recovered", recovered={"amount": 600})
    settle(remitting, below(remitting)[0], state="disputed")

    summary = remitting.house.biller.get("/v1/underpayment-summary?from=2026-11-01&to=2026-11-30").json()
    assert (summary["missing"]["amount"], summary["recovered"]["amount"]) == (1800, 600)
    [row] = summary["rows"]
    assert (row["payer_name"], row["service_code"]) == ("Example Health Plan", "90837")
    assert (row["count"], row["open"], row["disputed"], row["expected"]["amount"]) == (3, 1, 1, 45000)
    none = remitting.house.biller.get("/v1/underpayment-summary?from=2026-10-01&to=2026-10-31").json()
    assert (none["rows"], none["missing"]["amount"]) == ([], 0)


def test_many_services_are_compared_by_as_many_questions_as_one(remitting: Remitting) -> None:
    claims = [remitting.claim(days_ago=days) for days in (3, 4, 5, 6)]
    contract(remitting)

    def questions(*decided: Any, trace: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            remitting.hand_in(eras.check(*decided, trace=trace))
        return sum("coverage_contractrate" in q["sql"] or "l.place_of_service_code" in q["sql"] for q in asked)

    one = questions(remitting.paid(claims[0]), trace="EFT1")
    assert one == questions(*(remitting.paid(claim) for claim in claims[1:]), trace="EFT2")
    assert len(below(remitting)) == 4


def test_the_list_is_a_billers_and_ends_at_the_practices_wall(remitting: Remitting, aspen: House) -> None:
    claim = remitting.claim()
    contract(remitting)
    remitting.hand_in(eras.check(remitting.paid(claim)))
    [item] = below(remitting)
    assert aspen.biller.get("/v1/underpayments").json()["data"] == []
    assert aspen.biller.get(f"/v1/underpayments/{item['id']}").status_code == 404
    assert remitting.house.scheduler.get("/v1/underpayments").status_code == 403
    assert props.payer(aspen)["id"] != item["payer_id"]


def test_what_was_posted_before_its_contract_was_known_is_compared_after_all(remitting: Remitting) -> None:
    paid, denied, back = remitting.claim(), remitting.claim(days_ago=4), remitting.claim(days_ago=5)
    remitting.hand_in(eras.check(remitting.paid(paid), remitting.denied(denied), remitting.paid(back)))
    remitting.act(remitting.hand_in(eras.check(eras.reversal(remitting.paid(back)), trace="EFT2")), "post")
    contract(remitting)

    def look(starts_on: str = "2026-11-01") -> Any:
        answer = remitting.house.biller.post("/v1/underpayments/look-back", {"starts_on": starts_on, "ends_on": "2026-11-30"})
        return answer.json() if answer.status_code == 200 else answer.status_code

    found = look()
    assert (found["compared"], found["added"], found["left_out"]) == (1, 1, {"denied": 1})
    assert [one["claim_id"] for one in below(remitting)] == [paid["id"]], "what was taken back is nobody's matter"
    assert look()["added"] == 0
    assert (look("2025-01-01"), len(below(remitting))) == (422, 1)
    wrong = remitting.house.biller.post(
        "/v1/underpayments/look-back", {"starts_on": "2026-11-02", "ends_on": "2026-11-01"}
    )
    assert [wrong.json()["errors"][0][k] for k in ("pointer", "code")] == ["/ends_on", "before-start"]


def test_a_check_of_tomorrow_is_looked_back_at_by_the_day_that_its_row_shows(remitting: Remitting) -> None:
    remitting.hand_in(replace(eras.check(remitting.paid(remitting.claim())), paid_on=datetime.now(UTC).date() + timedelta(days=3)))
    contract(remitting)

    def look(first: date, last: date) -> int:
        said = {"starts_on": first.isoformat(), "ends_on": last.isoformat()}
        compared: int = remitting.house.biller.post("/v1/underpayments/look-back", said).json()["compared"]
        return compared

    today = datetime.now(UTC).date()
    assert look(today - timedelta(days=20), today) == 1
    day = date.fromisoformat(below(remitting)[0]["decided_on"])
    assert abs(today - day).days <= 1, "its own day lies ahead"
    assert (look(day, day), look(today + timedelta(days=2), today + timedelta(days=9))) == (1, 0)
