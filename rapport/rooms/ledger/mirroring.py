"""
Patients' payments that another system has, booked here once.

Rows of the ledger are never changed: what that system corrects is undone here and booked anew. What
payers paid is no payment here: it comes with their remittances, service by service.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.audit import write as audit
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.source import GONE, NotTakenOver, SourceRef, one_of, required, text_of
from rapport.rooms.roster import mirroring as roster

from . import events, queries
from .models import Payment
from .services import keep_payment, reverse

_METHODS = {"cash": "cash", "check": "check", "card": "card_recorded", "card_recorded": "card_recorded"}
_SOURCES = {"patient": "patient", "insurance": "insurance"}
_STATUS = {"posted": "posted", "voided": "voided"}


def mirror_payment(
    *, scope: Scope, source: SourceRef, values: Mapping[str, Any], now: datetime
) -> Payment | None:
    """
    Bring a patient's payment up to what its system has of it; book it when it is new.

    :param values: `patient, received_on, amount, source, method, status, reference`; patient is that
        system's id, `amount` in cents
    :return: the payment as it stands; None: a payer's, which comes with a remittance
    :raises NotTakenOver: something is missing or unknown here
    """
    scope.require(Permission.PAYMENTS_WRITE)
    if one_of(values, "source", _SOURCES) == "insurance":
        return None
    patient = roster.find_patient(scope=scope, system=source.system, id=required(values, "patient"))
    cents = values.get("amount")
    if not isinstance(cents, int) or cents <= 0:
        raise NotTakenOver("unreadable-amount", field="amount")
    said = {
        "patient_id": patient.id, "cents": cents, "received_on": _day(values),
        "method": one_of(values, "method", _METHODS),
        "reference": text_of(values, "reference", most=60),
    }  # fmt: skip
    voided = one_of(values, "status", _STATUS) == "voided"
    row = _held(scope, source)
    if row is not None and any(getattr(row, name) != value for name, value in said.items()):
        _undo(row, scope=scope, reason="corrected_at_source", now=now)
        row = None
    if row is not None and not voided and queries.is_reversed(scope=scope, entry_id=row.entry_id):
        row = None  # it counts again there
    if row is None:
        row = Payment(
            practice_id=scope.practice_id, created_at=now, source_system=source.system,
            source_remote_id=source.remote_id, source_as_of=source.as_of, **said,
        )  # fmt: skip
        keep_payment(scope=scope, payment=row, chosen=None, now=now)
        _note(row, "create", scope=scope, version=1)
    if voided:
        _undo(row, scope=scope, reason="voided_at_source", now=now)
    return row


def payment_gone(*, scope: Scope, source: SourceRef, now: datetime) -> Payment | None:
    """Undo a payment that its system has no more. :return: None: never mirrored"""
    scope.require(Permission.PAYMENTS_WRITE)
    row = _held(scope, source)
    if row is not None:
        _undo(row, scope=scope, reason=GONE, now=now)
    return row


def _held(scope: Scope, source: SourceRef) -> Payment | None:
    """Return how a payment of that system stands here. Whoever else mirrors payments waits."""
    sql.hold(f"{scope.practice_id}|ledger_payment|mirror")
    rows = Payment.objects.visible_to(scope).filter(
        source_system=source.system, source_remote_id=source.remote_id
    )
    row: Payment | None = rows.order_by("-created_at", "-id").first()
    return row


def _undo(row: Payment, *, scope: Scope, reason: str, now: datetime) -> None:
    if queries.is_reversed(scope=scope, entry_id=row.entry_id):
        return
    reverse(scope=scope, entry_id=row.entry_id, now=now, reason=reason)
    _note(row, "reverse", scope=scope, version=2, reason=reason)
    emit(
        events.ENTRY_REVERSED, scope=scope, object_type="ledger_entry", object_id=row.entry_id,
        version=2, now=now,
    )  # fmt: skip


def _day(values: Mapping[str, Any]) -> date:
    try:
        return date.fromisoformat(required(values, "received_on"))
    except ValueError as error:
        raise NotTakenOver("unreadable-received-on", field="received_on") from error


def _note(
    row: Payment, verb: str, *, scope: Scope, version: int, reason: str = roster.MIRRORED
) -> None:
    audit.append(
        scope=scope, action=f"payment.{verb}", reason=reason, patient_ids=[row.patient_id],
        target_type="payment", target_id=row.id, target_version=version, changed=(),
    )  # fmt: skip
