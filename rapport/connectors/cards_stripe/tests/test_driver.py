"""The driver against the double of Stripe's API, over a line that breaks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rapport.connectors.cards_stripe.driver import StripeProcessor
from rapport.connectors.cards_stripe.notices import StripeNotices, sign
from rapport.connectors.cards_stripe.settings import StripeSettings
from rapport.kernel.ids import new_uuid
from rapport.rooms.payments.ports import (
    CardFacts,
    ChargeAsk,
    Gone,
    InDoubt,
    Later,
    NotThere,
    Prepared,
    RefundAsk,
    Refused,
    Taken,
    Waiting,
)
from tests.support.cards import CardsProcess
from tests.support.faultproxy import Fault, FaultProxy


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardsProcess]:
    running = CardsProcess(tmp_path_factory.mktemp("cards"))
    yield running
    running.stop()


def driver(double: CardsProcess, port: int | None = None, *, key: str = "") -> StripeProcessor:
    return StripeProcessor(
        StripeSettings(key or double.key, base_url=f"http://127.0.0.1:{port or double.port}", total_seconds=4)
    )


def kept(double: CardsProcess, card: str = "pm_card_visa") -> tuple[str, CardFacts]:
    """Keep a test card; return the payer and the card."""
    stripe = driver(double)
    prepared = stripe.prepare_card(key=new_uuid().hex, mark="c")
    assert isinstance(prepared, Prepared)
    double.page(prepared.setup, card).raise_for_status()
    found = stripe.read_card(setup=prepared.setup)
    assert isinstance(found, CardFacts)
    return prepared.payer, found


def asked(payer: str, card: CardFacts, cents: int = 2500) -> ChargeAsk:
    mark = new_uuid().hex
    return ChargeAsk(f"charge-{mark}", mark, payer, card.method, cents, datetime.now(UTC))


def test_a_card_is_kept_by_the_processors_page_and_nothing_of_its_number_comes_back(double: CardsProcess) -> None:
    stripe, key = driver(double), new_uuid().hex

    prepared = stripe.prepare_card(key=key, mark="card-1")
    assert isinstance(prepared, Prepared)
    assert stripe.prepare_card(key=key, mark="card-1") == prepared, "asked again with one key it is one asking"
    assert stripe.read_card(setup=prepared.setup) == Waiting()
    assert double.page(prepared.setup, "pm_card_chargeDeclined").status_code == 402
    assert stripe.read_card(setup=prepared.setup) == Refused("generic_decline", "The bank declined the card.")
    double.page(prepared.setup, "pm_card_visa").raise_for_status()

    card = stripe.read_card(setup=prepared.setup)

    assert isinstance(card, CardFacts)
    assert (card.brand, card.last4, card.funding) == ("visa", "4242", "credit")
    assert stripe.forget_card(method=card.method) == Gone()
    assert stripe.forget_card(method=card.method) == Gone(), "what is gone is gone"


def test_a_charge_is_taken_once_however_often_it_is_asked_for(double: CardsProcess) -> None:
    payer, card = kept(double)
    ask = asked(payer, card)
    stripe = driver(double)
    assert stripe.find_charge(ask=ask) == NotThere()

    first = stripe.charge(ask=ask)

    assert isinstance(first, Taken)
    assert first.fee_cents == 103
    assert stripe.charge(ask=ask) == first
    assert stripe.find_charge(ask=ask) == first
    assert double.account()["taken"][ask.mark] == [2500]


def test_the_control_another_key_is_another_charge(double: CardsProcess) -> None:
    payer, card = kept(double)
    ask = asked(payer, card)
    stripe = driver(double)
    stripe.charge(ask=ask)

    stripe.charge(ask=ChargeAsk("another-key", ask.mark, payer, card.method, 2500, ask.since))

    assert double.account()["taken"][ask.mark] == [2500, 2500]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("fault", ["drop", "garbage", "500"])
def test_a_lost_or_unreadable_reply_is_in_doubt_and_the_look_up_knows(
    double: CardsProcess, fault: str, again: bool
) -> None:
    payer, card = kept(double)
    ask = asked(payer, card)
    stripe = driver(double)
    double.script({"fault": fault, "accept": not again})

    answer = stripe.charge(ask=ask)

    assert isinstance(answer, InDoubt)
    assert answer.over == (fault == "500")
    found = stripe.find_charge(ask=ask)
    assert isinstance(found, NotThere if again else Taken)
    assert double.account()["taken"].get(ask.mark, []) == ([] if again else [2500])


def test_a_reply_that_the_network_swallows_is_in_doubt(double: CardsProcess) -> None:
    payer, card = kept(double)
    ask = asked(payer, card)
    with FaultProxy(double.port) as proxy:
        proxy.next(Fault("drop_response"))
        assert isinstance(driver(double, proxy.port).charge(ask=ask), InDoubt)
        assert isinstance(driver(double, proxy.port).find_charge(ask=ask), Taken)


@pytest.mark.parametrize("fault", [{"fault": "500"}, {"fault": "garbage"}, {"fault": "drop"}])
def test_a_look_up_that_fails_proves_nothing(double: CardsProcess, fault: dict[str, str]) -> None:
    payer, card = kept(double)
    ask = asked(payer, card)
    double.script(fault | {"method": "GET"})

    assert isinstance(driver(double).find_charge(ask=ask), InDoubt)
    wrong = driver(double, key="sk_test_wrong").find_charge(ask=ask)
    assert isinstance(wrong, InDoubt), "a question that was refused says nothing of the charge"


def test_a_long_list_is_read_to_its_end(double: CardsProcess) -> None:
    payer, card = kept(double)
    stripe = driver(double)
    oldest = asked(payer, card, 100)
    stripe.charge(ask=oldest)
    for number in range(101):
        form = {"amount": "100", "currency": "usd", "customer": payer, "payment_method": card.method,
                "off_session": "true", "confirm": "true", "metadata[rapport]": f"n{number}"}  # fmt: skip
        double.call("POST", "/v1/payment_intents", data=form).raise_for_status()

    assert isinstance(stripe.find_charge(ask=oldest), Taken)


def test_a_busy_processor_and_nobody_there_are_later(double: CardsProcess) -> None:
    payer, card = kept(double)
    double.script({"fault": "429", "seconds": 7})
    assert driver(double).charge(ask=asked(payer, card)) == Later(7)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    assert driver(double, free).charge(ask=asked(payer, card)) == Later(30)


@pytest.mark.parametrize(
    ("name", "code", "again"),
    [
        ("pm_card_chargeCustomerFail", "generic_decline", False),
        ("pm_card_authenticationRequired", "authentication_required", False),
    ],
)
def test_a_decline_has_its_code_and_plain_words_and_stays_declined(
    double: CardsProcess, name: str, code: str, again: bool
) -> None:
    payer, card = kept(double, name)
    ask = asked(payer, card)

    answer = driver(double).charge(ask=ask)

    assert isinstance(answer, Refused)
    assert (answer.code, answer.again) == (code, again)
    assert "_" not in answer.words
    assert driver(double).charge(ask=ask) == answer
    assert driver(double).find_charge(ask=ask) == answer


def test_a_refund_goes_back_once_and_not_more_than_was_taken(double: CardsProcess) -> None:
    payer, card = kept(double)
    stripe = driver(double)
    taken = stripe.charge(ask=asked(payer, card))
    assert isinstance(taken, Taken)
    ask = RefundAsk("refund-1" + taken.receipt, new_uuid().hex, taken.receipt, 1500)
    double.script({"fault": "drop", "path": "/v1/refunds"})

    assert isinstance(stripe.refund(ask=ask), InDoubt)
    found = stripe.find_refund(ask=ask)
    assert isinstance(found, Taken)
    assert stripe.refund(ask=ask) == found
    more = stripe.refund(ask=RefundAsk("refund-2" + taken.receipt, "m2", taken.receipt, 1001))
    assert isinstance(more, Refused)
    assert more.code == "amount_too_large"
    assert double.account()["refunded"][ask.mark] == [1500]


def test_a_payout_says_what_it_is_made_of(double: CardsProcess) -> None:
    payer, card = kept(double)
    stripe = driver(double)
    taken = stripe.charge(ask=asked(payer, card, 10000))
    assert isinstance(taken, Taken)
    stripe.refund(ask=RefundAsk("r" + taken.receipt, "r", taken.receipt, 2500))
    ref = double.call("POST", "/_double/payouts", json={}).json()["id"]

    payout = stripe.read_payout(ref=ref)

    assert not isinstance(payout, Refused | Later)
    assert payout.cents == sum(line.net_cents for line in payout.lines)
    assert payout.state == "paid"
    mine = [line for line in payout.lines if line.about == taken.receipt]
    assert [(line.kind, line.gross_cents, line.fee_cents) for line in mine] == [("charge", 10000, 320)]
    assert isinstance(stripe.read_payout(ref="po_nobody"), Refused)


NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
EVENT = (
    b'{"id":"evt_1","type":"charge.dispute.created","created":1772470800,'
    b'"data":{"object":{"id":"dp_1","payment_intent":"pi_1","amount":2500,"status":"needs_response"}}}'
)


def test_a_notice_is_read_when_its_signature_is_right_and_fresh() -> None:
    read, at = StripeNotices().read, int(NOW.timestamp())
    right = sign(body=EVENT, secret="whsec_a", at=at)

    notice = read(body=EVENT, signature=right, secret="whsec_a", now=NOW)

    assert notice is not None
    assert (notice.ref, notice.kind, notice.about, notice.state) == ("evt_1", "dispute", "pi_1", "open")
    assert read(body=EVENT, signature=f"{right},v1=00", secret="whsec_a", now=NOW) is not None
    for body, signature, secret, now in (
        (EVENT + b" ", right, "whsec_a", NOW),
        (EVENT, right, "whsec_b", NOW),
        (EVENT, right, "", NOW),
        (EVENT, right, "whsec_a", NOW + timedelta(minutes=6)),
        (EVENT, right, "whsec_a", NOW - timedelta(minutes=6)),
        (EVENT, "", "whsec_a", NOW),
        (EVENT, right.replace("v1", "v0"), "whsec_a", NOW),
        (b"{}", sign(body=b"{}", secret="whsec_a", at=at), "whsec_a", NOW),
    ):
        assert read(body=body, signature=signature, secret=secret, now=now) is None


@pytest.mark.parametrize("address", ["http://api.example.org", "ftp://127.0.0.1", "api.example.org"])
def test_an_address_that_would_send_the_key_in_the_clear_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        StripeSettings("sk_test_1", base_url=address)


def test_the_key_is_not_shown_and_no_byte_goes_to_a_private_address() -> None:
    assert "sk_test" not in repr(StripeSettings("sk_test_1"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        address = f"https://api.example.org:{listening.getsockname()[1]}"
        stripe = StripeProcessor(StripeSettings("sk_test_1", base_url=address), resolve=lambda *_: ["10.0.0.5"])
        ask = ChargeAsk("k", "m", "cus_1", "pm_1", 100, NOW)
        assert stripe.charge(ask=ask) == Refused("address-refused", "The processor's address is not a public one.")
        with pytest.raises(TimeoutError):
            listening.accept()
