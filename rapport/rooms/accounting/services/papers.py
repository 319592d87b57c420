"""
Making invoices, credit notes, statements and superbills.

What is printed is put together once and kept as it was: a paper is never changed. An invoice that is
wrong is taken back by a credit note, and another one is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.kernel.problems import Conflict, FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy.queries import get_practice
from rapport.rooms.accounting import events, queries
from rapport.rooms.accounting.models import Paper
from rapport.rooms.accounting.rules.frozen import digest
from rapport.rooms.accounting.states import PaperKind, PlanStatus
from rapport.rooms.charting import queries as charting
from rapport.rooms.ledger import queries as ledger
from rapport.rooms.ledger.queries import VisitMoney
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import queries as scheduling


class NothingToPrint(Conflict):
    code, title = "nothing-to-print", "There is nothing of that period for such a paper."


class AlreadyCredited(Conflict):
    code, title = "already-credited", "A credit note took the invoice back before."


_OF_ONE_VISIT = ("charge", "transfer_to_patient")


def issue_invoice(*, scope: Scope, body: Any, now: datetime) -> Paper:
    """
    Ask a patient for what is open of a period's visits, as far as no invoice asks for it and no payment plan has them.

    :param body: `schemas.InvoiceIn` with `patient_id`
    :raises ReferenceNotFound: no such patient for this actor
    :raises Invalid: the period is none, or not over; it would be due before it is there
    :raises NothingToPrint: nothing is open that was not asked for
    """
    patient_id = _begin(scope, body, now=now)
    asked = queries.invoiced_visits(scope=scope, patient_id=patient_id)
    asked |= queries.visits_in_plans(scope=scope, patient_id=patient_id)
    visits = [
        visit
        for visit in ledger.visits_of(scope=scope, patient_id=patient_id, from_on=body.from_on, to_on=body.to_on)
        if visit.patient_owes_cents > 0 and visit.appointment_id not in asked
    ]
    if not visits:
        raise NothingToPrint("Nothing is open, or invoices and payment plans have all of it.")
    total = sum(visit.patient_owes_cents for visit in visits)
    content = _heads(scope, patient_id) | {"lines": _lines(scope, visits), "total": total}
    paper = _keep(
        scope, PaperKind.INVOICE, patient_id, body.from_on, body.to_on, content, now=now, cents=total,
        number=_next_number(), due_on=body.due_on, visits=[visit.appointment_id for visit in visits],
    )  # fmt: skip
    _tell(scope, paper, events.INVOICE_ISSUED, now=now)
    return paper


def credit_invoice(*, scope: Scope, invoice_id: UUID, reason: str, now: datetime) -> Paper:
    """
    Take an invoice back, whole, by a numbered credit note. Its visits can be invoiced again.

    :raises NotFound: no such invoice for this actor
    :raises AlreadyCredited: it was taken back before
    """
    scope.require(Permission.PAYMENTS_WRITE)
    number = _next_number()  # who comes second waits here, and then sees the first one's note
    invoice = queries.get_paper(scope=scope, paper_id=invoice_id, kinds=(PaperKind.INVOICE,))
    if queries.credit_note_of(scope=scope, invoice_id=invoice.id) is not None:
        raise AlreadyCredited()
    content = invoice.content | {"corrects": invoice.number, "reason": reason}
    paper = _keep(
        scope, PaperKind.CREDIT_NOTE, invoice.patient_id, invoice.from_on, invoice.to_on, content, now=now,
        cents=-invoice.cents, number=number, corrects=invoice, visits=invoice.appointment_ids, reason=reason,
        payer_id=invoice.payer_id,
    )  # fmt: skip
    scope.trail.reason = reason
    _tell(scope, paper, events.INVOICE_CREDITED, now=now)
    return paper


def issue_statement(*, scope: Scope, body: Any, now: datetime) -> Paper:
    """
    Say what happened to a patient's money in a period, and what they owe at its end. What is in a payment plan is
    asked for as its instalments fall due.

    :raises ReferenceNotFound: no such patient for this actor
    :raises Invalid: the period is none, or not over
    """
    patient_id = _begin(scope, body, now=now)
    before = ledger.balance(scope=scope, patient_id=patient_id, as_of=_day_before(body.from_on))
    balance = opening = before.patient_responsibility_cents - before.credit_cents
    lines = []
    for one in ledger.movements(scope=scope, patient_id=patient_id, from_on=body.from_on, to_on=body.to_on):
        balance += one.cents
        lines.append(
            {
                "on": one.on.isoformat(), "kind": one.kind, "undoes": one.undoes,
                "service_on": one.service_on.isoformat() if one.service_on and one.kind in _OF_ONE_VISIT else None,
                "amount": one.cents, "balance": balance,
            }
        )  # fmt: skip
    content = _heads(scope, patient_id) | {"opening": opening, "lines": lines, "closing": balance}
    content |= _plans(scope, patient_id, closing=balance, today=scope.day_of(now))
    return _keep(
        scope, PaperKind.STATEMENT, patient_id, body.from_on, body.to_on, content, now=now, cents=balance
    )


def _plans(scope: Scope, patient_id: UUID, *, closing: int, today: date) -> dict[str, Any]:
    """Return a patient's payment plans as they stand today, and what is asked for now: not all of what is in a plan."""
    plans = queries.plans_of_patient(scope=scope, patient_id=patient_id, statuses=[PlanStatus.ACTIVE])
    standings = queries.standings(scope=scope, plans=plans, today=today)
    lines = []
    for plan in plans:
        standing = standings[plan.id]
        following = standing.next
        lines.append(
            {
                "payment_plan_id": str(plan.id), "open": standing.open_cents, "overdue": standing.overdue_cents,
                "next_due_on": following.due_on.isoformat() if following else None,
                "next_amount": following.open_cents if following else 0,
            }
        )  # fmt: skip
    later = sum(standing.open_cents - standing.due_cents for standing in standings.values())
    return {"plans": lines, "due_now": max(0, closing - later)}


