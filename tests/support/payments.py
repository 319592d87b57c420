"""A practice that takes cards: the double of its processor, a patient with a card on file, notices by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from rapport.config import wiring
from rapport.kernel.ids import parse_type_id
from rapport.platform.access.scope import system_scope
from rapport.platform.db.session import entered
from rapport.platform.jobs.worker import drain
from rapport.platform.tenancy import queries as tenancy
from rapport.rooms.ledger.tests import support as books
from rapport.rooms.payments import jobs, queries
from tests.support import props
from tests.support.cards import CardsProcess
from tests.support.cast import Api, House


@dataclass
class Till:
    """What is there, and short ways to charge."""

    house: House
    double: CardsProcess
    port: int = 0
    """Where the practice reaches its processor, when there is a bad line between."""
    processor: dict[str, Any] = field(init=False)
    patient: str = field(init=False)
    patient_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        wiring.connect()
        self.processor = props.made(
            self.house.admin.post(
                "/v1/card-processors",
                {
                    "secret_key": self.double.key, "notice_secret": self.double.webhook_secret,
                    "settings": {"base_url": f"http://127.0.0.1:{self.port or self.double.port}"},
                },
            )
        )  # fmt: skip
        self.patient, self.patient_id = books.add_patient(self.house)

    @property
    def biller(self) -> Api:
        return self.house.biller

    def owes(self, cents: int, **more: Any) -> UUID:
        """Let the patient owe for a visit; return the visit's id."""
        return books.charge(self.house, self.patient_id, patient_cents=cents, **more)

    def ask_card(self, name: str = "pm_card_visa") -> dict[str, Any]:
        """Have a card asked for, and typed into the processor's page; nothing here has heard of it yet."""
        asked = props.made(self.biller.post("/v1/cards", {"patient_id": self.patient}))
        self.work()
        ready = self.read("cards", asked["id"])
        assert ready["state"] == "ready", ready
        self.double.page(ready["page"]["secret"].split("_secret_")[0], name)
        return ready

    def keep_card(self, name: str = "pm_card_visa") -> dict[str, Any]:
        """Keep a card on file."""
        card = self.ask_card(name)
        self.deliver("setup_intent.succeeded")
        self.work()
        kept = self.read("cards", card["id"])
        assert kept["state"] == "active", kept
        return kept

    def pay(self, card: dict[str, Any], cents: int, **more: Any) -> HttpResponse:
        """Charge a card; return the answer, which comes before the processor is asked."""
        body = {"patient_id": self.patient, "amount": {"amount": cents}, "method": "card", "card_id": card["id"]}
        return self.biller.post("/v1/payments", body | more)

    def charge(self, card: dict[str, Any], cents: int, **more: Any) -> dict[str, Any]:
        """Charge a card and let a worker do it; return the payment as it then is."""
        payment = props.made(self.pay(card, cents, **more))
        self.work()
        return self.read("payments", payment["id"])

    def refund(self, payment: dict[str, Any], cents: int) -> HttpResponse:
        """Ask for a refund."""
        body = {"amount": {"amount": cents}, "reason": "Patient moved away"}
        return self.biller.post(f"/v1/payments/{payment['id']}/refund", body)

    def read(self, what: str, id: str) -> dict[str, Any]:
        """Return an object as it is now."""
        answer = self.biller.get(f"/v1/{what}/{id}")
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def work(self) -> None:
        """Do what a worker would do now."""
        drain(self.house.id)

    def later(self) -> None:
        """Let every wait and lease be over, and do what a worker then does."""
        time_passes(self.house.id)
        carry_on(self.house.id)
        with self.house.entered() as scope:
            jobs.take_up(scope=scope, now=timezone.now())
        self.work()

    def notice(self, body: str, signature: str, processor: str = "") -> HttpResponse:
        """Hand in a notice as the processor does."""
        path = f"/v1/card-processors/{processor or self.processor['id']}/notices"
        return Api(None).call("POST", path, raw=body.encode(), stripe_signature=signature)

    def deliver(self, *types: str) -> list[int]:
        """Hand in every notice so far (of these types); return the statuses."""
        return [self.notice(one["body"], one["signature"]).status_code for one in self.double.notices(*types)]

    def balance(self) -> tuple[int, int, int]:
        """Return (patient responsibility, insurance outstanding, credit) in cents."""
        return books.balance(self.house, self.patient)

    def taken(self, payment: dict[str, Any]) -> list[int]:
        """Return every amount that the processor took for a payment."""
        mark = str(parse_type_id("payment", payment["id"]))
        found: list[int] = self.double.account()["taken"].get(mark, [])
        return found


def time_passes(practice_id: UUID) -> None:
    """Let leases and waits of a practice be over."""
    scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
    with entered(scope), connection.cursor() as cursor:
        for table in ("payments_charge", "payments_refund"):
            cursor.execute(f"UPDATE {table} SET leased_until = NULL, retry_at = NULL")
        cursor.execute("UPDATE payments_told SET received_at = received_at - interval '2 hours' WHERE outcome = 'parked'")
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = %s", [str(practice_id)]
        )


def carry_on(practice_id: UUID) -> None:
    """Do every charge and refund that waits, in this process, on the practice's day as its jobs do."""
    wiring.connect()
    house = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
    with entered(house):
        zone = ZoneInfo(tenancy.get_practice(scope=house).time_zone)
    scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=zone)
    with entered(scope):
        charges, refunds = queries.open_charges(scope=scope), queries.open_refunds(scope=scope)
    for charge in charges:
        jobs.send_charge(scope=scope, charge_id=charge.id)
    for refund in refunds:
        jobs.send_refund(scope=scope, refund_id=refund.id)
