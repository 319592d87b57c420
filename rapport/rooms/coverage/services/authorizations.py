"""What can be done to authorisations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import Conflict, FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db.errors import constraint_name
from rapport.platform.outbox.emit import emit
from rapport.rooms.coverage import events, queries
from rapport.rooms.coverage.models import Authorization


class AuthorizationKnown(Conflict):
    code = "authorization-known"
    title = "The policy has an authorisation of that number."


@contextmanager
def _one_per_number() -> Iterator[None]:
    """Run a write in a savepoint, and turn the constraint's refusal into a problem."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if constraint_name(error) != "authorization_number_once":
            raise
        raise AuthorizationKnown("Change that one instead.") from error


def _check_days(starts_on: date, ends_on: date | None) -> None:
    if ends_on is not None and ends_on < starts_on:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/ends_on", "before-start", "At or after `starts_on`."),),
        )


def create_authorization(*, scope: Scope, now: datetime, body: Any) -> Authorization:
    """
    Note what a payer authorised.

    :param body: `schemas.AuthorizationIn`
    :raises ReferenceNotFound: the policy is not here
    :raises AuthorizationKnown: the policy has that number already
    """
    scope.require(Permission.POLICIES_WRITE)
    policy = queries.refer_to_policy(
        scope=scope, policy_id=parse_type_id("insurance_policy", body.policy_id), pointer="/policy_id"
    )
    starts_on = body.starts_on or scope.day_of(now)
    _check_days(starts_on, body.ends_on)
    row = Authorization(
        practice_id=scope.practice_id, patient_id=policy.patient_id, policy=policy, number=body.number,
        service_codes=sorted(set(body.service_codes)), counted_by=body.counted_by, allowed=body.allowed,
        used_before=body.used_before, starts_on=starts_on, ends_on=body.ends_on,
        created_at=now, updated_at=now,
    )  # fmt: skip
    with _one_per_number():
        row.save(force_insert=True)
    _tell(events.AUTHORIZATION_CREATED, row, scope=scope, now=now)
    return row


_NOT_EMPTY = ("number", "service_codes", "counted_by", "used_before", "starts_on", "active")


def change_authorization(
    *, scope: Scope, authorization_id: UUID, if_match: str, now: datetime, given: Mapping[str, Any]
) -> Authorization:
    """
    Change an authorisation. Claims that were sent keep the number that they carried.

    :raises NotFound: no such authorisation for this actor
    :raises PreconditionFailed: it was changed since
    :raises AuthorizationKnown: the policy has that number already
    """
    scope.require(Permission.POLICIES_WRITE)
    row = queries.get_authorization(scope=scope, authorization_id=authorization_id, lock=True)
    etags.check(row, if_match)
    empty = [name for name in _NOT_EMPTY if name in given and given[name] is None]
    if empty:
        raise Invalid(
            f"{len(empty)} field(s) are not valid.",
            errors=tuple(FieldError(f"/{name}", "required") for name in empty),
        )
    columns = dict(given)
    if "service_codes" in columns:
        columns["service_codes"] = sorted(set(columns["service_codes"]))
    _check_days(columns.get("starts_on", row.starts_on), columns.get("ends_on", row.ends_on))
    changed = [name for name, value in columns.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, columns[name])
        row.version += 1
        row.updated_at = now
        with _one_per_number():
            row.save(update_fields=[*changed, "version", "updated_at"])
        _tell(events.AUTHORIZATION_UPDATED, row, scope=scope, now=now, changed=sorted(changed))
    scope.trail.target("authorization", row.id, row.version)
    return row


def _tell(
    event: str, row: Authorization, *, scope: Scope, now: datetime, changed: Sequence[str] = ()
) -> None:
    scope.trail.patient_ids.add(row.patient_id)
    scope.trail.target("authorization", row.id, row.version)
    scope.trail.changed = list(changed)
    emit(
        event, scope=scope, object_type="authorization", object_id=row.id, version=row.version,
        now=now, changed=changed,
    )  # fmt: skip
