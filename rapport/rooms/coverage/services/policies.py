"""What can be done to payers and policies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from rapport.kernel.ids import parse_type_id, type_id
from rapport.kernel.problems import Conflict, FieldError, Invalid, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db import sql
from rapport.platform.db.errors import sqlstate
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy import external
from rapport.platform.tenancy.models import VersionedRecord
from rapport.rooms.coverage import events, queries
from rapport.rooms.coverage.models import Payer, PayerExternalId, Policy
from rapport.rooms.coverage.states import PayerKind, Rank, Relationship
from rapport.rooms.roster import queries as roster
from rapport.rooms.roster import services as roster_services


class PolicyOverlap(Conflict):
    code = "policy-overlap"
    title = "The patient has another policy of that rank on some of those days."


def _faults(*faults: FieldError) -> Invalid:
    return Invalid(f"{len(faults)} field(s) are not valid.", errors=faults)


def _changed(row: VersionedRecord, values: Mapping[str, Any], *, now: datetime) -> list[str]:
    """Set what differs and count the version. Return the names of the columns that differ."""
    differing = [name for name, value in values.items() if getattr(row, name) != value]
    if differing:
        for name in differing:
            setattr(row, name, values[name])
        row.version += 1
        row.updated_at = now
        row.save(update_fields=[*differing, "version", "updated_at"])
    return differing


# Payers


def _payer_columns(given: Mapping[str, Any]) -> dict[str, Any]:
    columns = {
        name: given[name]
        for name in (
            "name", "claim_filing_indicator", "active", "authorization_for", "kind", "invoice_name", "invoice_detail",
            "remainder",
        )
        if name in given
    }  # fmt: skip
    if "payer_id_code" in given:
        columns["payer_id_code"] = given["payer_id_code"] or ""
    if "eligibility_by" in given:
        columns["eligibility_by"] = given["eligibility_by"] or ""
    if "submitter" in given:
        columns["submitter"] = given["submitter"] or ""
    if "phone" in given:
        columns["phone"] = given["phone"] or ""
    if "address" in given:
        address = given["address"]
        columns |= {
            "address_line1": address.line1 if address else "",
            "address_line2": (address.line2 or "") if address else "",
            "city": address.city if address else "",
            "state_code": address.state if address else "",
            "postal_code": address.postal_code if address else "",
        }
    if "external_ids" in given:
        columns["external_ids"] = [pair.model_dump() for pair in given["external_ids"] or ()]
    return columns


def create_payer(*, scope: Scope, now: datetime, body: Any) -> Payer:
    """
    Add a payer to the practice's directory.

    :param body: `schemas.PayerIn`
    :raises ExternalIdTaken: another payer has one of the external ids
    :raises Invalid: an insurance without an id at a clearinghouse
    """
    scope.require(Permission.PAYERS_WRITE)
    given = {name: getattr(body, name) for name in type(body).model_fields}
    if body.kind == PayerKind.INSURANCE and not body.payer_id_code:
        raise _faults(FieldError("/payer_id_code", "required", "By which a clearinghouse knows the insurance."))
    payer = Payer(
        practice_id=scope.practice_id, created_at=now, updated_at=now, **_payer_columns(given)
    )
    payer.save(force_insert=True)
    external.keep(PayerExternalId, scope=scope, pairs=body.external_ids, payer=payer)
    scope.trail.target("payer", payer.id, payer.version)
    emit(
        events.PAYER_CREATED, scope=scope, object_type="payer", object_id=payer.id,
        version=payer.version, now=now,
    )  # fmt: skip
    return payer


def change_payer(
    *, scope: Scope, payer_id: UUID, if_match: str | None, now: datetime, given: Mapping[str, Any]
) -> Payer:
    """
    Change a payer; a new name shows on its patients at once.

    :param if_match: the ETag the caller read; None: an upsert by external id, which needs none
    :raises NotFound: no such payer here
    :raises PreconditionFailed: it was changed since
    """
    scope.require(Permission.PAYERS_WRITE)
    payer = queries.get_payer(scope=scope, payer_id=payer_id, lock=True)
    if if_match is not None:
        etags.check(payer, if_match)
    needed = (
        "name", "claim_filing_indicator", "active", "authorization_for", "kind", "invoice_name", "invoice_detail",
        "remainder", *(("payer_id_code",) if given.get("kind", payer.kind) == PayerKind.INSURANCE else ()),
    )  # fmt: skip
    empty = [name for name in needed if name in given and given[name] is None]
    if empty:
        raise _faults(*(FieldError(f"/{name}", "required") for name in empty))
    if "external_ids" in given:
        external.keep(PayerExternalId, scope=scope, pairs=given["external_ids"] or (), payer=payer)
    changed = _changed(payer, _payer_columns(given), now=now)
    scope.trail.target("payer", payer.id, payer.version)
    scope.trail.changed = changed
    if changed:
        emit(
            events.PAYER_UPDATED, scope=scope, object_type="payer", object_id=payer.id,
            version=payer.version, now=now, changed=sorted(given),
        )  # fmt: skip
    if "name" in changed:
        show_new_name(scope=scope, payer=payer, now=now)
    return payer


def put_payer(*, scope: Scope, now: datetime, body: Any) -> tuple[Payer, bool]:
    """
    Create or change the payer that has the body's first external id.

    :return: the payer, and whether it was created
    :raises Invalid: the body has no external id
    """
    scope.require(Permission.PAYERS_WRITE)
    if not body.external_ids:
        raise _faults(FieldError("/external_ids", "required"))
    first = body.external_ids[0]
    _lock(scope, "payer-external", f"{first.system}\n{first.value}")
    known = queries.payer_by_external_id(scope=scope, system=first.system, value=first.value)
    if known is None:
        return create_payer(scope=scope, now=now, body=body), True
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return change_payer(scope=scope, payer_id=known, if_match=None, now=now, given=given), False


def _lock(scope: Scope, kind: str, what: str) -> None:
    """Hold a lock on a name within the practice until the transaction ends."""
    sql.hold(f"{scope.practice_id}|{kind}|{what}")


def show_new_name(*, scope: Scope, payer: Payer, now: datetime) -> None:
    """Show a payer's new name on the patients whose care it pays for first."""
    today = scope.day_of(now)
    holders = (
        Policy.objects.visible_to(scope)
        .filter(Q(ends_on=None) | Q(ends_on__gte=today), payer_id=payer.id, rank=Rank.PRIMARY)
        .values_list("patient_id", flat=True)
    )
    for patient_id in sorted(set(holders)):
        show_primary(scope=scope, patient_id=patient_id, now=now)


