"""
What the processor tells by itself: checked, kept once, and followed by a look.

A notice never settles a charge: it may be early (our own commit is still to come), late, twice or out of
order. It is parked until what it is about is settled here; then it is applied, or was known already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope, Source, system_scope
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.db.session import set_scope
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.rooms.ledger import services as ledger
from rapport.rooms.payments import events, queries
from rapport.rooms.payments.models import Card, Charge, Processor, Told
from rapport.rooms.payments.ports import Notice, Notices
from rapport.rooms.payments.states import TAKEN, CardState, ChargeState, RefundState

from .problems import NoticeRefused

ELSEWHERE_AFTER = timedelta(days=1)
"""A notice that finds nothing here for so long is about something made at the processor's own pages."""

_readers: dict[str, Notices] = {}


def supply_notices(*, kind: str, reader: Notices) -> None:
    """Name who reads the notices of a kind of processor. Called by `config.wiring`."""
    _readers[kind] = reader


def receive(
    *, processor_id: UUID | None, body: bytes, headers: Mapping[str, str], source: Source, now: datetime
) -> tuple[Scope, bool]:
    """
    Take in a notice. Enters the transaction into the practice whose processor it is.

    :return: the practice's scope, and whether the notice is new
    :raises NoticeRefused: no such processor, a wrong or old signature, or nobody can read it
    """
    found = queries.teller(processor_id) if processor_id else None
    if found is None or not found.sealed or found.kind not in _readers:
        raise NoticeRefused(reason="unknown_processor")
    scope = system_scope(
        practice_id=found.practice_id, actor_id=found.practice_id, time_zone=ZoneInfo(found.time_zone),
        livemode=found.livemode,
    )  # fmt: skip
    scope = Scope(**{name: getattr(scope, name) for name in scope.__slots__} | {"source": source})
    set_scope(scope)
    row = Processor(id=found.processor_id, practice_id=found.practice_id)
    secret = aead.open_(
        bytes(found.sealed), aad=queries.place_of(row, column="notice_secret_sealed"), purpose="field"
    ).decode()
    reader = _readers[found.kind]
    signature = headers.get(reader.header) or ""
    notice = reader.read(body=body, signature=signature, secret=secret, now=now)
    if notice is None:
        raise NoticeRefused(reason="bad_signature", _scope=scope)
    return scope, keep(scope=scope, processor_id=found.processor_id, notice=notice, now=now)


_KEEP = """
INSERT INTO payments_told (practice_id, id, processor_id, ref, kind, about, mark, state, told_at, received_at,
    outcome, tries)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'parked', 0) ON CONFLICT DO NOTHING
"""


def keep(*, scope: Scope, processor_id: UUID, notice: Notice, now: datetime) -> bool:
    """Keep a notice that is not kept yet, and have somebody look. :return: False: it was told before"""
    id = new_uuid()
    new = sql.run(
        _KEEP,
        (scope.practice_id, id, processor_id, notice.ref, notice.kind, notice.about, notice.mark,
         notice.state, notice.at, now),
    )  # fmt: skip
    scope.trail.target("card_processor", processor_id)
    if not new:
        scope.trail.reason = "told_before"
        return False
    jobs.defer("payments.look", scope, queueing_lock=f"told:{id}", told_id=id)
    return True


def look(*, scope: Scope, told_id: UUID, now: datetime) -> str:
    """
    Do what a notice asks for, as far as it can be done now.

    :return: `applied`, `ignored`, `parked`; or `refund` or `payout`: the processor has to be asked first
    """
    told = Told.objects.visible_to(scope).select_for_update().filter(id=told_id).first()
    if told is None or told.outcome != "parked":
        return "applied"
    outcome = _WAYS.get(told.kind, _ignore)(scope, told, now)
    if outcome == "parked" and now > told.received_at + ELSEWHERE_AFTER and _charge_of(scope, told) is None:
        outcome = "ignored"
    if outcome in ("applied", "ignored", "parked"):
        told.note(scope, outcome)
    return outcome


def _ignore(scope: Scope, told: Told, now: datetime) -> str:
    return "ignored"


def _charge(scope: Scope, told: Told, now: datetime) -> str:
    charge = _charge_of(scope, told)
    if charge is None or charge.state in queries.OPEN:
        return "parked"
    return "applied"


def _charge_of(scope: Scope, told: Told) -> Charge | None:
    found = queries.charge_by_receipt(scope=scope, receipt=told.about)
    if found is not None or not told.mark:
        return found
    try:
        return queries.find_charge(scope=scope, charge_id=UUID(told.mark))
    except ValueError:
        return None


def _dispute(scope: Scope, told: Told, now: datetime) -> str:
    charge = _charge_of(scope, told)
    if charge is None or charge.state not in TAKEN:
        return "parked"
    charge = queries.find_charge(scope=scope, charge_id=charge.id, lock=True)
    assert charge is not None
    scope.trail.patient_ids.add(charge.patient_id)
    ended = Told.objects.visible_to(scope).filter(
        about=told.about, kind="dispute", state__in=["won", "lost"], outcome="applied"
    )
    if told.state == "open" and ended.filter(told_at__gte=told.told_at).exists():
        return "applied"  # it came late: how it ended is known
    wanted = {"open": ChargeState.DISPUTED, "won": ChargeState.SUCCEEDED, "lost": ChargeState.CHARGED_BACK}
    event = {"open": events.PAYMENT_DISPUTED, "won": events.DISPUTE_WON, "lost": events.PAYMENT_CHARGED_BACK}
    if charge.move(wanted[told.state], at=now):
        if told.state == "lost":
            ledger.charge_back(scope=scope, payment_id=charge.id, now=now)
        emit(
            event[told.state], scope=scope, object_type="payment", object_id=charge.id,
            version=charge.version, now=now, changed=["state"],
        )  # fmt: skip
    return "applied"


def _refund(scope: Scope, told: Told, now: datetime) -> str:
    refund = queries.refund_by(scope=scope, mark=told.mark, receipt=told.about)
    if refund is None or refund.state in queries.OPEN:
        return "parked"
    return "refund" if refund.state == RefundState.SUCCEEDED else "applied"


def _setup(scope: Scope, told: Told, now: datetime) -> str:
    card = Card.objects.visible_to(scope).filter(setup_ref=told.about).exclude(setup_ref="").first()
    if card is None:
        return "parked"
    if card.state == CardState.READY:
        jobs.defer("payments.ask_card", scope, queueing_lock=f"card:{card.id}", card_id=card.id)
    return "applied"


def _payout(scope: Scope, told: Told, now: datetime) -> str:
    return "payout" if told.about else "ignored"


_WAYS: dict[str, Callable[[Scope, Told, datetime], str]] = {
    "charge": _charge, "dispute": _dispute, "refund": _refund, "setup": _setup, "payout": _payout,
}  # fmt: skip
