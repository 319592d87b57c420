"""What can be done to enrolments and credential spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import Conflict, FieldError, Invalid, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.db.errors import sqlstate
from rapport.platform.outbox.emit import emit
from rapport.rooms.coverage import events, queries
from rapport.rooms.coverage.models import CredentialSpan, EnrollmentChange, Payer
from rapport.rooms.roster import queries as roster


class CredentialOverlap(Conflict):
    code = "credential-overlap"
    title = "The clinician has another span with that payer on some of those days."


def note_enrollment(*, scope: Scope, payer_id: UUID, now: datetime, body: Any) -> EnrollmentChange:
    """
    Write down how an enrolment with a payer stands from now on. What it was stays in the history.

    :param body: `schemas.EnrollmentIn`
    :raises NotFound: no such payer here
    """
    scope.require(Permission.PAYERS_WRITE)
    payer = queries.get_payer(scope=scope, payer_id=payer_id, lock=True)
    change = EnrollmentChange(
        practice_id=scope.practice_id, payer=payer, transaction=body.transaction, needed=body.needed,
        state=body.state, effective_on=body.effective_on, note=body.note or "",
        by_type=scope.actor_type, by_id=scope.actor_id, at=now,
    )  # fmt: skip
    change.save(force_insert=True)
    Payer.objects.visible_to(scope).filter(id=payer.id).update(version=F("version") + 1, updated_at=now)
    scope.trail.target("payer", payer.id, payer.version + 1)
    scope.trail.changed = ["enrollments"]
    emit(
        events.PAYER_UPDATED, scope=scope, object_type="payer", object_id=payer.id,
        version=payer.version + 1, now=now, changed=["enrollments"],
    )  # fmt: skip
    return change


@contextmanager
def _no_overlap() -> Iterator[None]:
    """Run a write in a savepoint, and turn the exclusion constraint's refusal into a problem."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if sqlstate(error) != "23P01":
            raise
        raise CredentialOverlap("Change the other span first.") from error


def _check_days(starts_on: date, ends_on: date | None) -> None:
    if ends_on is not None and ends_on < starts_on:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/ends_on", "before-start", "At or after `starts_on`."),),
        )


def _clinician(scope: Scope, text: str) -> UUID:
    id = parse_type_id("clinician", text)
    if id is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError("/clinician_id", "reference-not-found"),),
        )
    return roster.refer_to_clinician(scope=scope, clinician_id=id, pointer="/clinician_id").id


def _payer(scope: Scope, text: str) -> UUID:
    return queries.refer_to_payer(
        scope=scope, payer_id=parse_type_id("payer", text), pointer="/payer_id"
    ).id


def create_credential_span(*, scope: Scope, now: datetime, body: Any) -> CredentialSpan:
    """
    Note from when until when a payer takes claims for a clinician's services.

    :param body: `schemas.CredentialSpanIn`
    :raises ReferenceNotFound: clinician or payer is not here
    :raises CredentialOverlap: another span of both has some of those days
    """
    scope.require(Permission.PAYERS_WRITE)
    _check_days(body.starts_on, body.ends_on)
    row = CredentialSpan(
        practice_id=scope.practice_id, clinician_id=_clinician(scope, body.clinician_id),
        payer_id=_payer(scope, body.payer_id), starts_on=body.starts_on, ends_on=body.ends_on,
        payer_number=body.payer_number or "", created_at=now, updated_at=now,
    )  # fmt: skip
    with _no_overlap():
        row.save(force_insert=True)
    _tell(events.CREDENTIAL_CREATED, row, scope=scope, now=now)
    return row


def change_credential_span(
    *, scope: Scope, credential_span_id: UUID, if_match: str, now: datetime, given: Mapping[str, Any]
) -> CredentialSpan:
    """
    Change a span. Claims are judged by it at their next validation.

    :raises NotFound: no such span here
    :raises PreconditionFailed: it was changed since
    :raises CredentialOverlap: another span of both has some of those days
    """
    scope.require(Permission.PAYERS_WRITE)
    row = queries.get_credential_span(scope=scope, credential_span_id=credential_span_id, lock=True)
    etags.check(row, if_match)
    needed = ("clinician_id", "payer_id", "starts_on")
    empty = [name for name in needed if name in given and given[name] is None]
    if empty:
        raise Invalid(
            f"{len(empty)} field(s) are not valid.",
            errors=tuple(FieldError(f"/{name}", "required") for name in empty),
        )
    columns = dict(given)
    if "clinician_id" in columns:
        columns["clinician_id"] = _clinician(scope, columns["clinician_id"])
    if "payer_id" in columns:
        columns["payer_id"] = _payer(scope, columns["payer_id"])
    if "payer_number" in columns:
        columns["payer_number"] = columns["payer_number"] or ""
    _check_days(columns.get("starts_on", row.starts_on), columns.get("ends_on", row.ends_on))
    changed = [name for name, value in columns.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, columns[name])
        row.version += 1
        row.updated_at = now
        with _no_overlap():
            row.save(update_fields=[*changed, "version", "updated_at"])
        _tell(events.CREDENTIAL_UPDATED, row, scope=scope, now=now, changed=sorted(changed))
    scope.trail.target("credential_span", row.id, row.version)
    return row


def _tell(
    event: str, row: CredentialSpan, *, scope: Scope, now: datetime, changed: Sequence[str] = ()
) -> None:
    scope.trail.target("credential_span", row.id, row.version)
    scope.trail.changed = list(changed)
    emit(
        event, scope=scope, object_type="credential_span", object_id=row.id, version=row.version,
        now=now, changed=changed,
    )  # fmt: skip
