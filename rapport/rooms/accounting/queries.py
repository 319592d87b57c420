"""Questions about papers, debts, pay and the journal. They take the scope first and change nothing."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import by_id
from rapport.rooms.claims import queries as claims
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.ledger import queries as ledger
from rapport.rooms.ledger.queries import Owed
from rapport.rooms.ledger.states import Account
from rapport.rooms.scheduling import queries as scheduling

from .models import (
    BookEntry,
    Paper,
    PayerPayment,
    PaymentPlan,
    PayReport,
    PayRule,
    PlanDeed,
    PlanVisit,
)
from .rules import pay
from .rules import plans as plan_rules
from .rules.aging import Aged, Debt, aged
from .rules.journal import Total
from .states import PaperKind, PayBasis, PlanInterval, PlanStatus

NOBODY = "none"
"""The group of what belongs to no payer or clinician that is known."""


def get_paper(*, scope: Scope, paper_id: UUID, kinds: Iterable[PaperKind]) -> Paper:
    """Return a paper of one of these kinds. :raises NotFound: there is none for this actor"""
    wanted = [kind.value for kind in kinds]
    paper = by_id(Paper, scope=scope, id=paper_id)
    if paper is None or paper.kind not in wanted:
        raise NotFound(_sought=[(wanted[0], paper_id)])
    return paper


def credit_note_of(*, scope: Scope, invoice_id: UUID) -> Paper | None:
    """Return the credit note that took an invoice back, if one did."""
    found: Paper | None = Paper.objects.visible_to(scope).filter(corrects_id=invoice_id).first()
    return found


def credit_notes_of(*, scope: Scope, invoice_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return invoice -> the credit note that took it back."""
    rows = Paper.objects.visible_to(scope).filter(corrects_id__in=list(invoice_ids))
    return dict(rows.values_list("corrects_id", "id"))


def papers_of(*, scope: Scope, paper_ids: Iterable[UUID]) -> list[Paper]:
    """Return papers in the order of their ids."""
    wanted = list(paper_ids)
    found = {row.id: row for row in Paper.objects.visible_to(scope).filter(id__in=wanted)}
    return [found[id] for id in wanted if id in found]


def invoiced_visits(*, scope: Scope, patient_id: UUID | None = None, payer_id: UUID | None = None) -> set[UUID]:
    """Return the visits that stand on an invoice to a patient, or to a payer, which nothing took back."""
    mine = Paper.objects.visible_to(scope).filter(patient_id=patient_id, payer_id=payer_id)
    taken_back = set(
        mine.filter(kind=PaperKind.CREDIT_NOTE).values_list("corrects_id", flat=True)
    )
    invoices = mine.filter(kind=PaperKind.INVOICE).exclude(id__in=taken_back)
    return {visit for visits in invoices.values_list("appointment_ids", flat=True) for visit in visits}


def get_payer_payment(*, scope: Scope, payment_id: UUID) -> PayerPayment:
    """Return what an organisation paid, or a row that takes that back. :raises NotFound: there is none"""
    row = by_id(PayerPayment, scope=scope, id=payment_id)
    if row is None:
        raise NotFound(_sought=[("payer_payment", payment_id)])
    return row


def payer_payments_of(*, scope: Scope, payment_ids: Iterable[UUID]) -> list[PayerPayment]:
    """Return payments of organisations in the order of their ids."""
    wanted = list(payment_ids)
    found = {row.id: row for row in PayerPayment.objects.visible_to(scope).filter(id__in=wanted)}
    return [found[id] for id in wanted if id in found]


