"""What no rule could place, and what payers denied: work for a biller, with every cent where it belongs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support import eras
from tests.support.cast import House
from tests.support.remitting import Remitting, rules


def unmatched(remitting: Remitting, **query: str) -> list[Any]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return remitting.house.biller.get(f"/v1/unmatched-lines?{asked}").json()["data"]


def work_on(remitting: Remitting, line: Any, action: str, **body: Any) -> Any:
    return remitting.house.biller.post(f"/v1/remittance-lines/{line['id']}/{action}", body)


def a_strangers(remitting: Remitting, claim: Any) -> eras.ClaimPaid:
    """Return the usual decision under a number that nobody has, as a payer that cuts numbers off sends it."""
    return replace(remitting.paid(claim, control=False), number=claim["control_number"][:9], icn="ICN7")


def test_money_that_nobody_knew_leaves_clearing_when_a_person_knows_its_claim(remitting: Remitting) -> None:
    claim = remitting.claim()
    file = remitting.hand_in(eras.check(a_strangers(remitting, claim)))
    assert (file["state"], rules(file)) == ("received", {"unmatched"})
    remitting.act(file, "post")
    before = {"cash": 11900, "payer_clearing": -11900, "insurance_receivable": 18000, "revenue": -18000}
    assert remitting.accounts() == before
    [line] = unmatched(remitting, set_aside="false")
    shown = remitting.house.biller.get(f"/v1/remittance-lines/{line['id']}").json()
    assert [(c["claim_id"], c["why"]) for c in shown["candidates"]] == [
        (claim["id"], ["same-day", "same-code", "same-charge"])
    ]

    answer = work_on(remitting, line, "assign", claim_id=claim["id"], reason="its number was cut off")

    assert (answer.status_code, answer.json()["state"]) == (200, "matched"), answer.content
    assert remitting.accounts() == {
        "cash": 11900, "contractual_adjustments": 3600, "patient_receivable": 2500, "revenue": -18000,
    }  # fmt: skip
    assert remitting.billing.read(claim)["state"] == "paid"
    assert [(deed["act"], deed["reason"]) for deed in answer.json()["by_hand"]] == [("assigned", "its number was cut off")]
    assert unmatched(remitting) == []
    again = work_on(remitting, line, "assign", claim_id=claim["id"], reason="once more")
    assert (again.status_code, again.json()["code"]) == (409, "state-conflict")

    remitting.act(file, "unpost", {"reason": "wrong account"})
    assert remitting.accounts() == {"insurance_receivable": 18000, "revenue": -18000}
    assert remitting.billing.read(claim)["state"] == "accepted"
    remitting.act(file, "post")
    assert remitting.balance(claim["patient_id"]) == (2500, 0)


def test_a_service_that_was_decided_is_not_decided_twice_by_hand(remitting: Remitting) -> None:
    claim = remitting.claim()
    remitting.hand_in(eras.check(remitting.paid(claim)))
    file = remitting.hand_in(eras.check(a_strangers(remitting, claim), trace="EFT2"))
    remitting.act(file, "post")
    [line] = unmatched(remitting)
    before = remitting.accounts()

    answer = work_on(remitting, line, "assign", claim_id=claim["id"], reason="looks like it")

    assert (answer.status_code, answer.json()["code"]) == (409, "already-decided")
    assert remitting.accounts() == before
    assert [one["state"] for one in unmatched(remitting)] == ["unmatched"]


def test_a_file_that_waited_posts_itself_once_a_person_has_placed_what_nobody_knew(remitting: Remitting) -> None:
    claim, other = remitting.claim(), remitting.claim(days_ago=4)
    nobody = replace(remitting.paid(other), number="RNOBODY", icn="ICN8")
    file = remitting.hand_in(eras.check(a_strangers(remitting, claim), nobody))
    first, second = sorted(unmatched(remitting), key=lambda one: one["line"]["control_number"] == "RNOBODY")

    work_on(remitting, first, "assign", claim_id=claim["id"], reason="its number was cut off")
    assert "cash" not in remitting.accounts(), "the other one still waits"
    aside = work_on(remitting, second, "set-aside", reason="of the practice before us")

    assert aside.json()["state"] == "set_aside"
    assert remitting.house.biller.get(f"/v1/era-files/{file['id']}").json()["state"] == "posted"
    assert (remitting.accounts()["cash"], remitting.accounts()["payer_clearing"]) == (2 * 11900, -11900)
    assert (unmatched(remitting, set_aside="false"), len(unmatched(remitting, set_aside="true"))) == ([], 1)
    assert work_on(remitting, second, "take-up", reason="a patient called").json()["state"] == "unmatched"
    assert len(unmatched(remitting, set_aside="false")) == 1


def test_what_becomes_of_a_reason_is_said_by_a_person_before_it_is_posted(remitting: Remitting) -> None:
    claim = remitting.claim()
    remitting.policy(automatic=False)
    file = remitting.hand_in(eras.check(remitting.paid(claim)))
    line = file["remittances"][0]["lines"][0]

    never = work_on(remitting, line, "correct", adjustments=[{"adjustment": 0, "plan": "patient"}], reason="let them pay")
    assert (never.status_code, never.json()["errors"][0]["code"]) == (422, "not-allowed-for-group")
    done = work_on(remitting, line, "correct", adjustments=[{"adjustment": 0, "plan": "review"}], reason="no such contract")

    assert [(a["plan"], a["rule"]) for a in done.json()["line"]["adjustments"]] == [("review", "by_hand"), ("patient", "list")]
    remitting.act(file, "post")
    assert "contractual_adjustments" not in remitting.accounts()
    assert remitting.balance(claim["patient_id"]) == (2500, 3600)
    late = work_on(remitting, line, "correct", adjustments=[{"adjustment": 0, "plan": "inform"}], reason="after all")
    assert (late.status_code, late.json()["code"]) == (409, "state-conflict")


def denials(remitting: Remitting, state: str = "open") -> list[Any]:
    return remitting.house.biller.get(f"/v1/denials?state={state}").json()["data"]


def test_a_denial_is_work_until_a_person_or_the_payer_ends_it(remitting: Remitting) -> None:
    claim = remitting.claim()
    file = remitting.hand_in(eras.check(remitting.denied(claim)))
    [denial] = denials(remitting)
    assert (denial["kind"], denial["reasons"], denial["amount"]["amount"]) == ("authorization", ["CO-197"], 18000)
    assert denial["deadline_on"] == "2027-02-22", "90 days from the payer's decision"
    path = f"/v1/denials/{denial['id']}"
    biller = remitting.house.biller

    letter = biller.post(f"{path}/appeal-letter", {"words": "It was *authorized*. #read(\"/etc/passwd\")"})
    assert letter.status_code == 201, letter.content
    document = remitting.billing.maya.get(f"/v1/documents/{letter.json()['letter_id']}").json()
    assert (document["kind"], document["content_type"]) == ("appeal_letter", "application/pdf")
    ended = biller.post(f"{path}/resolve", {"resolution": "appealed", "note": "by fax"})
    assert (ended.json()["state"], denials(remitting)) == ("resolved", [])
    assert biller.post(f"{path}/resolve", {"resolution": "accepted"}).status_code == 409
    assert biller.post(f"{path}/reopen", {"reason": "form was missing"}).json()["state"] == "open"
    assert remitting.accounts() == {"insurance_receivable": 18000, "revenue": -18000}, "work books nothing"

    remitting.act(file, "unpost", {"reason": "wrong file"})
    assert (denials(remitting), len(denials(remitting, "withdrawn"))) == ([], 1)
    remitting.act(file, "post")
    assert [one["id"] for one in denials(remitting)] == [denial["id"]]
    remitting.hand_in(eras.check(eras.reversal(remitting.denied(claim)), remitting.paid(claim), trace="EFT2"))
    assert (denials(remitting), len(denials(remitting, "withdrawn"))) == ([], 1)
    assert remitting.balance(claim["patient_id"]) == (2500, 0)


def test_what_was_paid_in_full_is_no_denial(remitting: Remitting) -> None:
    remitting.hand_in(eras.check(remitting.paid(remitting.claim())))
    assert denials(remitting) == []


@pytest.mark.parametrize("path", ["unmatched-lines", "denials"])
def test_the_lists_are_a_billers_and_end_at_the_practices_wall(remitting: Remitting, aspen: House, path: str) -> None:
    remitting.hand_in(eras.check(remitting.denied(remitting.claim())))
    assert aspen.biller.get(f"/v1/{path}").json()["data"] == []
    assert remitting.house.scheduler.get(f"/v1/{path}").status_code == 403
