"""What is to be known of who pays for an appointment, when it is booked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import encoder, instant
from rapport.platform.db import sql
from rapport.rooms.coverage.rules.authorizations import Visit, wanted
from rapport.rooms.coverage.rules.eligibility import told_notices
from rapport.rooms.coverage.rules.notices import Notice
from rapport.rooms.coverage.states import Standing

from .authorizations import authorization_notices
from .directory import credentials_of

_PAID_BY = """
SELECT i.id, v.code, y.authorization_for, y.id, a.clinician_id, (a.start_at AT TIME ZONE %(zone)s)::date,
    EXISTS (SELECT FROM coverage_authorization g WHERE g.practice_id = i.practice_id AND g.policy_id = i.id),
    EXISTS (SELECT FROM coverage_credentialspan s WHERE s.practice_id = i.practice_id AND s.payer_id = i.payer_id),
    k.id, k.answered_at, k.snapshot::text
FROM scheduling_appointment a
JOIN coding_servicecode v ON v.practice_id = a.practice_id AND v.id = a.service_code_id
JOIN coverage_policy i ON i.practice_id = a.practice_id AND i.patient_id = a.patient_id AND i.rank = 'primary'
    AND i.starts_on <= (a.start_at AT TIME ZONE %(zone)s)::date
    AND (i.ends_on IS NULL OR i.ends_on >= (a.start_at AT TIME ZONE %(zone)s)::date)
JOIN coverage_payer y ON y.practice_id = i.practice_id AND y.id = i.payer_id
LEFT JOIN LATERAL (
    SELECT k.id, k.answered_at, k.snapshot FROM coverage_eligibilitycheck k
    WHERE k.practice_id = i.practice_id AND k.policy_id = i.id AND k.state = 'answered'
    ORDER BY k.created_at DESC LIMIT 1) k ON true
WHERE a.practice_id = %(practice)s AND a.id = %(id)s AND a.status IN ('booked', 'checked_in', 'completed')
"""
"""Who pays first for an appointment, and which further questions are worth asking: mostly none."""


@dataclass(frozen=True, slots=True)
class WhoPays:
    """What is to be known of who pays first for an appointment."""

    notices: list[Notice]
    eligibility: bytes | None
    """What the payer said last, in short, as JSON; None: nothing."""


def who_pays(*, scope: Scope, appointment_id: UUID, now: datetime) -> WhoPays | None:
    """Return what coverage has to say of an appointment to whoever books it; None: no policy pays for it."""
    row = sql.one(
        _PAID_BY, {"practice": scope.practice_id, "id": appointment_id, "zone": scope.time_zone.key}
    )
    if row is None:
        return None
    policy_id, code, authorization_for, payer_id, clinician_id, day, has_some, keeps_spans = row[:8]
    check_id, answered_at, told = row[8:]
    found: list[Notice] = []
    if told is not None:
        found += told_notices(json.loads(told), authorized=has_some)
    if has_some or wanted(authorization_for, code):
        visit = Visit(appointment_id, day, code, 1, Standing.BOOKED)
        used = authorization_notices(
            scope=scope, visits={policy_id: [visit]}, today=scope.day_of(now)
        )
        found += used[appointment_id][1]
    if keeps_spans:
        kept = credentials_of(scope=scope, payer_ids=[payer_id])
        said = kept.notice(payer_id=payer_id, clinician_id=clinician_id, days=[day])
        found += [said] if said is not None else []
    return WhoPays(found, in_short(check_id=check_id, answered_at=answered_at, told=told) if told is not None else None)


def in_short(*, check_id: UUID, answered_at: datetime, told: str) -> bytes:
    """
    Return what a payer said as appointments and policies show it, as JSON.

    :param told: a check's snapshot, as JSON
    """
    said = json.loads(told)
    return encoder.encode(
        {"check_id": type_id("eligibility_check", check_id), "as_of": instant(answered_at)}
        | {name: said[name] for name in _SHORT}
    )


_SHORT = ("coverage", "copay", "coinsurance_basis_points", "deductible_remaining", "authorization")
