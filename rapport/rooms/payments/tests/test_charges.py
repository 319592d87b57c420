"""Cards on file, charges and refunds over HTTP, against the double of the processor."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connection

from rapport.kernel.ids import new_uuid
from rapport.platform.db import sql
from rapport.rooms.ledger.tests.support import add_patient, entry_count
from tests.support import props
from tests.support.cards import CardsProcess
from tests.support.cast import House, public
from tests.support.payments import Till


def test_a_card_is_kept_without_a_charge_and_charged_without_its_number(till: Till) -> None:
    visit = till.owes(2500)
    card = till.keep_card()
    assert till.double.account()["taken"] == {} or till.balance() == (2500, 0, 0)
    assert (card["brand"], card["last4"], card["page"]) == ("visa", "4242", None)

    pending = props.made(till.pay(card, 4000))
    assert (pending["state"], pending["ledger_entry_ids"]) == ("pending", [])
    assert till.balance() == (2500, 0, 0), "nothing is booked before the processor has the money"
    till.work()

    paid = till.read("payments", pending["id"])
    assert (paid["state"], paid["method"], paid["fee"]["amount"]) == ("succeeded", "card", 146)
    assert [(p["appointment_id"], p["amount"]["amount"]) for p in paid["allocations"]] == [
        (public("appointment", visit), 2500)
    ]
    assert till.balance() == (0, 0, 1500)
    assert till.taken(paid) == [4000]
    listed = till.biller.get(f"/v1/payments?patient_id={till.patient}").json()["data"]
    assert listed == [paid]


def test_a_declined_card_moves_nothing_and_says_why_in_words(till: Till) -> None:
    till.owes(2500)
    card = till.keep_card("pm_card_chargeCustomerFail")

    failed = till.charge(card, 2500)

    assert (failed["state"], failed["ledger_entry_ids"]) == ("failed", [])
    assert failed["decline"] == {
        "code": "generic_decline", "message": "The bank declined the card.", "try_again": False,
    }  # fmt: skip
    assert till.balance() == (2500, 0, 0)
    assert [p["id"] for p in till.biller.get("/v1/payments?state=failed").json()["data"]] == [failed["id"]]
    events = till.house.biller.get("/v1/events?limit=100").json()["data"]
    assert "payment.failed" in {event["type"] for event in events}


def test_a_page_may_be_tried_again_after_a_decline_and_the_card_then_is_kept(till: Till) -> None:
    card = till.ask_card("pm_card_chargeDeclined")
    till.deliver("setup_intent.setup_failed")
    till.work()
    tried = till.read("cards", card["id"])
    assert (tried["state"], tried["decline"]["code"]) == ("ready", "generic_decline")

    till.double.page(card["page"]["secret"].split("_secret_")[0], "pm_card_mastercard")
    till.deliver("setup_intent.succeeded")
    till.work()

    assert till.read("cards", card["id"])["state"] == "active"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"card_id": None}, 422),
        ({"method": "cash"}, 422),
        ({"card_id": public("card", new_uuid())}, 422),
        ({"reference": "4711"}, 422),
        ({"amount": {"amount": 0}}, 422),
        ({"amount": {"amount": 500, "currency": "EUR"}}, 422),
        ({"number": "4242424242424242"}, 422),
        ({"quoted_balance": {"amount": 2400}}, 409),
    ],
)
def test_s107_what_does_not_fit_is_refused_before_anybody_is_asked(
    till: Till, change: dict[str, object], code: int
) -> None:
    till.owes(2500)
    card = till.keep_card()

    answer = till.pay(card, 2500, **change)

    assert answer.status_code == code, answer.content
    assert b"4242424242424242" not in answer.content
    till.work()
    assert till.balance() == (2500, 0, 0)
    assert till.biller.get("/v1/payments").json()["data"] == []


def test_s107_the_control_the_balance_as_it_was_shown_is_charged(till: Till) -> None:
    till.owes(2500)
    card = till.keep_card()

    assert till.charge(card, 2500, quoted_balance={"amount": 2500})["state"] == "succeeded"


def test_s107_another_patients_card_is_no_card_of_this_one(till: Till) -> None:
    card = till.keep_card()
    other, _ = add_patient(till.house)

    answer = till.pay(card, 500, patient_id=other)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/card_id")


def test_a_patient_is_charged_by_one_at_a_time(till: Till) -> None:
    till.owes(2500)
    card = till.keep_card()
    barrier, statuses = Barrier(2), []
    till.house.biller.get("/v1/me")

    def charge() -> None:
        barrier.wait()
        statuses.append(till.pay(card, 2500).status_code)
        connection.close()

    threads = [Thread(target=charge) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201, 409]
    till.work()
    assert till.balance() == (0, 0, 0)


def test_a_removed_card_is_charged_no_more_and_forgotten_by_the_processor(till: Till) -> None:
    card = till.keep_card()
    waiting = props.made(till.pay(card, 500))

    removed = till.biller.delete(f"/v1/cards/{card['id']}").json()
    till.work()

    assert removed["state"] == "removed"
    assert till.read("payments", waiting["id"])["decline"]["code"] == "card-removed"
    assert till.pay(card, 500).json()["code"] == "card-not-usable"
    assert till.taken(waiting) == []


def test_what_a_card_paid_goes_back_to_that_card_and_only_as_credit(till: Till) -> None:
    till.owes(2500)
    paid = till.charge(till.keep_card(), 4000)

    assert till.refund(paid, 1501).json()["code"] == "credit-spent"
    assert till.refund(paid, 4001).json()["code"] == "more-than-paid"
    asked = till.refund(paid, 1000).json()
    assert [r["state"] for r in asked["card_refunds"]] == ["pending"]
    assert asked["refunded"]["amount"] == 0
    assert till.balance() == (0, 0, 500), "the credit is set aside, so that nothing else spends it"
    assert till.refund(paid, 501).json()["code"] == "credit-spent"
    till.work()

    done = till.read("payments", paid["id"])
    assert [r["state"] for r in done["card_refunds"]] == ["succeeded"]
    assert (done["refunded"]["amount"], till.balance()) == (1000, (0, 0, 500))
    assert sum(sum(r) for r in till.double.account()["refunded"].values()) >= 1000


def test_r27_refunds_to_a_card_at_the_same_moment_never_exceed_it(till: Till) -> None:
    paid = till.charge(till.keep_card(), 1000)
    barrier, statuses = Barrier(3), []
    till.house.biller.get("/v1/me")

    def give_back() -> None:
        barrier.wait()
        statuses.append(till.refund(paid, 600).status_code)
        connection.close()

    threads = [Thread(target=give_back) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    till.work()

    assert sorted(statuses) == [200, 409, 409]
    assert till.read("payments", paid["id"])["refunded"]["amount"] == 600
    assert till.balance() == (0, 0, 400)


def test_a_refund_that_the_bank_sends_back_is_credit_again(till: Till) -> None:
    paid = till.charge(till.keep_card("pm_card_refundFail"), 1000)
    till.refund(paid, 1000)
    till.work()
    assert till.balance() == (0, 0, 0)

    till.deliver("refund.failed")
    till.work()

    bounced = till.read("payments", paid["id"])
    assert [(r["state"], r["decline"]["code"]) for r in bounced["card_refunds"]] == [
        ("failed", "lost_or_stolen_card")
    ]
    assert (bounced["refunded"]["amount"], till.balance()) == (0, (0, 0, 1000))


def test_money_that_a_processor_moved_is_not_undone_by_hand(till: Till) -> None:
    paid = till.charge(till.keep_card(), 1000)

    answer = till.biller.post(f"/v1/ledger-entries/{paid['ledger_entry_ids'][0]}/reverse", {"reason": "Oops"})

    assert (answer.status_code, answer.json()["code"]) == (409, "not-reversible")


def test_keys_are_sealed_never_returned_and_one_account_is_active(till: Till, double: CardsProcess) -> None:
    text = till.house.admin.get("/v1/card-processors").content.decode()
    assert double.key not in text
    assert double.webhook_secret not in text
    with till.house.entered():
        row = sql.one("SELECT secret_sealed, notice_secret_sealed, settings::text FROM payments_processor")
    assert row is not None
    assert all(double.key.encode() not in bytes(str(part), "utf8") for part in row)
    again = till.house.admin.post("/v1/card-processors", {"secret_key": "sk_test_another1"})
    assert again.json()["code"] == "card-processor-exists"
    path = f"/v1/card-processors/{till.processor['id']}"
    tag = till.house.admin.get(path)["ETag"]
    assert till.house.admin.patch(path, {"active": False}, if_match=tag).json()["active"] is False
    assert till.biller.post("/v1/cards", {"patient_id": till.patient}).json()["code"] == "no-card-processor"


@pytest.mark.parametrize("address", ["http://10.0.0.5", "https://169.254.169.254", "file:///etc/passwd"])
def test_an_address_that_leads_inside_is_refused(willow: House, address: str) -> None:
    answer = willow.admin.post(
        "/v1/card-processors", {"secret_key": "sk_test_1234", "settings": {"base_url": address}}
    )

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "url-not-allowed")


def test_no_card_number_can_come_to_rest_anywhere(till: Till) -> None:
    """PCI DSS SAQ A: the processor's page takes the number. Here is no column wide enough with digits in it."""
    till.charge(till.keep_card(), 1000)
    with till.house.entered():
        for table in ("payments_card", "payments_charge", "payments_told", "ledger_payment"):
            for (text,) in sql.rows(f"SELECT t::text FROM {table} t"):
                assert "4242424242424242" not in text
    assert entry_count(till.house) == 2, "the payment and its fee"
