"""Payments that a portal has: each booked once, and undone and booked anew when the portal corrects it."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.platform.tenancy.source import NotTakenOver
from rapport.rooms.ledger import mirroring
from rapport.rooms.scheduling.tests.portal import SYSTEM, Portal
from tests.support.cast import House

PAID: dict[str, Any] = {
    "patient": "p1", "received_on": "2026-11-23", "amount": 2500, "source": "patient", "method": "card", "status": "posted",
}  # fmt: skip


@pytest.fixture
def portal(willow: House) -> Portal:
    return Portal(willow)


def payments(portal: Portal) -> list[dict[str, Any]]:
    return portal.house.biller.get("/v1/payments").json()["data"]


def credit(portal: Portal) -> int:
    [patient] = portal.house.biller.get("/v1/patients").json()["data"]
    return portal.house.biller.get(f"/v1/patients/{patient['id']}/balance").json()["credit"]["amount"]


def test_a_payment_of_the_portal_reads_as_every_payment_and_is_booked_once(portal: Portal) -> None:
    for _ in range(2):
        portal.say(mirroring.mirror_payment, "9", PAID)

    [shown] = payments(portal)
    assert shown["source"] == {"system": SYSTEM, "remote_id": "9", "as_of": "2026-11-26T09:00:00.000Z"}
    assert (shown["amount"]["amount"], shown["method"], shown["received_on"]) == (2500, "card_recorded", "2026-11-23")
    assert (shown["reversed"], credit(portal)) == (False, 2500)
    assert portal.told().count("payment.succeeded") == 1


def test_what_a_payer_paid_is_no_payment_here(portal: Portal) -> None:
    assert portal.say(mirroring.mirror_payment, "9", PAID | {"source": "insurance", "method": "eft"}) is None
    assert (payments(portal), credit(portal)) == ([], 0)


def test_a_corrected_amount_is_undone_and_booked_anew(portal: Portal) -> None:
    portal.say(mirroring.mirror_payment, "9", PAID)
    portal.say(mirroring.mirror_payment, "9", PAID | {"amount": 4000})

    assert sorted((one["amount"]["amount"], one["reversed"]) for one in payments(portal)) == [(2500, True), (4000, False)]
    assert credit(portal) == 4000


def test_a_voided_payment_is_shown_as_undone_and_counts_for_nothing(portal: Portal) -> None:
    portal.say(mirroring.mirror_payment, "9", PAID)
    for _ in range(2):
        portal.say(mirroring.mirror_payment, "9", PAID | {"status": "voided"})
    portal.say(mirroring.mirror_payment, "10", PAID | {"status": "voided"})

    assert [(one["source"]["remote_id"], one["reversed"]) for one in payments(portal)] == [("10", True), ("9", True)]
    assert credit(portal) == 0
    portal.say(mirroring.mirror_payment, "9", PAID)
    assert credit(portal) == 2500, "the control: it counts again when it does there"
    portal.lose(mirroring.payment_gone, "9")
    assert (credit(portal), portal.lose(mirroring.payment_gone, "nobody")) == (0, None)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"patient": "p9"}, "unknown-patient"), ({"amount": 0}, "unreadable-amount"), ({"method": "barter"}, "unknown-method"),
        ({"received_on": ""}, "missing-received-on"), ({"source": "friend"}, "unknown-source"), ({"status": None}, "unknown-status"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_held(portal: Portal, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(NotTakenOver, match=code):
        portal.say(mirroring.mirror_payment, "9", PAID | wrong)
    assert (payments(portal), credit(portal)) == ([], 0)


def test_payments_of_a_connected_practice_are_taken_where_its_records_are(portal: Portal, aspen: House) -> None:
    [patient] = portal.house.biller.get("/v1/patients").json()["data"]
    body = {"patient_id": patient["id"], "amount": {"amount": 2500, "currency": "USD"}, "method": "cash"}

    assert portal.house.biller.post("/v1/payments", body).json()["code"] == "not-at-source"
    assert payments(portal) == []
    assert aspen.biller.post("/v1/payments", body).json()["code"] != "not-at-source", "the control"