# Policies


def _subscriber(relationship: str, given: Any) -> dict[str, Any] | None:
    """Return the subscriber as it is kept. :raises Invalid: missing, or there beside `self`"""
    if relationship == Relationship.SELF:
        if given is not None:
            raise _faults(
                FieldError("/subscriber", "not-allowed", "The patient is the subscriber.")
            )
        return None
    if given is None:
        raise _faults(FieldError("/subscriber", "required", "Say who the subscriber is."))
    kept: dict[str, Any] = given.model_dump(mode="json")
    return kept


def _check_days(starts_on: date, ends_on: date | None) -> None:
    if ends_on is not None and ends_on < starts_on:
        raise _faults(FieldError("/ends_on", "before-start", "At or after `starts_on`."))


def create_policy(*, scope: Scope, now: datetime, body: Any) -> Policy:
    """
    Give a patient an insurance policy.

    :param body: `schemas.PolicyIn`
    :raises ReferenceNotFound: the patient or the payer is not here
    :raises PolicyOverlap: another policy holds that rank on some of those days
    """
    scope.require(Permission.POLICIES_WRITE)
    patient_id = parse_type_id("patient", body.patient_id)
    if patient_id is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError("/patient_id", "reference-not-found"),),
        )
    roster.refer_to_patient(scope=scope, patient_id=patient_id, pointer="/patient_id")
    payer = queries.refer_to_payer(
        scope=scope, payer_id=parse_type_id("payer", body.payer_id), pointer="/payer_id"
    )
    starts_on = body.starts_on or scope.day_of(now)
    _check_days(starts_on, body.ends_on)
    subscriber = _subscriber(body.relationship, body.subscriber)
    # The patient's row is the lock: policies of one patient are made one after the other.
    roster.get_patient(scope=scope, patient_id=patient_id, lock=True)
    policy = Policy(
        practice_id=scope.practice_id,
        patient_id=patient_id,
        payer=payer,
        rank=body.rank,
        member_id=body.member_id,
        group_number=body.group_number or "",
        plan_name=body.plan_name or "",
        relationship=body.relationship,
        subscriber=subscriber,
        starts_on=starts_on,
        ends_on=body.ends_on,
        copay_cents=body.copay.amount if body.copay else None,
        medicare_reason=body.medicare_reason or "",
        created_at=now,
        updated_at=now,
    )
    with one_per_rank():
        policy.save(force_insert=True)
    scope.trail.patient_ids.add(patient_id)
    scope.trail.target("insurance_policy", policy.id, policy.version)
    emit(
        events.POLICY_CREATED, scope=scope, object_type="insurance_policy", object_id=policy.id,
        version=policy.version, now=now,
    )  # fmt: skip
    show_primary(scope=scope, patient_id=patient_id, now=now)
    return policy


