"""Good-faith estimates: made from planned services, given once, and watched."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import FieldError, Invalid, ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db import sql
from rapport.platform.outbox.emit import emit
from rapport.platform.paper.typeset import typeset
from rapport.platform.tenancy import queries as tenancy
from rapport.rooms.coding import queries as coding
from rapport.rooms.coverage import events, mapping, queries
from rapport.rooms.coverage.models import Estimate, EstimateLine
from rapport.rooms.coverage.rules import estimates as rules
from rapport.rooms.coverage.states import EstimateStanding, EstimateState
from rapport.rooms.documents import services as documents
from rapport.rooms.roster import queries as roster

KIND = "good_faith_estimate"
"""What the document is called among documents."""


def _reference(kind: str, *, text: str, pointer: str) -> UUID:
    id = parse_type_id(kind, text)
    if id is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
        )
    return id


def create_estimate(*, scope: Scope, now: datetime, body: Any) -> Estimate:
    """
    Make an estimate from planned services, at the rates of a patient who pays.

    :param body: `schemas.EstimateIn`
    :raises ReferenceNotFound: patient, clinician or service code is not here
    :raises Invalid: it covers more than twelve months, or a service has no rate
    """
    scope.require(Permission.POLICIES_WRITE)
    patient_id = _reference("patient", text=body.patient_id, pointer="/patient_id")
    roster.refer_to_patient(scope=scope, patient_id=patient_id, pointer="/patient_id")
    starts_on = body.starts_on or scope.day_of(now)
    ends_on = body.ends_on or starts_on + rules.LONGEST - timedelta(days=1)
    if not starts_on <= ends_on < starts_on + rules.LONGEST:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/ends_on", "out-of-range", "Within twelve months after `starts_on`."),),
        )
    asked_on = body.asked_on or scope.day_of(now)
    estimate = Estimate(
        practice_id=scope.practice_id, patient_id=patient_id, starts_on=starts_on, ends_on=ends_on,
        asked_on=asked_on, first_service_on=body.first_service_on,
        due_on=rules.due_on(asked_on=asked_on, first_service_on=body.first_service_on),
        diagnosis_codes=list(dict.fromkeys(body.diagnosis_codes)), total_cents=0, created_at=now, updated_at=now,
    )  # fmt: skip
    lines = [
        _line(scope, estimate, wanted, position=position)
        for position, wanted in enumerate(body.services, 1)
    ]
    estimate.total_cents = sum(line.amount_cents for line in lines)
    estimate.save(force_insert=True)
    EstimateLine.objects.bulk_create(lines)
    scope.trail.patient_ids.add(patient_id)
    scope.trail.target("estimate", estimate.id, estimate.version)
    return estimate


def _line(scope: Scope, estimate: Estimate, wanted: Any, *, position: int) -> EstimateLine:
    pointer = f"/services/{position - 1}"
    service = coding.refer_to_service_code(
        scope=scope, text=wanted.service_code, pointer=f"{pointer}/service_code"
    )
    clinician = roster.refer_to_clinician(
        scope=scope, pointer=f"{pointer}/clinician_id",
        clinician_id=_reference("clinician", text=wanted.clinician_id, pointer=f"{pointer}/clinician_id"),
    )  # fmt: skip
    rate = coding.rate_for(
        scope=scope, service_code_id=service.id, clinician_id=clinician.id, payer_id=None, on=estimate.starts_on
    )
    if rate.rate_cents <= 0:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError(f"{pointer}/service_code", "no-rate", "Set a rate on the service code."),),
        )
    return EstimateLine(
        practice_id=scope.practice_id, estimate=estimate, position=position, service_code_id=service.id,
        code=service.code, label=service.label, clinician_id=clinician.id, quantity=wanted.quantity,
        rate_cents=rate.rate_cents, rate_rule=rate.step, amount_cents=rate.rate_cents * wanted.quantity,
    )  # fmt: skip


def give_estimate(
    *, scope: Scope, estimate_id: UUID, if_match: str, given_by: str, now: datetime
) -> Estimate:
    """
    Number an estimate, print it, and write down that the patient has it. From here on it does not change.

    Another one that the patient has for some of its days is replaced by it.

    :raises StateConflict: it was given before
    :raises PreconditionFailed: it was changed since
    """
    scope.require(Permission.POLICIES_WRITE)
    seen = queries.get_estimate(scope=scope, estimate_id=estimate_id)
    roster.get_patient(scope=scope, patient_id=seen.patient_id, lock=True)
    estimate = queries.get_estimate(scope=scope, estimate_id=estimate_id, lock=True)
    etags.check(estimate, if_match)
    if estimate.state != EstimateState.DRAFT:
        raise StateConflict("It was given before, and does not change.", current_state=estimate.state)
    sql.hold(f"{scope.practice_id}|estimate-number")
    last = Estimate.objects.visible_to(scope).aggregate(last=Max("number"))["last"] or 0
    estimate.number, estimate.given_at, estimate.given_by = last + 1, now, given_by
    document = documents.store(
        scope=scope, patient_id=estimate.patient_id, kind=KIND, data=_pdf(scope, estimate, now=now),
        content_type="application/pdf", now=now,
    )  # fmt: skip
    others = Estimate.objects.visible_to(scope).filter(
        patient_id=estimate.patient_id, state=EstimateState.GIVEN, starts_on__lte=estimate.ends_on,
        ends_on__gte=estimate.starts_on,
    )
    for other in others.select_for_update():
        other.move(EstimateState.REPLACED, now=now, replaced_at=now)
    estimate.move(EstimateState.GIVEN, now=now, document_id=document.id)
    _tell(events.ESTIMATE_GIVEN, estimate, scope=scope, now=now)
    scope.trail.target("estimate", estimate.id, estimate.version)
    return estimate


def _pdf(scope: Scope, estimate: Estimate, *, now: datetime) -> bytes:
    lines = queries.estimate_lines(scope=scope, estimate_ids=[estimate.id])[estimate.id]
    clinicians = {
        id: roster.get_clinician(scope=scope, clinician_id=id) for id in {line.clinician_id for line in lines}
    }
    return typeset(
        "estimate",
        mapping.estimate_paper(
            estimate=estimate, lines=lines, clinicians=clinicians, practice=tenancy.get_practice(scope=scope),
            patient=roster.get_patient(scope=scope, patient_id=estimate.patient_id),
            on=scope.day_of(now),
        ),
    )  # fmt: skip


def paper_of(*, scope: Scope, estimate: Estimate) -> bytes:
    """
    Return the PDF that the patient was given.

    :raises StateConflict: it was not given yet
    :raises DocumentCorrupted: the file is not what was kept
    """
    if estimate.document_id is None:
        raise StateConflict("It was not given yet: there is no paper of it.", current_state=estimate.state)
    scope.trail.target("estimate", estimate.id, estimate.version)
    return documents.open_(scope=scope, document_id=estimate.document_id)


def watch_estimates(*, scope: Scope, now: datetime) -> int:
    """
    Tell of charges that leave an estimate: near to what may be disputed, and there. Each once.

    :return: how many were told of
    """
    told = 0
    # Charges of an estimate's days may be made for a while after them.
    since = scope.day_of(now) - timedelta(days=120)
    for estimate in queries.current_estimates(scope=scope, since=since):
        found = queries.drift_of(scope=scope, estimate=estimate, now=now).standing
        columns: dict[str, Any] = {}
        if found is EstimateStanding.EXCEEDED and estimate.exceeded_at is None:
            columns, event = {"exceeded_at": now}, events.ESTIMATE_EXCEEDED
        elif found is EstimateStanding.NEAR and estimate.near_at is None:
            columns, event = {"near_at": now}, events.ESTIMATE_NEAR
        if columns:
            row = queries.get_estimate(scope=scope, estimate_id=estimate.id, lock=True)
            row.move(EstimateState(row.state), now=now, **columns)
            _tell(event, row, scope=scope, now=now)
            told += 1
    return told


def _tell(event: str, row: Estimate, *, scope: Scope, now: datetime) -> None:
    scope.trail.patient_ids.add(row.patient_id)
    emit(event, scope=scope, object_type="estimate", object_id=row.id, version=row.version, now=now)
