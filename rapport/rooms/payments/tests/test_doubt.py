"""R-26 and R-28: replies that are lost, workers that die, notices that come early, twice or out of order."""

from __future__ import annotations

import json

import pytest

from rapport.rooms.ledger.tests.support import entry_count
from tests.faults import ROUNDS
from tests.support import process, props
from tests.support.cards import CardsProcess
from tests.support.cast import House
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.payments import Till, carry_on, time_passes

POINTS = ("charge.before_send", "charge.after_send", "charge.before_mark_commit", "charge.after_mark")


def test_r26_the_processor_took_the_money_and_the_reply_was_lost(willow: House, double: CardsProcess) -> None:
    double.forget_notices()
    with FaultProxy(double.port) as proxy:
        till = Till(willow, double, proxy.port)
        till.owes(2500)
        card = till.keep_card()
        payment = props.made(till.pay(card, 2500))
        proxy.next(Fault("drop_response"))

        till.work()

        doubted = till.read("payments", payment["id"])
        assert (doubted["state"], till.balance()) == ("in_doubt", (2500, 0, 0))
        assert till.pay(card, 2500).json()["code"] == "charge-under-way", "nobody pays twice meanwhile"
        proxy.next(Fault("drop_response"))
        till.later()
        assert till.read("payments", payment["id"])["state"] == "in_doubt", "a look-up that fails settles nothing"
        till.later()

        assert till.read("payments", payment["id"])["state"] == "succeeded"
        assert (till.taken(payment), till.balance()) == ([2500], (0, 0, 0))


def test_r26_the_control_a_caller_that_asks_again_blindly_takes_the_money_twice(till: Till) -> None:
    card = till.keep_card()
    done = till.charge(card, 2500)

    till.charge(card, 2500)

    assert till.taken(done) == [2500]
    assert till.balance() == (0, 0, 5000), "another payment is another charge: it is the row that makes it one"


@pytest.mark.parametrize("fault", ["drop", "garbage", "500"])
@pytest.mark.parametrize("accept", [True, False])
def test_r26_a_reply_that_says_nothing_ends_as_one_charge(till: Till, fault: str, accept: bool) -> None:
    till.owes(2500)
    card = till.keep_card()
    till.double.script({"fault": fault, "accept": accept})

    payment = till.charge(card, 2500)
    assert payment["state"] == "in_doubt"
    for _ in range(3):
        till.later()

    assert till.read("payments", payment["id"])["state"] == "succeeded"
    assert (till.taken(payment), till.balance()) == ([2500], (0, 0, 0))


def test_a_busy_processor_is_asked_later_with_the_same_key(till: Till) -> None:
    card = till.keep_card()
    till.double.script({"fault": "429", "seconds": 7})
    payment = till.charge(card, 2500)
    assert payment["state"] == "pending"

    till.later()

    assert (till.read("payments", payment["id"])["state"], till.taken(payment)) == ("succeeded", [2500])


@pytest.mark.parametrize("point", POINTS)
def test_r26_a_kill_there_leaves_one_charge(till: Till, point: str) -> None:
    card = till.keep_card()
    for turn in range(ROUNDS):
        payment = props.made(till.pay(card, 2500))

        killed = process.start("charge", str(till.house.id), RAPPORT_CRASHPOINTS=f"{point}:1").wait(timeout=60)
        for _ in range(3):
            time_passes(till.house.id)
            carry_on(till.house.id)

        assert killed == -9, "the control: the kill did happen"
        assert till.taken(payment) == [2500]
        assert till.read("payments", payment["id"])["state"] == "succeeded"
        assert till.balance() == (0, 0, 2500 * (turn + 1))
        assert entry_count(till.house) == 2 * (turn + 1), "each payment and its fee"


def test_r26_a_refund_whose_reply_was_lost_is_given_back_once(till: Till) -> None:
    paid = till.charge(till.keep_card(), 1000)
    till.double.script({"fault": "drop", "path": "/v1/refunds"})
    till.refund(paid, 600)
    till.work()
    doubted = till.read("payments", paid["id"])
    assert [r["state"] for r in doubted["card_refunds"]] == ["in_doubt"]
    assert till.balance() == (0, 0, 400)

    till.later()

    settled = till.read("payments", paid["id"])
    assert [r["state"] for r in settled["card_refunds"]] == ["succeeded"]
    assert (settled["refunded"]["amount"], till.balance()) == (600, (0, 0, 400))


def test_r28_a_notice_before_our_own_commit_is_parked_and_then_applied(till: Till) -> None:
    card = till.keep_card()
    payment = props.made(till.pay(card, 2500))
    process.start("charge", str(till.house.id), RAPPORT_CRASHPOINTS="charge.after_send:1").wait(timeout=60)
    assert till.taken(payment) == [2500], "the processor has it, and nobody here knows"

    assert till.deliver("payment_intent.succeeded") == [202]
    till.work()

    assert till.read("payments", payment["id"])["state"] == "pending", "a notice settles nothing by itself"
    assert till.balance() == (0, 0, 0)
    till.later()
    till.later()
    assert till.read("payments", payment["id"])["state"] == "succeeded"
    assert (outcomes(till), till.balance()) == ({"applied"}, (0, 0, 2500))


