"""Entries, balances, credit and write-offs. Payments are routed by the room that also charges cards."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import NotFound, UnknownParameter
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, MoneyOut, path_id
from rapport.platform.db import sql
from rapport.rooms.ledger import examples, queries, services
from rapport.rooms.ledger import schemas as s
from rapport.rooms.ledger.states import EntryKind, WriteOffReason
from rapport.rooms.roster import queries as roster

from .base import router

_ENTRY = f"SELECT {s.ENTRY_COLUMNS} FROM ledger_entry e WHERE e.practice_id = %s AND e.id = %s"  # noqa: S608 - constants


def _entry(request: ScopedRequest, id: UUID) -> Answer:
    row = sql.one(_ENTRY, (request.auth.practice_id, id))
    if row is None:
        raise NotFound()
    shape = s.entry_out(row, request.auth)
    request.auth.trail.target("ledger_entry", id, shape.version)
    if row[2] is not None:
        request.auth.trail.patient_ids.add(row[2])
    return Answer(shape, etag=etags.of(id, shape.version))


_POSTED_ON = (
    "EXISTS (SELECT 1 FROM ledger_posting p WHERE p.practice_id = e.practice_id"
    " AND p.entry_id = e.id AND p.{column} = {{value}})"
)

ENTRIES = ListSpec(
    route="ledger-entries",
    columns=s.ENTRY_COLUMNS,
    source="ledger_entry e",
    id_column="e.id",
    practice_column="e.practice_id",
    sorts={
        "effective_on": Sort("e.effective_on", "date"),
        "recorded_at": Sort("e.recorded_at", "timestamptz"),
    },
    default_sort="-effective_on",
    filters={
        "patient_id": Filter("e.patient_id", "id:patient"),
        "kind": Filter("e.kind", f"enum:{'|'.join(EntryKind)}", ("eq", "in")),
        "effective_on": Filter("e.effective_on", "date", ("eq", "gte", "gt", "lt", "lte")),
        "recorded_at": Filter("e.recorded_at", "instant", ("gte", "gt", "lt", "lte")),
        "source": Filter("e.source_kind", "text"),
        "reason_code": Filter("e.reason_code", f"enum:{'|'.join(WriteOffReason)}", ("eq", "in")),
        "appointment_id": Filter(
            "", "id:appointment", condition=_POSTED_ON.format(column="appointment_id")
        ),
        "claim_id": Filter("", "id:claim", condition=_POSTED_ON.format(column="claim_id")),
    },
    build=s.entry_out,
    patient_index=2,
)


@router.get(
    "/ledger-entries",
    summary="List ledger entries",
    needs=Permission.LEDGER_READ,
    action="ledger_entry.list",
    returns=(200, s.LedgerEntryOut),
    list_spec=ENTRIES,
    example=examples.page(examples.LEDGER_ENTRY),
)
def list_entries(request: ScopedRequest) -> Answer:
    """
    Double entries, the latest day first, each with its postings.

    The postings of an entry add up to zero. `source` is the kind of thing an entry comes from:
    `appointment`, `era_line`, `payment`, `write_off` …
    """
    return ENTRIES.run(request, scope=request.auth)


@router.get(
    "/ledger-entries/{ledger_entry_id}",
    summary="Read a ledger entry",
    needs=Permission.LEDGER_READ,
    action="ledger_entry.read",
    returns=(200, s.LedgerEntryOut),
    example=examples.LEDGER_ENTRY,
)
def get_entry(request: ScopedRequest, ledger_entry_id: str) -> Answer:
    """One entry with its postings, and the entry that undid it, if one did."""
    return _entry(request, path_id("ledger_entry", ledger_entry_id))


@router.post(
    "/ledger-entries/{ledger_entry_id}/reverse",
    summary="Undo a ledger entry",
    needs=Permission.PAYMENTS_WRITE,
    action="ledger_entry.reverse",
    returns=(201, s.LedgerEntryOut),
    key="required",
    key_days=30,
    problems=(
        services.NotReversible, services.AlreadyReversed, services.CreditSpent,
        services.MoreThanPaid,
    ),
    example=examples.LEDGER_ENTRY,
    request_example={"reason": "Entered for the wrong patient"},
)
def reverse_entry(request: ScopedRequest, ledger_entry_id: str, body: s.ReverseIn) -> Answer:
    """
    Undo a write-off, a payment, a refund or an application of credit by its exact opposite.

    Nothing is removed: both entries stay. What a visit or an 835 posted is undone there. Undoing
    a write-off also needs `write_offs:write`; a payment or refund `payments:refund`. Emits
    `ledger_entry.reversed`.
    """
    id = services.reverse_by_hand(
        scope=request.auth, entry_id=path_id("ledger_entry", ledger_entry_id), reason=body.reason,
        now=timezone.now(),
    )  # fmt: skip
    return _entry(request, id)


@router.get(
    "/patients/{patient_id}/balance",
    summary="Read a patient's balance",
    needs=Permission.LEDGER_READ,
    action="balance.read",
    returns=(200, s.BalanceOut),
    parameters={
        "as_of": "Day at whose end the balance is wanted; today when left out.",
        "known_at": "Instant: by what was in the ledger then, whatever was posted since.",
    },
    example=examples.BALANCE,
)
def get_balance(request: ScopedRequest, patient_id: str) -> s.BalanceOut:
    """What the patient owes, what their payers are still asked for, and the patient's credit."""
    scope = request.auth
    id = path_id("patient", patient_id)
    roster.get_patient(scope=scope, patient_id=id)
    as_of = _day(request.GET.get("as_of")) or scope.day_of(timezone.now())
    known_at = _instant(request.GET.get("known_at"))
    balance = queries.balance(scope=scope, patient_id=id, as_of=as_of, known_at=known_at)
    scope.trail.target("patient", id)
    return s.BalanceOut(
        object="balance",
        id=type_id("patient", id),
        patient_id=type_id("patient", id),
        as_of=as_of,
        patient_responsibility=MoneyOut(balance.patient_responsibility_cents),
        insurance_outstanding=MoneyOut(balance.insurance_outstanding_cents),
        credit=MoneyOut(balance.credit_cents),
        version=queries.entry_count(scope=scope, patient_id=id),
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UnknownParameter("as_of is a day: YYYY-MM-DD.") from error


def _instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise UnknownParameter("known_at is an instant: YYYY-MM-DDThh:mm:ssZ.") from error
    if found is not None and found.tzinfo is None:
        raise UnknownParameter("known_at needs an offset, such as Z.")
    return found


@router.post(
    "/patients/{patient_id}/apply-credit",
    summary="Apply a patient's credit",
    needs=Permission.PAYMENTS_WRITE,
    action="credit.apply",
    returns=(201, s.LedgerEntryOut),
    key="required",
    key_days=30,
    problems=(services.NothingToApply,),
    example=examples.LEDGER_ENTRY | {"kind": "credit_applied"},
    request_example=examples.ALLOCATE,
)
def apply_credit(request: ScopedRequest, patient_id: str, body: s.AllocateIn) -> Answer:
    """
    Pay for visits out of the patient's credit, the oldest first unless `allocations` say otherwise.

    It can be undone: reverse the entry. Emits `credit.applied`.
    """
    scope = request.auth
    id = path_id("patient", patient_id)
    roster.get_patient(scope=scope, patient_id=id)
    posted = services.apply_credit(
        scope=scope, patient_id=id, chosen=body.allocations, now=timezone.now()
    )
    if posted is None:
        raise services.NothingToApply()
    return _entry(request, posted.entry_id)


@router.post(
    "/write-offs",
    summary="Write off a balance",
    needs=Permission.WRITE_OFFS_WRITE,
    action="write_off.create",
    returns=(201, s.LedgerEntryOut),
    key="required",
    key_days=30,
    problems=(services.MoreThanOwed,),
    example=examples.LEDGER_ENTRY | {"kind": "write_off", "reason": examples.WRITE_OFF["reason"]},
    request_example=examples.WRITE_OFF,
)
def write_off(request: ScopedRequest, body: s.WriteOffIn) -> Answer:
    """
    Give up what a patient or a payer owes, the oldest visit first: an amount, or a part of what is
    open. A reason is needed, and one of few words for reports; `timely_filing`, `no_authorization`,
    `not_covered` and `contractual` are for what payers owe.

    Not more than is open. It can be undone: reverse the entry. Emits `write_off.posted`.
    """
    id = services.write_off(scope=request.auth, body=body, now=timezone.now())
    return _entry(request, id)
