"""Work of this room that waits for the processor. No call is made inside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.db import sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs

from . import queries, services
from .models import Charge, Refund, Told
from .ports import InDoubt, PayoutFacts, Processor, Refused
from .states import CardState

Supplier = Callable[[Mapping[str, object], str], Processor]
"""Account settings and secret key -> driver."""

_suppliers: dict[str, Supplier] = {}


def supply(kind: str, supplier: Supplier) -> None:
    """Name the driver of a kind of processor. Called by `config.wiring`."""
    _suppliers[kind] = supplier


def _driver(scope: Scope, processor_id: UUID) -> Processor:
    """Return the driver of an account. Called inside a transaction; it opens no socket by this."""
    row = queries.get_processor(scope=scope, processor_id=processor_id)
    return _suppliers[row.kind](row.settings, queries.open_sealed(row, column="secret_sealed"))


@jobs.task("payments.send_charge", retries=10, outside=True)
def send_charge(*, scope: Scope, charge_id: UUID) -> None:
    """Charge a card, or find out what became of an earlier try; what stays unsettled is run again."""
    with entered(scope):
        sending = services.begin_charge(scope=scope, charge_id=charge_id, now=timezone.now())
        if sending is None:
            return
        driver = _driver(scope, sending.processor_id)
    if sending.look_first:
        found = driver.find_charge(ask=sending.ask)
        with entered(scope):
            charge = services.resolve_charge(scope=scope, sending=sending, answer=found, now=timezone.now())
            _again(scope, charge, "payments.send_charge", "charge")
        return
    crashpoint(Crashpoint.CHARGE_BEFORE_SEND)
    answer = driver.charge(ask=sending.ask)
    crashpoint(Crashpoint.CHARGE_AFTER_SEND)
    with entered(scope):
        charge = services.record_charge(scope=scope, sending=sending, answer=answer, now=timezone.now())
        _again(scope, charge, "payments.send_charge", "charge")
        crashpoint(Crashpoint.CHARGE_BEFORE_MARK_COMMIT)
    crashpoint(Crashpoint.CHARGE_AFTER_MARK)


@jobs.task("payments.send_refund", retries=10, outside=True)
def send_refund(*, scope: Scope, refund_id: UUID) -> None:
    """Give money back to a card, or find out what became of an earlier try."""
    with entered(scope):
        sending = services.begin_refund(scope=scope, refund_id=refund_id, now=timezone.now())
        if sending is None:
            return
        driver = _driver(scope, sending.processor_id)
    crashpoint(Crashpoint.CHARGE_BEFORE_SEND)
    answer = driver.find_refund(ask=sending.ask) if sending.look_first else driver.refund(ask=sending.ask)
    crashpoint(Crashpoint.CHARGE_AFTER_SEND)
    with entered(scope):
        refund = services.record_refund(scope=scope, sending=sending, answer=answer, now=timezone.now())
        _again(scope, refund, "payments.send_refund", "refund")
        crashpoint(Crashpoint.CHARGE_BEFORE_MARK_COMMIT)
    crashpoint(Crashpoint.CHARGE_AFTER_MARK)


def _again(scope: Scope, row: Charge | Refund | None, task: str, word: str) -> None:
    """Ask for another run, when a charge or refund is not settled."""
    if row is None or row.state not in queries.OPEN:
        return
    wait = timedelta(seconds=1)
    if row.retry_at is not None:
        wait = max(wait, row.retry_at - timezone.now() + wait)
    ids: dict[str, Any] = {f"{word}_id": row.id}
    jobs.defer(task, scope, queueing_lock=f"{word}:{row.id}", schedule_in=wait, **ids)


@jobs.task("payments.ask_card", retries=5, outside=True)
def ask_card(*, scope: Scope, card_id: UUID) -> None:
    """Have the processor's page made, or see what became of it."""
    with entered(scope):
        card = queries.get_card(scope=scope, card_id=card_id)
        driver = _driver(scope, card.processor_id)
    if card.state == CardState.ASKED:
        made = driver.prepare_card(key=f"card-{card.id}", mark=str(card.id))
        with entered(scope):
            services.keep_page(scope=scope, card_id=card_id, answer=made, now=timezone.now())
    elif card.state == CardState.READY:
        found = driver.read_card(setup=card.setup_ref)
        with entered(scope):
            services.keep_card(scope=scope, card_id=card_id, answer=found, now=timezone.now())


@jobs.task("payments.forget_card", retries=5, outside=True)
def forget_card(*, scope: Scope, card_id: UUID) -> None:
    """Have the processor forget a card that was removed here."""
    with entered(scope):
        card = queries.get_card(scope=scope, card_id=card_id)
        driver = _driver(scope, card.processor_id)
    if card.state == CardState.REMOVED and card.method_ref:
        answer = driver.forget_card(method=card.method_ref)
        with entered(scope):
            services.forgotten(scope=scope, card_id=card_id, answer=answer)


