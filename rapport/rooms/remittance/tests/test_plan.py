"""What posting would do, shown before it is done; and what a practice lets post itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.rooms.remittance.rules import planning
from tests.support import eras
from tests.support.cast import House
from tests.support.remitting import Remitting, rules


def entries(plan: Any) -> list[tuple[str, str, int]]:
    """Return (account debited, account credited, cents) of every entry of a plan."""
    return [
        (entry["debit"], entry["credit"], entry["amount"]["amount"])
        for check in plan["remittances"]
        for entry in [*(e for line in check["lines"] for e in line["entries"]), *check["entries"]]
    ]


def test_the_plan_shows_what_posting_then_does(remitting: Remitting) -> None:
    claim = remitting.claim()
    remitting.policy(automatic=False)
    file = remitting.hand_in(eras.check(remitting.paid(claim), beside=[("WO", "LETTER 7", 40), ("L6", "", "-1.23")]))

    plan = remitting.act(file, "plan")

    assert (file["state"], plan["posts_itself"], [s["rule"] for s in plan["stops"]]) == ("received", False, ["policy-by-hand"])
    assert entries(plan) == [
        ("cash", "insurance_receivable", 11900),
        ("contractual_adjustments", "insurance_receivable", 3600),
        ("patient_receivable", "insurance_receivable", 2500),
        ("cash", "payer_clearing", -4000),
        ("cash", "interest", 123),
    ]
    [line] = plan["remittances"][0]["lines"]
    assert (line["line"]["confidence"], line["reason"]) == ("exact", "The payer returned our number of the line.")
    assert plan["totals"]["by_confidence"] == {"exact": 1, "strong": 0, "weak": 0, "none": 0}
    assert (plan["totals"]["cash"]["amount"], plan["totals"]["denied"]["amount"]) == (8023, 0)
    assert remitting.accounts() == {"insurance_receivable": 18000, "revenue": -18000}, "the control: nothing is booked"

    assert remitting.act(file, "post")["state"] == "posted"
    after = {"insurance_receivable": 0, "revenue": -18000}
    for debit, credit, cents in entries(plan):
        after[debit] = after.get(debit, 0) + cents
        after[credit] = after.get(credit, 0) - cents
    after["insurance_receivable"] += 18000
    assert remitting.accounts() == {name: cents for name, cents in after.items() if cents}
    assert remitting.act(file, "plan")["state"] == "posted"


HOWS = {
    "modifiers_differ": ("strong", {"code": "90837:59"}),
    "code_and_date": ("strong", {}),
    "only_line": ("strong", {"code": "90834"}),
}


@pytest.mark.parametrize("how", sorted(HOWS))
def test_a_service_without_our_number_is_found_by_what_it_says(remitting: Remitting, how: str) -> None:
    confidence, said = HOWS[how]
    claim = remitting.claim()
    line = remitting.service(claim, control=False, **said)

    file = remitting.hand_in(eras.check(eras.claim(claim["control_number"], line)))

    [found] = file["remittances"][0]["lines"]
    assert (found["matched_by"], found["confidence"], file["state"]) == (how, confidence, "posted")
    assert found["appointment_id"] == claim["lines"][0]["appointment_id"]


def test_a_weak_match_waits_unless_the_practice_says_otherwise(remitting: Remitting) -> None:
    claim = remitting.claim()
    line = replace(
        remitting.service(claim, control=False), charge=eras.Decimal(200), paid=eras.Decimal(139),
    )  # fmt: skip

    file = remitting.hand_in(eras.check(eras.claim(claim["control_number"], line)))

    assert (file["state"], rules(file)) == ("received", {"policy-confidence"})
    assert file["remittances"][0]["lines"][0]["matched_by"] == "code_and_day"
    remitting.policy(least_confidence="weak")
    assert remitting.act(file, "plan")["posts_itself"]


def charged(line: eras.LinePaid, dollars: int) -> eras.LinePaid:
    """Return a service as a payer decides it that has another charge: it allows the same share of it."""
    off = eras.Decimal(dollars - 180)
    return replace(line, charge=eras.Decimal(dollars), paid=line.paid + off)


@pytest.mark.parametrize("dollars", [500, 179])
def test_our_number_beside_a_charge_that_is_not_ours_waits(remitting: Remitting, dollars: int) -> None:
    """The payer mixed claims up: to book it would leave the visit with a debt below zero, or one that nobody owes."""
    claim = remitting.claim()
    remitting.policy(least_confidence="strong")

    file = remitting.hand_in(eras.check(eras.claim(claim["control_number"], charged(remitting.service(claim), dollars))))

    assert (file["state"], rules(file)) == ("received", {"policy-confidence"})
    [line] = file["remittances"][0]["lines"]
    assert (line["matched_by"], line["confidence"]) == ("line_control_charge", "weak")
    plan = remitting.act(file, "plan")
    assert plan["remittances"][0]["lines"][0]["reason"] == "The payer returned our number of the line; the charge is another."
    assert remitting.accounts() == {"insurance_receivable": 18000, "revenue": -18000}


@pytest.mark.parametrize(("dollars", "how", "state"), [(180, "claim", "posted"), (500, "claim_charge", "received")])
def test_a_claim_decided_as_a_whole_posts_itself_only_with_our_charge(
    remitting: Remitting, dollars: int, how: str, state: str
) -> None:
    claim = remitting.claim()
    denied = remitting.denied(claim)
    service = replace(
        denied.lines[0], charge=eras.Decimal(dollars), adjustments=(("CO", "197", eras.Decimal(dollars)),)
    )

    file = remitting.hand_in_bytes(eras.as_wholes(eras.file(eras.check(replace(denied, lines=(service,))))))

    [line] = file["remittances"][0]["lines"]
    assert (line["matched_by"], file["state"]) == (how, state)


def test_a_reversal_of_our_charge_is_as_sure_as_what_it_takes_back(remitting: Remitting) -> None:
    claim = remitting.claim()
    decided = remitting.paid(claim, control=False)
    remitting.hand_in(eras.check(decided))

    file = remitting.hand_in(eras.check(eras.reversal(decided), trace="B", beside=[("FB", "", -119)]))

    assert (file["state"], file["remittances"][0]["lines"][0]["matched_by"]) == ("posted", "code_and_date")


def test_one_of_ours_that_a_payer_split_waits(remitting: Remitting) -> None:
    """Two services with one number of ours: neither has its charge, and one of ours is never found twice."""
    claim = remitting.claim()
    half = replace(
        remitting.service(claim), charge=eras.Decimal(90), paid=eras.Decimal(90), adjustments=(), allowed=None
    )

    file = remitting.hand_in(eras.check(eras.claim(claim["control_number"], half, half)))

    assert (file["state"], rules(file)) == ("received", {"policy-confidence", "unmatched"})


def test_a_denial_is_written_off_by_no_rule(remitting: Remitting) -> None:
    """CO-97 as contractual is allowed, and holds where something was paid; a denial stays the payer's debt."""
    first, second, third = remitting.claim(), remitting.claim(days_ago=4), remitting.claim(days_ago=5)
    remitting.policy(overrides=[{"group": "CO", "reason": "97", "plan": "contractual"}])
    reduced = replace(remitting.service(first), adjustments=(("CO", "97", eras.Decimal(61)),))

    remitting.hand_in(
        eras.check(
            eras.claim(first["control_number"], reduced),
            remitting.denied(second, "97"),
            remitting.denied(third, "45", status="4"),
        )
    )

    assert remitting.accounts()["contractual_adjustments"] == 6100
    assert remitting.accounts()["insurance_receivable"] == 2 * 18000
    assert [remitting.billing.read(c)["state"] for c in (first, second, third)] == ["paid", "denied", "denied"]
    lines = remitting.house.biller.get("/v1/remittances").json()["data"][0]["lines"]
    assert [(a["plan"], a["rule"]) for line in lines for a in line["adjustments"]] == [
        ("contractual", "practice"), ("review", "denied"), ("review", "denied"),
    ]  # fmt: skip