def test_r28_a_notice_twice_does_nothing_the_second_time(till: Till) -> None:
    till.charge(till.keep_card(), 2500)
    before = entry_count(till.house)

    assert till.deliver("payment_intent.succeeded") == [202]
    assert till.deliver("payment_intent.succeeded") == [200]
    till.work()
    assert till.deliver("payment_intent.succeeded") == [200]
    till.work()

    assert (entry_count(till.house), till.balance()) == (before, (0, 0, 2500))


@pytest.mark.parametrize("order", [(0, 1), (1, 0, 1, 0)], ids=str)
@pytest.mark.parametrize(("ended", "state", "owes"), [("won", "succeeded", 0), ("lost", "charged_back", 2500)])
def test_r28_a_dispute_ends_the_same_in_whatever_order_it_is_told(
    till: Till, order: tuple[int, ...], ended: str, state: str, owes: int
) -> None:
    till.owes(2500)
    before = set(till.double.account()["disputes"])
    paid = till.charge(till.keep_card("pm_card_createDispute"), 2500)
    (dispute,) = set(till.double.account()["disputes"]) - before
    till.double.call("POST", f"/_double/disputes/{dispute}", json={"status": ended})
    notices = till.double.notices("charge.dispute.created", "charge.dispute.closed")
    assert len(notices) == 2

    for number in order:
        assert till.notice(notices[number]["body"], notices[number]["signature"]).status_code in (200, 202)
        till.work()

    assert till.read("payments", paid["id"])["state"] == state
    assert till.balance() == (owes, 0, 0)


def test_the_control_a_notice_that_comes_first_does_contest_the_payment(till: Till) -> None:
    paid = till.charge(till.keep_card("pm_card_createDispute"), 2500)
    till.deliver("charge.dispute.created")
    till.work()

    assert till.read("payments", paid["id"])["state"] == "disputed"
    assert till.refund(paid, 500).json()["code"] == "not-refundable", "it is not given back as well"


def test_s112_a_notice_needs_the_right_secret_bytes_and_time(till: Till, aspen: House) -> None:
    till.charge(till.keep_card(), 2500)
    (one,) = till.double.notices("payment_intent.succeeded")
    other = Till(aspen, till.double)
    changed = one["body"].replace('"amount": 2500', '"amount": 9900')
    assert changed != one["body"]
    old = one["signature"].replace("t=", "t=1")

    refused = [
        till.notice(one["body"], "t=1,v1=00"), till.notice(one["body"], ""), till.notice(changed, one["signature"]),
        till.notice(one["body"], old), till.notice(one["body"], one["signature"], "cpr_01h455vb4pex5vsknk084sn02q"),
        till.notice(one["body"], one["signature"], "nonsense"),
    ]  # fmt: skip

    assert [answer.status_code for answer in refused] == [401] * 6
    assert {answer.json()["code"] for answer in refused} == {"notice-refused"}
    with other.house.entered():
        assert outcomes(other) == set()
    assert till.notice(one["body"], one["signature"]).status_code == 202, "the control"


def test_a_notice_about_something_made_elsewhere_waits_and_then_is_let_go(till: Till) -> None:
    body = json.dumps(
        {"id": "evt_elsewhere", "type": "payment_intent.succeeded", "created": 1772470800,
         "data": {"object": {"id": "pi_elsewhere", "amount": 100, "metadata": {}}}}
    )  # fmt: skip
    signature = signed(till, body)

    assert till.notice(body, signature).status_code == 202
    till.work()
    assert outcomes(till) == {"parked"}
    for _ in range(13):
        till.later()

    assert outcomes(till) == {"ignored"}
    assert till.balance() == (0, 0, 0)


def test_a_payout_is_recorded_with_what_it_is_made_of_and_fees_are_booked_once(till: Till) -> None:
    till.double.call("POST", "/_double/payouts", json={})  # what other tests moved
    till.double.forget_notices()
    paid = till.charge(till.keep_card(), 10000)
    till.refund(paid, 2500)
    till.work()
    till.double.call("POST", "/_double/payouts", json={})

    till.deliver("payout.paid")
    till.work()
    till.deliver("payout.paid")
    till.work()

    (payout,) = till.biller.get("/v1/payouts").json()["data"]
    assert (payout["amount"], payout["difference"], payout["unknown"]) == (10000 - 320 - 2500, 0, 0)
    assert sorted((one["kind"], one["net"], one["payment_id"]) for one in payout["lines"]) == [
        ("charge", 9680, paid["id"]), ("refund", -2500, paid["id"]),
    ]  # fmt: skip
    entries = till.biller.get("/v1/ledger-entries?limit=100").json()["data"]
    cash = sum(p["amount"]["amount"] for e in entries for p in e["postings"] if p["account"] == "cash")
    assert cash == payout["amount"], "the ledger's cash is what the bank shows"


def outcomes(till: Till) -> set[str]:
    from rapport.platform.db import sql

    with till.house.entered():
        return {row[0] for row in sql.rows("SELECT outcome FROM payments_told WHERE kind <> 'setup'")}


def signed(till: Till, body: str) -> str:
    import time

    from rapport.connectors.cards_stripe.notices import sign

    return sign(body=body.encode(), secret=till.double.webhook_secret, at=int(time.time()))


