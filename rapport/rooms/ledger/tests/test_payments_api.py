"""Payments, refunds and write-offs over HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from rapport.rooms.ledger.tests.support import add_patient, balance, charge, entry_count, pay
from tests.support.cast import House, public


def test_a_payment_pays_the_oldest_visit_first_and_the_rest_is_credit(willow: House) -> None:
    patient, id = add_patient(willow)
    later = charge(willow, id, patient_cents=3000, on=date(2026, 3, 9))
    older = charge(willow, id, patient_cents=2500, on=date(2026, 3, 2))

    answer = pay(willow, patient, 7000)

    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert [(p["appointment_id"], p["amount"]["amount"]) for p in made["allocations"]] == [
        (public("appointment", older), 2500),
        (public("appointment", later), 3000),
    ]
    assert made["unapplied"] == {"amount": 1500, "currency": "USD"}
    assert balance(willow, patient) == (0, 0, 1500)
    assert willow.biller.get(f"/v1/payments/{made['id']}").json() == made


def test_chosen_allocations_must_be_open_that_far(willow: House) -> None:
    patient, id = add_patient(willow)
    visit = public("appointment", charge(willow, id, patient_cents=2500))

    def choose(appointment: str, cents: int) -> tuple[int, list[str]]:
        answer = pay(
            willow, patient, 3000,
            allocations=[{"appointment_id": appointment, "amount": {"amount": cents}}],
        )  # fmt: skip
        return answer.status_code, [e["pointer"] for e in answer.json().get("errors", ())]

    assert choose(visit, 2600) == (422, ["/allocations/0/amount"])
    assert choose(public("appointment", new_uuid()), 100) == (422, ["/allocations/0/amount"])
    assert choose("pat_1", 100) == (422, ["/allocations/0/appointment_id"])
    assert choose(visit, 1000)[0] == 201
    assert balance(willow, patient) == (1500, 0, 2000)


def test_the_second_click_records_nothing_and_a_click_without_a_key_is_refused(
    willow: House,
) -> None:
    patient, _ = add_patient(willow)
    body = {"patient_id": patient, "amount": {"amount": 500}, "method": "check"}
    key = new_uuid().hex

    first = willow.biller.post("/v1/payments", body, idempotency_key=key)
    again = willow.biller.post("/v1/payments", body, idempotency_key=key)
    bare = willow.biller.call("POST", "/v1/payments", body)

    assert first.json() == again.json()
    assert (bare.status_code, bare.json()["code"]) == (400, "idempotency-key-missing")
    assert balance(willow, patient) == (0, 0, 500)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount": {"amount": 0}}, "/amount/amount"),
        ({"amount": {"amount": -5}}, "/amount/amount"),
        ({"amount": {"amount": 1.5}}, "/amount/amount"),
        ({"method": "bitcoin"}, "/method"),
        ({"reference": "4111 1111 1111 1111"}, "/reference"),
        ({"received_on": "2999-01-01"}, "/received_on"),
        ({"balance_cents": 0}, "/balance_cents"),
        ({"patient_id": public("patient", new_uuid())}, "/patient_id"),
    ],
)
def test_a_faulty_payment_is_refused_with_a_pointer(
    willow: House, change: dict[str, object], pointer: str
) -> None:
    patient, _ = add_patient(willow)

    answer = pay(willow, patient, 500, **change)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert entry_count(willow) == 0


def test_only_credit_can_be_refunded_and_not_more_than_was_paid(willow: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=2500)
    payment = pay(willow, patient, 4000).json()["id"]

    def refund(cents: int) -> tuple[int, str]:
        answer = willow.biller.post(
            f"/v1/payments/{payment}/refund",
            {"amount": {"amount": cents}, "reason": "Patient moved away"},
        )
        return answer.status_code, answer.json().get("code", "")

    assert refund(4001) == (409, "more-than-paid")
    assert refund(1501) == (409, "credit-spent")
    assert refund(1000) == (200, "")
    assert refund(501) == (409, "credit-spent")
    assert refund(500) == (200, "")
    body = willow.biller.get(f"/v1/payments/{payment}").json()
    assert (body["refunded"]["amount"], body["version"]) == (1500, 3)
    assert len(body["ledger_entry_ids"]) == 3
    assert balance(willow, patient) == (0, 0, 0)


def test_refunds_at_the_same_moment_never_exceed_the_credit(willow: House) -> None:
    patient, _ = add_patient(willow)
    payment = pay(willow, patient, 1000).json()["id"]
    together = Barrier(6)
    statuses: list[int] = []

    def give_back() -> None:
        together.wait()
        answer = willow.biller.post(
            f"/v1/payments/{payment}/refund", {"amount": {"amount": 400}, "reason": "Twice clicked"}
        )
        statuses.append(answer.status_code)
        connection.close()

    threads = [Thread(target=give_back) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 200, 409, 409, 409, 409]
    assert balance(willow, patient) == (0, 0, 200)


def test_payments_at_the_same_moment_pay_a_visit_once(willow: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=1000)
    together = Barrier(4)

    def give() -> None:
        together.wait()
        pay(willow, patient, 600)
        connection.close()

    threads = [Thread(target=give) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert balance(willow, patient) == (0, 0, 1400)


def test_a_write_off_takes_what_is_owed_at_most_and_can_be_undone(willow: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, insurance_cents=10000)
    body = {"patient_id": patient, "amount": {"amount": 2501}, "reason": "Hardship"}

    too_much = willow.biller.post("/v1/write-offs", body)
    made = willow.biller.post("/v1/write-offs", body | {"amount": {"amount": 2500}})
    payer = willow.biller.post("/v1/write-offs", body | {"amount": {"amount": 400}, "owed_by": "insurance"})  # fmt: skip

    assert (too_much.status_code, too_much.json()["code"]) == (409, "more-than-owed")
    assert (made.status_code, payer.status_code) == (201, 201)
    assert balance(willow, patient) == (0, 9600, 0)
    path = f"/v1/ledger-entries/{made.json()['id']}/reverse"
    undone = willow.biller.post(path, {"reason": "Paid after all"})
    again = willow.biller.post(path, {"reason": "Paid after all"})
    assert undone.status_code == 201
    assert undone.json()["reverses_id"] == made.json()["id"]
    assert (again.status_code, again.json()["code"]) == (409, "already-reversed")
    assert balance(willow, patient) == (2500, 9600, 0)


def test_a_payment_whose_credit_was_given_back_cannot_be_undone(willow: House) -> None:
    patient, _ = add_patient(willow)
    payment = pay(willow, patient, 1000).json()
    refunded = willow.biller.post(
        f"/v1/payments/{payment['id']}/refund", {"amount": {"amount": 300}, "reason": "Overpaid"}
    ).json()
    pay(willow, patient, 5000)  # there is credit enough, and it is another payment's
    payment_entry, refund_entry = refunded["ledger_entry_ids"]

    def undo(entry: str) -> tuple[int, str]:
        answer = willow.biller.post(f"/v1/ledger-entries/{entry}/reverse", {"reason": "Wrong patient"})
        return answer.status_code, answer.json().get("code", "")

    assert undo(payment_entry) == (409, "more-than-paid")
    assert undo(refund_entry) == (201, "")
    assert undo(payment_entry) == (201, ""), "the control: without the refund it can"
    assert balance(willow, patient) == (0, 0, 5000)


def test_a_payment_that_was_undone_cannot_be_refunded(willow: House) -> None:
    patient, _ = add_patient(willow)
    payment = pay(willow, patient, 1000).json()
    path = f"/v1/ledger-entries/{payment['ledger_entry_ids'][0]}/reverse"
    assert willow.biller.post(path, {"reason": "Wrong patient"}).status_code == 201
    pay(willow, patient, 1000)

    answer = willow.biller.post(
        f"/v1/payments/{payment['id']}/refund", {"amount": {"amount": 1}, "reason": "Overpaid"}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "more-than-paid")
    assert willow.biller.get(f"/v1/payments/{payment['id']}").json()["reversed"] is True


def test_what_a_visit_posted_is_not_undone_by_hand(willow: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=100)
    entry = willow.biller.get(f"/v1/ledger-entries?patient_id={patient}").json()["data"][0]

    answer = willow.biller.post(f"/v1/ledger-entries/{entry['id']}/reverse", {"reason": "No"})
    faulty = willow.biller.post(f"/v1/ledger-entries/{entry['id']}/reverse", {"reason": "Nope"})

    assert answer.status_code == 422
    assert (faulty.status_code, faulty.json()["code"]) == (409, "not-reversible")


def test_entries_are_listed_with_postings_that_add_up_to_zero(willow: House) -> None:
    patient, id = add_patient(willow)
    visit = charge(willow, id, patient_cents=2500, insurance_cents=12500)
    charge(willow, id, patient_cents=100, on=date(2026, 4, 1))
    pay(willow, patient, 50)

    def kinds(query: str) -> list[str]:
        answer = willow.biller.get(f"/v1/ledger-entries?patient_id={patient}{query}")
        assert answer.status_code == 200, answer.content
        for entry in answer.json()["data"]:
            assert sum(p["amount"]["amount"] for p in entry["postings"]) == 0
        return sorted(entry["kind"] for entry in answer.json()["data"])

    assert kinds("") == ["charge", "charge", "patient_payment"]
    assert kinds("&kind=charge&effective_on[gte]=2026-03-02&effective_on[lt]=2026-04-01") == [
        "charge"
    ]
    assert kinds("&source=payment") == ["patient_payment"]
    # A tie of service days goes by the visit's id: the payment is for the older one.
    assert kinds(f"&appointment_id={public('appointment', visit)}") == ["charge", "patient_payment"]
    assert willow.biller.get("/v1/ledger-entries?colour=red").status_code == 400


def test_a_balance_is_given_as_of_any_day(willow: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, insurance_cents=12500, on=date(2026, 3, 2))
    today = timezone.now().date() - timedelta(days=1)

    assert balance(willow, patient, "?as_of=2026-03-01") == (0, 0, 0)
    assert balance(willow, patient, "?as_of=2026-03-02") == (2500, 12500, 0)
    assert balance(willow, patient, f"?as_of={today}") == (2500, 12500, 0)
    assert willow.biller.get(f"/v1/patients/{patient}/balance?as_of=tuesday").status_code == 400


def test_money_of_another_practice_is_not_there(willow: House, aspen: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=2500)
    payment = pay(willow, patient, 4000).json()
    entry = payment["ledger_entry_ids"][0]
    reason = {"reason": "Not mine"}

    assert pay(aspen, patient, 100).status_code == 422
    assert aspen.biller.get("/v1/ledger-entries").json()["data"] == []
    for answer in (
        aspen.biller.get(f"/v1/patients/{patient}/balance"),
        aspen.biller.get(f"/v1/payments/{payment['id']}"),
        aspen.biller.get(f"/v1/ledger-entries/{entry}"),
        aspen.biller.post(
            f"/v1/payments/{payment['id']}/refund", reason | {"amount": {"amount": 1}}
        ),
        aspen.biller.post(f"/v1/ledger-entries/{entry}/reverse", reason),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_each_deed_needs_its_permission(willow: House) -> None:
    patient, _ = add_patient(willow)
    payment = pay(willow, patient, 1000).json()["id"]
    assistant = willow.person("bea", Role.BILLER_ASSIGNED)
    refund = {"amount": {"amount": 1}, "reason": "Overpaid"}
    off = {"patient_id": patient, "amount": {"amount": 1}, "reason": "Hardship"}

    for answer in (
        willow.scheduler.get("/v1/ledger-entries"),
        willow.scheduler.get(f"/v1/patients/{patient}/balance"),
        willow.auditor.get(f"/v1/payments/{payment}"),
        assistant.post(f"/v1/payments/{payment}/refund", refund),
        assistant.post("/v1/write-offs", off),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
