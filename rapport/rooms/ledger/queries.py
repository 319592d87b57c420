"""Questions about money. They take the scope first and change nothing."""

from __future__ import annotations

from collections.abc import Sequence
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


def paid_by_payers(*, scope: Scope, claim_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return claim -> what payers paid for it, in cents, less what they took back."""
    return dict(sql.rows(_PAID, (scope.practice_id, list(claim_ids))))


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
