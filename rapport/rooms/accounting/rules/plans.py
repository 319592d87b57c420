"""
Payment plans: when instalments fall due, and what became of them. Pure; whole cents, days of the practice.

Of what was agreed for a visit, some is paid, some is open, and the rest has fallen away: these three are always the
whole. What is paid counts for the oldest instalment first; what has fallen away shortens the last one first.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from rapport.kernel.money import Money, split
from rapport.rooms.accounting.states import InstalmentState, PlanInterval

MOST_INSTALMENTS = 120
"""Ten years of months: no plan is longer."""
FOUR = 4
"""More instalments than that, by written agreement, are what Regulation Z looks at."""


def amounts(total_cents: int, *, count: int | None = None, each_cents: int | None = None) -> tuple[int, ...]:
    """
    Return the instalments of a total: so many, as even as can be, or so large, with a smaller last one.

    :raises ValueError: there would be none, too many, or one of nothing

    >>> amounts(10000, count=3), amounts(10000, each_cents=4000)
    ((3334, 3333, 3333), (4000, 4000, 2000))
    """
    if each_cents is not None:
        count = -(-total_cents // each_cents)
    if count is None or not 0 < count <= min(total_cents, MOST_INSTALMENTS):
        raise ValueError("there are between one and 120 instalments, of a cent at least")
    if each_cents is not None:
        return (each_cents,) * (count - 1) + (total_cents - each_cents * (count - 1),)
    return tuple(part.cents for part in split(Money(total_cents), [1] * count))


def due_day(first_on: date, interval: PlanInterval, day_of_month: int | None, place: int) -> date:
    """
    Return the day of the instalment at a place, the first at 0. A month that is shorter has it on its last day.

    :param day_of_month: monthly: of every instalment after the first; None: the first one's

    >>> [due_day(date(2027, 1, 31), PlanInterval.MONTHLY, None, n).isoformat() for n in range(3)]
    ['2027-01-31', '2027-02-28', '2027-03-31']
    """
    if interval is not PlanInterval.MONTHLY:
        return first_on + timedelta(weeks=place * (2 if interval is PlanInterval.TWO_WEEKS else 1))
    if place == 0:
        return first_on
    year, month = divmod(first_on.year * 12 + first_on.month - 1 + place, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day_of_month or first_on.day, last))


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed."""

    first_on: date
    interval: PlanInterval
    day_of_month: int | None
    amounts: tuple[int, ...]
    skips: tuple[tuple[int, int], ...] = ()
    """(number, intervals): from that instalment on all lie so many intervals later than they did."""

    def due_on(self, number: int) -> date:
        """Return the day of an instalment. :param number: 1 for the first"""
        later = sum(intervals for start, intervals in self.skips if start <= number)
        return due_day(self.first_on, self.interval, self.day_of_month, number - 1 + later)

    def intervals_until(self, number: int, day: date) -> int:
        """Return by how many intervals an instalment has to be put off, not to be due before a day."""
        later = sum(intervals for start, intervals in self.skips if start <= number)
        more = 0
        while due_day(self.first_on, self.interval, self.day_of_month, number - 1 + later + more) < day:
            more += 1
        return more


@dataclass(frozen=True, slots=True)
class Part:
    """What a plan holds of one visit, in cents."""

    visit: UUID
    agreed_cents: int
    paid_cents: int
    open_cents: int


def part_of(
    visit: UUID, *, agreed_cents: int, before: Mapping[str, int], now: Mapping[str, int], owed_cents: int
) -> Part:
    """
    Return what became of a visit's part of a plan.

    Paid is what each payment or use of credit pays of the visit now beyond what it paid when the plan was made, never
    more than was agreed; open is the rest, and never more than the visit owes.

    :param before: payment -> what it paid of the visit when the plan was made
    :param now: the same now
    :param owed_cents: what the patient owes for the visit now

    >>> part_of(UUID(int=1), agreed_cents=900, before={"a": 100}, now={"a": 100, "b": 300}, owed_cents=400)
    Part(visit=UUID('00000000-0000-0000-0000-000000000001'), agreed_cents=900, paid_cents=300, open_cents=400)
    """
    came = sum(max(0, cents - before.get(source, 0)) for source, cents in now.items())
    paid = min(came, agreed_cents)
    return Part(visit, agreed_cents, paid, min(agreed_cents - paid, max(0, owed_cents)))


