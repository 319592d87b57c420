"""R-30: random deeds on money, some of them killed in the middle, some asked again. No cent comes or goes."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from psycopg import OperationalError

from rapport.kernel.ids import new_uuid, parse_type_id, type_id
from rapport.kernel.problems import Conflict
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.rooms.ledger import queries, services
from rapport.rooms.ledger.models import Entry
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.rules.balances import Balance, replay
from rapport.rooms.ledger.states import Account
from rapport.rooms.ledger.tests.books import Books, Lines
from rapport.rooms.ledger.tests.program import Program, drawn, run
from rapport.rooms.ledger.tests.support import DAY, add_patient
from tests.faults import ROUNDS, SEED
from tests.support import process
from tests.support.cast import House, found

CENTS = st.integers(1, 30_000)
VISITS = st.integers(0, 2)
FATES = st.sampled_from(["kept", "kept", "killed", "reply lost"])


def kept_of(house: House, patient: UUID, visits: list[UUID]) -> list[tuple[str, Lines]]:
    """Return what the ledger has of a patient, visits as numbers, in the order it was written."""
    number = {visit: place for place, visit in enumerate(visits)}
    with house.entered() as scope:
        return [
            (
                entry.kind,
                [
                    (line.account.value, None if line.appointment_id is None else number[line.appointment_id], line.cents)
                    for line in queries.lines_of(scope=scope, entry_id=entry.id)
                ],
            )
            for entry in Entry.objects.visible_to(scope).filter(patient_id=patient).order_by("recorded_at", "id")
        ]


def conserved(kept: list[tuple[str, Lines]], told: Balance) -> None:
    """Fail where cents came or went (I4), or the answer is not what a replay from the first entry gives."""
    assert all(sum(cents for _, _, cents in lines) == 0 for _, lines in kept)
    flat = [book.Line(Account(name), cents) for _, lines in kept for name, _, cents in lines]
    assert replay(flat) == told
    assert told.credit_cents >= 0


class Money(RuleBasedStateMachine):
    """Deeds over the real services and the real database, beside an oracle that shares no code with them."""

    house: House

    payments: Bundle[int] = Bundle("payments")

    @initialize()
    def begin(self) -> None:
        self.patient, self.patient_id = add_patient(self.house)
        self.visits = [new_uuid() for _ in range(3)]
        self.books = Books()
        self.ids: list[str] = []
        self.posted: list[book.NewEntry] = []

    def about(self, visit: int) -> book.About:
        return book.About(self.patient_id, self.visits[visit], service_on=DAY + timedelta(days=visit))

    def killed(self, deed: Any) -> None:
        """Do something in a transaction whose session dies before its commit."""
        with pytest.raises(OperationalError), self.house.entered() as scope:  # noqa: PT012 - the end of it is the point
            try:
                deed(scope)
            except Conflict:
                pass
            sql.one("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()

    def post(self, fate: str, entry: book.NewEntry) -> None:
        """Post what comes from a visit or a payer: killed, it is posted again; lost, it is not posted twice."""

        def deed(scope: Scope) -> services.Posted:
            return services.post(scope=scope, entry=entry, now=timezone.now())

        if fate == "killed":
            self.killed(deed)
        with self.house.entered() as scope:
            assert deed(scope).created
        if fate == "reply lost":
            with self.house.entered() as scope:
                assert not deed(scope).created
        number = {id: place for place, id in enumerate(self.visits)}
        self.books.keep(
            entry.kind.value,
            [(line.account.value, number[line.appointment_id], line.cents) for line in entry.lines],  # type: ignore[index]
        )
        self.posted.append(entry)

    def ask(self, fate: str, path: str, body: dict[str, Any], refused: str) -> dict[str, Any]:
        """Ask over HTTP, twice with one key where the reply was lost; killed in the middle, ask again."""
        if fate == "killed":
            self.killed(lambda scope: self.by_service(scope, path, body))
        key = new_uuid().hex
        answer = self.house.biller.post(path, body, idempotency_key=key)
        if fate == "reply lost":
            again = self.house.biller.post(path, body, idempotency_key=key)
            assert (again.status_code, again.content) == (answer.status_code, answer.content)
        said: dict[str, Any] = answer.json()
        assert said.get("code", "") == refused, said
        return said

    def by_service(self, scope: Scope, path: str, body: dict[str, Any]) -> None:
        """Begin the same deed without the edge, so that it can be killed before its commit."""
        now = timezone.now()
        if path.endswith("/reverse"):
            entry = parse_type_id("ledger_entry", path.split("/")[-2])
            assert entry is not None
            services.reverse_by_hand(scope=scope, entry_id=entry, reason="a program", now=now)
        elif path.endswith("/apply-credit"):
            services.apply_credit(scope=scope, patient_id=self.patient_id, now=now)
        else:
            services.post(
                scope=scope, entry=book.charge(_source(), DAY, self.about(0), patient_cents=7, insurance_cents=0), now=now
            )

    # What visits and payers do.

    @rule(fate=FATES, visit=VISITS, patient=st.integers(0, 30_000), payer=CENTS)
    def charge(self, fate: str, visit: int, patient: int, payer: int) -> None:
        entry = book.charge(_source(), DAY, self.about(visit), patient_cents=patient, insurance_cents=payer)
        self.post(fate, entry)

    @rule(fate=FATES, visit=VISITS, cents=CENTS, takes_back=st.booleans())
    def payer_pays(self, fate: str, visit: int, cents: int, takes_back: bool) -> None:
        entry = book.insurance_payment(_source(), DAY, self.about(visit), cents=-cents if takes_back else cents)
        self.post(fate, entry)

    @rule(fate=FATES, visit=VISITS, cents=CENTS)
    def adjust(self, fate: str, visit: int, cents: int) -> None:
        self.post(fate, book.contractual_adjustment(_source(), DAY, self.about(visit), cents=cents, reason="CO-45"))

    @rule(fate=FATES, visit=VISITS, cents=CENTS)
    def transfer(self, fate: str, visit: int, cents: int) -> None:
        self.post(fate, book.transfer_to_patient(_source(), DAY, self.about(visit), cents=cents, reason="PR-2"))

    @rule(place=st.integers(0, 30))
    def post_again(self, place: int) -> None:
        if self.posted:
            with self.house.entered() as scope:
                entry = self.posted[place % len(self.posted)]
                assert not services.post(scope=scope, entry=entry, now=timezone.now()).created

    @rule(place=st.integers(0, 30), twice=st.booleans())
    def take_back(self, place: int, twice: bool) -> None:
        """What a payer posted is undone, as the unposting of a remittance does."""
        mine = [n for n, one in enumerate(self.books.entries) if one.kind in ("insurance_payment", "contractual_adjustment", "transfer_to_patient") and not one.undone]
        if not mine:
            return
        place = mine[place % len(mine)]
        id = self.entry_ids()[place]
        for _ in range(1 + twice):
            with self.house.entered() as scope:
                services.reverse(scope=scope, entry_id=id, now=timezone.now())
        one = self.books.entries[place]
        one.undone = True
        self.books.keep("reversal", [(name, visit, -cents) for name, visit, cents in one.lines])

    # What people do.

    @rule(target=payments, fate=FATES, cents=CENTS)
    def pay(self, fate: str, cents: int) -> Any:
        said = self.ask(
            fate, "/v1/payments", {"patient_id": self.patient, "amount": {"amount": cents}, "method": "cash"}, self.books.pay(cents)
        )
        self.ids.append(said["id"])
        return multiple(len(self.ids) - 1)

    @rule(fate=FATES)
    def use_credit(self, fate: str) -> None:
        self.ask(fate, f"/v1/patients/{self.patient}/apply-credit", {}, self.books.use_credit())

    @rule(fate=FATES, payment=payments)
    def allocate(self, fate: str, payment: int) -> None:
        self.ask(fate, f"/v1/payments/{self.ids[payment]}/allocate", {}, self.books.allocate(payment))

    @rule(fate=FATES, cents=CENTS, payer=st.booleans())
    def write_off(self, fate: str, cents: int, payer: bool) -> None:
        account = "insurance_receivable" if payer else "patient_receivable"
        body = {
            "patient_id": self.patient, "amount": {"amount": cents}, "reason": "a program",
            "owed_by": "insurance" if payer else "patient",
        }  # fmt: skip
        self.ask(fate, "/v1/write-offs", body, self.books.write_off(cents, account))

    @rule(fate=FATES, payment=payments, cents=CENTS)
    def refund(self, fate: str, payment: int, cents: int) -> None:
        body = {"amount": {"amount": cents}, "reason": "a program"}
        self.ask(fate, f"/v1/payments/{self.ids[payment]}/refund", body, self.books.refund(payment, cents))

    @rule(fate=FATES, place=st.integers(0, 60))
    def undo(self, fate: str, place: int) -> None:
        ids = self.entry_ids()
        if ids:
            place %= len(ids)
            entry = type_id("ledger_entry", ids[place])
            self.ask(fate, f"/v1/ledger-entries/{entry}/reverse", {"reason": "a program"}, self.books.undo(place))

    def entry_ids(self) -> list[UUID]:
        with self.house.entered() as scope:
            rows = Entry.objects.visible_to(scope).filter(patient_id=self.patient_id)
            return list(rows.order_by("recorded_at", "id").values_list("id", flat=True))

    @invariant()
    def the_ledger_is_as_reckoned(self) -> None:
        kept = kept_of(self.house, self.patient_id, self.visits)
        with self.house.entered() as scope:
            told = queries.balance(scope=scope, patient_id=self.patient_id, as_of=date.max)
        conserved(kept, told)
        assert [(kind, sorted(lines, key=str)) for kind, lines in kept] == [
            (one.kind, sorted(one.lines, key=str)) for one in self.books.entries
        ]
        for number in range(len(self.books.paid)):
            assert self.books.refunded(number) <= self.books.paid[number]


def _source() -> book.Source:
    return book.Source("era_line", new_uuid(), "1")


@pytest.fixture(scope="module")
def bank() -> House:
    return found("Bank", "America/Chicago")


def _draw(house: House, *, examples: int, steps: int) -> None:
    class Drawn(Money):
        pass

    Drawn.house = house
    run_state_machine_as_test(
        Drawn,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.mark.slow
def test_r30_no_program_of_deeds_makes_or_loses_a_cent(bank: House) -> None:
    _draw(bank, examples=12, steps=12)


@pytest.mark.long
def test_r30_nor_do_many_long_ones(bank: House) -> None:
    _draw(bank, examples=60 * ROUNDS, steps=40)


def _program(house: House, steps: list[Any]) -> tuple[Program, UUID, list[UUID]]:
    patient, id = add_patient(house)
    visits = [new_uuid() for _ in range(3)]
    token = house.biller.token
    assert token is not None
    program = Program(token, str(house.id), patient, str(id), [str(visit) for visit in visits], steps)
    return program, id, visits


def _told(house: House, id: UUID) -> Balance:
    with house.entered() as scope:
        return queries.balance(scope=scope, patient_id=id, as_of=date.max)


def _survives(house: House, folder: Path, *, seed: int, kills: list[str]) -> int:
    """Run a program with kills and its twin without; both end the same. :return: how many were killed"""
    steps = drawn(seed)
    program, id, visits = _program(house, steps)
    twin, twin_id, twin_visits = _program(house, steps)
    run(twin)
    file = folder / f"{seed}.json"
    file.write_text(program.to_json())
    killed = 0
    for place in kills:
        killed += process.start("ledger", str(file), RAPPORT_CRASHPOINTS=place).wait(90) == -9
        conserved(kept_of(house, id, visits), _told(house, id))
    assert process.start("ledger", str(file)).wait(90) == 0
    assert kept_of(house, id, visits) == kept_of(house, twin_id, twin_visits)
    assert _told(house, id) == _told(house, twin_id)
    return killed


@pytest.mark.slow
def test_r30_a_process_killed_in_the_middle_and_begun_again_ends_as_one_that_was_not(
    willow: House, tmp_path: Path
) -> None:
    assert _survives(willow, tmp_path, seed=SEED, kills=["ledger.head_written:4"]) == 1


@pytest.mark.long
@pytest.mark.timeout(900)
def test_r30_whenever_it_is_killed(willow: House, tmp_path: Path) -> None:
    draw = random.Random(SEED)
    places = ["ledger.head_written", "request.before_commit", "request.after_commit"]
    killed = 0
    for round in range(4 * ROUNDS):
        kills = [f"{draw.choice(places)}:{draw.randint(1, 9)}" for _ in range(8)]
        killed += _survives(willow, tmp_path, seed=SEED * 1000 + round, kills=kills)
    assert killed > 8, "the control: they were killed alive"


def test_the_control_a_program_that_forgets_its_keys_does_everything_twice(willow: House) -> None:
    program, id, visits = _program(willow, drawn(SEED))
    twin, twin_id, twin_visits = _program(willow, drawn(SEED))
    for _ in range(2):
        run(program, forgets=True)
        run(twin)

    assert len(kept_of(willow, id, visits)) > len(kept_of(willow, twin_id, twin_visits))
    assert _told(willow, id) != _told(willow, twin_id)


def test_the_control_a_lost_cent_is_noticed(willow: House) -> None:
    program, id, visits = _program(willow, drawn(SEED))
    run(program)
    kept = kept_of(willow, id, visits)
    conserved(kept, _told(willow, id))
    name, visit, cents = kept[0][1][0]
    short = [(kept[0][0], [(name, visit, cents - 1), *kept[0][1][1:]]), *kept[1:]]

    with pytest.raises(AssertionError):
        conserved(short, _told(willow, id))