def test_the_payers_reduction_is_never_the_patients_to_pay(remitting: Remitting) -> None:
    etag = remitting.house.biller.get("/v1/posting-policy")["ETag"]
    wrong = {"overrides": [{"group": "CO", "reason": "97", "plan": "patient"}]}

    answer = remitting.house.biller.patch("/v1/posting-policy", wrong, if_match=etag)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not-allowed-for-group")
    assert remitting.house.biller.get("/v1/posting-policy").json()["version"] == 0
    assert remitting.policy(most={"amount": 100})["version"] == 1
    stale = remitting.house.biller.patch("/v1/posting-policy", {"automatic": False}, if_match=etag)
    assert stale.status_code == 412


POLICIES: dict[str, dict[str, Any]] = {
    "policy-by-hand": {"automatic": False},
    "policy-confidence": {"least_confidence": "exact"},
    "policy-denial": {"denials": False},
    "policy-provider-adjustment": {"provider_adjustments": False},
    "policy-amount": {"most": {"amount": 11899}},
}
OPEN = {"automatic": True, "least_confidence": "strong", "denials": True, "provider_adjustments": True, "most": None}


def test_each_policy_makes_a_file_wait_for_a_person_and_without_them_it_posts_itself(remitting: Remitting) -> None:
    claim, other = remitting.claim(), remitting.claim(days_ago=4)
    remitting.policy(automatic=False)
    said = eras.check(remitting.paid(claim, control=False), remitting.denied(other), beside=[("FB", "", -1)])
    file = remitting.hand_in(said)
    for rule, change in POLICIES.items():
        remitting.policy(**OPEN | change)
        assert [stop["rule"] for stop in remitting.act(file, "plan")["stops"]] == [rule]

    remitting.policy(**OPEN)

    assert remitting.act(file, "plan")["posts_itself"]
    assert "cash" not in remitting.accounts(), "a plan books nothing"


