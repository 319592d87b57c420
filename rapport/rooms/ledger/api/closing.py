"""Closing the books, and opening them again."""

from __future__ import annotations

from django.utils import timezone

from rapport.platform.access.permissions import Permission
from rapport.platform.api.lists import ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer
from rapport.platform.db import sql
from rapport.rooms.ledger import examples, services
from rapport.rooms.ledger import schemas as s
from rapport.rooms.ledger.models import BookClosing

from .base import router

_CLOSING = f"SELECT {s.CLOSING_COLUMNS} FROM ledger_bookclosing c WHERE c.practice_id = %s AND c.id = %s"  # noqa: S608 - constants

CLOSINGS = ListSpec(
    route="book-closings",
    columns=s.CLOSING_COLUMNS,
    source="ledger_bookclosing c",
    id_column="c.id",
    practice_column="c.practice_id",
    sorts={"created_at": Sort("c.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={},
    build=s.closing_out,
)


def _shape(request: ScopedRequest, row: BookClosing) -> Answer:
    found = sql.one(_CLOSING, (request.auth.practice_id, row.id))
    assert found is not None  # it was made just now
    return Answer(s.closing_out(found, request.auth))


@router.get(
    "/book-closings",
    summary="List closings of the books",
    needs=Permission.LEDGER_READ,
    action="book_closing.list",
    returns=(200, s.BookClosingOut),
    list_spec=CLOSINGS,
    example=examples.page(examples.BOOK_CLOSING),
)
def list_closings(request: ScopedRequest) -> Answer:
    """Who closed the books up to which day, and who opened them again, the last deed first: it holds."""
    return CLOSINGS.run(request, scope=request.auth)


@router.post(
    "/book-closings",
    summary="Close the books",
    needs=Permission.LEDGER_CLOSE,
    action="book_closing.close",
    returns=(201, s.BookClosingOut),
    problems=(services.NotLater,),
    example=examples.BOOK_CLOSING,
    request_example=examples.CLOSE,
)
def close_books(request: ScopedRequest, body: s.CloseIn) -> Answer:
    """
    Close every day up to this one: no entry counts from such a day any more.

    What visits and payers post late counts from the day it is posted; a payment that is said to have
    been received on a closed day is refused. The database keeps it so. Emits `books.closed`.
    """
    row = services.close_books(
        scope=request.auth, through_on=body.closed_through, reason=body.reason, now=timezone.now()
    )
    return _shape(request, row)


@router.post(
    "/book-closings/reopen",
    summary="Open the books again",
    needs=Permission.LEDGER_CLOSE,
    action="book_closing.reopen",
    returns=(201, s.BookClosingOut),
    problems=(services.NotEarlier,),
    example=examples.BOOK_CLOSING | {"closed_through": "2026-09-30", "reopens": True},
    request_example=examples.REOPEN,
)
def reopen_books(request: ScopedRequest, body: s.ReopenIn) -> Answer:
    """Open the days after `closed_through` again, for a reason that stays. Emits `books.reopened`."""
    row = services.reopen_books(
        scope=request.auth, through_on=body.closed_through, reason=body.reason, now=timezone.now()
    )
    return _shape(request, row)
