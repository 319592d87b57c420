"""What a payment pays for, and how that changes: by entries that open again, never by an edit."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rapport.kernel.ids import new_uuid
from rapport.rooms.ledger.tests.support import add_patient, balance, charge, pay
from tests.support.cast import House, public


def allocate(house: House, payment: str, parts: list[tuple[str, int]] | None = None) -> Any:
    body = {} if parts is None else {"allocations": [_part(*part) for part in parts]}
    return house.biller.post(f"/v1/payments/{payment}/allocate", body)


def _part(appointment: str, cents: int) -> dict[str, Any]:
    return {"appointment_id": appointment, "amount": {"amount": cents}}


def pays(answer: Any) -> dict[str, int]:
    assert answer.status_code in (200, 201), answer.content
    return {one["appointment_id"]: one["amount"]["amount"] for one in answer.json()["allocations"]}


@pytest.fixture
def visits(willow: House) -> tuple[str, str, str]:
    """Ana owes 25 dollars for an older visit and 30 for a later one."""
    patient, id = add_patient(willow)
    older = charge(willow, id, patient_cents=2500, on=date(2026, 3, 2))
    later = charge(willow, id, patient_cents=3000, on=date(2026, 3, 9))
    return patient, public("appointment", older), public("appointment", later)


def test_a_payment_is_moved_to_another_visit_by_two_entries_and_nothing_is_edited(
    willow: House, visits: tuple[str, str, str]
) -> None:
    ana, older, later = visits
    payment = pay(willow, ana, 2500).json()
    before = willow.biller.get(f"/v1/ledger-entries?patient_id={ana}").json()["data"]

    moved = allocate(willow, payment["id"], [(later, 2000)])

    assert pays(moved) == {later: 2000}
    assert moved.json()["unapplied"]["amount"] == 500
    assert moved.json()["version"] == 3
    assert balance(willow, ana) == (3500, 0, 500)
    entries = willow.biller.get(f"/v1/ledger-entries?patient_id={ana}").json()["data"]
    assert [one for one in entries if one in before] == before, "what was written stays as it was"
    assert sorted(one["kind"] for one in entries if one not in before) == ["credit_applied", "credit_released"]
    assert pays(allocate(willow, payment["id"])) == {older: 2500}, "without a choice: the oldest first"
    assert pays(allocate(willow, payment["id"], [])) == {}, "an empty list makes all of it credit"
    assert balance(willow, ana) == (5500, 0, 2500)


def test_credit_pays_what_a_person_chose_and_can_be_undone(willow: House, visits: tuple[str, str, str]) -> None:
    ana, _, later = visits
    payment = pay(willow, ana, 4000, allocations=[]).json()["id"]
    path = f"/v1/patients/{ana}/apply-credit"

    too_much = willow.biller.post(path, {"allocations": [_part(later, 3001)]})
    applied = willow.biller.post(path, {"allocations": [_part(later, 3000)]})

    assert [error["pointer"] for error in too_much.json()["errors"]] == ["/allocations/0/amount"]
    assert (applied.status_code, applied.json()["kind"]) == (201, "credit_applied")
    assert balance(willow, ana) == (2500, 0, 1000)
    assert willow.biller.post(path, {}).status_code == 201, "the rest goes to the oldest"
    nothing = willow.biller.post(path, {})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing-to-apply")
    refund = {"amount": {"amount": 1}, "reason": "Moved away"}
    spent = willow.biller.post(f"/v1/payments/{payment}/refund", refund)
    assert spent.json()["code"] == "credit-spent"
    undone = willow.biller.post(f"/v1/ledger-entries/{applied.json()['id']}/reverse", {"reason": "Wrong visit"})
    assert undone.status_code == 201
    assert balance(willow, ana) == (4500, 0, 3000)
    assert willow.biller.post(f"/v1/payments/{payment}/refund", refund).status_code == 200, "the control"


def test_what_is_left_of_a_payment_is_all_that_it_can_pay_with(willow: House, visits: tuple[str, str, str]) -> None:
    ana, older, later = visits
    first = pay(willow, ana, 3000, allocations=[]).json()["id"]
    willow.biller.post(f"/v1/payments/{first}/refund", {"amount": {"amount": 1000}, "reason": "Overpaid"})
    second = pay(willow, ana, 700, allocations=[]).json()["id"]

    def refused(payment: str, *parts: tuple[str, int]) -> Any:
        answer = allocate(willow, payment, list(parts))
        return answer.status_code, answer.json().get("code")

    assert refused(first, (older, 2001))[0] == 422, "a third of it was given back"
    assert refused(first, (older, 2500), (later, 1)) == (422, "validation")
    assert refused(first, (public("appointment", new_uuid()), 1))[0] == 422
    assert pays(allocate(willow, first, [(older, 2000)])) == {older: 2000}
    assert willow.biller.post(f"/v1/patients/{ana}/apply-credit", {}).status_code == 201
    assert refused(second, (later, 700)) == (409, "credit-spent"), "its credit paid for the older visit"
    assert balance(willow, ana) == (2800, 0, 0)


def test_a_payment_that_was_moved_is_undone_with_all_that_moved_it(willow: House, visits: tuple[str, str, str]) -> None:
    ana, _, later = visits
    payment = pay(willow, ana, 2500).json()
    allocate(willow, payment["id"], [(later, 2000)])

    undone = willow.biller.post(f"/v1/ledger-entries/{payment['ledger_entry_ids'][0]}/reverse", {"reason": "Bounced"})

    assert undone.status_code == 201
    assert balance(willow, ana) == (5500, 0, 0)
    after = allocate(willow, payment["id"])
    assert (after.status_code, after.json()["code"]) == (409, "already-reversed")
    entries = willow.biller.get(f"/v1/ledger-entries?patient_id={ana}").json()["data"]
    open_items = {p["appointment_id"]: 0 for one in entries for p in one["postings"] if p["appointment_id"]}
    for one in entries:
        for posting in one["postings"]:
            if posting["account"] == "patient_receivable":
                open_items[posting["appointment_id"]] += posting["amount"]["amount"]
    assert sorted(open_items.values()) == [2500, 3000], "each visit is open as it was, not only their sum"


def test_reasons_of_write_offs_are_few_words_and_fit_whose_debt_it_is(willow: House, visits: tuple[str, str, str]) -> None:
    ana, _, _ = visits
    body = {"patient_id": ana, "amount": {"amount": 100}, "reason": "Approved by the director"}

    def off(**more: Any) -> Any:
        return willow.biller.post("/v1/write-offs", body | more)

    assert off(reason_code="hardship").json()["reason_code"] == "hardship"
    assert off().json()["reason_code"] == "other"
    wrong = off(reason_code="timely_filing")
    assert [(error["pointer"], error["code"]) for error in wrong.json()["errors"]] == [("/reason_code", "not-for-this-debt")]
    assert off(reason_code="because").status_code == 422
    listed = willow.biller.get(f"/v1/ledger-entries?patient_id={ana}&reason_code=hardship").json()["data"]
    assert len(listed) == 1
    assert balance(willow, ana) == (5300, 0, 0)


def test_a_sliding_fee_takes_off_a_part_of_what_is_open_for_a_visit(willow: House, visits: tuple[str, str, str]) -> None:
    ana, older, _ = visits
    body = {
        "patient_id": ana, "basis_points": 3333, "reason": "Sliding scale B", "reason_code": "sliding_fee",
        "appointment_id": older,
    }  # fmt: skip

    made = willow.biller.post("/v1/write-offs", body)
    both = willow.biller.post("/v1/write-offs", body | {"amount": {"amount": 1}})

    assert made.status_code == 201, made.content
    assert sum(p["amount"]["amount"] for p in made.json()["postings"] if p["account"] == "write_offs") == 833
    assert both.status_code == 422
    assert balance(willow, ana) == (5500 - 833, 0, 0)