def test_what_nobody_knows_stops_no_file_where_the_practice_says_so(remitting: Remitting) -> None:
    claim = remitting.claim()
    remitting.policy(unmatched_to_clearing=True)
    stranger = replace(remitting.paid(claim), number="RNOBODY")

    file = remitting.hand_in(eras.check(remitting.paid(claim), stranger))

    assert file["state"] == "posted"
    assert remitting.accounts()["payer_clearing"] == -11900
    assert remitting.accounts()["cash"] == 2 * 11900


@pytest.mark.parametrize(("days", "waits"), [(30, set()), (40, {"dated-ahead"})])
def test_a_check_that_is_dated_far_ahead_waits(remitting: Remitting, days: int, waits: set[str]) -> None:
    """Some days ahead is usual: a payer names the day on which its money arrives."""
    check = eras.check(remitting.paid(remitting.claim()))

    file = remitting.hand_in(replace(check, paid_on=datetime.now(UTC).date() + timedelta(days=days)))

    assert (file["state"], rules(file)) == ("received" if waits else "posted", waits)
    if waits:
        assert remitting.act(file, "post")["state"] == "posted", "a person may say that it is right"


def test_a_code_of_no_list_waits(remitting: Remitting) -> None:
    claim = remitting.claim()
    file = remitting.hand_in(eras.check(remitting.paid(claim), beside=[("QQ", "", 5)]))
    assert (file["state"], rules(file)) == ("received", {"provider-adjustment-unknown"})


def test_a_forecast_and_what_was_sent_on_decide_nothing(remitting: Remitting) -> None:
    claim = remitting.claim()
    line = eras.service("90837", 180, 0, ("PR", "1", 180), day=claim["lines"][0]["service_on"])
    file = remitting.hand_in(eras.check(eras.claim(claim["control_number"], line, status="25")))

    assert (file["state"], rules(file)) == ("received", {"no-decision"})
    assert remitting.act(file, "post")["state"] == "posted"
    assert remitting.balance(claim["patient_id"]) == (0, 18000)
    assert remitting.billing.read(claim)["state"] == "accepted"


def test_another_role_neither_reads_nor_changes_the_policy(willow: House) -> None:
    assert willow.scheduler.get("/v1/posting-policy").status_code == 403
    assert willow.admin.get("/v1/adjustment-reasons").status_code == 403
    kinds = willow.biller.get("/v1/adjustment-reasons").json()["kinds"]
    assert {kind["kind"] for kind in kinds if kind["plans"]["CO"] == "contractual"} == {"contract"}


@given(
    st.lists(
        st.tuples(st.sampled_from(["CO", "PR", "OA", "PI"]), st.sampled_from(["1", "3", "23", "45", "97", "197"]),
                  st.integers(-10_000, 10_000)),
        max_size=6,
    ),
    st.integers(-10_000, 10_000),
    st.sampled_from(["1", "2", "4", "22"]),
)  # fmt: skip
def test_no_cent_is_planned_twice_or_lost(said: list[tuple[str, str, int]], paid: int, status: str) -> None:
    given_ = [{"group": group, "reason": reason, "cents": cents} for group, reason, cents in said]

    plans = planning.planned(given_, status=status, paid_cents=paid, overrides={"CO-97": "contractual"})

    assert [(a["group"], a["reason"], a["cents"]) for a in plans] == said
    assert all(a["plan"] in planning.ALLOWED[a["group"]] for a in plans)
    if status == "4":
        assert all(a["plan"] != "contractual" for a in plans)
    turned = [{**a, "cents": -a["cents"]} for a in plans]
    assert [a["plan"] for a in planning.as_decided(turned, plans)] == [a["plan"] for a in plans]
