"""A second payer that says again what the first took off: nothing is credited below zero."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from rapport.rooms.remittance.rules.planning import credited, up_to_open
from tests.support import eras, props
from tests.support.remitting import Remitting


def second(remitting: Remitting, first: Any) -> Any:
    """Give the patient of a claim a second policy, let the first payer decide, and return the claim to the second."""
    house = remitting.house
    payer = props.payer(house, "Second Plan", payer_id_code="SECND")
    policy = props.policy(house, remitting.billing.things["patient"], payer, rank="secondary", member_id="S1")
    file = remitting.hand_in(eras.check(remitting.paid(first)))
    assert file["state"] == "posted"
    visits = [line["appointment_id"] for line in first["lines"]]
    made = props.made(house.biller.post("/v1/claims", {"appointment_ids": visits, "policy_id": policy["id"]}))
    with house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_claim SET state = 'accepted' WHERE state IN ('draft', 'validated')")
    return made


def says(claim: Any, paid: int, *reasons: eras.Reason, status: str = "2") -> eras.ClaimPaid:
    line = claim["lines"][0]
    service = eras.service("90837", 180, paid, *reasons, day=line["service_on"], control=line["control_number"])
    return eras.claim(claim["control_number"], service, status=status, icn="ICN2")


def post(remitting: Remitting, *decided: eras.ClaimPaid, trace: str = "EFT2") -> Any:
    file = remitting.hand_in(eras.check(*decided, trace=trace, payer="Second Plan"))
    return file if file["state"] == "posted" else remitting.act(file, "post")


def plans(file: Any) -> list[tuple[str, str, int | None]]:
    [line] = file["remittances"][0]["lines"]
    return [(a["plan"], a["rule"], a["booked"] and a["booked"]["amount"]) for a in line["adjustments"]]


TWICE = (("OA", "23", 119), ("CO", "45", 36), ("PR", "3", 10))
ONCE = (("OA", "23", 155), ("PR", "3", 10))


@pytest.mark.parametrize(
    ("reasons", "status", "told"),
    [
        (ONCE, "2", [("inform", "list", None), ("patient", "list", None)]),
        (TWICE, "2", [("inform", "list", None), ("contractual", "open", 0), ("patient", "list", None)]),
        # Some say that they are first, and take off all that the first payer did.
        ((("CO", "45", 155), ("PR", "3", 10)), "1", [("contractual", "open", 0), ("patient", "list", None)]),
    ],
    ids=["the-control", "said-twice", "as-first"],
)  # fmt: skip
def test_what_the_first_payer_took_off_is_not_taken_off_again(
    remitting: Remitting, reasons: Any, status: str, told: Any
) -> None:
    first = remitting.claim()
    claim = second(remitting, first)
    file = post(remitting, says(claim, 15, *reasons, status=status))

    assert plans(file) == told
    assert remitting.accounts() == {
        "cash": 13400, "contractual_adjustments": 3600, "patient_receivable": 1000, "revenue": -18000,
    }  # fmt: skip
    assert remitting.balance(first["patient_id"]) == (1000, 0)
    if reasons == ONCE:
        texts = [one["text"] for one in remitting.house.biller.get(f"/v1/claims/{claim['id']}/history").json()["data"]]
        assert (
            "The payer decided: $15.00 of $180.00 paid, $155.00 paid or taken off by payers before,"
            " $0.00 taken off, $10.00 left to the patient."
        ) in texts

    remitting.act(file, "unpost", {"reason": "wrong account"})
    assert remitting.balance(first["patient_id"]) == (0, 2500)


def test_a_second_payers_own_reduction_is_taken_off_as_far_as_it_goes(remitting: Remitting) -> None:
    first = remitting.claim()
    claim = second(remitting, first)
    file = post(remitting, says(claim, 12, ("OA", "23", 119), ("CO", "45", 42), ("PR", "3", 7)))
    assert plans(file) == [("inform", "list", None), ("contractual", "open", 600), ("patient", "list", None)]
    assert remitting.balance(first["patient_id"]) == (700, 0)


def test_its_reversal_takes_back_what_was_booked_and_no_more(remitting: Remitting) -> None:
    first = remitting.claim()
    claim = second(remitting, first)
    said = says(claim, 15, *TWICE)
    post(remitting, said)
    better = says(claim, 20, ("OA", "23", 119), ("CO", "45", 36), ("PR", "3", 5))
    post(remitting, eras.reversal(said), better, trace="EFT3")
    assert remitting.accounts() == {
        "cash": 13900, "contractual_adjustments": 3600, "patient_receivable": 500, "revenue": -18000,
    }  # fmt: skip
    assert remitting.balance(first["patient_id"]) == (500, 0)


def two_visits(remitting: Remitting, *days_ago: int) -> Any:
    """Return a claim of two visits that the payer has accepted."""
    visits = [remitting.billing.visit(days_ago=days_ago[0])]
    patient = remitting.billing.things["patient"]
    visits += [remitting.billing.visit(days_ago=days, patient=patient) for days in days_ago[1:]]
    for visit in visits:
        remitting.billing.note(visit)
    body = {"appointment_ids": [visit["id"] for visit in visits]}
    made = props.made(remitting.house.biller.post("/v1/claims", body))
    with remitting.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_claim SET state = 'accepted' WHERE state IN ('draft', 'validated')")
    return remitting.billing.read(made)


def decided(claim: Any, paid: int, *reasons: eras.Reason, status: str = "1") -> eras.ClaimPaid:
    services = [
        eras.service("90837", 180, paid, *reasons, day=line["service_on"], control=line["control_number"])
        for line in claim["lines"]
    ]
    return eras.claim(claim["control_number"], *services, status=status, icn=claim["control_number"][-8:])


def test_what_another_claims_payer_took_from_it_as_a_whole_is_its_own(remitting: Remitting) -> None:
    house = remitting.house
    mine, other = two_visits(remitting, 5, 6), two_visits(remitting, 8, 9)
    payer = props.payer(house, "Second Plan", payer_id_code="SECND")
    policies = [
        props.policy(house, {"id": claim["patient_id"]}, payer, rank="secondary", member_id="S1") for claim in (mine, other)
    ]
    first = eras.file(eras.check(*(decided(one, 119, ("CO", "45", 36), ("PR", "3", 25)) for one in (mine, other))))
    answer = house.biller.call("POST", "/v1/era-files", raw=eras.as_wholes(first), content_type="application/edi-x12")
    assert answer.status_code == 201, answer.content
    file = answer.json()
    assert file["state"] == "posted" or remitting.act(file, "post")["state"] == "posted"
    seconds = []
    for claim, policy in zip((mine, other), policies, strict=True):
        body = {"appointment_ids": [line["appointment_id"] for line in claim["lines"]], "policy_id": policy["id"]}
        seconds.append(remitting.billing.read(props.made(house.biller.post("/v1/claims", body))))
    with house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_claim SET state = 'accepted' WHERE state IN ('draft', 'validated')")

    said = [decided(one, 15, ("OA", "23", 155), ("PR", "3", 10), status="2") for one in seconds]
    whole = eras.as_wholes(eras.file(eras.check(*said, trace="EFT2", payer="Second Plan")))
    answer = house.biller.call("POST", "/v1/era-files", raw=whole, content_type="application/edi-x12")
    file = answer.json()
    if file["state"] != "posted":
        file = remitting.act(file, "post")

    left = [a for line in file["remittances"][0]["lines"] for a in line["adjustments"] if a["group"] == "PR"]
    assert left
    assert [(a["plan"], a["booked"]) for a in left] == [("patient", None)] * len(left), "all that it left is booked"


_one = st.builds(
    lambda cents, plan: {"cents": cents, "plan": plan, "rule": "list"}, st.integers(-5000, 20000),
    st.sampled_from(["contractual", "patient", "inform", "review"]),
)  # fmt: skip


@given(st.lists(_one, max_size=6), st.integers(-5000, 20000))
def test_no_more_is_booked_than_is_open_and_as_much_as_fits(adjustments: list[Any], open_cents: int) -> None:
    bounded = up_to_open(adjustments, open_cents=open_cents)
    wanted, found = (credited(paid_cents=0, adjustments=each) for each in (adjustments, bounded))
    back = sum(a["cents"] for a in adjustments if a["cents"] < 0 and a["plan"] in ("contractual", "patient"))
    assert found == (wanted if wanted <= open_cents else max(open_cents, back))
    assert [a["cents"] for a in bounded] == [a["cents"] for a in adjustments], "the payer's amounts stay"
