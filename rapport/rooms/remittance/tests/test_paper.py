"""A paper explanation of benefits: typed once, and as good as a file."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from rapport.rooms.remittance import examples
from tests.support.remitting import Remitting


def typed(claim: Any) -> dict[str, Any]:
    """Return the usual decision about a claim, as a person types it."""
    body = deepcopy(examples.PAPER)
    body["claims"][0]["claim_id"] = claim["id"]
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


def test_what_does_not_balance_is_refused_and_nothing_is_kept(remitting: Remitting) -> None:
    claim, biller = remitting.claim(), remitting.house.biller
    wrong_sum, wrong_line, stranger = typed(claim), typed(claim), typed(claim)
    wrong_sum["total"]["amount"] = 11901
    wrong_line["claims"][0]["lines"][0]["adjustments"][0]["amount"]["amount"] = 3599
    stranger["claims"][0]["claim_id"] = "clm_01h455vb4pex5vsknk084sn02q"

    answers = [biller.post("/v1/remittances", body) for body in (wrong_sum, wrong_line, stranger)]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert [answers[0].json()["errors"][0][k] for k in ("pointer", "code")] == ["/total", "balance-transaction"]
    assert answers[1].json()["errors"][0]["code"] == "balance-line"
    assert answers[2].json()["code"] == "reference-not-found"
    assert biller.get("/v1/era-files").json()["data"] == []
    assert remitting.house.scheduler.post("/v1/remittances", typed(claim)).status_code == 403
