"""How visits are shared out among authorisations: by rule, and for any visits at all."""

from __future__ import annotations

import random
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.rooms.coverage.rules.authorizations import (
    Grant,
    Visit,
    notices,
    share_out,
)
from rapport.rooms.coverage.states import CountedBy, Standing

DAY = date(2026, 3, 2)


def id_of(number: int) -> UUID:
    return UUID(int=number)


def grant(number: int = 1, *codes: str, allowed: int | None = 3, days: int = 90, begins: date = DAY, **more: object) -> Grant:
    values: dict[str, object] = {
        "counted_by": CountedBy.VISIT, "used_before": 0, "starts_on": begins,
        "ends_on": begins + timedelta(days=days),
    } | more  # fmt: skip
    return Grant(id=id_of(number), codes=frozenset(codes), allowed=allowed, **values)  # type: ignore[arg-type]


def visit(number: int, *, day: int = 0, code: str = "90837", units: int = 1, standing: Standing = Standing.BOOKED, under: UUID | None = None) -> Visit:
    return Visit(id_of(1000 + number), DAY + timedelta(days=day), code, units, standing, under)


def said(one: Visit, grants: list[Grant], visits: list[Visit], *, required: bool = True, today: date = DAY) -> list[str]:
    sharing = share_out(grants, visits)
    return [n.code for n in notices(one, grants=grants, sharing=sharing, required=required, today=today)]


def test_used_in_flight_and_booked_are_told_apart_and_what_was_used_elsewhere_counts() -> None:
    visits = [
        visit(1, standing=Standing.USED), visit(2, day=1, standing=Standing.IN_FLIGHT), visit(3, day=9),
    ]  # fmt: skip
    share = share_out([grant(allowed=10, used_before=4)], visits).shares[id_of(1)]
    assert (share.used, share.in_flight, share.booked) == (5, 1, 1)


def test_units_count_where_the_payer_counts_units() -> None:
    sharing = share_out([grant(allowed=10, counted_by=CountedBy.UNIT)], [visit(1, units=4), visit(2, units=0)])
    assert sharing.shares[id_of(1)].booked == 5


def test_the_one_that_ends_first_is_used_first_and_the_next_takes_what_is_left() -> None:
    early, late = grant(1, allowed=1, days=30), grant(2, allowed=5, days=60)
    visits = [visit(1), visit(2, day=1), visit(3, day=45)]
    sharing = share_out([late, early], visits)
    assert [sharing.under[v.id] for v in visits] == [early.id, late.id, late.id]


def test_a_claimed_visit_uses_what_its_claim_names_whatever_else_would_fit() -> None:
    early, late = grant(1, days=30), grant(2, days=60)
    claimed = visit(1, standing=Standing.USED, under=late.id)
    assert share_out([early, late], [claimed]).under == {claimed.id: late.id}
    set_aside = grant(2, days=60, active=False)
    free = visit(2)
    assert share_out([set_aside], [claimed, free]).under == {claimed.id: late.id}


def test_what_is_said_at_each_turn() -> None:
    four = [visit(n, day=n) for n in range(4)]
    assert said(four[0], [grant(allowed=10)], four[:1]) == []
    assert said(four[0], [grant(allowed=2)], four[:1]) == ["authorization-low"]
    assert said(four[3], [grant(allowed=3)], four) == ["authorization-exhausted"]
    assert said(four[0], [grant(allowed=3)], four) == ["authorization-low", "authorization-short"]
    assert said(four[0], [], four) == ["authorization-missing"]
    assert said(four[0], [], four, required=False) == []
    assert said(four[0], [grant(1, "90834")], four) == ["authorization-missing"]
    assert said(four[0], [grant(begins=DAY + timedelta(days=5))], four[:1]) == ["authorization-expired"]
    assert said(four[0], [grant(days=14, allowed=None)], four) == ["authorization-expiring"]
    assert said(four[0], [grant(days=18, allowed=None)], four, today=DAY + timedelta(days=3)) == []
    over = [visit(n, day=n, standing=Standing.USED, under=id_of(1)) for n in range(4)]
    assert said(over[3], [grant(allowed=3)], over) == ["authorization-exhausted"]


def test_without_a_wish_of_the_payer_a_lack_is_a_warning() -> None:
    grants, visits = [grant(allowed=1)], [visit(1), visit(2, day=1)]
    sharing = share_out(grants, visits)
    for required in (True, False):
        [found] = notices(visits[1], grants=grants, sharing=sharing, required=required, today=DAY)
        assert (found.code, found.serious) == ("authorization-exhausted", required)


VISITS = st.lists(
    st.builds(
        visit, st.integers(0, 40), day=st.integers(-10, 100), code=st.sampled_from(["90834", "90837"]),
        units=st.integers(0, 4), standing=st.sampled_from(list(Standing)),
    ), max_size=20, unique_by=lambda one: one.id,
)  # fmt: skip
GRANTS = st.lists(
    st.builds(
        lambda number, codes, allowed, days, by: grant(number, *codes, allowed=allowed, days=days, counted_by=by),
        st.integers(1, 5), st.sets(st.sampled_from(["90834", "90837"])), st.none() | st.integers(1, 6),
        st.integers(0, 90), st.sampled_from(list(CountedBy)),
    ), max_size=4, unique_by=lambda one: one.id,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(grants=GRANTS, visits=VISITS, seed=st.randoms(use_true_random=False))
def test_no_authorisation_is_ever_overdrawn_and_every_visit_is_counted_once(
    grants: list[Grant], visits: list[Visit], seed: random.Random
) -> None:
    """Whatever the order they are read in."""
    sharing = share_out(grants, visits)
    shuffled_grants, shuffled = list(grants), list(visits)
    seed.shuffle(shuffled_grants)
    seed.shuffle(shuffled)

    assert share_out(shuffled_grants, shuffled).under == sharing.under
    for one in grants:
        assert one.allowed is None or sharing.shares[one.id].taken <= one.allowed
    counted = [id for share in sharing.shares.values() for id in share.visit_ids]
    assert sorted(counted) == sorted(sharing.under)
    assert len(set(counted)) == len(counted)
    short = {one.id for one in sharing.short}
    for one in visits:
        fits = any(g.fits(one) for g in grants)
        assert (one.id in sharing.under) + (one.id in short) == (1 if fits else 0)
