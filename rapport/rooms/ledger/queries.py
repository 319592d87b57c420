"""Questions about money. They take the scope first and change nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rapport.kernel.problems import NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql
from rapport.platform.db.rows import by_id

from .models import BookClosing, Entry, Payment
from .rules.balances import Balance, OpenItem, balance_of
from .rules.entries import Allocation, Line
from .states import Account, PaymentMethod

_TOTALS = """
SELECT account, sum(cents)::bigint FROM ledger_posting
WHERE practice_id = %s AND patient_id = %s AND effective_on <= %s GROUP BY account
"""

_OPEN = """
SELECT appointment_id, sum(cents)::bigint, coalesce(min(service_on), min(effective_on))
FROM ledger_posting WHERE practice_id = %s AND patient_id = %s AND account = %s
GROUP BY appointment_id HAVING sum(cents) > 0 ORDER BY 3, 1
"""

_LINES = """
SELECT account, cents, appointment_id, claim_id, service_on FROM ledger_posting
WHERE practice_id = %s AND entry_id = %s ORDER BY line
"""

_LINES_OF_MANY = """
SELECT entry_id, account, cents, appointment_id, claim_id, service_on FROM ledger_posting
WHERE practice_id = %s AND entry_id = ANY(%s) ORDER BY entry_id, line
"""

_REFUNDED = """
SELECT coalesce(sum(-p.cents), 0)::bigint, count(*) FROM ledger_entry e
JOIN ledger_posting p ON p.practice_id = e.practice_id AND p.entry_id = e.id AND p.account = 'cash'
WHERE e.practice_id = %s AND e.source_kind = 'payment' AND e.source_id = %s AND e.kind = 'refund'
  AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.practice_id = e.practice_id AND r.reverses_id = e.id)
"""


_ALLOCATED = """
SELECT p.appointment_id, -sum(p.cents)::bigint, min(p.service_on) FROM ledger_entry e
JOIN ledger_posting p ON p.practice_id = e.practice_id AND p.entry_id = e.id
    AND p.account = 'patient_receivable'
WHERE e.practice_id = %s AND e.source_kind = 'payment' AND e.source_id = %s
  AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.practice_id = e.practice_id AND r.reverses_id = e.id)
GROUP BY 1 HAVING sum(p.cents) <> 0 ORDER BY 3, 1
"""

_KNOWN = """
SELECT p.account, sum(p.cents)::bigint FROM ledger_posting p
JOIN ledger_entry e ON e.practice_id = p.practice_id AND e.id = p.entry_id
WHERE p.practice_id = %s AND p.patient_id = %s AND p.effective_on <= %s AND e.recorded_at <= %s
GROUP BY p.account
"""

_VERSION = """
SELECT count(*) + count(r.id) FROM ledger_entry e
LEFT JOIN ledger_entry r ON r.practice_id = e.practice_id AND r.reverses_id = e.id
WHERE e.practice_id = %s AND e.source_kind = 'payment' AND e.source_id = %s
"""

_PAID = """
SELECT p.claim_id, sum(p.cents)::bigint FROM ledger_posting p
JOIN ledger_entry e ON e.practice_id = p.practice_id AND e.id = p.entry_id
LEFT JOIN ledger_entry o ON o.practice_id = e.practice_id AND o.id = e.reverses_id
WHERE p.practice_id = %s AND p.claim_id = ANY(%s) AND p.account = 'cash'
  AND coalesce(o.kind, e.kind) = 'insurance_payment'
GROUP BY p.claim_id
"""


_PAID_BY_PATIENTS = """
SELECT p.appointment_id, -sum(p.cents)::bigint FROM ledger_posting p
JOIN ledger_entry e ON e.practice_id = p.practice_id AND e.id = p.entry_id
LEFT JOIN ledger_entry o ON o.practice_id = e.practice_id AND o.id = e.reverses_id
WHERE p.practice_id = %s AND p.appointment_id = ANY(%s) AND p.account = 'patient_receivable'
  AND coalesce(o.kind, e.kind) IN ('patient_payment', 'credit_applied', 'credit_released')
GROUP BY p.appointment_id
"""

_CHARGED = """
SELECT coalesce(sum(p.cents), 0)::bigint FROM ledger_posting p
JOIN ledger_entry e ON e.practice_id = p.practice_id AND e.id = p.entry_id
LEFT JOIN ledger_entry o ON o.practice_id = e.practice_id AND o.id = e.reverses_id
WHERE p.practice_id = %s AND p.patient_id = %s AND p.account = 'patient_receivable'
  AND p.service_on BETWEEN %s AND %s AND coalesce(o.kind, e.kind) = 'charge'
