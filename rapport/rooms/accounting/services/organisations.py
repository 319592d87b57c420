"""
Payers that take no claims: employee assistance programmes, employers, schools, courts, grants.

They are invoiced for the visits of patients whose policy names them first, with as little said of a patient as the
payer was given leave to be told, and what they pay is booked by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.kernel.problems import Conflict, FieldError, Forbidden, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.queries import get_practice
from rapport.rooms.accounting import events, queries
from rapport.rooms.accounting.models import Paper, PayerPayment
from rapport.rooms.accounting.states import PaperKind
from rapport.rooms.charting import queries as charting
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.rules.authorizations import Visit
from rapport.rooms.coverage.states import InvoiceDetail, InvoiceName, PayerKind, Remainder, Standing
from rapport.rooms.ledger import queries as ledger
from rapport.rooms.ledger import services as books
from rapport.rooms.ledger.queries import VisitMoney
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.states import Account, EntryKind, WriteOffReason
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import queries as scheduling

from .papers import (
    AlreadyCredited,
    NothingToPrint,
    _address,
    _check_period,
    _fault,
    _keep,
    _next_number,
    _practice,
    _tell,
    _wait_for_papers,
)

PAID = "payer_payment"
"""Source of the entries of what an organisation paid."""


class AlreadyTakenBack(Conflict):
    code, title = "already-taken-back", "The payment was taken back before."


class PatientPaidMeanwhile(Conflict):
    code = "patient-paid-meanwhile"
    title = "The patient has paid what was left to them. Move that payment first."


def invoice_payer(*, scope: Scope, body: Any, now: datetime) -> Paper:
    """
    Ask an organisation for what it owes of a period's visits, as far as no invoice asks for it.

    :param body: `schemas.InvoiceIn` with `payer_id`
    :raises ReferenceNotFound: no such payer here
    :raises Invalid: the period is none, or not over; or the payer is an insurance, which is asked by claims
    :raises Forbidden: the actor sees some patients only
    :raises NothingToPrint: nothing is open that was not asked for
    """
    _require(scope, Permission.PAYMENTS_WRITE)
    payer = coverage.refer_to_payer(
        scope=scope, payer_id=parse_type_id("payer", body.payer_id), pointer="/payer_id"
    )
    if body.patient_id is not None:
        raise _fault("/patient_id", "not-allowed")
    if payer.kind == PayerKind.INSURANCE:
        raise _fault("/payer_id", "asked-by-claims")
    _check_period(scope, body, now=now)
    _wait_for_papers(scope, payer.id)
    asked = queries.invoiced_visits(scope=scope, payer_id=payer.id)
    open_: list[tuple[VisitMoney, Any]] = []
    for policy in coverage.paid_for_by(scope=scope, payer_id=payer.id, first=body.from_on, last=body.to_on):
        first = max(body.from_on, policy.starts_on)
        last = min(body.to_on, policy.ends_on or body.to_on)
        for visit in ledger.visits_of(scope=scope, patient_id=policy.patient_id, from_on=first, to_on=last):
            if visit.payers_owe_cents > 0 and visit.appointment_id not in asked:
                open_.append((visit, policy))
    if not open_:
        raise NothingToPrint("Nothing is open, or invoices ask for all of it.")
    open_.sort(key=lambda one: (one[0].service_on, one[0].appointment_id))
    total = sum(visit.payers_owe_cents for visit, _ in open_)
    content = {
        "practice": _practice(get_practice(scope=scope)),
        "payer": {"name": payer.name, "address": _address(payer)},
        "lines": _lines(scope, payer, open_, today=scope.day_of(now)), "total": total,
    }  # fmt: skip
    paper = _keep(
        scope, PaperKind.INVOICE, None, body.from_on, body.to_on, content, now=now, cents=total, payer_id=payer.id,
        number=_next_number(), due_on=body.due_on, visits=[visit.appointment_id for visit, _ in open_],
    )  # fmt: skip
    scope.trail.patient_ids.update(visit.patient_id for visit, _ in open_)
    _tell(scope, paper, events.INVOICE_ISSUED, now=now)
    return paper


def _require(scope: Scope, permission: Permission) -> None:
    scope.require(permission)
    if scope.caseload is not None:
        raise Forbidden("An organisation's money is about patients whom you may not see.", reason="caseload")


def _lines(
    scope: Scope, payer: Any, open_: Sequence[tuple[VisitMoney, Any]], *, today: date
) -> list[dict[str, Any]]:
    visits = [visit.appointment_id for visit, _ in open_]
    facts = scheduling.billing_facts_of(scope=scope, appointment_ids=visits)
    told = payer.invoice_detail == InvoiceDetail.DIAGNOSES
    notes = charting.notes_of_visits(scope=scope, appointment_ids=visits) if told else {}
    wanted: dict[UUID, list[Visit]] = {}
    for visit, policy in open_:
        fact = facts[visit.appointment_id]
        wanted.setdefault(policy.id, []).append(
            Visit(visit.appointment_id, visit.service_on, fact.code, fact.units, Standing.IN_FLIGHT)
        )
    granted = coverage.authorization_notices(scope=scope, visits=wanted, today=today)
    numbers = coverage.numbers_of(scope=scope, authorization_ids=[id for id, _ in granted.values() if id])
    patients = roster.patients_of(scope=scope, ids={visit.patient_id for visit, _ in open_})
    lines = []
    for visit, policy in open_:
        authorization_id, notices = granted.get(visit.appointment_id, (None, []))
        services = payer.invoice_detail != InvoiceDetail.SESSIONS
        note = notes.get(visit.appointment_id)
        lines.append(
            {
                "appointment_id": str(visit.appointment_id), "service_on": visit.service_on.isoformat(),
                "about": _about(payer, policy, patients[visit.patient_id]),
                "code": facts[visit.appointment_id].code if services else None, "label": "Session",
                "diagnoses": list(note.diagnosis_codes) if note and note.is_signed else [],
                "authorization": numbers.get(authorization_id, "") if authorization_id else "",
                "warnings": [notice.code for notice in notices], "charged": visit.charged_cents,
                "paid_by_payers": visit.paid_by_payers_cents, "adjusted": visit.adjusted_cents,
                "payers_owe": visit.payers_owe_cents, "paid": visit.paid_by_patient_cents,
                "due": visit.payers_owe_cents,
            }
        )  # fmt: skip
    return lines


def _about(payer: Any, policy: Any, patient: Any) -> str:
    """Return what the invoice says of the patient: no more than the payer may know."""
    if payer.invoice_name == InvoiceName.NAME:
        return f"{patient.first_name} {patient.last_name}"
    if payer.invoice_name == InvoiceName.REFERENCE and policy.member_id:
        return str(policy.member_id)
    return f"{patient.first_name[:1]}. {patient.last_name[:1]}."


def record_payer_payment(*, scope: Scope, body: Any, now: datetime) -> PayerPayment:
    """
    Book what an organisation paid on an invoice: to the visits named, else the oldest first.

    With `final`, what is left open of the invoice's visits stays, becomes the patients', or is written off: as the
    payer's `remainder` says.

    :param body: `schemas.PayerPaymentIn`
    :raises ReferenceNotFound: no such invoice to an organisation
    :raises AlreadyCredited: a credit note took the invoice back
    :raises MoreThanOwed: less is open than was paid
    :raises Invalid: the day lies ahead, or a part does not fit
    :raises BooksClosed: the books of that day are closed
    :raises Forbidden: the actor sees some patients only
    """
    _require(scope, Permission.PAYMENTS_WRITE)
    invoice = _invoice(scope, body.invoice_id)
    received_on = body.received_on or scope.day_of(now)
    if received_on > scope.day_of(now):
        raise _fault("/received_on", "in-the-future")
    closed = ledger.closed_through(scope=scope)
    if closed is not None and received_on <= closed:
        raise books.BooksClosed("Use a day after the last closed one.", closed_through=closed.isoformat())
    assert invoice.payer_id is not None
    _wait_for_papers(scope, invoice.payer_id)
    if queries.credit_note_of(scope=scope, invoice_id=invoice.id) is not None:
        raise AlreadyCredited()
    visits = _held(scope, invoice)
    owed = sum(max(visit.payers_owe_cents, 0) for visit in visits)
    if body.amount.amount > owed:
        raise books.MoreThanOwed("Record what is open on the invoice at most.", owed_cents=owed)
    parts = _parts(body, visits)
    payment = PayerPayment(
        practice_id=scope.practice_id, id=new_uuid(), payer_id=invoice.payer_id, invoice=invoice,
        cents=body.amount.amount, method=body.method, reference=body.reference or "", received_on=received_on,
        final=body.final, actor_type=scope.actor_type, actor_id=scope.actor_id, created_at=now,
    )  # fmt: skip
    payment.save(force_insert=True)
    remainder = Remainder(coverage.get_payer(scope=scope, payer_id=invoice.payer_id).remainder)
    for visit in visits:
        paid = parts.get(visit.appointment_id, 0)
        if paid:
            entry = book.insurance_payment(_source(payment, "paid", visit), received_on, _of(visit), cents=paid)
            books.post(scope=scope, entry=entry, now=now)
        rest = visit.payers_owe_cents - paid
        if body.final and rest > 0 and remainder is not Remainder.OPEN:
            books.post(scope=scope, entry=_rest(payment, visit, rest, remainder, invoice), now=now)
    _tell_payment(scope, payment, events.PAYER_PAID, now=now)
    return payment


def take_back_payer_payment(*, scope: Scope, payment_id: UUID, reason: str, now: datetime) -> PayerPayment:
    """
    Undo a payment that was a mistake, with what followed from it.

    :raises NotFound: no such payment
    :raises AlreadyTakenBack: it was undone before, or is itself an undoing
    :raises PatientPaidMeanwhile: what it left to a patient was paid
    :raises Forbidden: the actor sees some patients only
    """
    _require(scope, Permission.PAYMENTS_REFUND)
    seen = queries.get_payer_payment(scope=scope, payment_id=payment_id)
    _wait_for_papers(scope, seen.payer_id)
    if seen.takes_back_id is not None or queries.taken_back(scope=scope, payment_ids=[seen.id]):
        raise AlreadyTakenBack()
    invoice = queries.get_paper(scope=scope, paper_id=seen.invoice_id, kinds=(PaperKind.INVOICE,))
    owes = {visit.appointment_id: visit.patient_owes_cents for visit in _held(scope, invoice)}
    entries = ledger.entries_of(scope=scope, kind=PAID, id=seen.id)
    moved = ledger.lines_of_many(
        scope=scope, entry_ids=[entry.id for entry in entries if entry.kind == EntryKind.TRANSFER_TO_PATIENT]
    )
    for line in (line for lines in moved.values() for line in lines if line.account is Account.PATIENT_RECEIVABLE):
        assert line.appointment_id is not None
        if owes.get(line.appointment_id, 0) < line.cents:
            raise PatientPaidMeanwhile()
    for entry in entries:
        books.reverse(scope=scope, entry_id=entry.id, reason=reason, now=now)
    back = PayerPayment(
        practice_id=scope.practice_id, id=new_uuid(), payer_id=seen.payer_id, invoice=invoice, cents=-seen.cents,
        method=seen.method, reference=seen.reference, received_on=scope.day_of(now), final=False, takes_back=seen,
        reason=reason, actor_type=scope.actor_type, actor_id=scope.actor_id, created_at=now,
    )  # fmt: skip
    back.save(force_insert=True)
    scope.trail.reason = reason
    _tell_payment(scope, back, events.PAYER_PAYMENT_TAKEN_BACK, now=now)
    return back


def _invoice(scope: Scope, text: str) -> Paper:
    id = parse_type_id("invoice", text)
    found = queries.papers_of(scope=scope, paper_ids=[id] if id else [])
    if not found or found[0].kind != PaperKind.INVOICE or found[0].payer_id is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError("/invoice_id", "reference-not-found", "An invoice to an organisation."),),
            _sought=[("invoice", id)] if id else [],
        )
    return found[0]


def _held(scope: Scope, invoice: Paper) -> list[VisitMoney]:
    """Return the visits of an invoice as they stand; others who decide by these patients' balances wait."""
    seen = ledger.visits_named(scope=scope, appointment_ids=invoice.appointment_ids)
    for patient_id in sorted({visit.patient_id for visit in seen}):
        books.hold_patient(scope=scope, patient_id=patient_id)
    return ledger.visits_named(scope=scope, appointment_ids=invoice.appointment_ids)