def issue_superbill(*, scope: Scope, body: Any, now: datetime) -> Paper:
    """
    List the visits of a period that the patient has paid, with the codes that a payer asks for.

    Left out: fees for missed visits, what is not paid yet, and visits without a signed note and its diagnoses.

    :raises ReferenceNotFound: no such patient for this actor
    :raises Invalid: the period is none, or not over
    :raises NothingToPrint: there is no such visit
    """
    patient_id = _begin(scope, body, now=now)
    lines = []
    visits = []
    for visit in ledger.visits_of(scope=scope, patient_id=patient_id, from_on=body.from_on, to_on=body.to_on):
        line = _service(scope, visit) if visit.paid_by_patient_cents > 0 >= visit.patient_owes_cents else None
        if line is not None:
            lines.append(line)
            visits.append(visit.appointment_id)
    if not lines:
        raise NothingToPrint("No visit of that period is paid, completed, and has a signed note with diagnoses.")
    paid = sum(line["paid"] for line in lines)
    patient = roster.get_patient(scope=scope, patient_id=patient_id)
    content = _heads(scope, patient_id) | {
        "born_on": patient.birth_on.isoformat(), "lines": lines,
        "charged": sum(line["charged"] for line in lines), "paid": paid,
    }  # fmt: skip
    return _keep(
        scope, PaperKind.SUPERBILL, patient_id, body.from_on, body.to_on, content, now=now, cents=paid, visits=visits
    )


def _begin(scope: Scope, body: Any, *, now: datetime) -> UUID:
    """Check permission and period; return the patient, whose papers wait for one another from here on."""
    scope.require(Permission.PAYMENTS_WRITE)
    id = parse_type_id("patient", body.patient_id or "") or new_uuid()
    patient = roster.refer_to_patient(scope=scope, patient_id=id, pointer="/patient_id")
    _check_period(scope, body, now=now)
    _wait_for_papers(scope, patient.id)
    scope.trail.patient_ids.add(patient.id)
    found: UUID = patient.id
    return found


def _check_period(scope: Scope, body: Any, *, now: datetime) -> None:
    if body.to_on < body.from_on:
        raise _fault("/to_on", "before-its-beginning")
    if body.to_on > scope.day_of(now):
        raise _fault("/to_on", "in-the-future")


def _wait_for_papers(scope: Scope, of: UUID) -> None:
    """Make others who give papers to the same patient or payer wait until this transaction ends."""
    sql.hold(f"papers:{scope.practice_id}:{of}")


def _fault(pointer: str, code: str) -> Invalid:
    return Invalid("1 field is not valid.", errors=(FieldError(pointer, code),))


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def _next_number() -> int:
    row = sql.one("SELECT rapport_next_paper_number()")
    assert row is not None
    return int(row[0])


