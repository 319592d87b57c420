"""What reached the bank: recorded by hand or from its file, and told apart by the payers' checks."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.kernel.money import Money as Exact
from rapport.kernel.money import NotMoney
from rapport.kernel.problems import FieldError, Invalid, ReferenceNotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.db import rows
from rapport.rooms.remittance import queries
from rapport.rooms.remittance.models import Deposit, Remittance
from rapport.rooms.remittance.rules.reconciling import DAYS, Money, Pair, pairs

MOST_LINES = 5000
_COLUMNS = ("date", "amount")


def record_deposit(
    *, scope: Scope, received_on: date, cents: int, trace: str, description: str, now: datetime
) -> Deposit:
    """
    Record one deposit. The same said again is another one: a person sees what stands there.

    :raises Invalid: its day lies ahead, or it is of nothing
    """
    scope.require(Permission.REMITTANCES_POST)
    if received_on > scope.day_of(now):
        raise Invalid("1 field is not valid.", errors=(FieldError("/received_on", "in-the-future"),))
    if not cents:
        raise Invalid("1 field is not valid.", errors=(FieldError("/amount/amount", "too-small"),))
    row = _deposit(scope, received_on, cents, trace, description, digest=new_uuid().hex, now=now)
    row.save(force_insert=True)
    scope.trail.target("deposit", row.id, row.version)
    return row


def import_deposits(*, scope: Scope, data: bytes, now: datetime) -> tuple[int, int]:
    """
    Take in a bank's CSV: columns `date` (YYYY-MM-DD), `amount` (dollars), and if there are such `reference`, `description`.

    A line that was taken in before is not taken in again, from whatever file it comes; of lines that are alike
    in one file each counts.

    :return: how many were new, and how many were here
    :raises Invalid: it is no such file, or a line is of nothing or of a day that lies ahead; every wrong line is named and nothing is kept
    """
    scope.require(Permission.REMITTANCES_POST)
    today = scope.day_of(now)
    made, seen, faults = [], Counter[tuple[object, ...]](), []
    for number, line in enumerate(_lines(data), 2):
        try:
            day = date.fromisoformat(line["date"].strip())
            cents = Exact.from_decimal(Decimal(line["amount"].strip().replace(",", "").replace("$", ""))).cents
        except (ValueError, InvalidOperation, NotMoney):
            faults.append(FieldError(f"/lines/{number}", "unreadable"))
            continue
        if day > today or not cents:
            faults.append(FieldError(f"/lines/{number}", "in-the-future" if cents else "too-small"))
            continue
        said = (day, cents, line.get("reference", "").strip()[:60], line.get("description", "").strip()[:140])
        seen[said] += 1
        digest = sha256(repr((*said, seen[said])).encode()).hexdigest()
        made.append(_deposit(scope, *said, digest=digest, now=now))
    if faults:
        raise Invalid(f"{len(faults)} line(s) cannot be taken in.", errors=tuple(faults[:50]))
    added = rows.add_new(made)
    scope.trail.count = len(added)
    return len(added), len(made) - len(added)


def _lines(data: bytes) -> list[dict[str, str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8.", errors=(FieldError("", "unreadable"),)) from error
    reader = csv.DictReader(io.StringIO(text), restval="")
    reader.fieldnames = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in _COLUMNS if name not in reader.fieldnames]
    if missing:
        raise Invalid("A column is missing.", errors=tuple(FieldError(f"/columns/{name}", "required") for name in missing))
    lines = [{name: value or "" for name, value in line.items() if isinstance(name, str)} for line in reader]
    if len(lines) > MOST_LINES:
        raise Invalid(f"A file may have {MOST_LINES} lines at most.", errors=(FieldError("/lines", "too-many"),))
    return lines


def _deposit(
    scope: Scope, received_on: date, cents: int, trace: str, description: str, *, digest: str, now: datetime
) -> Deposit:
    return Deposit(
        id=new_uuid(), practice_id=scope.practice_id, received_on=received_on, cents=cents, trace=trace,
        description=description, remittance_id=None, digest=digest, version=1, created_at=now, updated_at=now,
    )  # fmt: skip


def match_deposit(*, scope: Scope, deposit_id: UUID, remittance_id: UUID | None, now: datetime) -> Deposit:
    """
    Say which check a deposit is; None: take that back.

    :raises ReferenceNotFound: no such check, or another deposit was said to be it
    """
    scope.require(Permission.REMITTANCES_POST)
    row = queries.get_deposit(scope=scope, deposit_id=deposit_id, lock=True)
    if remittance_id is not None:
        taken = Deposit.objects.visible_to(scope).filter(remittance_id=remittance_id).exclude(id=row.id)
        if taken.exists() or not Remittance.objects.visible_to(scope).filter(id=remittance_id).exists():
            raise ReferenceNotFound(
                "A field refers to something that is not here, or is another deposit already.",
                errors=(FieldError("/remittance_id", "reference-not-found"),),
            )
    row.remittance_id, row.updated_at = remittance_id, now
    row.version += 1
    row.save(update_fields=["remittance_id", "updated_at", "version"])
    scope.trail.changed = ["remittance_id"]
    scope.trail.target("deposit", row.id, row.version)
    return row


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Checks and deposits of some days, and which are which."""

    checks: Sequence[Remittance]
    deposits: Sequence[Deposit]
    pairs: Sequence[Pair]


def reconcile(*, scope: Scope, starts_on: date, ends_on: date) -> Reconciliation:
    """
    Return the checks and deposits of some days, both included, and which deposit is which check.

    What lies just outside counts when pairs are made, so that the end of a month tells no difference.
    """
    scope.require(Permission.REMITTANCES_READ)
    wide = timedelta(days=DAYS)
    checks = queries.checks_between(scope=scope, starts_on=starts_on - wide, ends_on=ends_on + wide)
    deposits = queries.deposits_between(scope=scope, starts_on=starts_on - wide, ends_on=ends_on + wide)
    by_hand = {row.id: row.remittance_id for row in deposits if row.remittance_id is not None}
    known = {row.id for row in checks}
    found = pairs(
        [Money(row.id, row.trace, row.total_cents, row.paid_on) for row in checks if row.paid_on],
        [Money(row.id, row.trace, row.cents, row.received_on) for row in deposits],
        by_hand={deposit: check for deposit, check in by_hand.items() if check in known},
    )
    return Reconciliation(
        [row for row in checks if row.paid_on and starts_on <= row.paid_on <= ends_on],
        [row for row in deposits if starts_on <= row.received_on <= ends_on],
        found,
    )