"""


def charged_to_patient(*, scope: Scope, patient_id: UUID, first: date, last: date) -> int:
    """Return what a patient was charged for services of some days, in cents, less charges that were reversed; no payer was asked for it."""
    row = sql.one(_CHARGED, (scope.practice_id, patient_id, first, last))
    assert row is not None
    cents: int = row[0]
    return cents


def paid_by_payers(*, scope: Scope, claim_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return claim -> what payers paid for it, in cents, less what they took back."""
    return dict(sql.rows(_PAID, (scope.practice_id, list(claim_ids))))


def paid_by_patients(*, scope: Scope, appointment_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return visit -> what its patient has paid for it, in cents, refunds and what was moved elsewhere taken off."""
    return dict(sql.rows(_PAID_BY_PATIENTS, (scope.practice_id, list(appointment_ids))))


_PATIENTS_MONEY = """
SELECT p.appointment_id, coalesce(o.source_kind, e.source_kind) || ':' || coalesce(o.source_id, e.source_id),
    -sum(p.cents)::bigint
FROM ledger_posting p
JOIN ledger_entry e ON e.practice_id = p.practice_id AND e.id = p.entry_id
LEFT JOIN ledger_entry o ON o.practice_id = e.practice_id AND o.id = e.reverses_id
WHERE p.practice_id = %s AND p.appointment_id = ANY(%s) AND p.account = 'patient_receivable'
  AND coalesce(o.kind, e.kind) IN ('patient_payment', 'credit_applied', 'credit_released')
GROUP BY 1, 2 HAVING sum(p.cents) <> 0
"""

_OWED_BY_PATIENTS = """
SELECT appointment_id, sum(cents)::bigint FROM ledger_posting
WHERE practice_id = %s AND appointment_id = ANY(%s) AND account = 'patient_receivable' GROUP BY 1
"""


def patients_money(*, scope: Scope, appointment_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return visit -> what each payment, or use of credit (`payment:…`, `credit:…`), pays of it now, in cents."""
    found: dict[UUID, dict[str, int]] = {}
    for visit, source, cents in sql.rows(_PATIENTS_MONEY, (scope.practice_id, list(appointment_ids))):
        found.setdefault(visit, {})[source] = cents
    return found


def owed_by_patients(*, scope: Scope, appointment_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return visit -> what its patient owes for it now, in cents; below zero: more was paid than owed."""
    return dict(sql.rows(_OWED_BY_PATIENTS, (scope.practice_id, list(appointment_ids))))


def entries_of(*, scope: Scope, kind: str, id: UUID) -> list[Entry]:
    """Return every entry that a source gave rise to, whether it was undone or not, in their order."""
    rows = Entry.objects.visible_to(scope).filter(source_kind=kind, source_id=id)
    return list(rows.order_by("recorded_at", "id"))


def balance(
    *, scope: Scope, patient_id: UUID, as_of: date, known_at: datetime | None = None
) -> Balance:
    """
    Return where a patient stands at the end of a day.

    :param known_at: by what had been written down at that instant; None: by all that is known
    The caller has seen to it that the actor may see the patient; a patient outside the actor's
    reach has no postings here and so a balance of zero.
    """
    if known_at is None:
        rows = sql.rows(_TOTALS, (scope.practice_id, patient_id, as_of))
    else:
        rows = sql.rows(_KNOWN, (scope.practice_id, patient_id, as_of, known_at))
    return balance_of(dict(rows))


def entry_count(*, scope: Scope, patient_id: UUID) -> int:
    """Return how many entries are about a patient; it only grows."""
    row = sql.one(
        "SELECT count(*) FROM ledger_entry WHERE practice_id = %s AND patient_id = %s",
        (scope.practice_id, patient_id),
    )
    return int(row[0]) if row else 0


def open_items(
    *, scope: Scope, patient_id: UUID, account: Account = Account.PATIENT_RECEIVABLE
) -> list[OpenItem]:
    """Return what is still owed, visit by visit, the oldest first. :param account: by whom"""
    rows = sql.rows(_OPEN, (scope.practice_id, patient_id, account.value))
    return [OpenItem(appointment_id, cents, day) for appointment_id, cents, day in rows]


def get_entry(*, scope: Scope, entry_id: UUID) -> Entry:
    """Return an entry. :raises NotFound: no such entry for this actor"""
    entry = by_id(Entry, scope=scope, id=entry_id)
    if entry is None:
        raise NotFound(_sought=[("ledger_entry", entry_id)])
    return entry


def entry_by_source(*, scope: Scope, kind: str, id: UUID, line: str) -> Entry | None:
    """Return the entry that a source gave rise to, if it did."""
    found: Entry | None = (
        Entry.objects.visible_to(scope)
        .filter(source_kind=kind, source_id=id, source_line=line)
        .first()
    )
    return found


def lines_of(*, scope: Scope, entry_id: UUID) -> tuple[Line, ...]:
    """Return an entry's postings, in their order."""
    rows = sql.rows(_LINES, (scope.practice_id, entry_id))
    return tuple(Line(Account(row[0]), *row[1:]) for row in rows)


def lines_of_many(*, scope: Scope, entry_ids: Sequence[UUID]) -> dict[UUID, tuple[Line, ...]]:
    """Return the postings of several entries, each entry's in order."""
    found: dict[UUID, list[Line]] = {id: [] for id in entry_ids}
    for entry_id, account, *rest in sql.rows(_LINES_OF_MANY, (scope.practice_id, list(entry_ids))):
        found[entry_id].append(Line(Account(account), *rest))
    return {id: tuple(lines) for id, lines in found.items()}


def get_payment(*, scope: Scope, payment_id: UUID) -> Payment:
    """Return a patient's payment. :raises NotFound: no such payment for this actor"""
    payment = by_id(Payment, scope=scope, id=payment_id)
    if payment is None:
        raise NotFound(_sought=[("payment", payment_id)])
    return payment


def refunded(*, scope: Scope, payment_id: UUID) -> tuple[int, int]:
    """Return how many cents of a payment were given back, and in how many refunds."""
    row = sql.one(_REFUNDED, (scope.practice_id, payment_id))
    assert row is not None
    return int(row[0]), int(row[1])


def allocated(*, scope: Scope, payment_id: UUID) -> list[Allocation]:
    """Return what a payment pays for now, visit by visit; nothing where it was undone."""
    rows = sql.rows(_ALLOCATED, (scope.practice_id, payment_id))
    return [Allocation(appointment_id, cents, day) for appointment_id, cents, day in rows]


def payment_version(*, scope: Scope, payment_id: UUID) -> int:
    """Return how many entries a payment has, those counted twice that were undone; it only grows."""
    row = sql.one(_VERSION, (scope.practice_id, payment_id))
    return int(row[0]) if row else 0


def last_closing(*, scope: Scope) -> BookClosing | None:
    """Return the closing of the books that holds now."""
    found: BookClosing | None = BookClosing.objects.visible_to(scope).order_by("-number").first()
    return found


def closed_through(*, scope: Scope) -> date | None:
    """Return the last day whose books are closed; None: none is."""
    last = last_closing(scope=scope)
    return last.through_on if last else None


def is_of_card(*, scope: Scope, entry: Entry) -> bool:
    """Tell whether an entry is of a payment that a card processor took."""
    paid = Payment.objects.visible_to(scope).filter(id=entry.source_id, method=PaymentMethod.CARD.value)
    return entry.source_kind == "payment" and paid.exists()


def is_reversed(*, scope: Scope, entry_id: UUID) -> bool:
    """Tell whether an entry was undone."""
    return Entry.objects.visible_to(scope).filter(reverses_id=entry_id).exists()


@dataclass(frozen=True, slots=True)
class VisitMoney:
    """
    What became of the charge of one visit, in cents.

    What was charged is what payers and the patient paid, what was taken off, and what both owe still.
    """

    appointment_id: UUID
    patient_id: UUID
    service_on: date
    charged_cents: int
    paid_by_payers_cents: int
    adjusted_cents: int
    """Contractual adjustments and write-offs."""
    paid_by_patient_cents: int
    patient_owes_cents: int
    payers_owe_cents: int


_VISITS = """
SELECT p.appointment_id, p.patient_id, coalesce(min(p.service_on), min(p.effective_on)),
    coalesce(-sum(p.cents) FILTER (WHERE p.account = 'revenue'), 0)::bigint,
    coalesce(sum(p.cents) FILTER (WHERE p.account = 'cash'), 0)::bigint,
    coalesce(sum(p.cents) FILTER (WHERE p.account IN ('contractual_adjustments', 'write_offs')), 0)::bigint,
    coalesce(-sum(p.cents) FILTER (WHERE p.account = 'patient_receivable' AND coalesce(o.kind, e.kind)
        IN ('patient_payment', 'credit_applied', 'credit_released')), 0)::bigint,
    coalesce(sum(p.cents) FILTER (WHERE p.account = 'patient_receivable'), 0)::bigint,
    coalesce(sum(p.cents) FILTER (WHERE p.account = 'insurance_receivable'), 0)::bigint
FROM ledger_posting p
JOIN ledger_entry e ON e.practice_id = p.practice_id AND e.id = p.entry_id
LEFT JOIN ledger_entry o ON o.practice_id = e.practice_id AND o.id = e.reverses_id
WHERE p.practice_id = %s AND p.appointment_id IS NOT NULL
"""
_BY_VISIT = " GROUP BY p.appointment_id, p.patient_id ORDER BY 3, 1"


def visits_of(*, scope: Scope, patient_id: UUID, from_on: date, to_on: date) -> list[VisitMoney]:
    """Return what became of a patient's visits of a period, the first one first, by all that is known."""
    rows = sql.rows(f"{_VISITS} AND p.patient_id = %s{_BY_VISIT}", (scope.practice_id, patient_id))
    visits = [VisitMoney(*row) for row in rows]
    return [visit for visit in visits if from_on <= visit.service_on <= to_on]


def visits_named(*, scope: Scope, appointment_ids: Sequence[UUID]) -> list[VisitMoney]:
    """Return what became of these visits, the first one first, by all that is known."""
    rows = sql.rows(f"{_VISITS} AND p.appointment_id = ANY(%s){_BY_VISIT}", (scope.practice_id, list(appointment_ids)))
    return [VisitMoney(*row) for row in rows]


def visits_between(*, scope: Scope, from_on: date, to_on: date) -> list[VisitMoney]:
    """Return what was posted in a period about visits of any day: the sums are of those postings alone."""
    statement = f"{_VISITS} AND p.effective_on BETWEEN %s AND %s{_BY_VISIT}"
    return [VisitMoney(*row) for row in sql.rows(statement, (scope.practice_id, from_on, to_on))]


@dataclass(frozen=True, slots=True)
class Owed:
    """What is open for one visit at the end of a day; below zero: more was paid than owed."""

    appointment_id: UUID | None
    patient_id: UUID | None
    service_on: date
    cents: int


_OWED = """
SELECT appointment_id, patient_id, coalesce(min(service_on), min(effective_on)), sum(cents)::bigint
FROM ledger_posting WHERE practice_id = %s AND account = %s AND effective_on <= %s
GROUP BY 1, 2 HAVING sum(cents) <> 0 ORDER BY 3, 1
"""


def owed_on(*, scope: Scope, account: Account, as_of: date) -> list[Owed]:
    """Return what was open at the end of a day, visit by visit. :param account: by whom"""
    return [Owed(*row) for row in sql.rows(_OWED, (scope.practice_id, account.value, as_of))]


_DAYS = """
SELECT effective_on, account, sum(cents)::bigint FROM ledger_posting
WHERE practice_id = %s AND effective_on BETWEEN %s AND %s
GROUP BY 1, 2 HAVING sum(cents) <> 0 ORDER BY 1, 2
"""


def day_totals(*, scope: Scope, from_on: date, to_on: date) -> list[tuple[date, Account, int]]:
    """Return what was posted to each account on each day of a period, in cents; those of a day add up to zero."""
    rows = sql.rows(_DAYS, (scope.practice_id, from_on, to_on))
    return [(day, Account(account), cents) for day, account, cents in rows]


@dataclass(frozen=True, slots=True)
class Movement:
    """How one entry changed what a patient owes, less their credit."""

    on: date
    kind: str
    """Of the entry, or of the one that it undoes."""
    undoes: bool
    service_on: date | None
    cents: int


_MOVEMENTS = """
SELECT e.effective_on, coalesce(o.kind, e.kind), e.reverses_id IS NOT NULL, min(p.service_on), sum(p.cents)::bigint
FROM ledger_entry e
JOIN ledger_posting p ON p.practice_id = e.practice_id AND p.entry_id = e.id
    AND p.account IN ('patient_receivable', 'unapplied')
LEFT JOIN ledger_entry o ON o.practice_id = e.practice_id AND o.id = e.reverses_id
WHERE e.practice_id = %s AND e.patient_id = %s AND e.effective_on BETWEEN %s AND %s
GROUP BY e.id, e.effective_on, e.recorded_at, 2, 3 HAVING sum(p.cents) <> 0
ORDER BY e.effective_on, e.recorded_at, e.id
"""


def movements(*, scope: Scope, patient_id: UUID, from_on: date, to_on: date) -> list[Movement]:
    """Return what changed a patient's balance in a period, in order."""
    rows = sql.rows(_MOVEMENTS, (scope.practice_id, patient_id, from_on, to_on))
    return [Movement(*row) for row in rows]