def _heads(scope: Scope, patient_id: UUID) -> dict[str, Any]:
    """Return who writes and who is written to, as they are called today."""
    practice = get_practice(scope=scope)
    patient = roster.get_patient(scope=scope, patient_id=patient_id)
    return {
        "practice": _practice(practice),
        "patient": {"name": f"{patient.first_name} {patient.last_name}", "address": _address(patient)},
    }  # fmt: skip


def _practice(practice: Any) -> dict[str, Any]:
    return {
        "name": practice.name, "npi": practice.npi, "tax_id": practice.tax_id, "phone": practice.phone,
        "address": _address(practice),
    }  # fmt: skip


def _address(of: Any) -> list[str]:
    place = " ".join(part for part in (of.city, of.state_code, of.postal_code) if part)
    return [line for line in (of.address_line1, of.address_line2, place) if line]


def _lines(scope: Scope, visits: Sequence[VisitMoney]) -> list[dict[str, Any]]:
    services = scheduling.services_of(scope=scope, appointment_ids=[visit.appointment_id for visit in visits])
    lines = []
    for visit in visits:
        service = services.get(visit.appointment_id)
        lines.append(
            {
                "appointment_id": str(visit.appointment_id), "service_on": visit.service_on.isoformat(),
                "code": service.code if service else None, "label": service.label if service else "",
                "charged": visit.charged_cents, "paid_by_payers": visit.paid_by_payers_cents,
                "adjusted": visit.adjusted_cents, "payers_owe": visit.payers_owe_cents,
                "paid": visit.paid_by_patient_cents, "due": visit.patient_owes_cents,
            }
        )  # fmt: skip
    return lines


def _service(scope: Scope, visit: VisitMoney) -> dict[str, Any] | None:
    """Return a superbill's line; None: the visit was not completed, or nobody signed its diagnoses."""
    if not scheduling.services_of(scope=scope, appointment_ids=[visit.appointment_id]):
        return None
    facts = scheduling.billing_facts(scope=scope, appointment_id=visit.appointment_id)
    note = charting.billable_note(scope=scope, appointment_id=visit.appointment_id)
    if facts.status != "completed" or note is None or not note.diagnosis_codes:
        return None
    clinician = roster.get_clinician(scope=scope, clinician_id=facts.clinician_id)
    return {
        "appointment_id": str(visit.appointment_id), "service_on": visit.service_on.isoformat(),
        "code": facts.code, "modifiers": list(facts.place.modifiers), "units": facts.units,
        "place_of_service_code": facts.place.place_of_service_code,
        "diagnoses": list(note.diagnosis_codes), "clinician": clinician.display_name,
        "clinician_npi": clinician.npi, "charged": visit.charged_cents, "paid": visit.paid_by_patient_cents,
    }  # fmt: skip


def _keep(
    scope: Scope, kind: PaperKind, patient_id: UUID | None, from_on: date, to_on: date, content: Mapping[str, Any], *,
    now: datetime, cents: int, number: int | None = None, due_on: date | None = None,
    corrects: Paper | None = None, visits: Sequence[UUID] = (), reason: str = "", payer_id: UUID | None = None,
) -> Paper:  # fmt: skip
    paper = Paper(
        practice_id=scope.practice_id, id=new_uuid(), kind=kind.value, number=number, patient_id=patient_id, payer_id=payer_id,
        from_on=from_on, to_on=to_on, issued_on=scope.day_of(now), due_on=due_on, cents=cents,
        corrects=corrects, appointment_ids=list(visits), content=dict(content), sha256=digest(content),
        reason=reason, actor_type=scope.actor_type, actor_id=scope.actor_id, created_at=now,
    )  # fmt: skip
    if due_on is not None and due_on < paper.issued_on:  # its number and its words never change
        raise Invalid("1 field is not valid.", errors=(FieldError("/due_on", "in-the-past", "Today, or a later day."),))
    paper.save(force_insert=True)
    scope.trail.target("invoice" if number is not None else kind.value, paper.id, 1)
    return paper


def _tell(scope: Scope, paper: Paper, event: str, *, now: datetime) -> None:
    emit(event, scope=scope, object_type="invoice", object_id=paper.id, version=1, now=now)
