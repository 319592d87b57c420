"""Random deeds on the money of somebody with payment plans: nothing is counted twice, and no plan moves a cent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.platform.db import sql
from rapport.rooms.ledger.tests.support import entry_count
from tests.support.cast import House, public

from .support import today
from .test_plans import Debt, money, states

VISITS = st.integers(0, 2)
CENTS = st.integers(1, 5000)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), VISITS, CENTS),
        st.tuples(st.just("pay"), st.none(), st.integers(1, 9000)),
        st.tuples(st.just("write off"), VISITS, CENTS),
        st.tuples(st.just("bounce"), st.integers(0, 5)),
        st.tuples(st.just("move"), st.integers(0, 5), st.sampled_from([None, []])),
        st.tuples(st.just("agree"), st.integers(1, 5), st.booleans()),
        st.tuples(st.just("end"), st.booleans()),
        st.tuples(st.just("pause"), st.integers(1, 60)),
        st.tuples(st.just("look"), st.integers(0, 90)),
    ),
    min_size=3, max_size=9,
)  # fmt: skip

_CAME = """
SELECT coalesce(sum(-p.cents), 0)::bigint FROM ledger_posting p
JOIN ledger_entry e ON e.practice_id = p.practice_id AND e.id = p.entry_id
WHERE p.appointment_id = %s AND p.account = 'patient_receivable' AND e.kind IN ('patient_payment', 'credit_applied')
"""
_OWED = """
SELECT coalesce(sum(cents), 0)::bigint FROM ledger_posting WHERE appointment_id = %s AND account = 'patient_receivable'
"""


class Life:
    """One patient's deeds, each through the API; those that are refused change nothing."""

    def __init__(self, house: House) -> None:
        self.debt = Debt(house, 3000, 2000, 1000)
        self.payments: list[dict[str, Any]] = []
        self.plans: list[dict[str, Any]] = []

    def do(self, deed: tuple[Any, ...]) -> None:
        what, *how = deed
        {"pay": self.pay, "write off": self.write_off, "bounce": self.bounce, "move": self.move}.get(what, self.quietly)(
            *([what] if what in ("agree", "end", "pause", "look") else []), *how
        )

    def pay(self, visit: int | None, cents: int) -> None:
        if visit is not None:
            owed = self.owed(visit)
            if not owed:
                return
            cents = min(cents, owed)
        self.payments.append(self.debt.pay(cents, visit))

    def owed(self, visit: int) -> int:
        with self.debt.house.entered():
            row = sql.one(_OWED, (self.debt.visits[visit],))
        return max(0, row[0]) if row else 0

    def write_off(self, visit: int, cents: int) -> None:
        owed = self.owed(visit)
        if owed:
            self.debt.write_off(min(cents, owed), visit)

    def bounce(self, number: int) -> None:
        if number < len(self.payments):
            id = self.payments[number]["ledger_entry_ids"][0]
            self.debt.biller.post(f"/v1/ledger-entries/{id}/reverse", {"reason": "It bounced"})

    def move(self, number: int, allocations: Any) -> None:
        if number < len(self.payments):
            body = {} if allocations is None else {"allocations": allocations}
            self.debt.biller.post(f"/v1/payments/{self.payments[number]['id']}/allocate", body)

    def quietly(self, what: str, *how: Any) -> None:
        """Do something to a plan, and see that the ledger does not change by it."""
        before = entry_count(self.debt.house)
        if what == "agree":
            more = {"replaces_id": self.plans[-1]["id"]} if how[1] and self.plans else {}
            asked = self.debt.ask(instalments=how[0], interval="weekly", **more)
            self.plans += [asked.json()] if asked.status_code == 201 else []
        elif what == "look":
            self.debt.look(how[0])
        elif self.plans:
            path = f"/v1/payment-plans/{self.plans[-1]['id']}"
            until = (today(self.debt.house) + timedelta(days=how[0] if what == "pause" else 0)).isoformat()
            body = {"until": until, "reason": "A program"} if what == "pause" else {"reason": "A program"}
            self.debt.biller.post(f"{path}/{'pause' if what == 'pause' else 'cancel'}", body)
        assert entry_count(self.debt.house) == before, what

    def check(self) -> None:
        counted: dict[str, int] = {}
        held: list[str] = []
        for plan in map(self.debt.read, self.plans):
            paid, left, away = money(plan)
            assert paid + left + away == plan["total"]["amount"]
            assert min(paid, left, away) >= 0
            assert sum(one["paid"]["amount"] for one in plan["instalments"]) == paid
            for visit in plan["visits"]:
                id = visit["appointment_id"]
                counted[id] = counted.get(id, 0) + visit["paid"]["amount"]
                if plan["status"] == "active":
                    held.append(id)
                    assert visit["open"]["amount"] <= self.owed([public("appointment", v) for v in self.debt.visits].index(id))
            if plan["status"] == "completed":
                assert left == 0
                assert set(states(plan)) <= {"paid", "fallen_away"}
        assert len(held) == len(set(held)), "a visit is in one active plan"
        for number, visit_id in enumerate(self.debt.visits):
            with self.debt.house.entered():
                came = sql.one(_CAME, (visit_id,))
            assert came is not None
            assert counted.get(public("appointment", self.debt.visits[number]), 0) <= came[0], "counted twice"


def test_whatever_happens_to_the_money_a_plan_counts_each_cent_once_and_moves_none(willow: House) -> None:
    @settings(max_examples=15, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(DEEDS)
    def live(deeds: list[tuple[Any, ...]]) -> None:
        life = Life(willow)
        life.do(("agree", 3, False))
        for deed in deeds:
            life.do(deed)
            life.check()

    live()
