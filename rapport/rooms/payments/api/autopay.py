"""AutoPay: the practice's rule, patients' consents, and what is planned to be charged."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.payments import examples, queries, services
from rapport.rooms.payments import schemas as s
from rapport.rooms.payments.models import Enrolment, Planned

from .base import router


@router.get(
    "/autopay-rule",
    summary="Read the rule of AutoPay",
    needs=Permission.PRACTICE_READ,
    action="autopay_rule.read",
    returns=(200, s.AutopayRuleOut),
    example=examples.RULE,
)
def get_rule(request: ScopedRequest) -> s.AutopayRuleOut:
    """When the practice charges those who are enrolled. Without a rule nothing is charged."""
    return s.rule_out(queries.autopay_rule(scope=request.auth))


@router.put(
    "/autopay-rule",
    summary="Set the rule of AutoPay",
    needs=Permission.PRACTICE_WRITE,
    action="autopay_rule.update",
    returns=(200, s.AutopayRuleOut),
    example=examples.RULE,
    request_example=examples.NEW_RULE,
)
def set_rule(request: ScopedRequest, body: s.AutopayRuleIn) -> s.AutopayRuleOut:
    """
    Set when charges are planned and leave, how much at most in a month, and when a declined card is tried again.

    Switched off, nothing leaves, what is planned already included.
    """
    given = body.model_dump(exclude={"max_per_month"}) | {"max_cents": body.max_per_month.amount}
    return s.rule_out(services.set_rule(scope=request.auth, given=given, now=timezone.now()))


ENROLMENTS = ListSpec(
    route="autopay-enrolments",
    columns="e.id, e.patient_id",
    source="payments_enrolment e",
    id_column="e.id",
    practice_column="e.practice_id",
    sorts={"created_at": Sort("e.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "patient_id": Filter("e.patient_id", "id:patient"),
        "active": Filter("(e.revoked_at IS NULL)", "bool"),
    },
    build_page=lambda ids, scope: [
        s.enrolment_out(row) for row in queries.enrolments_of(scope=scope, enrolment_ids=ids)
    ],
    patient_index=1,
)


def _enrolment(request: ScopedRequest, row: Enrolment) -> Answer:
    request.auth.trail.target("autopay_enrolment", row.id, row.version)
    return Answer(s.enrolment_out(row), etag=etags.of(row.id, row.version))


@router.get(
    "/autopay-enrolments",
    summary="List consents to AutoPay",
    needs=Permission.LEDGER_READ,
    action="autopay_enrolment.list",
    returns=(200, s.EnrolmentOut),
    list_spec=ENROLMENTS,
    example=examples.page(examples.ENROLMENT),
)
def list_enrolments(request: ScopedRequest) -> Answer:
    """Who is enrolled or was, the latest first, with the words that were consented to."""
    return ENROLMENTS.run(request, scope=request.auth)


@router.get(
    "/autopay-enrolments/{autopay_enrolment_id}",
    summary="Read a consent to AutoPay",
    needs=Permission.LEDGER_READ,
    action="autopay_enrolment.read",
    returns=(200, s.EnrolmentOut),
    example=examples.ENROLMENT,
)
def get_enrolment(request: ScopedRequest, autopay_enrolment_id: str) -> Answer:
    """One consent: its words, who gave it and when, and who wrote it down."""
    id = path_id("autopay_enrolment", autopay_enrolment_id)
    return _enrolment(request, queries.get_enrolment(scope=request.auth, enrolment_id=id))


@router.post(
    "/autopay-enrolments",
    summary="Enrol a patient in AutoPay",
    needs=Permission.PAYMENTS_WRITE,
    action="autopay_enrolment.create",
    returns=(201, s.EnrolmentOut),
    problems=(services.CardNotUsable, services.AlreadyEnrolled),
    example=examples.ENROLMENT,
    request_example=examples.NEW_ENROLMENT,
)
def enrol(request: ScopedRequest, body: s.EnrolmentIn) -> Answer:
    """
    Write down that a patient consents to AutoPay. Nothing is charged by this.

    What they owe by the practice's rule is planned later, told (`autopay.planned`) and charged days after that.
    """
    return _enrolment(request, services.enrol(scope=request.auth, body=body, now=timezone.now()))


@router.post(
    "/autopay-enrolments/{autopay_enrolment_id}/revoke",
    summary="Revoke a consent to AutoPay",
    needs=Permission.PAYMENTS_WRITE,
    action="autopay_enrolment.revoke",
    returns=(200, s.EnrolmentOut),
    problems=(StateConflict,),
    example=examples.ENROLMENT | {"state": "revoked", "version": 2},
    request_example={"reason": "Asked for at the front desk"},
)
def revoke(request: ScopedRequest, autopay_enrolment_id: str, body: s.PaymentReasonIn) -> Answer:
    """End a consent at once: what is planned does not leave. Emits `autopay.revoked`."""
    row = services.revoke(
        scope=request.auth, enrolment_id=path_id("autopay_enrolment", autopay_enrolment_id), reason=body.reason,
        now=timezone.now(),
    )  # fmt: skip
    return _enrolment(request, row)


PLANNED = ListSpec(
    route="planned-charges",
    columns="n.id, n.patient_id",
    source="payments_planned n",
    id_column="n.id",
    practice_column="n.practice_id",
    sorts={"due_on": Sort("n.due_on", "date"), "created_at": Sort("n.created_at", "timestamptz")},
    default_sort="due_on",
    filters={
        "patient_id": Filter("n.patient_id", "id:patient"),
        "state": Filter("n.state", "enum:planned|charging|paid|cancelled|overtaken|given_up", ("eq", "in")),
        "due_on": Filter("n.due_on", "date", ("eq", "gte", "gt", "lt", "lte")),
    },
    build_page=lambda ids, scope: [
        s.planned_out(row) for row in queries.planned_of(scope=scope, planned_ids=ids)
    ],
    patient_index=1,
)


def _planned(request: ScopedRequest, row: Planned) -> Answer:
    request.auth.trail.target("planned_charge", row.id, row.version)
    return Answer(s.planned_out(row), etag=etags.of(row.id, row.version))


@router.get(
    "/planned-charges",
    summary="List planned charges",
    needs=Permission.LEDGER_READ,
    action="planned_charge.list",
    returns=(200, s.PlannedChargeOut),
    list_spec=PLANNED,
    example=examples.page(examples.PLANNED),
)
def list_planned(request: ScopedRequest) -> Answer:
    """
    What AutoPay is to charge, the next day first. With `state=given_up`: the work list of declined cards.
    """
    return PLANNED.run(request, scope=request.auth)


@router.get(
    "/planned-charges/{planned_charge_id}",
    summary="Read a planned charge",
    needs=Permission.LEDGER_READ,
    action="planned_charge.read",
    returns=(200, s.PlannedChargeOut),
    example=examples.PLANNED,
)
def get_planned(request: ScopedRequest, planned_charge_id: str) -> Answer:
    """One planned charge: what it is for, when it leaves, and what became of its tries."""
    id = path_id("planned_charge", planned_charge_id)
    return _planned(request, queries.get_planned(scope=request.auth, planned_id=id))


@router.post(
    "/planned-charges/{planned_charge_id}/cancel",
    summary="Cancel a planned charge",
    needs=Permission.PAYMENTS_WRITE,
    action="planned_charge.cancel",
    returns=(200, s.PlannedChargeOut),
    problems=(StateConflict,),
    example=examples.PLANNED | {"state": "cancelled", "reason": "Pays in cash", "version": 2},
    request_example={"reason": "Pays in cash"},
)
def cancel(request: ScopedRequest, planned_charge_id: str, body: s.PaymentReasonIn) -> Answer:
    """
    Keep a planned charge from leaving, or close one that was given up.

    What it was for is not planned again: charge the card by hand, or take it in another way.
    """
    row = services.cancel(
        scope=request.auth, planned_id=path_id("planned_charge", planned_charge_id), reason=body.reason,
        now=timezone.now(),
    )  # fmt: skip
    return _planned(request, row)