@jobs.task("payments.look", retries=5, outside=True)
def look(*, scope: Scope, told_id: UUID) -> None:
    """Do what a notice asks for; where it takes a question to the processor, ask it."""
    with entered(scope):
        outcome = services.look(scope=scope, told_id=told_id, now=timezone.now())
        if outcome not in ("refund", "payout"):
            return
        told = Told.objects.visible_to(scope).get(id=told_id)
        driver = _driver(scope, told.processor_id)
        refund = queries.refund_by(scope=scope, mark=told.mark, receipt=told.about)
        receipt = ""
        if refund is not None:
            charge = queries.find_charge(scope=scope, charge_id=refund.charge_id)
            receipt = charge.receipt if charge else ""
    if outcome == "payout":
        _take_payout(scope, told, driver)
    elif refund is not None:
        _see_refund(scope, told, driver, refund, receipt)


PAYOUT_WAITS = timedelta(days=1)
"""How long a payout whose lines do not add up to it yet is waited for; then it is kept with its difference."""


def _whole(facts: PayoutFacts) -> bool:
    return sum(line.net_cents for line in facts.lines) == facts.cents


def _take_payout(scope: Scope, told: Told, driver: Processor) -> None:
    facts = driver.read_payout(ref=told.about)
    with entered(scope):
        if isinstance(facts, PayoutFacts) and not _whole(facts) and timezone.now() < told.received_at + PAYOUT_WAITS:
            told.note(scope, "parked")
        elif isinstance(facts, PayoutFacts):
            services.record_payout(scope=scope, processor_id=told.processor_id, facts=facts, now=timezone.now())
            told.note(scope, "applied")
        else:
            told.note(scope, "ignored" if isinstance(facts, Refused) else "parked")


def _see_refund(scope: Scope, told: Told, driver: Processor, refund: Refund, receipt: str) -> None:
    ask = services.refund_ask(refund=refund, receipt=receipt)
    found = driver.find_refund(ask=ask)
    with entered(scope):
        if isinstance(found, Refused):
            services.bounced(scope=scope, refund_id=refund.id, answer=found, now=timezone.now())
        told.note(scope, "parked" if isinstance(found, InDoubt) else "applied")


LOOK_EVERY = timedelta(hours=1)
"""How often AutoPay looks at what an enrolled patient owes, when nothing has told that it changed."""


@jobs.task("payments.autopay", retries=1, outside=True)
def autopay(*, scope: Scope) -> None:
    """Plan what is owed by those who are enrolled, and instalments that are near; let leave what is due; each in a transaction of its own."""
    now = timezone.now()
    with entered(scope):
        enrolments = queries.enrolments_to_look_at(scope=scope, before=now - LOOK_EVERY)
    for enrolment_id in enrolments:
        with entered(scope):
            services.plan(scope=scope, enrolment_id=enrolment_id, now=now)
            services.plan_instalments(scope=scope, enrolment_id=enrolment_id, now=now)
    with entered(scope):
        due = queries.planned_by(scope=scope, day=scope.day_of(now))
    for planned_id in due:
        with entered(scope):
            services.carry_out(scope=scope, planned_id=planned_id, now=now)


@jobs.periodic("payments.autopay", seconds=60)
def autopay_everywhere() -> None:
    """Have AutoPay look, in each practice whose rule is on."""
    with transaction.atomic():
        practices = [row[0] for row in sql.rows("SELECT practice_id FROM rapport_autopay_practices()")]
    for practice_id in practices:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
        with entered(scope):
            jobs.defer("payments.autopay", scope, lock="autopay", queueing_lock="autopay")


@jobs.periodic("payments.poll", seconds=5)
def poll() -> None:
    """Take up what a dead worker left open, pages that are not finished, and notices that wait."""
    with transaction.atomic():
        practices = [row[0] for row in sql.rows("SELECT practice_id FROM rapport_payment_practices()")]
    for practice_id in practices:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
        with entered(scope):
            take_up(scope=scope, now=timezone.now())


def take_up(*, scope: Scope, now: datetime) -> None:
    """Ask for a run of everything of one practice that waits, and is due."""
    for charge in queries.open_charges(scope=scope):
        if charge.leased_until is None or charge.leased_until < now:
            _again(scope, charge, "payments.send_charge", "charge")
    for refund in queries.open_refunds(scope=scope):
        if refund.leased_until is None or refund.leased_until < now:
            _again(scope, refund, "payments.send_refund", "refund")
    for card in queries.cards_to_ask(scope=scope):
        if card.asked_again_at is None or card.asked_again_at <= now:
            jobs.defer("payments.ask_card", scope, queueing_lock=f"card:{card.id}", card_id=card.id)
    for card in queries.cards_to_forget(scope=scope):
        jobs.defer("payments.forget_card", scope, queueing_lock=f"forget:{card.id}", card_id=card.id)
    for told in queries.parked(scope=scope):
        # Looked at after 5, 10, 20 seconds … and every hour or so in the end.
        if now >= told.received_at + timedelta(seconds=5 * 2 ** min(told.tries, 10)):
            jobs.defer("payments.look", scope, queueing_lock=f"told:{told.id}", told_id=told.id)
