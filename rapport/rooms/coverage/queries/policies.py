"""Questions about payers and policies."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db.models import Q

from rapport.kernel.problems import FieldError, NotFound, ReferenceNotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id
from rapport.platform.tenancy import queries as tenancy
from rapport.platform.tenancy.source import System
from rapport.rooms.coverage.models import Payer, PayerExternalId, Policy
from rapport.rooms.coverage.states import PayerKind, Rank, Submitter


def get_payer(*, scope: Scope, payer_id: UUID, lock: bool = False) -> Payer:
    """Return a payer. :raises NotFound: no such payer here."""
    row = by_id(Payer, scope=scope, id=payer_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("payer", payer_id)])
    return row


def refer_to_payer(*, scope: Scope, payer_id: UUID | None, pointer: str) -> Payer:
    """
    Return a payer that a body refers to.

    :param payer_id: None: the text was no id of a payer
    :raises ReferenceNotFound: there is none
    """
    row: Payer | None = None
    if payer_id is not None:
        row = by_id(Payer, scope=scope, id=payer_id)
    if row is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
            _sought=[("payer", payer_id)] if payer_id else [],
        )
    return row


def payer_by_external_id(*, scope: Scope, system: str, value: str) -> UUID | None:
    """Return the payer that another system knows by this id."""
    row = (
        PayerExternalId.objects.visible_to(scope)
        .filter(system=system, value=value)
        .values_list("payer_id", flat=True)
        .first()
    )
    return row if row is None else UUID(str(row))


def payers_called(*, scope: Scope, system: str, id: str) -> list[UUID]:
    """
    Return every payer that another system may mean: by its id, an external id, or its very name.

    For questions in which a doubt counts as a yes; records are never joined so.
    """
    pairs = PayerExternalId.objects.visible_to(scope).filter(system=system, value=id)
    mine = Q(source_system=system, source_remote_id=id)
    rows = Payer.objects.visible_to(scope).filter(
        mine | Q(id__in=pairs.values("payer_id")) | Q(name__iexact=id)
    )
    return list(rows.order_by("id").values_list("id", flat=True))


def submitter_of(*, scope: Scope, payer: Payer) -> Submitter:
    """Return who sends the practice's claims to a payer: as was said, else its system of record."""
    if payer.submitter:
        return Submitter(payer.submitter)
    connected = tenancy.get_practice(scope=scope).system == System.CONNECTED
    return Submitter.PORTAL if connected else Submitter.RAPPORT


def payers_of(*, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Payer]:
    """Return many payers at once, by id."""
    return {row.id: row for row in Payer.objects.visible_to(scope).filter(id__in=list(ids))}


def policies_of(*, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Policy]:
    """Return many policies at once, by id; those of patients whom the actor may not see are left out."""
    return {row.id: row for row in Policy.objects.visible_to(scope).filter(id__any_of=ids)}


