"""Payment plans: Pia owes, agrees to pay by instalments, and pays, or does not. The plan itself moves no money."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from rapport.platform.db import sql
from rapport.platform.jobs.worker import drain
from rapport.rooms.accounting import jobs, queries, services
from rapport.rooms.ledger.tests.support import add_patient, balance, charge, entry_count, pay
from tests.support import props
from tests.support.cast import House, public

from .support import today


class Debt:
    """A patient who owes for visits, and short ways to agree and to pay."""

    def __init__(self, house: House, *cents: int) -> None:
        self.house, self.biller = house, house.biller
        self.patient, self.patient_id = add_patient(house)
        self.visits = [
            charge(house, self.patient_id, patient_cents=one, on=date(2026, 3, 2) + timedelta(days=place))
            for place, one in enumerate(cents)
        ]

    def terms(self, **more: Any) -> dict[str, Any]:
        first = {"first_due_on": today(self.house).isoformat(), "interval": "monthly"}
        number = {} if "amount" in more else {"instalments": 3}
        return {"patient_id": self.patient} | first | number | more

    def ask(self, **more: Any) -> Any:
        agreed = {"by": "Pia Rivera", "at": timezone.now().isoformat(), "how": "phone"}
        return self.biller.post("/v1/payment-plans", self.terms(**more) | {"agreed": agreed})

    def agree(self, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = props.made(self.ask(**more))
        return made

    def read(self, plan: dict[str, Any]) -> dict[str, Any]:
        answer = self.biller.get(f"/v1/payment-plans/{plan['id']}")
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def pay(self, cents: int, visit: int | None = None, **more: Any) -> dict[str, Any]:
        if visit is not None:
            part = {"appointment_id": public("appointment", self.visits[visit]), "amount": {"amount": cents}}
            more["allocations"] = [part]
        made: dict[str, Any] = props.made(pay(self.house, self.patient, cents, **more))
        return made

    def write_off(self, cents: int, visit: int) -> dict[str, Any]:
        body = {
            "patient_id": self.patient, "amount": {"amount": cents}, "owed_by": "patient", "reason_code": "hardship",
            "reason": "Lost their job", "appointment_id": public("appointment", self.visits[visit]),
        }  # fmt: skip
        made: dict[str, Any] = props.made(self.biller.post("/v1/write-offs", body))
        return made

    def reverse(self, entry_id: str) -> None:
        answer = self.biller.post(f"/v1/ledger-entries/{entry_id}/reverse", {"reason": "It bounced"})
        assert answer.status_code in (200, 201), answer.content

    def look(self, days: int = 0) -> datetime:
        """Let the job look at every plan, so many days from now."""
        now = timezone.now() + timedelta(days=days)
        with self.house.entered() as scope:
            found = queries.plans_to_look_at(scope=scope, before=now + timedelta(seconds=1))
        for plan_id in found:
            with self.house.entered() as scope:
                services.notice(scope=scope, plan_id=plan_id, now=now)
        return now

    def told(self) -> list[str]:
        events = self.biller.get("/v1/events?limit=100").json()["data"]
        return [e["type"].partition(".")[2] for e in events if e["type"].startswith("payment_plan.")]


def money(plan: dict[str, Any]) -> tuple[int, int, int]:
    return plan["paid"]["amount"], plan["open"]["amount"], plan["fallen_away"]["amount"]


def states(plan: dict[str, Any]) -> list[str]:
    return [one["state"] for one in plan["instalments"]]


def test_pia_agrees_to_three_instalments_pays_them_and_the_plan_is_completed(willow: House) -> None:
    pia = Debt(willow, 6000, 4000)
    entries = entry_count(willow)

    plan = pia.agree()
    assert [one["amount"]["amount"] for one in plan["instalments"]] == [3334, 3333, 3333]
    assert (money(plan), states(plan)) == ((0, 10000, 0), ["due", "upcoming", "upcoming"])
    assert (entry_count(willow), balance(willow, pia.patient)) == (entries, (10000, 0, 0)), "what is owed stays owed"

    pia.pay(4000)
    paid = pia.read(plan)
    assert (money(paid), states(paid)) == ((4000, 6000, 0), ["paid", "part_paid", "upcoming"])
    assert (paid["next_amount"]["amount"], paid["next_due_on"]) == (2667, plan["instalments"][1]["due_on"])
    pia.pay(6000)

    done = pia.read(plan)
    assert (done["status"], money(done), set(states(done))) == ("completed", (10000, 0, 0), {"paid"})
    assert pia.told() == ["created", "completed"]


def test_a_preview_shows_the_plan_and_keeps_nothing(willow: House) -> None:
    pia = Debt(willow, 6000, 4000)

    answer = pia.biller.post("/v1/payment-plans/preview", pia.terms(instalments=5))

    shown = answer.json()
    assert answer.status_code == 200, answer.content
    assert [one["amount"]["amount"] for one in shown["instalments"]] == [2000] * 5
    assert [one["code"] for one in shown["warnings"]] == ["more-than-four-instalments"]
    assert [one["amount"]["amount"] for one in shown["visits"]] == [6000, 4000]
    assert pia.biller.get("/v1/payment-plans").json()["data"] == []
    assert pia.told() == []


def test_a_plan_over_less_than_is_owed_takes_the_oldest_visits_and_an_amount_gives_a_smaller_last_one(willow: House) -> None:
    pia = Debt(willow, 6000, 4000)

    plan = pia.agree(total={"amount": 7500}, amount={"amount": 4000}, interval="two_weeks")

    assert [one["agreed"]["amount"] for one in plan["visits"]] == [6000, 1500]
    assert [one["amount"]["amount"] for one in plan["instalments"]] == [4000, 3500]
    days = [date.fromisoformat(one["due_on"]) for one in plan["instalments"]]
    assert days[1] - days[0] == timedelta(days=14)


def test_what_cannot_be_agreed_is_refused_with_its_reason(willow: House) -> None:
    pia = Debt(willow, 6000)
    yesterday = (today(willow) - timedelta(days=1)).isoformat()

    assert pia.ask(total={"amount": 6001}).json()["code"] == "more-than-owed"
    assert pia.ask(first_due_on=yesterday).status_code == 422
    assert pia.ask(first_due_on=(today(willow) + timedelta(days=400)).isoformat()).status_code == 422
    assert pia.ask(amount={"amount": 3000}, instalments=2).status_code == 422, "either, not both"
    assert pia.ask(total={"amount": 2}, instalments=3).status_code == 422, "a cent each at least"
    assert pia.ask(interval="weekly", day_of_month=3).status_code == 422
    assert pia.ask(appointment_ids=[pia.patient]).status_code == 422
    pia.agree()
    taken = pia.ask(appointment_ids=[public("appointment", pia.visits[0])])
    assert (taken.status_code, taken.json()["code"]) == (409, "visit-in-plan")
    assert pia.ask().json()["code"] == "more-than-owed", "nothing is left for another plan"


def test_an_insurance_that_pays_later_and_a_write_off_shorten_the_plan_from_its_end(willow: House) -> None:
    pia = Debt(willow, 6000, 4000)
    plan = pia.agree()
    pia.pay(3334)

    pia.write_off(4000, 1)
    shorter = pia.read(plan)
    assert (money(shorter), states(shorter)) == ((3334, 2666, 4000), ["paid", "upcoming", "fallen_away"])
    assert [one["amount"]["amount"] for one in shorter["instalments"]] == [3334, 2666, 0]

    pia.write_off(2666, 0)
    done = pia.read(plan)
    assert (done["status"], money(done)) == ("completed", (3334, 0, 6666))


def test_a_payment_that_bounces_opens_its_instalment_again_also_after_the_end(willow: House) -> None:
    pia = Debt(willow, 6000, 4000)
    plan = pia.agree()
    pia.pay(7000)
    last = pia.pay(3000)
    assert pia.read(plan)["status"] == "completed"

    pia.reverse(last["ledger_entry_ids"][0])

    again = pia.read(plan)
    assert (again["status"], money(again), states(again)) == ("active", (7000, 3000, 0), ["paid", "paid", "part_paid"])
    assert pia.told() == ["created", "completed", "reopened"]
    assert pia.ask(appointment_ids=[public("appointment", pia.visits[1])]).json()["code"] == "visit-in-plan"


def test_a_completed_plan_stays_so_where_another_one_has_its_visit_by_now(willow: House) -> None:
    pia = Debt(willow, 6000)
    first = pia.agree(total={"amount": 3000}, instalments=1)
    paid = pia.pay(3000)
    second = pia.agree(instalments=2)

    pia.reverse(paid["ledger_entry_ids"][0])

    assert (pia.read(first)["status"], money(pia.read(second))) == ("completed", (0, 3000, 0))
    assert balance(willow, pia.patient) == (6000, 0, 0), "what bounced is owed besides"
    pia.pay(3000)
    assert pia.read(second)["status"] == "completed"


def test_what_was_paid_before_counts_for_nothing_also_when_it_is_moved_or_bounces(willow: House) -> None:
    pia = Debt(willow, 6000, 4000)
    old = pia.pay(1000, visit=0)
    plan = pia.agree(appointment_ids=[public("appointment", pia.visits[0])])
    assert money(plan) == (0, 5000, 0)

    moved = pia.biller.post(f"/v1/payments/{old['id']}/allocate", {"allocations": []})
    assert moved.status_code == 200
    assert money(pia.read(plan)) == (0, 5000, 0), "what is owed besides is no part of the plan"
    pia.pay(2000, visit=0)
    assert money(pia.read(plan)) == (2000, 3000, 0)


def test_an_instalment_is_overdue_the_day_after_is_told_once_and_is_on_the_work_list_until_it_is_paid(willow: House) -> None:
    pia, other = Debt(willow, 9000), Debt(willow, 500)
    plan = pia.agree(interval="weekly")
    other.agree()

    pia.look()
    assert pia.told() == ["created", "created"], "today is no day too late"
    pia.look(1)
    pia.look(2)
    assert pia.told().count("overdue") == 2, "one of each plan"
    pia.look(8)
    assert pia.told().count("overdue") == 3, "the second instalment is another"
    listed = pia.biller.get("/v1/payment-plans?overdue=true&sort=overdue_since&limit=1").json()
    assert (len(listed["data"]), listed["has_more"]) == (1, True)
    rest = pia.biller.get(f"/v1/payment-plans?overdue=true&sort=overdue_since&limit=1&cursor={listed['next_cursor']}").json()
    assert {one["id"] for one in listed["data"] + rest["data"]} >= {plan["id"]}

    pia.pay(9000)
    mine = pia.biller.get(f"/v1/payment-plans?overdue=true&patient_id={pia.patient}").json()["data"]
    assert mine == []


def test_a_plan_that_is_put_off_is_not_overdue_meanwhile_and_keeps_its_distances(willow: House) -> None:
    pia = Debt(willow, 9000)
    plan = pia.agree(interval="weekly")
    until = today(willow) + timedelta(days=20)

    paused = pia.biller.post(f"/v1/payment-plans/{plan['id']}/pause", {"until": until.isoformat(), "reason": "In hospital"})

    assert paused.status_code == 200, paused.content
    days = [date.fromisoformat(one["due_on"]) for one in paused.json()["instalments"]]
    assert [day - today(willow) for day in days] == [timedelta(days=21), timedelta(days=28), timedelta(days=35)]
    pia.look(20)
    assert "overdue" not in pia.told()
    pia.look(22)
    assert pia.told() == ["created", "paused", "overdue"]
    again = pia.biller.post(f"/v1/payment-plans/{plan['id']}/pause", {"until": until.isoformat(), "reason": "Again"})
    assert (again.status_code, again.json()["code"]) == (409, "nothing-due-before")
    deeds = pia.biller.get(f"/v1/payment-plans/{plan['id']}/history").json()["deeds"]
    assert [(one["what"], one["actor_type"], one["reason"]) for one in deeds] == [
        ("created", "user", None), ("paused", "user", "In hospital"), ("overdue", "system", None),
    ]  # fmt: skip


def test_a_broken_plan_says_why_and_counts_nothing_that_is_paid_later(willow: House) -> None:
    pia = Debt(willow, 9000)
    plan = pia.agree()
    pia.pay(1000)
    body = {"outcome": "broken", "reason": "Did not answer"}

    ended = pia.biller.post(f"/v1/payment-plans/{plan['id']}/cancel", body)
    pia.pay(2000)

    assert (ended.status_code, ended.json()["status"]) == (200, "broken")
    later = pia.read(plan)
    assert (money(later), later["end_reason"], states(later)) == ((1000, 8000, 0), "Did not answer", ["ended"] * 3)
    assert balance(willow, pia.patient) == (6000, 0, 0)
    assert pia.biller.post(f"/v1/payment-plans/{plan['id']}/cancel", body).json()["code"] == "state-conflict"
    assert money(pia.agree()) == (0, 6000, 0), "its visits are free for another plan"


def test_another_plan_replaces_the_old_one_over_what_is_open_of_it(willow: House) -> None:
    pia = Debt(willow, 6000, 4000)
    plan = pia.agree(appointment_ids=[public("appointment", pia.visits[0])])
    pia.pay(2000, visit=0)

    new = pia.agree(replaces_id=plan["id"], instalments=8, interval="weekly")

    old = pia.read(plan)
    assert (old["status"], old["replaced_by_id"], money(old)) == ("replaced", new["id"], (2000, 4000, 0))
    assert (new["replaces_id"], money(new)) == (plan["id"], (0, 4000, 0))
    pia.pay(500, visit=0)
    assert (money(pia.read(plan)), money(pia.read(new))) == ((2000, 4000, 0), (500, 3500, 0)), "counted once"
    assert pia.ask(replaces_id=plan["id"]).status_code == 422, "it has ended"


def test_the_same_request_twice_is_one_plan(willow: House) -> None:
    pia = Debt(willow, 6000)
    agreed = {"by": "Pia Rivera", "at": timezone.now().isoformat(), "how": "in_person"}
    body = pia.terms() | {"agreed": agreed}

    first = pia.biller.post("/v1/payment-plans", body, idempotency_key="the-plan-of-pia-rivera")
    second = pia.biller.post("/v1/payment-plans", body, idempotency_key="the-plan-of-pia-rivera")

    assert (first.status_code, second.json()["id"]) == (201, first.json()["id"])
    assert len(pia.biller.get("/v1/payment-plans").json()["data"]) == 1


def test_a_change_needs_the_version_that_was_read(willow: House) -> None:
    pia = Debt(willow, 6000)
    plan = pia.agree()
    path = f"/v1/payment-plans/{plan['id']}"
    tag = pia.biller.get(path)["ETag"]

    assert pia.biller.patch(path, {"note": "Calls on Fridays"}, if_match=tag).json()["note"] == "Calls on Fridays"
    assert pia.biller.patch(path, {"note": "Calls on Mondays"}, if_match=tag).status_code == 412
    assert pia.read(plan)["note"] == "Calls on Fridays"


def test_a_statement_asks_for_what_is_due_of_a_plan_and_not_for_all_of_it(willow: House) -> None:
    pia = Debt(willow, 9000, 1000)
    pia.agree(appointment_ids=[public("appointment", pia.visits[0])], interval="weekly")
    period = {"from_on": "2026-03-01", "to_on": today(willow).isoformat()}

    statement = props.made(pia.biller.post("/v1/statements", {"patient_id": pia.patient, **period}))

    assert statement["closing"]["amount"] == 10000
    assert statement["due_now"]["amount"] == 1000 + 3000
    (line,) = statement["plans"]
    assert (line["open"]["amount"], line["next_amount"]["amount"]) == (9000, 3000)
    pdf = pia.biller.get(f"/v1/statements/{statement['id']}", accept="application/pdf")
    assert pdf.content.startswith(b"%PDF-")
    invoice = props.made(pia.biller.post("/v1/invoices", {"patient_id": pia.patient, **period}))
    assert invoice["total"]["amount"] == 1000, "no invoice asks for what is in a plan"


def test_the_agreement_is_a_paper_that_never_changes(willow: House) -> None:
    pia = Debt(willow, 9000)
    plan = pia.agree()
    path = f"/v1/payment-plans/{plan['id']}"

    before = pia.biller.get(path, accept="application/pdf")
    pia.pay(3000)
    after = pia.biller.get(path, accept="application/pdf")

    assert before["Content-Type"] == "application/pdf"
    assert before.content.startswith(b"%PDF-")
    assert before.content == after.content
    with pytest.raises(DatabaseError, match="frozen"), willow.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounting_paymentplan SET cents = cents + 1")
    with pytest.raises(DatabaseError, match="frozen"), willow.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounting_planvisit SET paid_before = '{\"a\": 1}'")


def test_the_database_keeps_a_visit_out_of_two_active_plans(willow: House) -> None:
    pia = Debt(willow, 9000)
    pia.agree(replaces_id=pia.agree()["id"])
    with pytest.raises(DatabaseError, match="plan_visit_one_active"), willow.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounting_planvisit SET active = true")


def looked_at(house: House) -> int:
    with house.entered():
        row = sql.one("SELECT count(*) FROM accounting_paymentplan WHERE looked_at IS NOT NULL")
    assert row is not None
    return int(row[0])


def test_each_practice_has_its_plans_looked_at_by_a_job_of_its_own(willow: House, aspen: House) -> None:
    Debt(willow, 9000).agree()
    Debt(aspen, 9000).agree()

    jobs.plans_everywhere()
    drain(willow.id)

    assert (looked_at(willow), looked_at(aspen)) == (1, 0)
    drain(aspen.id)
    assert looked_at(aspen) == 1


def test_of_two_who_agree_with_pia_at_the_same_moment_one_makes_the_plan(willow: House) -> None:
    pia = Debt(willow, 9000)
    gate, answers = threading.Barrier(3), []

    def agree() -> None:
        gate.wait()
        answers.append(pia.ask())
        connection.close()

    both = [threading.Thread(target=agree) for _ in range(3)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "more-than-owed"}


def test_a_scheduler_reads_no_plan_and_another_practice_finds_none(willow: House, aspen: House) -> None:
    pia = Debt(willow, 9000)
    plan = pia.agree()

    assert aspen.biller.get(f"/v1/payment-plans/{plan['id']}").status_code == 404
    assert aspen.biller.get("/v1/payment-plans").json()["data"] == []
    assert willow.scheduler.get(f"/v1/payment-plans/{plan['id']}").status_code == 403
    seen = willow.biller.get(f"/v1/payment-plans?patient_id={pia.patient}&status=active").json()["data"]
    assert [one["id"] for one in seen] == [plan["id"]]
