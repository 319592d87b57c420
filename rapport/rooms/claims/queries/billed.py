"""What payers were asked for, as a comparison with their contracts needs it; and how long they may be argued with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.rooms.charting import queries as charting
from rapport.rooms.claims.models import Claim
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.coverage.states import Rank
from rapport.rooms.roster import queries as roster

from .desk import profiles_of


class BilledService(NamedTuple):
    """One service of a claim."""

    payer_id: UUID
    rank: str
    """Of the payer in the order of billing: `primary` …"""
    service_code: str
    modifiers: tuple[str, ...]
    place_of_service_code: str
    units: int
    charge_cents: int
    service_on: date
    credentials: str
    """Of the clinician in whose name it was billed, as the roster has them; empty: nobody says who that was."""


_SERVICES = """
SELECT c.id, l.position, c.payer_id, c.rank, l.service_code, l.modifiers, l.place_of_service_code, l.units,
    l.charge_cents, l.service_on, c.clinician_id, l.appointment_id
FROM claims_claim c
JOIN claims_claimline l ON l.practice_id = c.practice_id AND l.claim_id = c.id
WHERE c.practice_id = %s AND c.id = ANY(%s) AND c.payer_id = ANY(%s)
"""


def billed_services(
    *, scope: Scope, claim_ids: Collection[UUID], payer_ids: Collection[UUID]
) -> dict[tuple[UUID, int], BilledService]:
    """
    Return (claim, position of its line) -> the service, of claims to some payers.

    One question for the services however many they are, and a few for who stands behind them.
    """
    rows = sql.rows(_SERVICES, (scope.practice_id, list(claim_ids), list(payer_ids)))
    visits = {row[11]: row[2] for row in rows}
    named = _in_the_name_of(scope, visits)
    clinicians = {row[10] for row in rows if row[10]} | set(named.values())
    credentials = {id: one.credentials for id, one in roster.clinicians_of(scope=scope, ids=clinicians).items()}
    return {
        (row[0], row[1]): BilledService(
            row[2], row[3], row[4], tuple(row[5]), row[6], row[7], row[8], row[9],
            credentials.get(named.get(row[11], row[10]), ""),
        )
        for row in rows
    }  # fmt: skip


def _in_the_name_of(scope: Scope, visits: dict[UUID, UUID]) -> dict[UUID, UUID]:
    """
    Return visit -> the supervisor in whose name it was billed, where its payer wants that.

    :param visits: appointment -> payer
    """
    payers = coverage.payers_of(scope=scope, ids=set(visits.values()))
    profiles = profiles_of(scope=scope, payers=payers.values())
    under = {id for id, profile in profiles.items() if profile.supervision == "bill_under_supervisor"}
    asked = {visit for visit, payer_id in visits.items() if payer_id in under}
    notes = charting.notes_of_visits(scope=scope, appointment_ids=asked) if asked else {}
    return {visit: note.supervisor_id for visit, note in notes.items() if note.is_signed and note.supervisor_id}


class AskedService(NamedTuple):
    """One service of a visit, as one payer is asked for it."""

    claim_id: UUID
    position: int
    appointment_id: UUID
    service_code: str
    charge_cents: int
    order: int
    """Of the payer in the order of billing: 0 is the first."""


_LATER = "SELECT c.id FROM claims_claim c WHERE c.practice_id = %s AND c.id = ANY(%s) AND c.rank <> 'primary'"
_ASKED = """
SELECT c.id, l.position, l.appointment_id, l.service_code, l.charge_cents, c.rank
FROM claims_claimline l
JOIN claims_claim c ON c.practice_id = l.practice_id AND c.id = l.claim_id
WHERE l.practice_id = %s AND l.appointment_id IN (
    SELECT m.appointment_id FROM claims_claimline m WHERE m.practice_id = %s AND m.claim_id = ANY(%s)
)
ORDER BY c.id, l.position
"""


def asked_by_later(*, scope: Scope, claim_ids: Collection[UUID]) -> list[AskedService]:
    """
    Return what every payer was asked for the visits of those of these claims that go to a second payer or a later one.

    One question where there is no such claim.
    """
    later = [row[0] for row in sql.rows(_LATER, (scope.practice_id, list(claim_ids)))] if claim_ids else []
    if not later:
        return []
    order = {rank.value: place for place, rank in enumerate(Rank)}
    return [
        AskedService(row[0], row[1], row[2], row[3], row[4], order[row[5]])
        for row in sql.rows(_ASKED, (scope.practice_id, scope.practice_id, later))
    ]


def appeal_days_of(*, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return claim -> days from its payer's decision to appeal it in, where the payer's profile says so."""
    asked = dict(Claim.objects.visible_to(scope).filter(id__in=list(claim_ids)).values_list("id", "payer_id"))
    payers = coverage.payers_of(scope=scope, ids=set(asked.values())) if asked else {}
    days = {
        id: profile.appeal_days for id, profile in profiles_of(scope=scope, payers=payers.values()).items()
    }
    return {id: said for id, payer_id in asked.items() if (said := days.get(payer_id)) is not None}
