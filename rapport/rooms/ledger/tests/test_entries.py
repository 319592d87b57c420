"""What the ledger's tables promise, whoever writes to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Error

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.errors import constraint_name, sqlstate
from rapport.rooms.ledger import queries, services
from rapport.rooms.ledger.models import Entry, Posting
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.rules.balances import Balance, OpenItem, allocate, replay
from rapport.rooms.ledger.states import Account, EntryKind
from rapport.rooms.ledger.tests.support import DAY, add_patient, charge, entry_count
from tests.support.cast import House, found


def _source(line: str = "1") -> book.Source:
    return book.Source("era_line", new_uuid(), line)


def _raw_entry(scope: Scope, patient_id: UUID, postings: list[int], *, lines: int) -> UUID:
    """Write an entry past the services, as a careless program would."""
    entry = Entry.objects.create(
        practice_id=scope.practice_id, kind="charge", patient_id=patient_id, effective_on=DAY,
        recorded_at=timezone.now(), source_kind="test", source_id=new_uuid(), source_line="1",
        lines=lines, actor_type="system", actor_id=scope.actor_id,
    )  # fmt: skip
    for number, cents in enumerate(postings, start=1):
        Posting.objects.create(
            practice_id=scope.practice_id, entry=entry, line=number, account="cash", cents=cents,
            patient_id=patient_id, effective_on=DAY,
        )  # fmt: skip
    return entry.id


@pytest.mark.parametrize(
    ("postings", "lines"), [([100, -99], 2), ([], 2), ([100, -100], 3), ([5], 1)]
)
def test_the_database_refuses_to_commit_an_entry_out_of_balance(
    willow: House, postings: list[int], lines: int
) -> None:
    _, patient = add_patient(willow)

    with pytest.raises(IntegrityError) as refused, willow.entered() as scope:
        _raw_entry(scope, patient, postings, lines=lines)

    assert constraint_name(refused.value) == "entry_balances"
    assert entry_count(willow) == 0


def test_postings_of_two_patients_do_not_balance_each_other(willow: House) -> None:
    (_, ana), (_, ben) = add_patient(willow), add_patient(willow)

    with pytest.raises(IntegrityError), willow.entered() as scope:  # noqa: PT012 - fails at its end
        entry = _raw_entry(scope, ana, [100], lines=2)
        Posting.objects.create(
            practice_id=scope.practice_id, entry_id=entry, line=2, account="cash", cents=-100,
            patient_id=ben, effective_on=DAY,
        )  # fmt: skip


def test_nothing_is_added_to_an_entry_later(willow: House) -> None:
    _, patient = add_patient(willow)
    with willow.entered() as scope:
        entry = _raw_entry(scope, patient, [100, -100], lines=2)

    with pytest.raises(IntegrityError), willow.entered() as scope:
        Posting.objects.bulk_create(
            Posting(
                practice_id=scope.practice_id, entry_id=entry, line=line, account="cash",
                cents=cents, patient_id=patient, effective_on=DAY,
            )
            for line, cents in ((3, 7), (4, -7))
        )  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET cents = 1",
        "UPDATE ledger_entry SET reason = 'x'",
        "UPDATE ledger_payment SET cents = 1",
        "DELETE FROM ledger_posting",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_posting",
    ],
)
def test_rows_are_never_changed_or_removed(willow: House, statement: str) -> None:
    _, patient = add_patient(willow)
    charge(willow, patient, patient_cents=100)

    with pytest.raises(Exception) as refused, willow.entered():  # noqa: PT011 - the driver's own
        sql.run(statement)

    assert sqlstate(refused.value) == "42501"


def test_the_same_source_is_posted_once_and_other_amounts_are_refused(willow: House) -> None:
    _, patient = add_patient(willow)
    source = _source("paid")
    about = book.About(patient, new_uuid())

    def posted(cents: int) -> services.Posted:
        entry = book.insurance_payment(source, DAY, about, cents=cents)
        with willow.entered() as scope:
            return services.post(scope=scope, entry=entry, now=timezone.now())

    first, again = posted(100), posted(100)

    assert (first.created, again.created) == (True, False)
    assert first.entry_id == again.entry_id
    with pytest.raises(services.PostedDifferently):
        posted(101)
    assert entry_count(willow) == 1


def test_a_reversal_is_the_exact_opposite_and_happens_once(willow: House) -> None:
    _, patient = add_patient(willow)
    charge(willow, patient, patient_cents=100, insurance_cents=900)
    with willow.entered() as scope:
        entry = Entry.objects.visible_to(scope).get()
        first = services.reverse(scope=scope, entry_id=entry.id, now=timezone.now())
        again = services.reverse(scope=scope, entry_id=entry.id, now=timezone.now())
        there = queries.lines_of(scope=scope, entry_id=entry.id)
        back = queries.lines_of(scope=scope, entry_id=first.entry_id)

        assert (first.created, again.created) == (True, False)
        assert book.opposite(there) == back
        with pytest.raises(services.NotReversible):
            services.reverse(scope=scope, entry_id=first.entry_id, now=timezone.now())
        assert queries.balance(scope=scope, patient_id=patient, as_of=date.max) == Balance(0, 0, 0)


def test_money_that_is_no_patients_is_booked_between_practice_and_payer(willow: House) -> None:
    with willow.entered() as scope:
        for code, account in (("WO", "payer_clearing"), ("L6", "interest")):
            entry = book.payer_level(_source(code), DAY, cents=-1250, reason=code)
            posted = services.post(scope=scope, entry=entry, now=timezone.now())
            lines = queries.lines_of(scope=scope, entry_id=posted.entry_id)
            assert [(line.account, line.cents) for line in lines] == [
                ("cash", -1250),
                (account, 1250),
            ]


@pytest.mark.parametrize("cents", [(100, -99), (100,), (0, 0), ()])
def test_an_entry_out_of_balance_cannot_even_be_made(cents: tuple[int, ...]) -> None:
    with pytest.raises(book.Unbalanced):
        book.NewEntry(
            EntryKind.CHARGE, _source(), DAY, None, tuple(book.Line(Account.CASH, c) for c in cents)
        )


@given(st.integers(0, 10**6), st.lists(st.integers(1, 10**5), max_size=20))
def test_allocating_gives_out_no_more_than_there_is_and_leaves_nothing_open_needlessly(
    cents: int, owed: list[int]
) -> None:
    parts = allocate(cents, [OpenItem(new_uuid(), amount, DAY) for amount in owed])

    assert sum(part.cents for part in parts) == min(cents, sum(owed))
    assert all(0 < part.cents for part in parts)


class _Abandon(Exception):
    """The program changes its mind."""


Step = tuple[str, int, int, bool]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["charge", "insurer_pays", "adjust", "transfer", "pay", "use_credit", "write_off",
             "refund", "reverse", "repeat"]
        ),
        st.integers(1, 30000), st.integers(0, 30), st.booleans(),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


class _Amount:
    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)


def _body(patient: str, cents: int, **more: object) -> _Amount:
    return _Amount(
        patient_id=patient, amount=_Amount(amount=cents), method="cash", reference=None,
        received_on=None, allocations=None, appointment_id=None, owed_by="patient",
        reason="a program", **more,
    )  # fmt: skip


class Program:
    """Random deeds on one patient's money."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.patient, self.patient_id = add_patient(house)
        self.visits = [new_uuid() for _ in range(3)]
        self.entries: list[book.NewEntry] = []
        self.payments: list[UUID] = []

    def run(self, step: Step) -> None:
        deed, cents, pick, abandon = step
        try:
            with self.house.entered() as scope, transaction.atomic():
                getattr(self, deed)(scope, cents, pick)
                if abandon and cents % 5 == 0:
                    raise _Abandon
        except (_Abandon, services.Conflict):
            pass
        self.check()

    def _post(
        self,
        scope: Scope,
        build: Callable[..., book.NewEntry],
        cents: int,
        pick: int,
        **more: object,
    ) -> None:
        entry = build(
            _source(), DAY, book.About(self.patient_id, self.visits[pick % 3]), cents=cents, **more
        )
        services.post(scope=scope, entry=entry, now=timezone.now())
        self.entries.append(entry)

    def charge(self, scope: Scope, cents: int, pick: int) -> None:
        entry = book.charge(
            _source(), DAY, book.About(self.patient_id, self.visits[pick % 3]),
            patient_cents=cents // 3, insurance_cents=cents - cents // 3,
        )  # fmt: skip
        services.post(scope=scope, entry=entry, now=timezone.now())

    def insurer_pays(self, scope: Scope, cents: int, pick: int) -> None:
        self._post(scope, book.insurance_payment, cents if pick % 4 else -cents, pick)

    def adjust(self, scope: Scope, cents: int, pick: int) -> None:
        self._post(scope, book.contractual_adjustment, cents, pick, reason="CO-45")

    def transfer(self, scope: Scope, cents: int, pick: int) -> None:
        self._post(scope, book.transfer_to_patient, cents, pick, reason="PR-2")

    def repeat(self, scope: Scope, cents: int, pick: int) -> None:
        """A deed of an abandoned program may be new; what was kept is not posted twice."""
        if self.entries:
            entry = self.entries[pick % len(self.entries)]
            services.post(scope=scope, entry=entry, now=timezone.now())
            assert not services.post(scope=scope, entry=entry, now=timezone.now()).created

    def pay(self, scope: Scope, cents: int, pick: int) -> None:
        body = _body(self.patient, cents)
        self.payments.append(services.record_payment(scope=scope, body=body, now=timezone.now()).id)

    def use_credit(self, scope: Scope, cents: int, pick: int) -> None:
        services.apply_credit(scope=scope, patient_id=self.patient_id, now=timezone.now())

    def write_off(self, scope: Scope, cents: int, pick: int) -> None:
        services.write_off(scope=scope, body=_body(self.patient, cents), now=timezone.now())

    def refund(self, scope: Scope, cents: int, pick: int) -> None:
        known = [
            id for id in self.payments if services.Payment.objects.visible_to(scope).filter(id=id)
        ]
        if known:
            services.refund_payment(
                scope=scope, payment_id=known[pick % len(known)],
                body=_body(self.patient, cents), now=timezone.now(),
            )  # fmt: skip

    def reverse(self, scope: Scope, cents: int, pick: int) -> None:
        entries = list(
            Entry.objects.visible_to(scope).filter(patient_id=self.patient_id).order_by("id")
        )
        if entries:
            services.reverse_by_hand(
                scope=scope, entry_id=entries[pick % len(entries)].id, reason="a program",
                now=timezone.now(),
            )  # fmt: skip

    def check(self) -> None:
        """I4: cents are conserved, and the answers agree with a replay from the first entry."""
        with self.house.entered() as scope:
            postings = [
                line
                for entry in Entry.objects.visible_to(scope).filter(patient_id=self.patient_id)
                for line in queries.lines_of(scope=scope, entry_id=entry.id)
            ]
            assert sum(line.cents for line in postings) == 0
            told = queries.balance(scope=scope, patient_id=self.patient_id, as_of=date.max)
            assert told == replay(postings)
            assert told.credit_cents >= 0
            for payment in services.Payment.objects.visible_to(scope).filter(
                patient_id=self.patient_id
            ):
                assert queries.refunded(scope=scope, payment_id=payment.id)[0] <= payment.cents


@pytest.fixture(scope="module")
def bank() -> House:
    return found("Bank", "America/Chicago")


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_no_program_of_deeds_makes_or_loses_a_cent(bank: House, steps: list[Step]) -> None:
    program = Program(bank)
    for step in steps:
        program.run(step)


def test_a_failure_after_an_entry_leaves_nothing_of_it(willow: House) -> None:
    _, patient = add_patient(willow)

    with pytest.raises(Error), willow.entered() as scope:  # noqa: PT012 - fails at its end
        entry = book.charge(_source(), DAY, book.About(patient), patient_cents=5, insurance_cents=0)
        services.post(scope=scope, entry=entry, now=timezone.now())
        sql.run("SELECT 1 / 0")

    assert entry_count(willow) == 0
