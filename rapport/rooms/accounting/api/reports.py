"""What is owed and for how long, and the journal for other programs."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import UnknownParameter
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer
from rapport.rooms.accounting import examples, queries
from rapport.rooms.accounting import schemas as s
from rapport.rooms.accounting.rules.aging import Aged
from rapport.rooms.accounting.rules.journal import as_beancount, as_csv
from rapport.rooms.ledger.states import Account

from .base import BEANCOUNT, CSV, READ, file, router, wants

_ACCOUNTS = {"patient": Account.PATIENT_RECEIVABLE, "insurance": Account.INSURANCE_RECEIVABLE}
_LONGEST = 400
"""Days of a journal that is asked for at once."""


@router.get(
    "/aging",
    summary="What is owed, by age",
    needs=READ,
    action="aging.read",
    returns=(200, s.AgingOut),
    parameters={
        "as_of": "Day at whose end; today when left out.",
        "owed_by": "`patient` (the default) or `insurance`.",
        "group_by": "`payer`, `clinician` or `patient` (the default).",
    },
    example=examples.AGING,
)
def get_aging(request: ScopedRequest) -> Answer:
    """
    What is open at the end of a day, in buckets by the age of the service: 0 to 30 days, 31 to 60, 61 to 90,
    91 to 120, and more.

    A visit's payer is the one that was asked last, else the one of the patient's primary policy on its day.
    """
    scope = request.auth
    as_of = _day(request, "as_of") or scope.day_of(timezone.now())
    owed_by = _word(request, "owed_by", ("patient", "insurance"))
    group_by = _word(request, "group_by", ("patient", "payer", "clinician"))
    groups = queries.aging(scope=scope, account=_ACCOUNTS[owed_by], as_of=as_of, group_by=group_by)
    total = Aged()
    for group in groups.values():
        total.buckets = [a + b for a, b in zip(total.buckets, group.buckets, strict=True)]
        total.overpaid_cents += group.overpaid_cents
    shown = [
        s.aging_group(type_id(group_by, id) if isinstance(id, UUID) else None, group)
        for id, group in groups.items()
    ]
    return Answer(
        s.AgingOut(
            object="aging", as_of=as_of, owed_by=owed_by, group_by=group_by,  # type: ignore[arg-type]
            groups=sorted(shown, key=lambda group: -group.total.amount), all=s.aging_group(None, total),
        )
    )  # fmt: skip


@router.get(
    "/journal",
    summary="The journal",
    needs=READ,
    action="journal.read",
    returns=(200, s.JournalOut),
    parameters={"from_on": "First day.", "to_on": "Last day; not more than 400 days later."},
    example=examples.JOURNAL,
    other_types={CSV: "Day, account, debit, credit.", BEANCOUNT: "For Beancount, which balances it."},
)
def get_journal(request: ScopedRequest) -> Answer:
    """
    Totals of each day and account, for other programs: no person, no visit, no claim.

    `Accept: text/csv` and `Accept: text/x-beancount` give files. Days whose books are closed stay as they are.
    """
    from_on, to_on = _day(request, "from_on"), _day(request, "to_on")
    if from_on is None or to_on is None or not 0 <= (to_on - from_on).days <= _LONGEST:
        raise UnknownParameter("from_on and to_on are days, and not more than 400 apart.")
    totals = queries.journal(scope=request.auth, from_on=from_on, to_on=to_on)
    name = f"journal-{from_on.isoformat()}-{to_on.isoformat()}"
    if wants(request, CSV):
        return file(as_csv(totals).encode(), f"{CSV}; charset=utf-8", f"{name}.csv")
    if wants(request, BEANCOUNT):
        text = as_beancount(totals, from_on=from_on)
        return file(text.encode(), f"{BEANCOUNT}; charset=utf-8", f"{name}.beancount")
    return Answer(s.journal_out(totals, from_on=from_on, to_on=to_on))


def _day(request: ScopedRequest, name: str) -> date | None:
    text = request.GET.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UnknownParameter(f"{name} is a day: YYYY-MM-DD.") from error


def _word(request: ScopedRequest, name: str, known: tuple[str, ...]) -> str:
    """Return one of few words; the first one when it was left out."""
    word = request.GET.get(name) or known[0]
    if word not in known:
        raise UnknownParameter(f"{name} is one of {', '.join(known)}.")
    return word