def get_policy(*, scope: Scope, policy_id: UUID, lock: bool = False) -> Policy:
    """Return a policy of a patient the actor may see. :raises NotFound: there is none."""
    row = by_id(Policy, scope=scope, id=policy_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("insurance_policy", policy_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def refer_to_policy(
    *, scope: Scope, policy_id: UUID | None, pointer: str, patient_id: UUID | None = None
) -> Policy:
    """
    Return a policy that a body refers to.

    :param patient_id: whose it has to be; None: anybody's
    :raises ReferenceNotFound: there is none, or it is another patient's
    """
    row: Policy | None = None
    if policy_id is not None:
        row = by_id(Policy, scope=scope, id=policy_id)
        if row is not None and patient_id is not None and row.patient_id != patient_id:
            row = None
    if row is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
            _sought=[("insurance_policy", policy_id)] if policy_id else [],
        )
    return row


def policy_for(
    *, scope: Scope, patient_id: UUID, on: date, rank: Rank | str = Rank.PRIMARY
) -> Policy | None:
    """
    Return the policy that holds a rank on a day of service; at most one can.

    Its payer is fetched with it.
    """
    row: Policy | None = (
        Policy.objects.visible_to(scope)
        .select_related("payer")
        .filter(
            Q(ends_on=None) | Q(ends_on__gte=on),
            patient_id=patient_id,
            rank=rank,
            starts_on__lte=on,
        )
        .first()
    )
    return row


_NEXT = """
SELECT p.id FROM coverage_policy p
JOIN coverage_payer y ON y.practice_id = p.practice_id AND y.id = p.payer_id AND y.kind = 'insurance'
WHERE p.practice_id = %(practice)s AND patient_id = %(patient)s AND starts_on <= %(on)s
  AND (ends_on IS NULL OR ends_on >= %(on)s) AND relationship <> '' AND member_id <> ''
  AND array_position(%(order)s, rank::text) > array_position(%(order)s, %(rank)s)
ORDER BY array_position(%(order)s, rank::text) LIMIT 1
"""


def next_policy_id(*, scope: Scope, patient_id: UUID, rank: str, on: date) -> UUID | None:
    """Return the policy that is billed after one of a rank on a day of service, if there is one that can be."""
    row = sql.one(
        _NEXT,
        {
            "practice": scope.practice_id, "patient": patient_id, "on": on, "rank": rank,
            "order": [one.value for one in Rank],
        },
    )  # fmt: skip
    return row[0] if row else None


def policies_on(*, scope: Scope, patient_id: UUID, on: date) -> list[Policy]:
    """Return the policies of a day of service in the order of billing, with their payers."""
    order = [rank.value for rank in Rank]
    rows = (
        Policy.objects.visible_to(scope)
        .select_related("payer")
        .filter(Q(ends_on=None) | Q(ends_on__gte=on), patient_id=patient_id, starts_on__lte=on)
    )
    return sorted(rows, key=lambda policy: order.index(policy.rank))


_AFTER = """
SELECT DISTINCT a.patient_id, a.rank, a.day
FROM unnest(%(patients)s::uuid[], %(ranks)s::text[], %(days)s::date[]) a (patient_id, rank, day)
JOIN coverage_policy p ON p.practice_id = %(practice)s AND p.patient_id = a.patient_id
JOIN coverage_payer y ON y.practice_id = p.practice_id AND y.id = p.payer_id AND y.kind = 'insurance'
WHERE p.starts_on <= a.day AND (p.ends_on IS NULL OR p.ends_on >= a.day)
  AND p.relationship <> '' AND p.member_id <> ''
  AND array_position(%(order)s, p.rank::text) > array_position(%(order)s, a.rank)
"""


def with_policy_after(
    *, scope: Scope, asked: Collection[tuple[UUID, str, date]]
) -> set[tuple[UUID, str, date]]:
    """Return those of (patient, rank, day of service) after which another policy is billed."""
    if not asked:
        return set()
    patients, ranks, days = (list(column) for column in zip(*asked, strict=True))
    rows = sql.rows(
        _AFTER,
        {
            "practice": scope.practice_id, "patients": patients, "ranks": ranks, "days": days,
            "order": [one.value for one in Rank],
        },
    )  # fmt: skip
    return {(row[0], row[1], row[2]) for row in rows}


def policies_of_patients(*, scope: Scope, patient_ids: Collection[UUID]) -> dict[UUID, list[Policy]]:
    """Return patient -> their insurances with payers, those of every day. Who is invoiced is no insurance's business."""
    # Payers are few: each is read once, and not beside every policy.
    rows = Policy.objects.visible_to(scope).prefetch_related("payer").filter(
        patient_id__any_of=patient_ids, payer__kind=PayerKind.INSURANCE
    )
    found: dict[UUID, list[Policy]] = {}
    for row in rows.order_by("starts_on", "id"):
        found.setdefault(row.patient_id, []).append(row)
    return found


def paid_for_by(*, scope: Scope, payer_id: UUID, first: date, last: date) -> list[Policy]:
    """Return the policies by which a payer is the first to pay for services of some days, as far as the actor may see them."""
    rows = Policy.objects.visible_to(scope).filter(
        Q(ends_on=None) | Q(ends_on__gte=first), payer_id=payer_id, rank=Rank.PRIMARY, starts_on__lte=last
    )
    return list(rows.order_by("starts_on", "id"))
