"""Decisions, what takes them back, and money of no claim: the same in whatever order they come (R-22, R-23, R-25)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from django.db import connection

from rapport.kernel.ids import parse_type_id
from tests.support import eras, props
from tests.support.remitting import Remitting, rules


def test_r25_in_whatever_order_a_decision_its_reversal_and_the_next_one_come_the_end_is_the_same(
    remitting: Remitting,
) -> None:
    """Each order is another claim of its own, and each file comes twice."""
    for number, order in enumerate(itertools.permutations(range(3))):
        claim = remitting.claim(days_ago=3 + number)
        decided = remitting.paid(claim)
        day, control = claim["lines"][0]["service_on"], claim["lines"][0]["control_number"]
        better = eras.service("90837", 180, 144, ("CO", "45", 36), day=day, control=control)
        said = [
            eras.check(decided, trace=f"A{number}"),
            eras.check(eras.reversal(decided), trace=f"B{number}", beside=[("FB", "next", -119)]),
            eras.check(eras.claim(claim["control_number"], better), trace=f"C{number}", beside=[("FB", "before", 119)]),
        ]
        for place in order:
            first, again = remitting.hand_in(said[place]), remitting.hand_in(said[place])
            assert again["duplicate_of"] == first["id"]

        assert remitting.balance(claim["patient_id"]) == (0, 0), order
        assert remitting.billing.read(claim)["state"] == "paid", order
        assert remitting.accounts() == {
            "cash": 14400 * (number + 1), "contractual_adjustments": 3600 * (number + 1), "revenue": -18000 * (number + 1),
        }, order  # fmt: skip
    states = {file["state"] for file in remitting.house.biller.get("/v1/era-files?limit=100").json()["data"]}
    assert states == {"posted"}, "nothing waits for a person in the end"


def test_r25_the_control_without_the_reversal_the_next_decision_ends_elsewhere(remitting: Remitting) -> None:
    claim = remitting.claim()
    day, control = claim["lines"][0]["service_on"], claim["lines"][0]["control_number"]
    better = eras.service("90837", 180, 144, ("CO", "45", 36), day=day, control=control)
    remitting.hand_in(eras.check(remitting.paid(claim), trace="A"))

    second = remitting.hand_in(eras.check(eras.claim(claim["control_number"], better), trace="C", beside=[("FB", "before", 119)]))

    assert second["state"] == "received"
    assert remitting.balance(claim["patient_id"]) == (2500, 0), "as the first one left it"
    assert remitting.accounts()["cash"] == 11900


def test_r25_the_same_decision_is_not_taken_back_twice(remitting: Remitting) -> None:
    claim = remitting.claim()
    decided = remitting.paid(claim)
    remitting.hand_in(eras.check(decided))
    first = remitting.hand_in(eras.check(eras.reversal(decided), trace="B1", beside=[("FB", "", -119)]))

    second = remitting.hand_in(eras.check(eras.reversal(decided), trace="B2", beside=[("FB", "", -119)]))

    assert (first["state"], second["state"], rules(second)) == ("posted", "received", {"reversal-unknown"})
    assert remitting.balance(claim["patient_id"]) == (0, 18000)


def test_a_decision_that_another_file_took_back_is_not_taken_back_first(remitting: Remitting) -> None:
    claim = remitting.claim()
    decided = remitting.paid(claim)
    first = remitting.hand_in(eras.check(decided))
    second = remitting.hand_in(eras.check(eras.reversal(decided), trace="B1", beside=[("FB", "", -119)]))
    biller = remitting.house.biller

    refused = biller.post(f"/v1/era-files/{first['id']}/unpost", {"reason": "wrong file"})

    assert (refused.status_code, refused.json()["code"]) == (409, "state-conflict")
    assert remitting.act(second, "unpost", {"reason": "wrong file"})["state"] == "unposted"
    assert remitting.billing.read(claim)["state"] == "paid", "the decision stands again"
    assert remitting.act(first, "unpost", {"reason": "wrong file"})["state"] == "unposted"
    assert remitting.accounts() == {"insurance_receivable": 18000, "revenue": -18000}


def test_r22_checks_of_nothing_may_share_a_number_and_both_are_kept(remitting: Remitting) -> None:
    first, second = remitting.claim(), remitting.claim(days_ago=4)
    one = remitting.hand_in(eras.check(remitting.denied(first), trace="0"))
    other = remitting.hand_in(eras.check(remitting.denied(second), trace="0"))

    assert one["id"] != other["id"]
    assert (one["state"], other["state"], rules(other)) == ("posted", "received", {"same-trace"}), "same day and amount"
    assert remitting.act(other, "post")["state"] == "posted"
    assert [remitting.billing.read(claim)["state"] for claim in (first, second)] == ["denied", "denied"]


def test_r22_the_control_a_check_of_nothing_with_a_number_of_its_own_is_not_flagged(remitting: Remitting) -> None:
    first, second = remitting.claim(), remitting.claim(days_ago=4)
    remitting.hand_in(eras.check(remitting.denied(first), trace="0"))

    other = remitting.hand_in(eras.check(remitting.denied(second), trace="1"))

    assert (other["state"], rules(other)) == ("posted", set())


def test_r23_a_file_with_one_wrong_sum_at_any_level_posts_nothing(remitting: Remitting) -> None:
    claim = remitting.claim()
    good = eras.file(eras.check(remitting.paid(claim), beside=[("WO", "R1", 19)]))
    for right, wrong in (
        (b"BPR*I*100*", b"BPR*I*101*"), (b"*WO:R1*19", b"*WO:R1*18"),
        (b"CAS*CO*45*36~", b"CAS*CO*45*35~"), (b"*180*119*25*", b"*180*118*25*"),
    ):  # fmt: skip
        assert right in good, right
        answer = remitting.house.biller.call(
            "POST", "/v1/era-files", raw=good.replace(right, wrong), content_type="application/edi-x12"
        )
        assert (answer.status_code, answer.json()["state"]) == (201, "held"), right
    assert remitting.accounts() == {"insurance_receivable": 18000, "revenue": -18000}


def test_r23_the_control_the_same_file_with_right_sums_posts(remitting: Remitting) -> None:
    claim = remitting.claim()

    file = remitting.hand_in(eras.check(remitting.paid(claim), beside=[("WO", "R1", 19)]))

    assert (file["state"], remitting.balance(claim["patient_id"])) == ("posted", (2500, 0))
    assert remitting.accounts()["cash"] == 10000


def balances(remitting: Remitting) -> list[Any]:
    return remitting.house.biller.get("/v1/payer-balances").json()["payers"]


def test_what_a_payer_carries_over_comes_to_nothing_and_a_recovery_stays_open_until_its_reversal_is_here(
    remitting: Remitting,
) -> None:
    claim, other = remitting.claim(), remitting.claim(days_ago=4)
    decided = remitting.paid(claim)
    remitting.hand_in(eras.check(decided, trace="A"))
    remitting.hand_in(eras.check(eras.reversal(decided), trace="B", beside=[("FB", "C", -119)]))
    [payer] = balances(remitting)
    assert (payer["carried"]["amount"], payer["clearing"]["amount"]) == (-11900, -11900), "the practice owes it"

    remitting.hand_in(eras.check(remitting.paid(other), trace="C", beside=[("FB", "B", 119), ("L6", "", -2)]))

    [payer] = balances(remitting)
    assert (payer["carried"]["amount"], payer["clearing"]["amount"]) == (0, 0)
    assert [(code["code"], code["open"]["amount"], code["count"]) for code in payer["codes"]] == [("FB", 0, 2), ("L6", 200, 1)]
    assert remitting.accounts()["interest"] == -200


def voided(remitting: Remitting) -> tuple[Any, eras.ClaimPaid, Any]:
    """A claim that was paid, what the payer said of it, and the claim that asks to take it back."""
    claim = remitting.claim()
    decided = remitting.paid(claim)
    remitting.hand_in(eras.check(decided))
    visits = [line["appointment_id"] for line in claim["lines"]]
    body = {"appointment_ids": visits, "frequency": "void", "original_claim_id": claim["id"]}
    made = props.made(remitting.house.biller.post("/v1/claims", body))
    with remitting.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_claim SET state = 'accepted' WHERE id = %s", [parse_type_id("claim", made["id"])])
    return claim, decided, made


def naming(one: eras.ClaimPaid, claim: Any) -> eras.ClaimPaid:
    """The same words, under the numbers of another claim."""
    [line] = one.lines
    return replace(one, number=claim["control_number"], lines=(replace(line, control=claim["lines"][0]["control_number"]),))


def test_a_payer_may_name_in_its_reversal_the_claim_that_asked_for_it(remitting: Remitting) -> None:
    claim, decided, made = voided(remitting)
    assert made["control_number"] != claim["control_number"]

    file = remitting.hand_in(eras.check(naming(eras.reversal(decided), made), trace="B", beside=[("FB", "", -119)]))
    states = [remitting.billing.read(one)["state"] for one in (claim, made)]
    taken_back = (remitting.balance(claim["patient_id"]), remitting.billing.read(claim)["paid"]["amount"])
    again = remitting.hand_in(eras.check(naming(eras.reversal(decided), made), trace="C", beside=[("FB", "", -119)]))
    remitting.act(file, "unpost", {"reason": "wrong account"})

    assert (file["state"], states) == ("posted", ["voided", "voided"]), rules(file)
    assert taken_back == ((0, 18000), 0)
    assert (again["state"], rules(again)) == ("received", {"reversal-unknown"}), "once"
    assert [remitting.billing.read(one)["state"] for one in (claim, made)] == ["paid", made["state"]], "where its history says it was"
    assert remitting.balance(claim["patient_id"]) == (2500, 0)


def test_the_control_a_reversal_of_other_amounts_or_of_what_the_void_itself_was_paid_is_another_matter(remitting: Remitting) -> None:
    claim, decided, made = voided(remitting)
    less = eras.claim(made["control_number"], eras.service(
        "90837", 180, 100, ("CO", "45", 55), ("PR", "3", 25), day=claim["lines"][0]["service_on"], allowed=125,
    ))  # fmt: skip

    other = remitting.hand_in(eras.check(eras.reversal(less), trace="B", beside=[("FB", "", -100)]))
    before = [remitting.billing.read(one)["state"] for one in (claim, made)]
    twice = remitting.hand_in(eras.check(naming(decided, made), trace="C"))
    own = remitting.hand_in(eras.check(naming(eras.reversal(decided), made), trace="D", beside=[("FB", "", -119)]))

    assert (other["state"], rules(other) >= {"reversal-unknown"}, before) == ("received", True, ["paid", "accepted"])
    assert [twice["state"], own["state"]] == ["posted", "posted"]
    assert remitting.balance(claim["patient_id"]) == (2500, 0), "the payer paid the void by mistake, and took that back"
