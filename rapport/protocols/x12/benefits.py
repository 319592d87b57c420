"""
What a 271 means for a therapy visit: the rows that count, and nothing made up.

Payers answer with many rows; for an outpatient visit the most specific one counts. The order is,
from the first that decides: the service type (psychotherapy before mental health before office
visit before the plan), the network, the level (individual before family), the time it is for, and
the row's place in the file. What no row says stays None. Care is never denied on this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .elig271 import ACTIVE, INACTIVE, Answer, Benefit, Entity

SERVICE_TYPES = ("A6", "CF", "A8", "MH", "A4", "98", "30")
"""Psychotherapy, mental health provider outpatient, psychiatric outpatient, mental health,
psychiatric, office visit, the plan: the most specific first."""
BEHAVIOURAL = frozenset("A4 A5 A6 A7 A8 AI AJ AK BB BC BD CE CF CG CH CI CJ MH RT".split())
"""Service types of mental health and substance use: what is carved out as one, as a rule."""
REMAINING = "29"
_WHOLE = ("23", "25", "22", "21", "", "32")
"""EB06 of a yearly total: calendar year, contract, service year, years, unsaid, lifetime."""
_VISIT = ("27", "", "7", "26", "13")
"""EB06 of what one visit costs: visit, unsaid, day, episode, 24 hours."""
_VISITS = frozenset({"VS", "P6", "DY", "99"})
"""EB09: visits, services, days, times used."""
_IN = ("Y", "W", "")
_OUT = ("N", "W", "")
_LEVELS = ("IND", "", "EMP", "DEP", "CHD", "ECH", "ESP", "SPC", "SPO", "FAM")
_PLACE = "ZZ"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A figure, and the row it was taken from."""

    value: Decimal
    """Dollars; a fraction for coinsurance; a count for visits."""
    service_type: str
    level: str
    network: str
    """EB12 of the row."""
    time: str
    index: int
    """Position of the EB in the file."""


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to ask about these benefits."""

    name: str
    role: str
    """NM101: X3, VN, PR …; empty when the row names nobody and only its messages tell."""
    phones: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    """Fax, mail, page: kind and number."""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a visit costs and what it needs, as far as the payer says."""

    coverage: str
    """`active`, `inactive`, or `unknown`."""
    plan: str = ""
    insurance_type: str = ""
    plan_begins: date | None = None
    plan_ends: date | None = None
    covered: bool | None = None
    """Whether mental health is covered: False for EB*I, None when no row speaks of it."""
    carved_out: bool = False
    """EB*U: somebody else answers for mental health; `call` says who."""
    copay: Chosen | None = None
    coinsurance: Chosen | None = None
    deductible: Chosen | None = None
    deductible_remaining: Chosen | None = None
    family_deductible: Chosen | None = None
    family_deductible_remaining: Chosen | None = None
    out_of_pocket: Chosen | None = None
    out_of_pocket_remaining: Chosen | None = None
    family_out_of_pocket: Chosen | None = None
    family_out_of_pocket_remaining: Chosen | None = None
    visits: Chosen | None = None
    visits_remaining: Chosen | None = None
    authorisation: str = ""
    """Y needed, N not, U not known; empty when not said."""
    other_payers: tuple[Call, ...] = ()
    """EB*R: who else may have to pay, or pay first."""
    call: tuple[Call, ...] = ()
    messages: tuple[str, ...] = ()
    """Every MSG, word for word, once each, in order. Show them: they overrule the figures."""


