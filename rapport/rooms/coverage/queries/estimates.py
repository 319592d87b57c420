"""Good-faith estimates, and how charges stand to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import by_id
from rapport.rooms.coverage.models import Estimate, EstimateLine
from rapport.rooms.coverage.rules import estimates as rules
from rapport.rooms.coverage.states import EstimateStanding, EstimateState
from rapport.rooms.ledger import queries as ledger

from .settings import settings_of


def get_estimate(*, scope: Scope, estimate_id: UUID, lock: bool = False) -> Estimate:
    """Return an estimate of a patient the actor may see. :raises NotFound: there is none."""
    row = by_id(Estimate, scope=scope, id=estimate_id, lock=lock)
    if row is None:
        raise NotFound(_sought=[("estimate", estimate_id)])
    scope.trail.patient_ids.add(row.patient_id)
    return row


def estimates_of(*, scope: Scope, estimate_ids: Sequence[UUID]) -> list[Estimate]:
    """Return estimates in the order of their ids; those that the actor may not see are left out."""
    found = {row.id: row for row in Estimate.objects.visible_to(scope).filter(id__in=list(estimate_ids))}
    scope.trail.patient_ids.update(row.patient_id for row in found.values())
    return [found[id] for id in estimate_ids if id in found]


def estimate_lines(*, scope: Scope, estimate_ids: Sequence[UUID]) -> dict[UUID, list[EstimateLine]]:
    """Return estimate -> its lines in order."""
    found: dict[UUID, list[EstimateLine]] = {id: [] for id in estimate_ids}
    for row in EstimateLine.objects.visible_to(scope).filter(estimate_id__in=list(estimate_ids)).order_by("position"):
        found[row.estimate_id].append(row)
    return found


@dataclass(frozen=True, slots=True)
class Drift:
    """How what was charged stands to an estimate."""

    charged_cents: int
    standing: EstimateStanding


def drift_of(*, scope: Scope, estimate: Estimate, now: datetime) -> Drift:
    """Return how charges stand to an estimate: of its days, to the patient, by the ledger as it is now."""
    charged = ledger.charged_to_patient(
        scope=scope, patient_id=estimate.patient_id, first=estimate.starts_on, last=estimate.ends_on
    )
    warn = settings_of(scope=scope, now=now).estimate_warning_cents
    found = rules.standing(estimated_cents=estimate.total_cents, charged_cents=charged, warn_cents=warn)
    return Drift(charged, found)


def current_estimates(*, scope: Scope, since: date) -> list[Estimate]:
    """Return the estimates that patients have and that do not end before a day."""
    rows = Estimate.objects.visible_to(scope).filter(state=EstimateState.GIVEN, ends_on__gte=since)
    return list(rows.order_by("id"))