def _parts(body: Any, visits: Sequence[VisitMoney]) -> Mapping[UUID, int]:
    """Return visit -> cents of it that were paid. :raises Invalid: a part does not fit"""
    if body.lines is None:
        left, parts = body.amount.amount, {}
        for visit in visits:
            parts[visit.appointment_id] = min(left, max(visit.payers_owe_cents, 0))
            left -= parts[visit.appointment_id]
        return parts
    open_ = {visit.appointment_id: visit.payers_owe_cents for visit in visits}
    chosen: dict[UUID, int] = {}
    for position, line in enumerate(body.lines):
        id = parse_type_id("appointment", line.appointment_id)
        if id is None or id in chosen or line.amount.amount > open_.get(id, 0):
            raise _fault(f"/lines/{position}/amount", "more-than-owed")
        chosen[id] = line.amount.amount
    if sum(chosen.values()) != body.amount.amount:
        raise _fault("/lines", "not-the-amount")
    return chosen


def _source(payment: PayerPayment, word: str, visit: VisitMoney) -> book.Source:
    return book.Source(PAID, payment.id, f"{word}:{visit.appointment_id}")


def _of(visit: VisitMoney) -> book.About:
    return book.About(visit.patient_id, visit.appointment_id, service_on=visit.service_on)


def _rest(
    payment: PayerPayment, visit: VisitMoney, cents: int, remainder: Remainder, invoice: Paper
) -> book.NewEntry:
    source = _source(payment, "rest", visit)
    reason = f"Left unpaid of invoice {invoice.number}"
    if remainder is Remainder.PATIENT:
        return book.transfer_to_patient(source, payment.received_on, _of(visit), cents=cents, reason=reason)
    return book.write_off(
        source, payment.received_on, visit.patient_id, reason=reason,
        allocations=[book.Allocation(visit.appointment_id, cents, visit.service_on)],
        reason_code=WriteOffReason.CONTRACTUAL.value, account=Account.INSURANCE_RECEIVABLE,
    )  # fmt: skip


def _tell_payment(scope: Scope, payment: PayerPayment, event: str, *, now: datetime) -> None:
    scope.trail.target("payer_payment", payment.id, 1)
    emit(event, scope=scope, object_type="payer_payment", object_id=payment.id, version=1, now=now)