def taken_back(*, scope: Scope, payment_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return payment -> the row that takes it back."""
    rows = PayerPayment.objects.visible_to(scope).filter(takes_back_id__in=list(payment_ids))
    return dict(rows.values_list("takes_back_id", "id"))


def aging(*, scope: Scope, account: Account, as_of: date, group_by: str) -> dict[Hashable, Aged]:
    """
    Return what is owed at the end of a day, by age of the service.

    :param account: by whom: the patients' receivable or the payers'
    :param group_by: `payer`, `clinician` or `patient`; the groups are their ids, or NOBODY
    """
    owed = ledger.owed_on(scope=scope, account=account, as_of=as_of)
    groups = _groups(scope, owed, group_by)
    debts = [Debt(group, one.service_on, one.cents) for one, group in zip(owed, groups, strict=True)]
    return aged(debts, as_of=as_of)


def _groups(scope: Scope, owed: list[Owed], group_by: str) -> list[UUID | str]:
    visits = [one.appointment_id for one in owed if one.appointment_id is not None]
    if group_by == "patient":
        return [one.patient_id or NOBODY for one in owed]
    if group_by == "clinician":
        services = scheduling.services_of(scope=scope, appointment_ids=visits)
        return [
            services[one.appointment_id].clinician_id
            if one.appointment_id is not None and one.appointment_id in services
            else NOBODY
            for one in owed
        ]
    asked = claims.payers_asked(scope=scope, appointment_ids=visits)
    found: list[UUID | str] = []
    for one in owed:
        payer = asked.get(one.appointment_id) if one.appointment_id is not None else None
        if payer is None and one.patient_id is not None:
            policy = coverage.policy_for(scope=scope, patient_id=one.patient_id, on=one.service_on)
            payer = policy.payer_id if policy else None
        found.append(payer or NOBODY)
    return found


def journal(*, scope: Scope, from_on: date, to_on: date) -> list[Total]:
    """Return the totals of each day and account of a period."""
    totals = ledger.day_totals(scope=scope, from_on=from_on, to_on=to_on)
    return [Total(day, account, cents) for day, account, cents in totals]


def rule_on(*, scope: Scope, clinician_id: UUID, on: date) -> pay.Rule | None:
    """Return how a clinician is paid on a day; None: nothing was agreed."""
    row: PayRule | None = (
        PayRule.objects.visible_to(scope)
        .filter(clinician_id=clinician_id, from_on__lte=on)
        .order_by("-from_on", "-created_at")
        .first()
    )
    return pay.Rule(PayBasis(row.basis), row.basis_points, row.per_code) if row else None


def get_pay_report(*, scope: Scope, report_id: UUID) -> PayReport:
    """Return a pay report. :raises NotFound: there is none"""
    row = by_id(PayReport, scope=scope, id=report_id)
    if row is None:
        raise NotFound(_sought=[("pay_report", report_id)])
    return row


def pay_rules_of(*, scope: Scope, rule_ids: Iterable[UUID]) -> list[PayRule]:
    """Return rules in the order of their ids."""
    wanted = list(rule_ids)
    found = {row.id: row for row in PayRule.objects.visible_to(scope).filter(id__in=wanted)}
    return [found[id] for id in wanted if id in found]


def pay_reports_of(*, scope: Scope, report_ids: Iterable[UUID]) -> list[PayReport]:
    """Return pay reports in the order of their ids."""
    wanted = list(report_ids)
    found = {row.id: row for row in PayReport.objects.visible_to(scope).filter(id__in=wanted)}
    return [found[id] for id in wanted if id in found]


def book_entries_of(*, scope: Scope, entry_ids: Iterable[UUID]) -> list[BookEntry]:
    """Return entries for the books elsewhere, in the order of their ids."""
    wanted = list(entry_ids)
    found = {row.id: row for row in BookEntry.objects.visible_to(scope).filter(id__in=wanted)}
    return [found[id] for id in wanted if id in found]


def get_plan(*, scope: Scope, plan_id: UUID, lock: bool = False) -> PaymentPlan:
    """Return a payment plan. :raises NotFound: there is none for this actor"""
    row = by_id(PaymentPlan, scope=scope, id=plan_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("payment_plan", plan_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def plans_of(*, scope: Scope, plan_ids: Iterable[UUID]) -> list[PaymentPlan]:
    """Return payment plans in the order of their ids."""
    wanted = list(plan_ids)
    found = {row.id: row for row in PaymentPlan.objects.visible_to(scope).filter(id__in=wanted)}
    return [found[id] for id in wanted if id in found]


def plans_of_patient(*, scope: Scope, patient_id: UUID, statuses: Iterable[PlanStatus]) -> list[PaymentPlan]:
    """Return a patient's plans of these statuses, the first one first."""
    rows = PaymentPlan.objects.visible_to(scope).filter(patient_id=patient_id, status__in=list(statuses))
    return list(rows.order_by("created_at", "id"))


def terms_of(plan: PaymentPlan) -> plan_rules.Terms:
    """Return what was agreed, with what it was put off by since."""
    return plan_rules.Terms(
        plan.first_due_on, PlanInterval(plan.interval), plan.day_of_month, tuple(plan.amounts),
        tuple((number, intervals) for number, intervals in plan.skips),
    )  # fmt: skip


def plan_visits(*, scope: Scope, plan_ids: Iterable[UUID]) -> dict[UUID, list[PlanVisit]]:
    """Return plan -> what it holds of which visit, the oldest first."""
    found: dict[UUID, list[PlanVisit]] = {}
    rows = PlanVisit.objects.visible_to(scope).filter(plan_id__in=list(plan_ids))
    for row in rows.order_by("service_on", "appointment_id"):
        found.setdefault(row.plan_id, []).append(row)
    return found


def live_parts(*, scope: Scope, visits: Sequence[PlanVisit]) -> list[plan_rules.Part]:
    """Return what became of visits' parts of plans, by all that the ledger has now."""
    ids = {row.appointment_id for row in visits}
    money = ledger.patients_money(scope=scope, appointment_ids=ids)
    owed = ledger.owed_by_patients(scope=scope, appointment_ids=ids)
    return [
        plan_rules.part_of(
            row.appointment_id, agreed_cents=row.cents, before=row.paid_before,
            now=money.get(row.appointment_id, {}), owed_cents=owed.get(row.appointment_id, 0),
        )
        for row in visits
    ]  # fmt: skip


def standings(*, scope: Scope, plans: Sequence[PaymentPlan], today: date) -> dict[UUID, plan_rules.Standing]:
    """Return plan -> how it stands: by the ledger as it is now; one that has ended, as it was then."""
    visits = plan_visits(scope=scope, plan_ids=[plan.id for plan in plans])
    running = [row for plan in plans if plan.left is None for row in visits.get(plan.id, [])]
    live = {(row.plan_id, part.visit): part for row, part in zip(running, live_parts(scope=scope, visits=running), strict=True)}
    found = {}
    for plan in plans:
        parts = [
            live[plan.id, row.appointment_id] if plan.left is None
            else plan_rules.Part(row.appointment_id, row.cents, *plan.left[str(row.appointment_id)])
            for row in visits.get(plan.id, [])
        ]  # fmt: skip
        found[plan.id] = plan_rules.stand(terms_of(plan), parts, today=today, active=plan.left is None)
    return found


def standing(*, scope: Scope, plan: PaymentPlan, today: date) -> plan_rules.Standing:
    """Return how one plan stands."""
    return standings(scope=scope, plans=[plan], today=today)[plan.id]


def visits_in_plans(*, scope: Scope, patient_id: UUID) -> set[UUID]:
    """Return the visits that are in an active plan of a patient: nobody asks for the whole of them."""
    rows = PlanVisit.objects.visible_to(scope).filter(patient_id=patient_id, active=True)
    return set(rows.values_list("appointment_id", flat=True))


def visits_left_to_plans(*, scope: Scope, patient_id: UUID) -> set[UUID]:
    """
    Return the visits that AutoPay leaves alone: those in an active plan, and those of one that ended otherwise than paid.

    What the patient could not pay at once before is not charged at once since the plan has failed.
    """
    rows = PlanVisit.objects.visible_to(scope).filter(patient_id=patient_id)
    rows = rows.exclude(plan__status=PlanStatus.COMPLETED.value)
    return set(rows.values_list("appointment_id", flat=True))


def deeds_of(*, scope: Scope, plan_id: UUID) -> list[PlanDeed]:
    """Return what was done to a plan, and what became of it, in order."""
    return list(PlanDeed.objects.visible_to(scope).filter(plan_id=plan_id).order_by("created_at", "id"))


def replacements_of(*, scope: Scope, plan_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return plan -> the plan that took its place."""
    rows = PaymentPlan.objects.visible_to(scope).filter(replaces_id__in=list(plan_ids))
    return dict(rows.values_list("replaces_id", "id"))


def plans_to_look_at(*, scope: Scope, before: datetime) -> list[UUID]:
    """Return the active plans that were last looked at before an instant, or have changed since."""
    rows = PaymentPlan.objects.visible_to(scope).filter(status=PlanStatus.ACTIVE.value)
    return list(rows.filter(Q(looked_at=None) | Q(looked_at__lt=before)).order_by("id").values_list("id", flat=True))
