"""What clinicians earn: rules that hold from a day on, and reports that are reckoned once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.ids import new_uuid, parse_type_id, type_id
from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import emit
from rapport.rooms.accounting import events, queries
from rapport.rooms.accounting.models import PayReport, PayRule
from rapport.rooms.accounting.rules import pay
from rapport.rooms.accounting.rules.frozen import digest
from rapport.rooms.ledger import queries as ledger
from rapport.rooms.roster import queries as roster
from rapport.rooms.scheduling import queries as scheduling


def keep_pay_rule(*, scope: Scope, body: Any, now: datetime) -> PayRule:
    """
    Agree how a clinician is paid from a day on.

    :param body: `schemas.PayRuleIn`
    :raises ReferenceNotFound: no such clinician here
    """
    scope.require(Permission.ACCOUNTING_MANAGE)
    id = parse_type_id("clinician", body.clinician_id) or new_uuid()
    clinician = roster.refer_to_clinician(scope=scope, clinician_id=id, pointer="/clinician_id")
    rule = PayRule(
        practice_id=scope.practice_id, id=new_uuid(), clinician=clinician, from_on=body.from_on,
        basis=body.basis, basis_points=body.basis_points,
        per_code={one.code: one.amount.amount for one in body.per_code}, actor_id=scope.actor_id, created_at=now,
    )  # fmt: skip
    rule.save(force_insert=True)
    scope.trail.target("pay_rule", rule.id, 1)
    return rule


def make_pay_report(*, scope: Scope, body: Any, now: datetime) -> PayReport:
    """
    Reckon what clinicians earned in a period, by the rules of its last day, and keep it as it is.

    What is posted into the period later is in no report that was made before: close the books first.

    :param body: `schemas.PeriodIn`
    :raises Invalid: the period is none, or not over
    """
    scope.require(Permission.ACCOUNTING_MANAGE)
    if not body.from_on <= body.to_on <= scope.day_of(now):
        raise Invalid("1 field is not valid.", errors=(FieldError("/to_on", "no-such-period"),))
    visits = ledger.visits_between(scope=scope, from_on=body.from_on, to_on=body.to_on)
    services = scheduling.services_of(scope=scope, appointment_ids=[visit.appointment_id for visit in visits])
    by_clinician: dict[UUID, list[pay.Visit]] = {}
    for visit in visits:
        service = services.get(visit.appointment_id)
        if service is None:
            continue
        by_clinician.setdefault(service.clinician_id, []).append(
            pay.Visit(
                service.code, visit.charged_cents, visit.paid_by_payers_cents + visit.paid_by_patient_cents
            )
        )
    clinicians = [
        _clinician(scope, id, mine, on=body.to_on)
        for id, mine in sorted(by_clinician.items(), key=lambda pair: pair[0])
    ]
    content = {"clinicians": clinicians}
    report = PayReport(
        practice_id=scope.practice_id, id=new_uuid(), from_on=body.from_on, to_on=body.to_on,
        cents=sum(one["pay"] for one in clinicians), content=content, sha256=digest(content),
        actor_type=scope.actor_type, actor_id=scope.actor_id, created_at=now,
    )  # fmt: skip
    report.save(force_insert=True)
    scope.trail.target("pay_report", report.id, 1)
    emit(
        events.PAY_REPORT_MADE, scope=scope, object_type="pay_report", object_id=report.id, version=1, now=now
    )
    return report


def _clinician(scope: Scope, id: UUID, visits: list[pay.Visit], *, on: Any) -> dict[str, Any]:
    rule = queries.rule_on(scope=scope, clinician_id=id, on=on)
    lines = pay.earned(visits, rule)
    return {
        "clinician_id": type_id("clinician", id),
        "name": roster.get_clinician(scope=scope, clinician_id=id).display_name,
        "basis": rule.basis.value if rule else None,
        "basis_points": rule.basis_points if rule else None,
        "lines": [
            {
                "code": line.code, "visits": line.visits, "charged": line.charged_cents,
                "collected": line.collected_cents, "pay": line.pay_cents,
            }
            for line in lines
        ],
        "pay": sum(line.pay_cents for line in lines),
    }  # fmt: skip
