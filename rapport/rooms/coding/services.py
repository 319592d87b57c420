"""What can be done to the practice's codes and rates. Each runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import (
    Conflict,
    FieldError,
    ImmutableField,
    Invalid,
    ReferenceNotFound,
)
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db import sql
from rapport.platform.db.errors import sqlstate
from rapport.platform.outbox.emit import emit
from rapport.platform.tenancy import external
from rapport.rooms.roster import queries as roster

from . import events, loader, queries
from .models import Rate, ServiceCode, ServiceCodeExternalId
from .rules import time_rules


class ServiceCodeTaken(Conflict):
    code = "service-code-taken"
    title = "The practice already has that service code."


def load_icd10(*, now: datetime) -> int:
    """
    Take in the ICD-10-CM list that is installed, as the role that owns the tables.

    Called after migrating. Loading a list again changes nothing and takes no time.

    :return: how many codes were taken in; 0 when the list was there already
    """
    from .models import DiagnosisList

    released_on = loader.installed_release()
    if DiagnosisList.objects.using("owner").filter(released_on__gte=released_on).exists():  # lint: allow tables - the installation's, not a practice's
        return 0
    return loader.load(released_on=released_on, entries=list(loader.installed_codes()), now=now)


def _faults(*faults: FieldError) -> Invalid:
    return Invalid(f"{len(faults)} field(s) are not valid.", errors=faults)


def _check_minutes(row: ServiceCode) -> None:
    if row.least_minutes and row.most_minutes and row.least_minutes > row.most_minutes:
        raise _faults(FieldError("/most_minutes", "before-least", "At least `least_minutes`."))
    if row.add_on and not row.parent_codes:
        raise _faults(FieldError("/parent_codes", "required", "Name the codes it is added to."))


def create_service_code(*, scope: Scope, now: datetime, body: Any) -> ServiceCode:
    """
    Add a service code. Time rules that are left out are those of the code set, as we know them.

    :param body: `schemas.ServiceCodeIn`
    :raises ServiceCodeTaken: the practice has that code
    """
    scope.require(Permission.CODES_WRITE)
    given = body.model_fields_set
    rule = time_rules.rule_of(body.code)
    row = ServiceCode(
        practice_id=scope.practice_id,
        code=body.code,
        label=body.label,
        duration_minutes=body.duration_minutes,
        least_minutes=body.least_minutes if "least_minutes" in given else rule.least_minutes,
        most_minutes=body.most_minutes if "most_minutes" in given else rule.most_minutes,
        unit_minutes=body.unit_minutes if "unit_minutes" in given else rule.unit_minutes,
        add_on=body.add_on if "add_on" in given else rule.add_on,
        parent_codes=body.parent_codes if "parent_codes" in given else list(rule.parents),
        rate_cents=body.rate.amount,
        telehealth_allowed=body.telehealth_allowed,
        external_ids=[pair.model_dump() for pair in body.external_ids],
        created_at=now,
        updated_at=now,
    )
    _check_minutes(row)
    if ServiceCode.objects.visible_to(scope).filter(code=row.code).exists():
        raise ServiceCodeTaken("Change the one that is there.")
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) == "23505":
            raise ServiceCodeTaken("Change the one that is there.") from error
        raise
    if body.external_ids:
        external.keep(ServiceCodeExternalId, scope=scope, pairs=body.external_ids, service_code=row)
    scope.trail.target("service_code", row.id, row.version)
    emit(
        events.SERVICE_CODE_CREATED, scope=scope, object_type="service_code", object_id=row.id,
        version=row.version, now=now,
    )  # fmt: skip
    return row


def put_service_code(*, scope: Scope, now: datetime, body: Any) -> tuple[ServiceCode, bool]:
    """
    Create or change the service code that has the body's first external id.

    :return: the service code, and whether it was created
    :raises Invalid: the body has no external id
    :raises ImmutableField: the one that has it goes by another code
    """
    scope.require(Permission.CODES_WRITE)
    if not body.external_ids:
        raise _faults(FieldError("/external_ids", "required"))
    first = body.external_ids[0]
    sql.hold(f"{scope.practice_id}|service-code-external|{first.system}\n{first.value}")
    known = (
        ServiceCodeExternalId.objects.visible_to(scope)
        .filter(system=first.system, value=first.value)
        .values_list("service_code_id", flat=True)
        .first()
    )
    if known is None:
        return create_service_code(scope=scope, now=now, body=body), True
    row = queries.get_service_code(scope=scope, service_code_id=known, lock=True)
    if row.code != body.code:
        raise ImmutableField(
            "1 field is not valid.", errors=(FieldError("/code", "immutable-field"),)
        )
    given = {name: getattr(body, name) for name in body.model_fields_set - {"code"}}
    return _apply(scope, row, given, now=now), False


_MAY_BE_EMPTY = ("least_minutes", "most_minutes", "unit_minutes")


def change_service_code(
    *, scope: Scope, service_code_id: UUID, if_match: str, now: datetime, given: Mapping[str, Any]
) -> ServiceCode:
    """
    Change a service code. Its code itself stays: claims and appointments rest on it.

    :param given: the fields that were sent
    :raises NotFound: no such service code here
    :raises PreconditionFailed: it was changed since
    """
    scope.require(Permission.CODES_WRITE)
    row = queries.get_service_code(scope=scope, service_code_id=service_code_id, lock=True)
    etags.check(row, if_match)
    return _apply(scope, row, given, now=now)


def _apply(
    scope: Scope, row: ServiceCode, given: Mapping[str, Any], *, now: datetime
) -> ServiceCode:
    """Bring a locked row up to the fields that were sent. Nothing differs: nothing happens."""
    empty = [name for name, value in given.items() if value is None and name not in _MAY_BE_EMPTY]
    if empty:
        raise _faults(*(FieldError(f"/{name}", "required") for name in empty))
    columns = dict(given)
    if "rate" in columns:
        columns["rate_cents"] = columns.pop("rate").amount
    pairs = columns.get("external_ids")
    if pairs is not None:
        columns["external_ids"] = [pair.model_dump() for pair in pairs]
    changed = [name for name, value in columns.items() if getattr(row, name) != value]
    if "external_ids" in changed:
        external.keep(ServiceCodeExternalId, scope=scope, pairs=pairs or (), service_code=row)
    scope.trail.target("service_code", row.id, row.version)
    if not changed:
        return row
    for name in changed:
        setattr(row, name, columns[name])
    _check_minutes(row)
    row.version += 1
    row.updated_at = now
    row.save(update_fields=[*changed, "version", "updated_at"])
    scope.trail.target("service_code", row.id, row.version)
    scope.trail.changed = changed
    emit(
        events.SERVICE_CODE_UPDATED, scope=scope, object_type="service_code", object_id=row.id,
        version=row.version, now=now, changed=sorted(given),
    )  # fmt: skip
    return row


def set_rates(
    *, scope: Scope, service_code_id: UUID, if_match: str, now: datetime, rates: Sequence[Any]
) -> ServiceCode:
    """
    Replace the special rates of a service code; counts as a change of the code.

    A charge that was already billed is not touched: claims keep the amount they were made with.

    :param rates: `schemas.RateIn` each
    :raises ReferenceNotFound: a payer or clinician is not of this practice
    :raises Invalid: two of them are for the same and start on the same day: neither is the later one
    """
    scope.require(Permission.CODES_WRITE)
    row = queries.get_service_code(scope=scope, service_code_id=service_code_id, lock=True)
    etags.check(row, if_match)
    Rate.objects.visible_to(scope).filter(service_code_id=row.id).delete()
    today = scope.day_of(now)
    taken: set[tuple[str | None, str | None, date]] = set()
    for position, rate in enumerate(rates):
        key = rate.payer_id, rate.clinician_id, rate.starts_on or today
        if key in taken:
            raise _faults(FieldError(f"/rates/{position}", "overlaps", "Another one for the same starts on that day."))
        taken.add(key)
        _add_rate(scope, row, rate, pointer=f"/rates/{position}", now=now)
    row.version += 1
    row.updated_at = now
    row.save(update_fields=["version", "updated_at"])
    scope.trail.target("service_code", row.id, row.version)
    scope.trail.changed = ["rates"]
    emit(
        events.SERVICE_CODE_UPDATED, scope=scope, object_type="service_code", object_id=row.id,
        version=row.version, now=now, changed=["rates"],
    )  # fmt: skip
    return row


def _not_here(pointer: str, kind: str, id: UUID | None) -> ReferenceNotFound:
    return ReferenceNotFound(
        "A field refers to something that is not here.",
        errors=(FieldError(pointer, "reference-not-found"),),
        _sought=[(kind, id)] if id else [],
    )


def _add_rate(scope: Scope, code: ServiceCode, rate: Any, *, pointer: str, now: datetime) -> None:
    payer_id = clinician_id = None
    if rate.clinician_id:
        clinician_id = parse_type_id("clinician", rate.clinician_id)
        if clinician_id is None:
            raise _not_here(f"{pointer}/clinician_id", "clinician", None)
        roster.refer_to_clinician(
            scope=scope, clinician_id=clinician_id, pointer=f"{pointer}/clinician_id"
        )
    if rate.payer_id:
        payer_id = parse_type_id("payer", rate.payer_id)
        if payer_id is None:
            raise _not_here(f"{pointer}/payer_id", "payer", None)
    if payer_id is None and clinician_id is None:
        raise _faults(FieldError(pointer, "not-special", "Name a payer, a clinician, or both."))
    starts_on: date = rate.starts_on or scope.day_of(now)
    if rate.ends_on and rate.ends_on < starts_on:
        raise _faults(FieldError(f"{pointer}/ends_on", "before-start"))
    try:
        with transaction.atomic():
            Rate.objects.create(
                practice_id=scope.practice_id, service_code=code, payer_id=payer_id,
                clinician_id=clinician_id, rate_cents=rate.rate.amount, starts_on=starts_on,
                ends_on=rate.ends_on, created_at=now,
            )  # fmt: skip
    except IntegrityError as error:
        if sqlstate(error) == "23503":
            # Payers live in a room above this one: its table's constraint knows them.
            raise _not_here(f"{pointer}/payer_id", "payer", payer_id) from error
        raise
