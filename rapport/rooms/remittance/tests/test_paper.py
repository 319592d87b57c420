"""A paper explanation of benefits: typed once, and as good as a file."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from rapport.rooms.remittance import examples
from tests.support import eras
from tests.support.remitting import Remitting


def typed(claim: Any) -> dict[str, Any]:
    """Return the usual decision about a claim, as a person types it."""
    body = deepcopy(examples.PAPER)
    body["claims"][0]["claim_id"] = claim["id"]
    body["paid_on"] = eras.PAID_ON.isoformat()
    return body


def test_it_is_checked_matched_posted_and_taken_back_as_a_file_is(remitting: Remitting) -> None:
    claim, biller = remitting.claim(), remitting.house.biller

    first = biller.post("/v1/remittances", typed(claim))
    again = biller.post("/v1/remittances", typed(claim))

    file = first.json()
    assert (first.status_code, file["state"], file["received_via"]) == (201, "posted", "paper"), first.content
    assert (again.status_code, again.json()["duplicate_of"]) == (200, file["id"])
    [line] = file["remittances"][0]["lines"]
    assert (line["matched_by"], line["claim_id"], line["allowed"]["amount"]) == ("line_control", claim["id"], 14400)
    assert remitting.balance(claim["patient_id"]) == (2500, 0)
    assert remitting.billing.read(claim)["payer_claim_number"] == "2026110200017"
    remitting.act(file, "unpost", {"reason": "typed at the wrong practice"})
    assert remitting.accounts() == {"insurance_receivable": 18000, "revenue": -18000}


def test_a_charge_that_is_not_ours_waits_for_a_person_though_its_line_was_named(remitting: Remitting) -> None:
    claim = remitting.claim()
    body = typed(claim)
    line = body["claims"][0]["lines"][0]
    line["charge"]["amount"] += 100
    line["adjustments"][0]["amount"]["amount"] += 100

    file = remitting.house.biller.post("/v1/remittances", body).json()

    assert (file["state"], [one["rule"] for one in file["findings"]]) == ("received", ["policy-confidence"])
    assert remitting.accounts() == {"insurance_receivable": 18000, "revenue": -18000}


def test_the_claim_and_the_service_whose_sum_is_wrong_are_named(remitting: Remitting) -> None:
    body = typed(remitting.claim())
    second = deepcopy(body["claims"][0]) | {"claim_id": remitting.claim(days_ago=4)["id"]}
    second["lines"].append(deepcopy(second["lines"][0]) | {"claim_line": None, "service_code": "90785"})
    second["lines"][1]["adjustments"][0]["amount"]["amount"] -= 1
    body["claims"].append(second)

    answer = remitting.house.biller.post("/v1/remittances", body)

    assert answer.status_code == 422
    assert {"/claims/1/lines/1", "/claims/1"} <= {error["pointer"] for error in answer.json()["errors"]}
    assert not {"/claims", "/claims/0", "/claims/1/lines/0"} & {error["pointer"] for error in answer.json()["errors"]}


def test_a_day_far_ahead_is_refused_and_some_days_are_not(remitting: Remitting) -> None:
    body = typed(remitting.claim())
    far, near = (
        body | {"paid_on": (datetime.now(UTC).date() + timedelta(days=days)).isoformat()} for days in (40, 5)
    )

    refused = remitting.house.biller.post("/v1/remittances", far)

    assert refused.status_code == 422
    assert [refused.json()["errors"][0][k] for k in ("pointer", "code")] == ["/paid_on", "in-the-future"]
    assert remitting.house.biller.post("/v1/remittances", near).json()["state"] == "posted"


def test_the_file_that_was_made_of_it_is_given_as_it_is_kept(remitting: Remitting) -> None:
    biller = remitting.house.biller
    file = biller.post("/v1/remittances", typed(remitting.claim())).json()

    answer = biller.get(f"/v1/era-files/{file['id']}", accept="application/edi-x12")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/edi-x12")
    assert answer.content.startswith(b"ISA*")
    assert b"CLP*" in answer.content


def test_what_does_not_balance_is_refused_and_nothing_is_kept(remitting: Remitting) -> None:
    claim, biller = remitting.claim(), remitting.house.biller
    wrong_sum, wrong_line, stranger = typed(claim), typed(claim), typed(claim)
    wrong_sum["total"]["amount"] = 11901
    wrong_line["claims"][0]["lines"][0]["adjustments"][0]["amount"]["amount"] = 3599
    stranger["claims"][0]["claim_id"] = "clm_01h455vb4pex5vsknk084sn02q"

    answers = [biller.post("/v1/remittances", body) for body in (wrong_sum, wrong_line, stranger)]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert [answers[0].json()["errors"][0][k] for k in ("pointer", "code")] == ["/total", "balance-transaction"]
    assert [answers[1].json()["errors"][0][k] for k in ("pointer", "code")] == ["/claims/0/lines/0", "balance-line"]
    assert answers[2].json()["code"] == "reference-not-found"
    assert biller.get("/v1/era-files").json()["data"] == []
    assert remitting.house.scheduler.post("/v1/remittances", typed(claim)).status_code == 403