def summary(
    answer: Answer, *, in_network: bool = True, place: str = "", on: date | None = None
) -> Summary:
    """
    Derive the benefits of an outpatient therapy visit from a payer's answer.

    :param in_network: whether the practice is in the plan's network
    :param place: place of service (`11`, `10`, `02` …): rows for other places do not count, rows
        for this one come first
    :param on: day of the visit: rows whose own period does not hold it do not count
    """
    rows = [row for row in answer.benefits if _holds(row, place, on)]
    pick = _Picker(rows, _IN if in_network else _OUT, place)
    coverage, main = _coverage(rows)
    begins, ends = _period(answer, main)
    mental = [row for row in rows if BEHAVIOURAL & set(row.service_types)]
    limits = [row for row in rows if row.info == "F" and row.quantity_kind in _VISITS]
    asked = [row for row in rows if row.info in ("U", "MC", "X")]
    return Summary(
        coverage=coverage,
        plan=main.plan if main else "",
        insurance_type=main.insurance_type if main else "",
        plan_begins=begins,
        plan_ends=ends,
        covered=_covered(mental, coverage),
        carved_out=any(row.info == "U" and BEHAVIOURAL & set(row.service_types) for row in rows),
        copay=pick.amount("B", _VISIT),
        coinsurance=pick.percent("A"),
        deductible=pick.amount("C", _WHOLE),
        deductible_remaining=pick.amount("C", (REMAINING,)),
        family_deductible=pick.amount("C", _WHOLE, family=True),
        family_deductible_remaining=pick.amount("C", (REMAINING,), family=True),
        out_of_pocket=pick.amount("G", _WHOLE),
        out_of_pocket_remaining=pick.amount("G", (REMAINING,)),
        family_out_of_pocket=pick.amount("G", _WHOLE, family=True),
        family_out_of_pocket_remaining=pick.amount("G", (REMAINING,), family=True),
        visits=pick.quantity(limits, remaining=False),
        visits_remaining=pick.quantity(limits, remaining=True),
        authorisation=pick.authorisation(),
        other_payers=tuple(_calls(row for row in rows if row.info == "R")),
        call=tuple(_calls(asked)),
        messages=tuple(dict.fromkeys(text for row in answer.benefits for text in row.messages)),
    )


def _holds(row: Benefit, place: str, on: date | None) -> bool:
    places = {fact.code for fact in row.facts if fact.kind == _PLACE}
    if places and place and place not in places:
        return False
    if on is None:
        return True
    for period in row.periods:
        first, last = period.first, period.last
        if period.kind == "292" and first and last and not first <= on <= last:
            return False
        if period.kind == "348" and first and on < first:
            return False
        if period.kind == "349" and first and on > first:
            return False
    return True


def _specificity(row: Benefit) -> int:
    """Return the row's best place in `SERVICE_TYPES`; its length when it is about none of them."""
    places = [SERVICE_TYPES.index(one) for one in row.service_types if one in SERVICE_TYPES]
    return min(places, default=len(SERVICE_TYPES))


def _coverage(rows: Iterable[Benefit]) -> tuple[str, Benefit | None]:
    """
    Return whether cover is in force, and the row that says so best.

    In force beats out of force: a payer also tells of cover that ended. A named plan comes from
    the plan's row (30) where that has one.
    """
    telling = [row for row in rows if row.info in ACTIVE | INACTIVE]
    active = [row for row in telling if row.info in ACTIVE]
    found = active or telling
    if not found:
        return "unknown", None
    named = [row for row in found if row.plan]
    main = min(named or found, key=lambda row: ("30" not in row.service_types, _specificity(row)))
    return ("active" if active else "inactive"), main


def _period(answer: Answer, main: Benefit | None) -> tuple[date | None, date | None]:
    own = main.periods if main else ()
    member = answer.patient.periods if answer.patient else ()
    begins = ends = None
    for period in (*member, *own):  # what stands at the row is later, and wins
        if period.kind in ("346", "356", "348"):
            begins = period.first or begins
        elif period.kind in ("347", "357", "349"):
            ends = period.first or ends
        elif period.kind in ("291", "307") and period.first:
            begins = period.first
            ends = period.last if period.form == "RD8" else ends
    return begins, ends


def _covered(mental: list[Benefit], coverage: str) -> bool | None:
    """The most specific row that says covered or not; without one nothing is known."""
    told = [row for row in mental if row.info in {"I", *ACTIVE, *INACTIVE}]
    outpatient = [row for row in told if _specificity(row) < len(SERVICE_TYPES)]
    if not outpatient:
        return None
    best = min(outpatient, key=_specificity)
    same = [row for row in outpatient if _specificity(row) == _specificity(best)]
    return coverage == "active" and not all(row.info in {"I", *INACTIVE} for row in same)


