"""Payment plans listen to what happens to patients' money. What payers decide is looked at by a job."""

from __future__ import annotations

from datetime import datetime

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import Event, on
from rapport.rooms.ledger import events as ledger
from rapport.rooms.ledger import queries as books

from . import services


@on(ledger.PAYMENT_RECORDED)
@on(ledger.PAYMENT_ALLOCATED)
def _paid(scope: Scope, event: Event, now: datetime) -> None:
    payment = books.get_payment(scope=scope, payment_id=event.object_id)
    services.notice_patient(scope=scope, patient_id=payment.patient_id, now=now)


@on(ledger.CREDIT_APPLIED)
@on(ledger.WRITE_OFF_POSTED)
@on(ledger.ENTRY_REVERSED)
def _posted(scope: Scope, event: Event, now: datetime) -> None:
    entry = books.get_entry(scope=scope, entry_id=event.object_id)
    if entry.patient_id is not None:
        services.notice_patient(scope=scope, patient_id=entry.patient_id, now=now)
