"""Questions about codes. They change nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import FieldError, NotFound, ReferenceNotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id

from .models import ServiceCode
from .rules import icd10

_ON = (
    "d.code = %s AND (d.valid_from IS NULL OR d.valid_from <= %s)"
    " AND (d.valid_to IS NULL OR d.valid_to >= %s)"
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An ICD-10-CM code as it stood on a day."""

    code: str
    title: str
    billable: bool


@dataclass(frozen=True, slots=True)
class DiagnosisFault:
    """Why a diagnosis cannot go on a claim of that day."""

    position: int
    """Which of the codes that were asked about, from 0."""
    code: str
    """`unknown-diagnosis`, `diagnosis-not-valid-on-date` or `diagnosis-not-billable`."""


def diagnosis_on(*, code: str, on: date) -> Diagnosis | None:
    """Return a diagnosis code as it stood on a day of service, or None when it was not in use."""
    row = sql.one(
        f"SELECT d.code, d.title, d.billable FROM coding_diagnosiscode d WHERE {_ON}",  # noqa: S608
        (icd10.written(code), on, on),
    )
    return None if row is None else Diagnosis(*row)


def diagnosis_faults(*, codes: Sequence[str], on: date) -> list[DiagnosisFault]:
    """Check codes against the list as it stood on the day of service. Empty: all may be billed."""
    written = [icd10.written(code) for code in codes]
    rows = sql.rows(
        "SELECT d.code, d.billable, (d.valid_from IS NULL OR d.valid_from <= %s)"
        " AND (d.valid_to IS NULL OR d.valid_to >= %s) FROM coding_diagnosiscode d"
        " WHERE d.code = ANY(%s)",
        (on, on, written),
    )
    known = {row[0] for row in rows}
    in_force = {row[0]: row[1] for row in rows if row[2]}
    faults = []
    for position, code in enumerate(written):
        if code not in known:
            faults.append(DiagnosisFault(position, "unknown-diagnosis"))
        elif code not in in_force:
            faults.append(DiagnosisFault(position, "diagnosis-not-valid-on-date"))
        elif not in_force[code]:
            faults.append(DiagnosisFault(position, "diagnosis-not-billable"))
    return faults


_SEARCH = """
SELECT {columns} FROM coding_diagnosiscode d
WHERE (d.valid_from IS NULL OR d.valid_from <= %(on)s)
  AND (d.valid_to IS NULL OR d.valid_to >= %(on)s)
  AND (NOT %(billable)s OR d.billable)
  AND (d.code LIKE %(beginning)s
       OR (%(words)s <> '' AND to_tsvector('simple', d.title) @@ to_tsquery('simple', %(words)s)))
ORDER BY d.code = %(code)s DESC, d.code LIKE %(beginning)s DESC, d.code LIKE 'F%%' DESC,
    length(d.title), d.code
LIMIT %(limit)s
"""


def search_diagnoses(
    *, columns: str, text: str, on: date, billable: bool, limit: int
) -> list[tuple[Any, ...]]:
    """
    Return rows of codes that begin with the text, or whose title has words beginning with its words.

    Codes of the behavioural chapter come first among equals.

    :param on: the day of service they must have been in use
    """
    words = re.findall(r"[a-z0-9]+", text.lower())
    code = icd10.written(text)
    # A text that is no beginning of a code must not match every code: `\\` begins none.
    looks_like_code = re.match(r"^[A-Z][0-9][0-9A-Z]?(\.[0-9A-Z]{0,4})?$", code) is not None
    return sql.rows(
        _SEARCH.format(columns=columns),
        {
            "on": on,
            "billable": billable,
            "code": code,
            "beginning": f"{code}%" if looks_like_code else "\\\\",
            "words": " & ".join(f"{word}:*" for word in words),
            "limit": limit,
        },
    )


def get_service_code(*, scope: Scope, service_code_id: UUID, lock: bool = False) -> ServiceCode:
    """Return a service code. :raises NotFound: no such service code here."""
    row = by_id(ServiceCode, scope=scope, id=service_code_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("service_code", service_code_id)])
    return row


def refer_to_service_code(*, scope: Scope, text: str, pointer: str) -> ServiceCode:
    """
    Return a service code that a body refers to, by id (`svc_…`) or by code (`90837`).

    :raises ReferenceNotFound: the practice has none such
    """
    id = parse_type_id("service_code", text)
    row = (
        by_id(ServiceCode, scope=scope, id=id)
        if id
        else ServiceCode.objects.visible_to(scope).filter(code=text).first()
    )
    if row is None:
        raise ReferenceNotFound(
            "A field refers to something that is not here.",
            errors=(FieldError(pointer, "reference-not-found"),),
            _sought=[("service_code", id)] if id else [],
        )
    return row


def parents_of(*, scope: Scope, codes: Collection[str]) -> dict[str, list[str]]:
    """Return code -> codes it may be added to, of those that the practice has; empty: it is no add-on."""
    rows = ServiceCode.objects.visible_to(scope).filter(code__in=list(codes))
    return {
        code: list(parents) if add_on else [] for code, add_on, parents in rows.values_list("code", "add_on", "parent_codes")
    }


@dataclass(frozen=True, slots=True)
class RateFound:
    """A charge per unit, and which step of the cascade gave it."""

    rate_cents: int
    """US cents per unit."""
    step: str
    """`payer_clinician_code`, `payer_code`, `clinician_code` or `code_default`."""
    rate_id: UUID | None
    """The special rate that won; None: the service code's own."""


_RATE = """
SELECT r.id, r.rate_cents, r.payer_id IS NOT NULL, r.clinician_id IS NOT NULL FROM coding_rate r
WHERE r.practice_id = %(practice)s AND r.service_code_id = %(code)s
  AND (r.payer_id IS NULL OR r.payer_id = %(payer)s)
  AND (r.clinician_id IS NULL OR r.clinician_id = %(clinician)s)
  AND r.starts_on <= %(on)s AND (r.ends_on IS NULL OR r.ends_on >= %(on)s)
ORDER BY r.payer_id IS NOT NULL DESC, r.clinician_id IS NOT NULL DESC, r.starts_on DESC, r.id DESC
LIMIT 1
"""


def rate_for(
    *, scope: Scope, service_code_id: UUID, clinician_id: UUID, payer_id: UUID | None, on: date
) -> RateFound:
    """
    Return the charge per unit of a service on a day.

    The cascade: payer and clinician, then payer, then clinician, then the code's own rate. Of two
    rates of the same step the one that started later wins.

    :param payer_id: who is billed; None: the patient
    :param on: day of service, in the practice's zone
    :raises NotFound: no such service code here
    """
    row = sql.one(
        _RATE,
        {
            "practice": scope.practice_id,
            "code": service_code_id,
            "payer": payer_id,
            "clinician": clinician_id,
            "on": on,
        },
    )
    if row is None:
        code = get_service_code(scope=scope, service_code_id=service_code_id)
        return RateFound(code.rate_cents, "code_default", None)
    steps = {(True, True): "payer_clinician_code", (True, False): "payer_code"}
    return RateFound(row[1], steps.get((row[2], row[3]), "clinician_code"), row[0])
