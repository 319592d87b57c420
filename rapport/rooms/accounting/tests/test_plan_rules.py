"""The rules of payment plans: amounts add up, days are in order, and nothing is paid, open and fallen away at once."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.rooms.accounting.rules import plans as rules
from rapport.rooms.accounting.states import InstalmentState, PlanInterval

DAYS = st.dates(date(2024, 1, 1), date(2035, 12, 31))
INTERVALS = st.sampled_from(list(PlanInterval))
TOTALS = st.integers(1, 5_000_000)


@given(TOTALS, st.integers(1, 120))
def test_instalments_add_up_to_the_total_and_the_first_ones_take_the_cents_left_over(total: int, count: int) -> None:
    if count > total:
        with pytest.raises(ValueError, match="instalments"):
            rules.amounts(total, count=count)
        return

    found = rules.amounts(total, count=count)

    assert (sum(found), len(found)) == (total, count)
    assert list(found) == sorted(found, reverse=True)
    assert found[0] - found[-1] <= 1


@given(TOTALS, st.integers(1, 5_000_000))
def test_instalments_of_an_amount_are_that_amount_and_the_last_one_is_the_rest(total: int, each: int) -> None:
    if -(-total // each) > rules.MOST_INSTALMENTS:
        with pytest.raises(ValueError, match="instalments"):
            rules.amounts(total, each_cents=each)
        return

    found = rules.amounts(total, each_cents=each)

    assert sum(found) == total
    assert set(found[:-1]) <= {each}
    assert 0 < found[-1] <= each


@given(DAYS, INTERVALS, st.none() | st.integers(1, 31), st.integers(0, 60))
def test_days_are_in_order_and_a_shorter_month_has_its_last_day(
    first: date, interval: PlanInterval, day_of_month: int | None, place: int
) -> None:
    one, after = (rules.due_day(first, interval, day_of_month, place + more) for more in (0, 1))

    assert rules.due_day(first, interval, day_of_month, 0) == first
    assert one < after
    if interval is not PlanInterval.MONTHLY:
        assert (after - one).days == (14 if interval is PlanInterval.TWO_WEEKS else 7)
    else:
        wanted = day_of_month or first.day
        assert (after.year * 12 + after.month) - (one.year * 12 + one.month) == 1
        next_day = date.fromordinal(after.toordinal() + 1)
        assert after.day == wanted or (after.day < wanted and next_day.day == 1)


@given(DAYS, INTERVALS, st.lists(st.tuples(st.integers(1, 6), DAYS), max_size=3))
def test_what_is_put_off_is_due_no_earlier_than_the_day_and_by_whole_intervals(
    first: date, interval: PlanInterval, pauses: list[tuple[int, date]]
) -> None:
    amounts = (100,) * 6
    terms = rules.Terms(first, interval, None, amounts)
    for number, day in pauses:
        more = terms.intervals_until(number, day)
        before = [terms.due_on(n) for n in range(1, 7)]
        terms = rules.Terms(first, interval, None, amounts, (*terms.skips, (number, more)))
        after = [terms.due_on(n) for n in range(1, 7)]
        assert after[: number - 1] == before[: number - 1], "what came before stays"
        assert after[number - 1] >= day or more == 0
        assert after == sorted(set(after))


PARTS = st.lists(
    st.tuples(st.integers(1, 50_000), st.integers(0, 60_000), st.integers(-1000, 60_000), st.integers(0, 1000)),
    min_size=1, max_size=5,
)  # fmt: skip


@given(PARTS, st.integers(1, 12), DAYS, DAYS)
def test_paid_open_and_fallen_away_are_the_whole_and_the_oldest_instalment_is_paid_first(
    drawn: list[tuple[int, int, int, int]], count: int, first: date, today: date
) -> None:
    parts = [
        rules.part_of(
            UUID(int=place), agreed_cents=agreed, before={"old": before}, now={"old": before // 2, "new": paid},
            owed_cents=owed,
        )
        for place, (agreed, paid, owed, before) in enumerate(drawn)
    ]  # fmt: skip
    total = sum(part.agreed_cents for part in parts)
    count = min(count, total)
    terms = rules.Terms(first, PlanInterval.MONTHLY, None, rules.amounts(total, count=count))

    found = rules.stand(terms, parts, today=today)

    assert found.paid_cents + found.open_cents + found.fallen_away_cents == total
    assert min(found.paid_cents, found.open_cents, found.fallen_away_cents) >= 0
    assert sum(one.cents for one in found.instalments) == total - found.fallen_away_cents
    assert sum(one.paid_cents for one in found.instalments) == found.paid_cents
    opened = [one.open_cents > 0 for one in found.instalments if one.cents]
    assert opened == sorted(opened), "none is open before one that is paid"
    away = [one.cents == 0 for one in found.instalments]
    assert away == sorted(away), "the last ones fall away first"
    for one in found.instalments:
        assert (one.state is InstalmentState.OVERDUE) == (one.open_cents > 0 and one.due_on < today)
    shared = rules.share(parts, total)
    assert sum(cents for _, cents in shared) == found.open_cents


def test_the_control_money_that_was_there_before_counts_for_nothing() -> None:
    part = rules.part_of(UUID(int=1), agreed_cents=500, before={"a": 300}, now={"a": 300}, owed_cents=500)
    naive = rules.part_of(UUID(int=1), agreed_cents=500, before={}, now={"a": 300}, owed_cents=500)

    assert (part.paid_cents, naive.paid_cents) == (0, 300)


@pytest.mark.parametrize(("count", "codes"), [(4, []), (5, ["more-than-four-instalments"])])
def test_more_than_four_instalments_are_warned_of_with_the_place_in_the_law(count: int, codes: list[str]) -> None:
    found = rules.warnings(count, undecided=False, least_cents=1000, charge_card=True, card_least_cents=50)

    assert [one.code for one in found] == codes
    assert all("1026.2(a)(17)(i)" in (one.source or "") for one in found)