class one_per_rank:
    """Run a write in a savepoint, and turn the exclusion constraint's refusal into a problem."""

    def __enter__(self) -> None:
        self._atomic = transaction.atomic()
        self._atomic.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._atomic.__exit__(kind, error, trace)
        if isinstance(error, IntegrityError) and sqlstate(error) == "23P01":
            raise PolicyOverlap("End the other policy first, or choose another rank.") from error


_NOT_EMPTY = ("payer_id", "rank", "member_id", "relationship", "starts_on")


def change_policy(
    *, scope: Scope, policy_id: UUID, if_match: str, now: datetime, given: Mapping[str, Any]
) -> Policy:
    """
    Change a policy. Claims that were already made keep what they were made with.

    :raises NotFound: no such policy for this actor
    :raises PreconditionFailed: it was changed since
    :raises PolicyOverlap: another policy holds that rank on some of those days
    """
    scope.require(Permission.POLICIES_WRITE)
    seen = queries.get_policy(scope=scope, policy_id=policy_id)
    roster.get_patient(scope=scope, patient_id=seen.patient_id, lock=True)
    policy = queries.get_policy(scope=scope, policy_id=policy_id, lock=True)
    etags.check(policy, if_match)
    empty = [name for name in _NOT_EMPTY if name in given and given[name] is None]
    if empty:
        raise _faults(*(FieldError(f"/{name}", "required") for name in empty))
    columns = {name: given[name] for name in _NOT_EMPTY[1:] if name in given}
    for name in ("group_number", "plan_name", "medicare_reason"):
        if name in given:
            columns[name] = given[name] or ""
    if "ends_on" in given:
        columns["ends_on"] = given["ends_on"]
    if "copay" in given:
        columns["copay_cents"] = given["copay"].amount if given["copay"] else None
    if "payer_id" in given:
        columns["payer_id"] = queries.refer_to_payer(
            scope=scope, payer_id=parse_type_id("payer", given["payer_id"]), pointer="/payer_id"
        ).id
    if "relationship" in given or "subscriber" in given:
        columns["subscriber"] = _new_subscriber(policy, given)
    _check_days(columns.get("starts_on", policy.starts_on), columns.get("ends_on", policy.ends_on))
    with one_per_rank():
        changed = _changed(policy, columns, now=now)
    scope.trail.target("insurance_policy", policy.id, policy.version)
    scope.trail.changed = changed
    if changed:
        emit(
            events.POLICY_UPDATED, scope=scope, object_type="insurance_policy", object_id=policy.id,
            version=policy.version, now=now, changed=sorted(given),
        )  # fmt: skip
        show_primary(scope=scope, patient_id=policy.patient_id, now=now)
    return policy


def _new_subscriber(policy: Policy, given: Mapping[str, Any]) -> dict[str, Any] | None:
    relationship = given.get("relationship", policy.relationship)
    if "subscriber" in given:
        return _subscriber(relationship, given["subscriber"])
    if relationship == Relationship.SELF:
        return None
    if policy.subscriber is None:
        return _subscriber(relationship, None)
    kept: dict[str, Any] = policy.subscriber
    return kept


def show_primary(*, scope: Scope, patient_id: UUID, now: datetime) -> None:
    """Show on the patient the policy that is billed first today."""
    policy = queries.policy_for(scope=scope, patient_id=patient_id, on=scope.day_of(now))
    shown = None
    if policy is not None:
        shown = {
            "policy_id": type_id("insurance_policy", policy.id),
            "payer": {"id": type_id("payer", policy.payer_id), "name": policy.payer.name},
            "member_id": policy.member_id,
            "relationship": policy.relationship or None,
        }
    roster_services.set_primary_insurance(
        scope=scope, patient_id=patient_id, insurance=shown, now=now
    )


def roll_over(*, scope: Scope, now: datetime) -> int:
    """
    Show the right policy on patients whose policy began today or ended yesterday.

    Run daily for each practice, after midnight of its zone; running it again changes nothing.

    :return: how many patients were looked at
    """
    today = scope.day_of(now)
    # A week back as well: a day on which nothing ran must not leave a patient behind.
    since = today - timedelta(days=7)
    turned = (
        Policy.objects.visible_to(scope)
        .filter(
            Q(starts_on__gt=since, starts_on__lte=today) | Q(ends_on__gte=since, ends_on__lt=today)
        )
        .values_list("patient_id", flat=True)
    )
    patients = sorted(set(turned))
    for patient_id in patients:
        show_primary(scope=scope, patient_id=patient_id, now=now)
    return len(patients)
