"""What the ledger's tables promise, whoever writes to them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from django.db import IntegrityError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Error

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.errors import constraint_name, sqlstate
from rapport.rooms.ledger import queries, services
from rapport.rooms.ledger.models import Entry, Posting
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.rules.balances import Balance, OpenItem, allocate
from rapport.rooms.ledger.states import Account, EntryKind
from rapport.rooms.ledger.tests.support import DAY, add_patient, charge, entry_count
from tests.support.cast import House


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


@pytest.mark.parametrize("numbers", [(3, 4), (1, 2), (0, -1), (2, 3)])
def test_nothing_is_added_to_an_entry_later(willow: House, numbers: tuple[int, int]) -> None:
    _, patient = add_patient(willow)
    with willow.entered() as scope:
        entry = _raw_entry(scope, patient, [100, -100], lines=2)

    with pytest.raises(IntegrityError), willow.entered() as scope:
        Posting.objects.bulk_create(
            Posting(
                practice_id=scope.practice_id, entry_id=entry, line=line, account="cash",
                cents=cents, patient_id=patient, effective_on=DAY,
            )
            for line, cents in zip(numbers, (7, -7), strict=True)
        )  # fmt: skip

    with willow.entered() as scope:
        assert Posting.objects.visible_to(scope).filter(entry_id=entry).count() == 2


@pytest.mark.parametrize("numbers", [(0, 1), (2, 3), (1, 1)])
def test_the_postings_of_an_entry_are_numbered_from_one(willow: House, numbers: tuple[int, int]) -> None:
    _, patient = add_patient(willow)

    with pytest.raises(IntegrityError), willow.entered() as scope:  # noqa: PT012 - fails where the database looks
        entry = _raw_entry(scope, patient, [], lines=2)
        for line, cents in zip(numbers, (7, -7), strict=True):
            Posting.objects.create(
                practice_id=scope.practice_id, entry_id=entry, line=line, account="cash", cents=cents,
                patient_id=patient, effective_on=DAY,
            )  # fmt: skip

    assert entry_count(willow) == 0


def test_a_posting_has_an_entry_of_its_own_practice(willow: House, aspen: House) -> None:
    _, patient = add_patient(willow)
    with willow.entered() as scope:
        entry = _raw_entry(scope, patient, [100, -100], lines=2)

    for house, named in ((willow, new_uuid()), (aspen, entry)):
        with pytest.raises(IntegrityError) as refused, house.entered() as scope:
            Posting.objects.create(
                practice_id=scope.practice_id, entry_id=named, line=1, account="cash", cents=7, patient_id=patient,
                effective_on=DAY,
            )  # fmt: skip
        assert constraint_name(refused.value) == "entry_balances"


def test_an_entry_is_of_a_patient_of_its_own_practice(willow: House, aspen: House) -> None:
    _, patient = add_patient(willow)

    with pytest.raises(IntegrityError), aspen.entered() as scope:
        _raw_entry(scope, patient, [100, -100], lines=2)


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


def test_a_failure_after_an_entry_leaves_nothing_of_it(willow: House) -> None:
    _, patient = add_patient(willow)

    with pytest.raises(Error), willow.entered() as scope:  # noqa: PT012 - fails at its end
        entry = book.charge(_source(), DAY, book.About(patient), patient_cents=5, insurance_cents=0)
        services.post(scope=scope, entry=entry, now=timezone.now())
        sql.run("SELECT 1 / 0")

    assert entry_count(willow) == 0