@dataclass(frozen=True, slots=True)
class Instalment:
    """One instalment, as it stands on a day."""

    number: int
    due_on: date
    agreed_cents: int
    cents: int
    """What is left of it to be paid or is paid: less than was agreed where something has fallen away."""
    paid_cents: int
    state: InstalmentState

    @property
    def open_cents(self) -> int:
        return self.cents - self.paid_cents


@dataclass(frozen=True, slots=True)
class Standing:
    """How a plan stands on a day."""

    parts: tuple[Part, ...]
    instalments: tuple[Instalment, ...]

    @property
    def paid_cents(self) -> int:
        return sum(part.paid_cents for part in self.parts)

    @property
    def open_cents(self) -> int:
        return sum(part.open_cents for part in self.parts)

    @property
    def fallen_away_cents(self) -> int:
        return sum(part.agreed_cents - part.paid_cents - part.open_cents for part in self.parts)

    @property
    def overdue(self) -> tuple[Instalment, ...]:
        return tuple(one for one in self.instalments if one.state is InstalmentState.OVERDUE)

    @property
    def overdue_cents(self) -> int:
        return sum(one.open_cents for one in self.overdue)

    @property
    def due_cents(self) -> int:
        """What is to be paid by the end of the day: overdue, and due."""
        today = (InstalmentState.OVERDUE, InstalmentState.DUE)
        return sum(one.open_cents for one in self.instalments if one.state in today)

    @property
    def next(self) -> Instalment | None:
        """The first instalment of which something is open."""
        return next((one for one in self.instalments if one.open_cents), None)


def stand(terms: Terms, parts: Iterable[Part], *, today: date, active: bool = True) -> Standing:
    """Return how a plan stands. :param active: False: it has ended, and nothing is due any more"""
    held = tuple(parts)
    paid = sum(part.paid_cents for part in held)
    away = sum(part.agreed_cents - part.paid_cents - part.open_cents for part in held)
    left = _shortened(terms.amounts, away)
    found = []
    for number, (agreed, cents) in enumerate(zip(terms.amounts, left, strict=True), start=1):
        part = min(paid, cents)
        paid -= part
        due_on = terms.due_on(number)
        state = _state(cents, part, due_on, today) if active or cents == part else InstalmentState.ENDED
        found.append(Instalment(number, due_on, agreed, cents, part, state))
    return Standing(held, tuple(found))


def _shortened(amounts: Sequence[int], away: int) -> list[int]:
    left = list(amounts)
    for place in reversed(range(len(left))):
        cut = min(away, left[place])
        left[place] -= cut
        away -= cut
    return left


def _state(cents: int, paid: int, due_on: date, today: date) -> InstalmentState:
    if cents == 0:
        return InstalmentState.FALLEN_AWAY
    if paid == cents:
        return InstalmentState.PAID
    if due_on < today:
        return InstalmentState.OVERDUE
    if due_on == today:
        return InstalmentState.DUE
    return InstalmentState.PART_PAID if paid else InstalmentState.UPCOMING


def share(parts: Iterable[Part], most_cents: int) -> list[tuple[UUID, int]]:
    """
    Return what a payment of so much pays of which visit of a plan, in the plan's order, no more than is open.

    >>> share([Part(UUID(int=1), 500, 200, 300), Part(UUID(int=2), 400, 0, 400)], 500)[1][1]
    200
    """
    shares = []
    for part in parts:
        cents = min(most_cents, part.open_cents)
        if cents > 0:
            shares.append((part.visit, cents))
            most_cents -= cents
    return shares


@dataclass(frozen=True, slots=True)
class Warning:
    """Something to think of before a plan is made. Data, and no advice."""

    code: str
    message: str
    source: str | None = None


def warnings(count: int, *, undecided: bool, least_cents: int, charge_card: bool, card_least_cents: int) -> list[Warning]:
    """
    Return what to think of.

    :param undecided: a payer is still asked for one of the visits
    :param card_least_cents: less than that is charged to no card
    """
    found = []
    if count > FOUR:
        found.append(
            Warning(
                "more-than-four-instalments",
                "Who regularly lets people pay by written agreement in more than four instalments may be a creditor"
                " who has to give disclosures, also where there is no finance charge. This plan has no interest and no fee.",
                "12 CFR 1026.2(a)(17)(i) (Regulation Z, Truth in Lending)",
            )
        )
    if undecided:
        found.append(
            Warning("payer-undecided", "A payer is still asked for a visit of this plan: what is owed may change.")
        )
    if charge_card and least_cents < card_least_cents:
        found.append(Warning("too-small-for-a-card", "An instalment is less than what a card can be charged."))
    return found
