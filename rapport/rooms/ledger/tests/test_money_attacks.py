"""S-107: money that is asked for in a wrong way. R-27, R-29: refunds at once, and parts of a cent."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.kernel.ids import new_uuid
from rapport.kernel.money import Money, portion, split
from rapport.rooms.ledger import queries, services
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.rules.balances import OpenItem, allocate
from rapport.rooms.ledger.tests.support import DAY, add_patient, balance, charge, entry_count, pay
from tests.faults import SEED
from tests.support import props
from tests.support.cast import House, public

CENTS = st.integers(-(10**11), 10**11)


def test_s107_more_than_was_paid_is_not_given_back(willow: House) -> None:
    patient, _ = add_patient(willow)
    payment = pay(willow, patient, 1000).json()["id"]
    pay(willow, patient, 1000)  # there is credit enough

    def refund(cents: int) -> Any:
        body = {"amount": {"amount": cents}, "reason": "Give me more"}
        return willow.biller.post(f"/v1/payments/{payment}/refund", body)

    assert (refund(1001).status_code, refund(1001).json()["code"]) == (409, "more-than-paid")
    assert refund(-1).status_code == 422
    assert refund(1000).status_code == 200, "the control"
    denied = willow.auditor.get("/v1/audit-events?action=payment.refund&outcome=deny").json()["data"]
    assert "more-than-paid" in {one["reason"] for one in denied}


@pytest.mark.parametrize(
    "amount",
    [
        {"amount": -500}, {"amount": 500, "currency": "EUR"}, {"amount": 33.333}, {"amount": "500"},
        {"amount": 10**12 + 1}, {"amount": True}, {"amount": 500, "cents": 1}, 500,
    ],
    ids=str,
)  # fmt: skip
def test_s107_no_other_currency_sign_or_part_of_a_cent(willow: House, amount: Any) -> None:
    patient, _ = add_patient(willow)
    body = {"patient_id": patient, "amount": amount, "method": "cash"}

    assert willow.biller.post("/v1/payments", body).status_code in (400, 422)
    assert willow.biller.post("/v1/write-offs", {"patient_id": patient, "amount": amount, "reason": "Hardship"}).status_code in (400, 422)
    assert entry_count(willow) == 0
    assert willow.biller.post("/v1/payments", body | {"amount": {"amount": 500}}).status_code == 201, "the control"


@pytest.mark.parametrize("rate", [{"amount": -1}, {"amount": 100, "currency": "EUR"}, {"amount": 1.5}], ids=str)
def test_s107_nothing_is_charged_below_zero(willow: House, rate: dict[str, Any]) -> None:
    code = {"code": "90834", "label": "Session", "duration_minutes": 45, "rate": rate}

    assert willow.admin.post("/v1/service-codes", code).status_code == 422
    assert props.service_code(willow, "90834")["rate"]["amount"] > 0, "the control"


def test_s107_another_patients_visit_is_not_paid(willow: House) -> None:
    ana, _ = add_patient(willow)
    ben, ben_id = add_patient(willow)
    visit = public("appointment", charge(willow, ben_id, patient_cents=2500))
    chosen = {"allocations": [{"appointment_id": visit, "amount": {"amount": 100}}]}

    answer = pay(willow, ana, 100, **chosen)
    payment = pay(willow, ana, 100).json()["id"]
    moved = willow.biller.post(f"/v1/payments/{payment}/allocate", chosen)
    applied = willow.biller.post(f"/v1/patients/{ana}/apply-credit", chosen)

    assert (answer.status_code, moved.status_code, applied.status_code) == (422, 422, 422)
    assert balance(willow, ben) == (2500, 0, 0)
    assert pay(willow, ben, 100, **chosen).status_code == 201, "the control"


def test_s107_who_was_shown_another_amount_is_told_before_they_pay(willow: House) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=2500)
    quoted = balance(willow, patient)[0]
    charge(willow, id, patient_cents=100)

    late = pay(willow, patient, quoted, quoted_balance={"amount": quoted})

    assert (late.status_code, late.json()["code"], late.json()["owed_cents"]) == (409, "balance-changed", 2600)
    assert pay(willow, patient, 2600, quoted_balance={"amount": 2600}).status_code == 201, "the control"
    assert balance(willow, patient) == (0, 0, 0)


def test_the_control_two_refunds_that_only_look_first_give_back_more_than_was_paid(willow: House) -> None:
    """What the wait of `refund_payment` is for: both look, both see enough, both give back."""
    patient, id = add_patient(willow)
    pay(willow, patient, 1000)
    with willow.entered() as scope:
        seen = [queries.balance(scope=scope, patient_id=id, as_of=DAY.max).credit_cents for _ in range(2)]
        for credit in seen:
            entry = book.refund(book.Source("test", new_uuid(), "refund"), DAY, id, cents=credit, reason="naive")
            services.post(scope=scope, entry=entry, now=timezone.now())

    assert balance(willow, patient) == (0, 0, -1000)


def parts_are_the_whole(cents: int, points: int, weights: list[int]) -> None:
    """Fail where a percentage and its rest, or the shares of an amount, are not that amount to the cent."""
    part, rest = portion(Money(cents), points)
    assert part + rest == Money(cents)
    assert abs(part.cents * 10_000 - cents * points) <= 5_000, "no further from it than half a cent"
    assert portion(Money(-cents), points) == (-part, -rest)
    shares = [share.cents for share in split(Money(cents), weights)]
    assert sum(shares) == cents
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - cents * weight) <= sum(weights), "a cent from its part at most"
        assert weight or not share


@settings(max_examples=300, deadline=None)
@given(cents=CENTS, points=st.integers(0, 10_000), weights=st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any))
def test_r29_parts_are_the_whole_where_they_are_odd(cents: int, points: int, weights: list[int]) -> None:
    parts_are_the_whole(cents, points, weights)


def test_r29_parts_are_the_whole_in_ten_thousand_cases() -> None:
    draw = random.Random(SEED)
    for _ in range(10_000):
        weights = [draw.randint(1, 1000) for _ in range(draw.randint(1, 6))]
        parts_are_the_whole(draw.randint(-(10**7), 10**7), draw.randint(0, 10_000), weights)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**6), st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_r29_thirds_of_a_payment_are_booked_to_the_cent(cents: int, owed: list[int]) -> None:
    items = [OpenItem(new_uuid(), amount, DAY) for amount in owed]
    thirds = [share.cents for share in split(Money(cents), [1, 1, 1])]
    whole = [
        book.patient_payment(book.Source("test", new_uuid(), "1"), DAY, new_uuid(), cents=third, allocations=allocate(third, items))
        for third in thirds
        if third
    ]

    assert sum(line.cents for one in whole for line in one.lines if line.account == "cash") == cents
    assert all(sum(line.cents for line in one.lines) == 0 for one in whole)


def test_the_control_thirds_that_are_each_rounded_lose_a_cent() -> None:
    naive = [round(100 * 1 / 3) for _ in range(3)]  # lint: allow cents - the mistake itself

    assert sum(naive) == 99
    assert sum(share.cents for share in split(Money(100), [1, 1, 1])) == 100
