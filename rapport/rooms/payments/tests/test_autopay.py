"""AutoPay: consent and charge are two acts; planned, told, cancelled or charged once; declines retried, then given up."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rapport.platform.db import sql
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.tests.support import pay
from rapport.rooms.payments import jobs, queries, services
from rapport.rooms.payments.rules.autopay import Owed, leaves_on, share
from tests.support import props
from tests.support.cast import public
from tests.support.payments import Till

WORDS = "I agree that what I owe after my insurance has paid is charged to this card."


def rule(till: Till, **more: Any) -> None:
    body = {"active": True, "max_per_month": {"amount": 50000}, "notice_days": 3, "retry_days": [3, 7]} | more
    answer = till.house.admin.call("PUT", "/v1/autopay-rule", body)
    assert answer.status_code == 200, answer.content


def enrol(till: Till, card: dict[str, Any], **more: Any) -> dict[str, Any]:
    consent = {"words": WORDS, "given_by": "Ana Rivera", "given_at": timezone.now().isoformat()}
    body = {"patient_id": till.patient, "card_id": card["id"], "consent": consent}
    return props.made(till.biller.post("/v1/autopay-enrolments", body | more))


def night(till: Till, days: int = 0) -> datetime:
    """Let AutoPay look, so many days from now, and a worker do what it asks for."""
    now = timezone.now() + timedelta(days=days)
    with till.house.entered() as scope:
        found = queries.enrolments_to_look_at(scope=scope, before=now + timedelta(seconds=1))
    for enrolment_id in found:
        with till.house.entered() as scope:
            services.plan(scope=scope, enrolment_id=enrolment_id, now=now)
    with till.house.entered() as scope:
        due = queries.planned_by(scope=scope, day=scope.day_of(now))
    for planned_id in due:
        with till.house.entered() as scope:
            services.carry_out(scope=scope, planned_id=planned_id, now=now)
    till.work()
    return now


def planned(till: Till, state: str = "") -> list[dict[str, Any]]:
    query = f"?state={state}" if state else ""
    found: list[dict[str, Any]] = till.biller.get(f"/v1/planned-charges{query}").json()["data"]
    return found


def today(till: Till) -> date:
    return till.house.scope.day_of(timezone.now())


def test_enrolling_charges_nothing_and_what_is_owed_leaves_days_after_it_was_told(till: Till) -> None:
    rule(till)
    visit = till.owes(2500)
    enrolment = enrol(till, till.keep_card())
    till.work()
    assert planned(till) == []
    assert enrolment["consent"]["words"] == WORDS
    assert till.balance() == (2500, 0, 0)

    night(till)
    (one,) = planned(till)
    assert (one["state"], one["amount"]["amount"], one["due_on"]) == (
        "planned", 2500, (today(till) + timedelta(days=3)).isoformat(),
    )  # fmt: skip
    assert [a["appointment_id"] for a in one["allocations"]] == [public("appointment", visit)]
    night(till, 2)
    assert till.balance() == (2500, 0, 0), "not before its day"
    told = [e["type"] for e in till.biller.get("/v1/events?limit=100").json()["data"]]
    assert told.count("autopay.planned") == 1

    night(till, 3)
    (done,) = planned(till)
    payment = till.read("payments", done["payment_id"])
    assert (done["state"], payment["state"], payment["planned_charge_id"]) == ("paid", "succeeded", done["id"])
    assert (till.balance(), till.taken(payment)) == ((0, 0, 0), [2500])
    for later in (3, 4, 40):
        night(till, later)
    assert len(planned(till)) == 1, "one balance is charged once"


def test_nobody_who_is_not_enrolled_is_charged(till: Till) -> None:
    rule(till)
    till.owes(2500)
    till.keep_card()

    night(till)
    night(till, 10)

    assert (planned(till), till.balance()) == ([], (2500, 0, 0))


@pytest.mark.parametrize("how", ["cancel", "revoke", "remove the card", "switch off"])
def test_a_person_keeps_a_planned_charge_from_leaving(till: Till, how: str) -> None:
    rule(till)
    till.owes(2500)
    card = till.keep_card()
    enrolment = enrol(till, card)
    night(till)
    (one,) = planned(till, "planned")

    if how == "cancel":
        answer = till.biller.post(f"/v1/planned-charges/{one['id']}/cancel", {"reason": "Pays in cash"})
    elif how == "revoke":
        answer = till.biller.post(f"/v1/autopay-enrolments/{enrolment['id']}/revoke", {"reason": "Asked for it"})
    elif how == "remove the card":
        answer = till.biller.delete(f"/v1/cards/{card['id']}")
    else:
        body = {"active": False, "max_per_month": {"amount": 50000}}
        answer = till.house.admin.call("PUT", "/v1/autopay-rule", body)
    assert answer.status_code == 200, answer.content
    for days in (3, 4, 40):
        night(till, days)

    assert till.balance() == (2500, 0, 0)
    assert till.biller.get("/v1/payments").json()["data"] == []
    if how != "switch off":
        again = till.biller.post(f"/v1/planned-charges/{one['id']}/cancel", {"reason": "Once more"})
        assert (again.status_code, again.json()["code"]) == (409, "state-conflict")


def test_what_was_paid_meanwhile_is_not_charged_and_credit_pays_first(till: Till) -> None:
    rule(till)
    till.owes(2500)
    enrol(till, till.keep_card())
    night(till)
    pay(till.house, till.patient, 1500)

    night(till, 3)
    (done,) = planned(till)
    assert till.taken(till.read("payments", done["payment_id"])) == [1000], "as much as is still owed"
    till.owes(800)
    night(till, 4)
    pay(till.house, till.patient, 900)
    night(till, 8)

    assert [one["state"] for one in planned(till)] == ["paid", "overtaken"]
    assert till.balance() == (0, 0, 100)


def test_a_declined_card_is_tried_again_on_its_days_and_then_is_for_people(till: Till) -> None:
    rule(till, retry_days=[3, 7])
    till.owes(2500)
    enrol(till, till.keep_card())
    night(till)
    days = 3
    for tries, wait in ((1, 3), (2, 7)):
        till.double.script({"fault": "decline", "code": "card_declined/insufficient_funds"})
        now = night(till, days)
        (one,) = planned(till)
        settled = till.house.scope.day_of(timezone.now())
        assert (one["state"], one["tries"], one["decline"]["code"]) == ("planned", tries, "insufficient_funds")
        assert one["due_on"] == (settled + timedelta(days=wait)).isoformat()
        assert now
        days = max(days, wait)
    till.double.script({"fault": "decline", "code": "card_declined/insufficient_funds"})
    night(till, 20)

    (given_up,) = planned(till, "given_up")
    assert (given_up["tries"], given_up["decline"]["message"]) == (
        3, "The card has not enough money or credit left.",
    )  # fmt: skip
    for later in (21, 60):
        night(till, later)
    assert len(planned(till)) == 1, "what was given up is not planned again"
    assert (till.balance(), len(till.biller.get("/v1/payments?state=failed").json()["data"])) == ((2500, 0, 0), 3)
    closed = till.biller.post(f"/v1/planned-charges/{given_up['id']}/cancel", {"reason": "Called the patient"})
    assert closed.json()["state"] == "cancelled"


def test_a_card_that_is_declined_for_good_is_given_up_at_once(till: Till) -> None:
    rule(till)
    till.owes(2500)
    enrol(till, till.keep_card("pm_card_authenticationRequired"))
    night(till)

    night(till, 3)

    (one,) = planned(till)
    assert (one["state"], one["tries"], one["decline"]["code"]) == ("given_up", 1, "authentication_required")


def test_a_reply_that_was_lost_makes_no_second_charge_of_a_plan(till: Till) -> None:
    rule(till)
    till.owes(2500)
    enrol(till, till.keep_card())
    night(till)
    till.double.script({"fault": "drop"})
    night(till, 3)
    assert [one["state"] for one in planned(till)] == ["charging"]
    night(till, 4)
    night(till, 5)

    till.later()

    (done,) = planned(till)
    assert (done["state"], till.taken(till.read("payments", done["payment_id"]))) == ("paid", [2500])
    assert till.balance() == (0, 0, 0)


def test_copays_wait_for_the_payer_unless_the_rule_says_otherwise(till: Till) -> None:
    rule(till)
    visit = till.owes(2500, insurance_cents=12500)
    enrol(till, till.keep_card())
    night(till)
    assert planned(till) == []

    rule(till, copays=True)
    night(till)

    (one,) = planned(till)
    assert [a["appointment_id"] for a in one["allocations"]] == [public("appointment", visit)]


def test_no_more_than_was_consented_to_leaves_in_a_month(till: Till) -> None:
    rule(till)
    till.owes(9000)
    enrol(till, till.keep_card(), max_per_month={"amount": 4000})
    night(till)
    night(till, 3)
    for days in range(4, 12):
        night(till, days)

    by_month: dict[str, int] = {}
    for one in planned(till):
        by_month[one["due_on"][:7]] = by_month.get(one["due_on"][:7], 0) + one["amount"]["amount"]
    assert by_month
    assert max(by_month.values()) <= 4000


def test_a_health_account_pays_no_fee_for_a_missed_visit(till: Till) -> None:
    rule(till)
    with till.house.entered() as scope:
        ledger.post_charge(
            scope=scope, appointment_id=till.patient_id, patient_id=till.patient_id, service_on=date(2026, 3, 2),
            patient_cents=5000, insurance_cents=0, now=timezone.now(), line="fee:no_show",
        )  # fmt: skip
    asked = props.made(till.biller.post("/v1/cards", {"patient_id": till.patient, "health_account": True}))
    till.work()
    setup = till.read("cards", asked["id"])["page"]["secret"].split("_secret_")[0]
    till.double.page(setup, "pm_card_visa")
    till.deliver("setup_intent.succeeded")
    till.work()
    enrol(till, till.read("cards", asked["id"]))

    night(till)

    assert planned(till) == []


def test_a_patient_is_enrolled_once_and_with_a_card_of_their_own(till: Till) -> None:
    card = till.keep_card()
    enrol(till, card)
    consent = {"words": WORDS, "given_by": "Ana Rivera", "given_at": timezone.now().isoformat()}
    body = {"patient_id": till.patient, "card_id": card["id"], "consent": consent}

    assert till.biller.post("/v1/autopay-enrolments", body).json()["code"] == "already-enrolled"
    tomorrow = consent | {"given_at": (timezone.now() + timedelta(days=1)).isoformat()}
    for change in ({"consent": tomorrow}, {"consent": consent | {"words": ""}}, {"card_id": till.patient}):
        assert till.biller.post("/v1/autopay-enrolments", body | change).status_code == 422


def test_a_consent_is_frozen_in_the_database(till: Till) -> None:
    enrol(till, till.keep_card())
    with pytest.raises(DatabaseError, match="frozen"), till.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_enrolment SET consent_words = 'Anything goes.'")


def test_two_workers_at_once_let_a_planned_charge_leave_once(till: Till) -> None:
    rule(till)
    till.owes(2500)
    enrol(till, till.keep_card())
    night(till)
    with till.house.entered() as scope:
        sql.run("UPDATE payments_planned SET due_on = %s", (scope.day_of(timezone.now()),))
    jobs.autopay(scope=till.house.scope)
    jobs.autopay(scope=till.house.scope)
    till.work()

    (done,) = planned(till)
    assert till.taken(till.read("payments", done["payment_id"])) == [2500]


@given(
    st.lists(st.integers(min_value=1, max_value=100_000), max_size=6), st.integers(min_value=-100, max_value=150_000)
)
def test_a_share_is_within_the_limit_and_within_what_is_owed(cents: list[int], most: int) -> None:
    owed = [Owed(str(number), amount, False, False) for number, amount in enumerate(cents)]

    parts = share(owed, most)

    assert sum(part for _, part in parts) == 0 or 50 <= sum(part for _, part in parts) <= min(most, sum(cents))
    assert all(0 < part <= cents[int(visit)] for visit, part in parts)


@given(st.dates(date(2024, 1, 1), date(2040, 1, 1)), st.integers(1, 30), st.integers(1, 28))
def test_a_charge_leaves_on_the_day_of_the_month_and_not_before_its_notice(day: date, notice: int, on: int) -> None:
    found = leaves_on(day, notice_days=notice, day_of_month=on)

    assert found.day == on
    assert timedelta(days=notice) <= found - day <= timedelta(days=notice + 31)
