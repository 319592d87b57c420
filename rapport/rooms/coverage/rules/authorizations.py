"""
How visits are shared out among authorisations, and what is to be said about it. Plain values.

Nothing is counted up and kept: what is used, in flight and booked follows each time from the visits
as they are, so that a cancelled visit or a voided claim gives back by itself what it had taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from rapport.rooms.coverage.states import CountedBy, Standing

from .notices import Notice

ANY = "any"
"""Of what a payer wants authorised: every service."""
FEW = 2
"""Fewer than that left is few."""
SOON = timedelta(days=14)
"""An authorisation that ends within this time ends soon."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An authorisation as the rules see it."""

    id: UUID
    codes: frozenset[str]
    """Empty: any service."""
    counted_by: CountedBy
    allowed: int | None
    used_before: int
    starts_on: date
    ends_on: date | None
    active: bool = True
    """False: only claims that name it already use it."""

    def names(self, code: str) -> bool:
        """Tell whether it is for a service."""
        return not self.codes or code in self.codes

    def holds(self, on: date) -> bool:
        """Tell whether a day of service is among its days."""
        return self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)

    def fits(self, visit: Visit) -> bool:
        """Tell whether it is for a visit."""
        return self.names(visit.code) and self.holds(visit.on)

    def needs(self, visit: Visit) -> int:
        """Return how many a visit takes of it; a visit too short for a unit takes one."""
        return 1 if self.counted_by is CountedBy.VISIT else max(1, visit.units)


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as the rules see it."""

    id: UUID
    on: date
    code: str
    units: int
    standing: Standing
    claimed_under: UUID | None = None
    """The authorisation that its claim names: it uses that one, whatever else would fit."""


@dataclass(slots=True)
class Share:
    """What of one authorisation is gone."""

    used: int
    in_flight: int = 0
    booked: int = 0
    visit_ids: list[UUID] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """Return all that is gone, or spoken for."""
        return self.used + self.in_flight + self.booked

    def take(self, visit: Visit, amount: int) -> None:
        """Count a visit."""
        setattr(self, visit.standing, getattr(self, visit.standing.value) + amount)
        self.visit_ids.append(visit.id)


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who uses what."""

    shares: dict[UUID, Share]
    under: dict[UUID, UUID]
    """Visit -> the authorisation that it uses."""
    short: tuple[Visit, ...]
    """Visits that an authorisation is for, and for which nothing is left."""

    def left(self, grant: Grant) -> int | None:
        """Return how many are left, never below zero; None: it has no number."""
        if grant.allowed is None:
            return None
        return max(0, grant.allowed - self.shares[grant.id].taken)


def share_out(grants: Sequence[Grant], visits: Sequence[Visit]) -> Sharing:
    """
    Share visits out among the authorisations of one policy.

    Claimed visits use what their claims name. The others follow by day: each uses, of those that are
    for its service and day and have enough left, the one that ends first.

    :param visits: in any order; called-off visits are not among them
    """
    known = {grant.id: grant for grant in grants}
    shares = {grant.id: Share(used=grant.used_before) for grant in grants}
    under: dict[UUID, UUID] = {}
    short: list[Visit] = []
    for visit in visits:
        if visit.claimed_under in known:
            grant = known[visit.claimed_under]
            shares[grant.id].take(visit, grant.needs(visit))
            under[visit.id] = grant.id
    by_end = sorted(grants, key=lambda grant: (grant.ends_on or date.max, grant.starts_on, grant.id))
    for visit in sorted(visits, key=lambda visit: (visit.on, visit.id)):
        if visit.id in under:
            continue
        fitting = [grant for grant in by_end if grant.active and grant.fits(visit)]
        for grant in fitting:
            amount = grant.needs(visit)
            if grant.allowed is None or shares[grant.id].taken + amount <= grant.allowed:
                shares[grant.id].take(visit, amount)
                under[visit.id] = grant.id
                break
        else:
            if fitting:
                short.append(visit)
    return Sharing(shares, under, tuple(short))


def wanted(authorization_for: Sequence[str], code: str) -> bool:
    """Tell whether a payer pays for a service only with an authorisation."""
    return ANY in authorization_for or code in authorization_for


def notices(
    visit: Visit, *, grants: Sequence[Grant], sharing: Sharing, required: bool, today: date
) -> list[Notice]:
    """
    Return what is to be said of a visit's authorisation; nothing when all is well, or none is needed.

    :param required: the payer wants one for this service
    """
    found = sharing.under.get(visit.id)
    if found is None:
        return _without(visit, grants=grants, sharing=sharing, required=required)
    grant = next(grant for grant in grants if grant.id == found)
    said = []
    left = sharing.left(grant)
    if not grant.fits(visit):
        said.append(
            Notice("authorization-expired", "The authorisation is not for this service on this day.", True)
        )
    elif grant.allowed is not None and sharing.shares[grant.id].taken > grant.allowed:
        said.append(Notice("authorization-exhausted", "More was claimed than was authorised.", True))
    elif left is not None and left < FEW:
        said.append(Notice("authorization-low", f"{left} left of the authorisation after this visit.", False))
    behind = [other for other in sharing.short if grant.fits(other)]
    if behind:
        said.append(
            Notice("authorization-short", f"Nothing is left for {len(behind)} visit(s) that are booked.", False)
        )
    if grant.ends_on is not None and grant.ends_on - max(today, visit.on) <= SOON:
        said.append(
            Notice("authorization-expiring", f"The authorisation ends on {grant.ends_on}.", False)
        )
    return said


def _without(
    visit: Visit, *, grants: Sequence[Grant], sharing: Sharing, required: bool
) -> list[Notice]:
    if any(other.id == visit.id for other in sharing.short):
        return [Notice("authorization-exhausted", "Nothing is left of the authorisation for this visit.", required)]
    if any(grant.active and grant.names(visit.code) for grant in grants):
        return [Notice("authorization-expired", "No authorisation of this service holds on this day.", required)]
    if required:
        return [Notice("authorization-missing", "The payer wants an authorisation for this service.", True)]
    return []
