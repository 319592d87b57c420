"""Instalments on a card on file: told, charged once on their day, or overdue; AutoPay asks for nothing of a plan."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from rapport.platform.db import sql
from rapport.rooms.accounting import queries as accounting
from rapport.rooms.accounting import services as plans
from rapport.rooms.ledger.tests.support import balance, pay
from rapport.rooms.payments import jobs, queries, services
from tests.faults import ROUNDS
from tests.support import process, props
from tests.support.cast import public
from tests.support.payments import Till, carry_on, time_passes

from .test_autopay import enrol, planned, rule, today
from .test_doubt import POINTS


def agree(till: Till, *visits: UUID, **more: Any) -> dict[str, Any]:
    body = {
        "patient_id": till.patient, "appointment_ids": [public("appointment", visit) for visit in visits],
        "first_due_on": today(till).isoformat(), "interval": "weekly", "instalments": 3, "charge_card": True,
        "agreed": {"by": "Ana Rivera", "at": timezone.now().isoformat(), "how": "in_person"},
    }  # fmt: skip
    return props.made(till.biller.post("/v1/payment-plans", body | more))


def read(till: Till, plan: dict[str, Any]) -> dict[str, Any]:
    return till.read("payment-plans", plan["id"])


def states(till: Till, plan: dict[str, Any]) -> list[str]:
    return [one["state"] for one in read(till, plan)["instalments"]]


def night(till: Till, days: int = 0) -> datetime:
    """Let AutoPay look as its job does, and the job of the plans, so many days from now."""
    now = timezone.now() + timedelta(days=days)
    with till.house.entered() as scope:
        found = queries.enrolments_to_look_at(scope=scope, before=now + timedelta(seconds=1))
    for enrolment_id in found:
        with till.house.entered() as scope:
            services.plan(scope=scope, enrolment_id=enrolment_id, now=now)
            services.plan_instalments(scope=scope, enrolment_id=enrolment_id, now=now)
    with till.house.entered() as scope:
        due = queries.planned_by(scope=scope, day=scope.day_of(now))
    for planned_id in due:
        with till.house.entered() as scope:
            services.carry_out(scope=scope, planned_id=planned_id, now=now)
    till.work()
    with till.house.entered() as scope:
        looked = accounting.plans_to_look_at(scope=scope, before=now + timedelta(seconds=1))
    for plan_id in looked:
        with till.house.entered() as scope:
            plans.notice(scope=scope, plan_id=plan_id, now=now)
    return now


def test_instalments_are_charged_on_their_days_once_and_autopay_asks_for_nothing_of_the_plan(till: Till) -> None:
    rule(till)
    plan = agree(till, till.owes(6000), till.owes(3000))
    enrol(till, till.keep_card())
    other = till.owes(2500)

    night(till)
    assert till.balance() == (11500 - 3000, 0, 0), "the first instalment is due today, and nothing else"
    night(till, 3)
    assert till.balance() == (6000, 0, 0), "AutoPay has charged the visit that is in no plan, days after it was told"
    for days in (4, 5, 6):
        night(till, days)
    assert till.balance() == (6000, 0, 0)
    assert states(till, plan) == ["paid", "upcoming", "upcoming"]
    night(till, 7)
    night(till, 8)
    night(till, 14)
    for days in (15, 30, 60):
        night(till, days)

    done = read(till, plan)
    assert (done["status"], till.balance()) == ("completed", (0, 0, 0))
    charged = planned(till)
    assert sorted((one["instalment"] or 0, one["amount"]["amount"], one["state"]) for one in charged) == [
        (0, 2500, "paid"), (1, 3000, "paid"), (2, 3000, "paid"), (3, 3000, "paid"),
    ]  # fmt: skip
    (own,) = [one for one in charged if one["payment_plan_id"] is None]
    assert [a["appointment_id"] for a in own["allocations"]] == [public("appointment", other)]
    assert all(till.taken(till.read("payments", one["payment_id"])) == [one["amount"]["amount"]] for one in charged)


@pytest.mark.parametrize("without", ["consent", "charge_card", "rule"])
def test_nothing_is_charged_without_each_of_the_three_acts(till: Till, without: str) -> None:
    rule(till, active=without != "rule")
    card = till.keep_card()
    plan = agree(till, till.owes(6000), charge_card=without != "charge_card")
    if without != "consent":
        enrol(till, card)

    for days in (0, 3, 8, 40):
        night(till, days)

    assert (planned(till), till.balance()) == ([], (6000, 0, 0))
    assert read(till, plan)["status"] == "active"


def test_a_plan_takes_what_autopay_had_planned_for_its_visits(till: Till) -> None:
    rule(till)
    visit, other = till.owes(6000), till.owes(2500)
    enrol(till, till.keep_card())
    night(till)
    (before,) = planned(till, "planned")
    assert before["amount"]["amount"] == 8500

    agree(till, visit, charge_card=False)
    night(till)
    for days in (3, 4, 10, 40):
        night(till, days)

    assert till.balance() == (6000, 0, 0), "the other visit alone was charged"
    assert [(one["state"], one["amount"]["amount"]) for one in planned(till)] == [("overtaken", 8500), ("paid", 2500)]
    paid = till.read("payments", planned(till, "paid")[0]["payment_id"])
    assert [a["appointment_id"] for a in paid["allocations"]] == [public("appointment", other)]


def test_a_broken_plan_is_not_charged_at_once_by_autopay(till: Till) -> None:
    rule(till)
    plan = agree(till, till.owes(6000))
    enrol(till, till.keep_card())
    night(till)
    ended = till.biller.post(f"/v1/payment-plans/{plan['id']}/cancel", {"outcome": "broken", "reason": "Did not pay"})
    assert ended.status_code == 200

    for days in (3, 8, 40):
        night(till, days)

    assert till.balance() == (4000, 0, 0)


def test_a_declined_card_leaves_the_instalment_overdue_on_both_work_lists_and_the_next_takes_its_own_amount(till: Till) -> None:
    rule(till, retry_days=[])
    plan = agree(till, till.owes(6000))
    enrol(till, till.keep_card())
    till.double.script({"fault": "decline", "code": "card_declined/insufficient_funds"})
    night(till)
    night(till, 1)

    (given_up,) = planned(till, "given_up")
    assert (given_up["payment_plan_id"], given_up["instalment"]) == (plan["id"], 1)
    assert [one["id"] for one in till.biller.get("/v1/payment-plans?overdue=true").json()["data"]] == [plan["id"]]
    told = [e["type"] for e in till.biller.get("/v1/events?limit=100").json()["data"]]
    assert (told.count("payment_plan.overdue"), told.count("autopay.given_up")) == (1, 1)

    night(till, 7)

    assert till.balance() == (4000, 0, 0), "one instalment, and not two at once"
    night(till, 30)
    assert [one["state"] for one in planned(till) if one["instalment"] == 1] == ["given_up"], "left to people"


def test_a_declined_card_is_tried_again_on_the_days_of_the_rule(till: Till) -> None:
    rule(till, retry_days=[3])
    agree(till, till.owes(6000))
    enrol(till, till.keep_card())
    till.double.script({"fault": "decline", "code": "card_declined/insufficient_funds"})
    night(till)
    (one,) = planned(till, "planned")
    assert (one["tries"], one["instalment"], till.balance()) == (1, 1, (6000, 0, 0))

    night(till, 3)

    assert till.balance() == (4000, 0, 0)
    assert [one["state"] for one in planned(till) if one["instalment"] == 1] == ["paid"]


def test_an_instalment_that_was_put_off_or_paid_in_cash_is_not_charged(till: Till) -> None:
    rule(till)
    first = (today(till) + timedelta(days=2)).isoformat()
    plan = agree(till, till.owes(6000), first_due_on=first)
    enrol(till, till.keep_card())
    night(till)
    (told,) = planned(till, "planned")
    assert (told["due_on"], told["amount"]["amount"]) == (first, 2000)

    until = (today(till) + timedelta(days=8)).isoformat()
    path = f"/v1/payment-plans/{plan['id']}/pause"
    assert till.biller.post(path, {"until": until, "reason": "Asked for it"}).status_code == 200
    night(till, 2)
    assert (till.balance(), [one["state"] for one in planned(till)]) == ((6000, 0, 0), ["overtaken"])
    paid = pay(till.house, till.patient, 2000, payment_plan_id=plan["id"])
    assert paid.status_code == 201, paid.content
    night(till, 9)

    assert till.balance() == (4000, 0, 0)
    assert states(till, plan)[0] == "paid"


def test_a_plan_that_takes_no_card_any_more_takes_back_what_was_planned_and_one_that_does_again_plans_anew(till: Till) -> None:
    rule(till)
    first = (today(till) + timedelta(days=2)).isoformat()
    path = f"/v1/payment-plans/{agree(till, till.owes(6000), first_due_on=first)['id']}"
    enrol(till, till.keep_card())
    night(till)

    for wanted, states_then in ((False, ["overtaken"]), (True, ["overtaken", "planned"])):
        answer = till.biller.patch(path, {"charge_card": wanted}, if_match=till.biller.get(path)["ETag"])
        assert answer.status_code == 200, answer.content
        night(till)
        assert sorted(one["state"] for one in planned(till)) == states_then
    night(till, 2)
    assert till.balance() == (4000, 0, 0)


def test_credit_that_pays_the_rest_of_a_plan_leaves_nothing_to_charge(till: Till) -> None:
    rule(till)
    plan = agree(till, till.owes(2000), instalments=1, first_due_on=(today(till) + timedelta(days=2)).isoformat())
    enrol(till, till.keep_card())
    night(till)
    paid = props.made(pay(till.house, till.patient, 2000, allocations=[]))
    assert (till.balance(), read(till, plan)["status"], paid["unapplied"]["amount"]) == ((2000, 0, 2000), "active", 2000)

    night(till, 2)

    then = balance(till.house, till.patient, f"?as_of={today(till) + timedelta(days=2)}")
    assert (then, read(till, plan)["status"]) == ((0, 0, 0), "completed")
    assert [one["state"] for one in planned(till)] == ["overtaken"]


def test_money_given_for_a_plan_pays_its_visits_and_not_the_older_ones(till: Till) -> None:
    old, visit = till.owes(5000), till.owes(3000)
    plan = agree(till, visit, charge_card=False)

    paid = props.made(pay(till.house, till.patient, 3500, payment_plan_id=plan["id"]))

    assert [(a["appointment_id"], a["amount"]["amount"]) for a in paid["allocations"]] == [(public("appointment", visit), 3000)]
    assert (read(till, plan)["status"], till.balance()) == ("completed", (5000, 0, 500))
    nobody = pay(till.house, till.patient, 100, payment_plan_id=plan["id"])
    assert nobody.status_code == 422, "it has ended"
    both = {"payment_plan_id": plan["id"], "allocations": [{"appointment_id": public("appointment", old), "amount": {"amount": 1}}]}
    assert pay(till.house, till.patient, 100, **both).status_code == 422


def test_what_the_bank_took_back_for_good_opens_the_instalment_again_and_is_not_charged_again(till: Till) -> None:
    rule(till)
    plan = agree(till, till.owes(6000), instalments=1)
    enrol(till, till.keep_card("pm_card_createDispute"))
    before = set(till.double.account()["disputes"])
    night(till)
    assert read(till, plan)["status"] == "completed"
    (dispute,) = set(till.double.account()["disputes"]) - before
    till.double.call("POST", f"/_double/disputes/{dispute}", json={"status": "lost"})

    till.deliver("charge.dispute.created", "charge.dispute.closed")
    till.later()

    again = read(till, plan)
    assert (again["status"], again["open"]["amount"], till.balance()) == ("active", 6000, (6000, 0, 0))
    for days in (1, 3, 40):
        night(till, days)
    assert till.balance() == (6000, 0, 0)


@pytest.mark.parametrize("point", POINTS)
def test_r26_a_kill_there_charges_a_due_instalment_once(till: Till, point: str) -> None:
    rule(till)
    enrol(till, till.keep_card())
    for turn in range(ROUNDS):
        plan = agree(till, till.owes(6000), instalments=2)
        jobs.autopay(scope=till.house.scope)
        (one,) = planned(till, "charging")

        killed = process.start("charge", str(till.house.id), RAPPORT_CRASHPOINTS=f"{point}:1").wait(timeout=60)
        for _ in range(3):
            time_passes(till.house.id)
            carry_on(till.house.id)
            jobs.autopay(scope=till.house.scope)

        assert killed == -9, "the control: the kill did happen"
        assert till.taken(till.read("payments", one["payment_id"])) == [3000]
        assert states(till, plan) == ["paid", "upcoming"]
        assert till.balance() == (3000 * (turn + 1), 0, 0)


def test_the_control_who_takes_silence_for_a_no_charges_the_instalment_twice(till: Till) -> None:
    rule(till)
    enrol(till, till.keep_card())
    agree(till, till.owes(6000), instalments=2)
    jobs.autopay(scope=till.house.scope)
    process.start("charge", str(till.house.id), RAPPORT_CRASHPOINTS="charge.after_send:1").wait(timeout=60)
    with till.house.entered():
        sql.run("UPDATE payments_charge SET state = 'failed'", ())
        sql.run("UPDATE payments_planned SET state = 'overtaken'", ())

    night(till)

    taken = [till.taken(till.read("payments", one["payment_id"])) for one in planned(till)]
    assert taken == [[3000], [3000]], "for one instalment"


def test_the_database_keeps_an_instalment_from_being_planned_twice(till: Till) -> None:
    rule(till)
    enrol(till, till.keep_card())
    agree(till, till.owes(6000), instalments=2)
    night(till)
    with pytest.raises(DatabaseError, match="planned_instalment_once"), till.house.entered(), connection.cursor() as cursor:
        cursor.execute(_AGAIN)

    with till.house.entered():
        sql.run(_AGAIN.replace("n.instalment", "n.instalment + 1"), ())
    night(till)
    assert (till.balance(), [one["state"] for one in planned(till)]) == ((3000, 0, 0), ["paid", "overtaken"]), "not its day"


_AGAIN = """
INSERT INTO payments_planned (practice_id, id, version, created_at, updated_at, patient_id, enrolment_id, cents, visits,
    due_on, state, tries, decline_code, decline_words, reason, plan_id, instalment)
SELECT n.practice_id, gen_random_uuid(), 1, n.created_at, n.updated_at, n.patient_id, n.enrolment_id, n.cents, n.visits,
    n.due_on, 'planned', 0, '', '', '', n.plan_id, n.instalment FROM payments_planned n
"""
