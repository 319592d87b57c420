"""Payouts: what the processor sent to the bank, what it is made of, and the fees that only it knows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.rooms.ledger import services as ledger
from rapport.rooms.payments import events, queries
from rapport.rooms.payments.models import Charge, Payout, PayoutLine
from rapport.rooms.payments.ports import PayoutFacts
from rapport.rooms.payments.ports import PayoutLine as LineFacts

from .charging import note_fee


def record_payout(*, scope: Scope, processor_id: UUID, facts: PayoutFacts, now: datetime) -> Payout:
    """Keep a payout with its lines, once, or note how it stands now; book the fees not booked yet."""
    sql.hold(f"payout:{scope.practice_id}:{facts.ref}")
    row: Payout | None = Payout.objects.visible_to(scope).filter(processor_id=processor_id, ref=facts.ref).first()
    if row is not None:
        row.move(facts.state, at=now)
        return row
    row = Payout(
        practice_id=scope.practice_id, processor_id=processor_id, ref=facts.ref[:100], cents=facts.cents,
        arrives_on=facts.arrives_on, state=facts.state, created_at=now, updated_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    for line in facts.lines:
        _keep_line(scope, row, line, now)
    scope.trail.target("payout", row.id, row.version)
    emit(
        events.PAYOUT_RECORDED, scope=scope, object_type="payout", object_id=row.id, version=row.version, now=now
    )
    return row


def _keep_line(scope: Scope, payout: Payout, line: LineFacts, now: datetime) -> None:
    charge = _charge_of(scope, line)
    id = new_uuid()
    PayoutLine.objects.create(
        id=id, practice_id=scope.practice_id, payout=payout, ref=line.ref[:100], kind=line.kind, charge=charge,
        gross_cents=line.gross_cents, fee_cents=line.fee_cents, net_cents=line.net_cents,
    )  # fmt: skip
    if line.kind == "charge" and charge is not None:
        note_fee(scope=scope, charge=charge, cents=line.fee_cents, now=now)
        return
    fee = line.fee_cents - (line.gross_cents if line.kind == "fee" else 0)
    if fee and (charge is not None or line.kind == "fee"):
        ledger.book_processor_fee(scope=scope, kind="payout_line", id=id, cents=fee, now=now)


def _charge_of(scope: Scope, line: LineFacts) -> Charge | None:
    if line.kind == "refund":
        refund = queries.refund_by(scope=scope, mark="", receipt=line.about)
        return None if refund is None else queries.find_charge(scope=scope, charge_id=refund.charge_id)
    return queries.charge_by_receipt(scope=scope, receipt=line.about)