class _Picker:
    """Chooses among the rows in the order the module's docstring gives."""

    def __init__(self, rows: list[Benefit], networks: tuple[str, ...], place: str) -> None:
        self._rows = rows
        self._networks = networks
        self._place = place

    def amount(self, info: str, times: tuple[str, ...], *, family: bool = False) -> Chosen | None:
        every = [row for row in self._of(info) if row.amount is not None]
        rows = [row for row in every if (row.level == "FAM") == family]
        if not family and not rows:
            rows = every  # no figure for one person at all: the family's, whose level tells
        return self._best([row for row in rows if row.time in times], times, _amount)

    def percent(self, info: str) -> Chosen | None:
        rows = [row for row in self._of(info) if row.percent is not None]
        return self._best(rows, _VISIT, _percent)

    def quantity(self, limits: list[Benefit], *, remaining: bool) -> Chosen | None:
        rows = [
            row for row in limits
            if row.quantity is not None and (row.time == REMAINING) == remaining
            and row.time != "24" and row.in_network in self._networks
            and _specificity(row) < SERVICE_TYPES.index("30")
        ]  # fmt: skip
        return self._best(rows, _WHOLE, _quantity)

    def authorisation(self) -> str:
        """Return EB11 of the most specific row of mental health or visits that says it."""
        rows = [
            row for row in self._rows
            if row.authorisation and row.in_network in self._networks
            and _specificity(row) < SERVICE_TYPES.index("30")
        ]  # fmt: skip
        if not rows:
            return ""
        best = min(map(_specificity, rows))
        said = {row.authorisation for row in rows if _specificity(row) == best}
        return next(code for code in ("Y", "U", "N", *sorted(said)) if code in said)

    def _of(self, info: str) -> list[Benefit]:
        return [
            row for row in self._rows
            if row.info == info and row.in_network in self._networks
            and _specificity(row) < len(SERVICE_TYPES)
        ]  # fmt: skip

    def _best(
        self,
        rows: list[Benefit],
        times: tuple[str, ...],
        value: Callable[[Benefit], Decimal | None],
    ) -> Chosen | None:
        def order(row: Benefit) -> tuple[int, ...]:
            here = any(fact.kind == _PLACE and fact.code == self._place for fact in row.facts)
            return (
                _specificity(row), not here, self._networks.index(row.in_network),
                _LEVELS.index(row.level) if row.level in _LEVELS else len(_LEVELS),
                times.index(row.time) if row.time in times else len(times), row.index,
            )  # fmt: skip

        for row in sorted(rows, key=order):
            number = value(row)
            if number is not None:
                code = SERVICE_TYPES[_specificity(row)]
                return Chosen(number, code, row.level, row.in_network, row.time, row.index)
        return None


def _amount(row: Benefit) -> Decimal | None:
    return row.amount


def _percent(row: Benefit) -> Decimal | None:
    return row.percent


def _quantity(row: Benefit) -> Decimal | None:
    return row.quantity


def _calls(rows: Iterable[Benefit]) -> Iterator[Call]:
    seen: set[Call] = set()
    for row in rows:
        for entity in row.entities:
            call = _call(entity)
            if call not in seen:
                seen.add(call)
                yield call


def _call(entity: Entity) -> Call:
    party = entity.party
    numbers = [pair for contact in entity.contacts for pair in contact.numbers]
    phones: list[str] = []
    others: list[tuple[str, str]] = []
    for kind, number in numbers:
        if kind == "EX" and phones:
            phones[-1] += f" x{number}"
        elif kind in ("TE", "WP"):
            phones.append(number)
        else:
            others.append((kind, number))
    name = " ".join(part for part in (party.first, party.last) if part)
    return Call(name, party.role, tuple(phones), tuple(others), party.id)
