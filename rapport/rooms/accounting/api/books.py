"""The practice's books at QuickBooks Online."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.problems import NotFound
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, Nothing
from rapport.rooms.accounting import examples, jobs, queries
from rapport.rooms.accounting import schemas as s
from rapport.rooms.accounting.services import linking
from rapport.rooms.accounting.states import EntryState

from .base import MANAGE, READ, router

ENTRIES = ListSpec(
    route="book-entries",
    columns="b.id",
    source="accounting_bookentry b",
    id_column="b.id",
    practice_column="b.practice_id",
    sorts={"on": Sort('b."on"', "date")},
    default_sort="-on",
    filters={
        "state": Filter("b.state", f"enum:{'|'.join(EntryState)}", ("eq", "in")),
        "on": Filter('b."on"', "date", ("eq", "gte", "gt", "lt", "lte")),
    },
    build_page=lambda ids, scope: [
        s.entry_out(row) for row in queries.book_entries_of(scope=scope, entry_ids=ids)
    ],
)


@router.get(
    "/quickbooks",
    summary="The link to QuickBooks Online",
    needs=READ,
    action="book_link.read",
    returns=(200, s.BookLinkOut),
    problems=(NotFound,),
    example=examples.BOOK_LINK,
)
def get_link(request: ScopedRequest) -> Answer:
    """Where the link stands, the accounts there, and which of ours is which. 404 where there never was one."""
    link = linking.get_link(scope=request.auth)
    if link is None:
        raise NotFound()
    return Answer(s.link_out(link))


@router.post(
    "/quickbooks/link",
    summary="Link QuickBooks Online",
    needs=MANAGE,
    action="book_link.ask",
    returns=(201, s.BookLinkOut),
    problems=(jobs.NotConfigured,),
    key="none",
    example=examples.BOOK_LINK | {"state": "asked", "authorize_url": "https://appcenter.intuit.com/connect/oauth2?…"},
    request_example=examples.NEW_LINK,
)
def ask_for_link(request: ScopedRequest, body: s.QuickbooksLinkIn) -> Answer:
    """
    Begin to link the practice's books: send a person to `authorize_url`, who allows it there.

    What is sent are totals of days whose books are closed, from `from_on` on: no person, visit or claim. The
    driver is unverified: made from Intuit's public documentation, and never used with a company there.
    """
    books = jobs.books()
    link, state = linking.ask_for_link(scope=request.auth, from_on=body.from_on, now=timezone.now())
    return Answer(s.link_out(link, authorize_url=books.authorize_url(state=state)))


@router.post(
    "/quickbooks/callback",
    summary="Come back from Intuit",
    needs=MANAGE,
    action="book_link.come_back",
    returns=(202, s.BookLinkOut),
    problems=(linking.NotAsked,),
    key="none",
    example=examples.BOOK_LINK | {"state": "asked"},
    request_example=examples.CALLBACK,
)
def come_back(request: ScopedRequest, body: s.CallbackIn) -> Answer:
    """Hand over what the person came back with; a worker turns it into tokens, which are sealed."""
    link = linking.come_back(
        scope=request.auth, state=body.state, code=body.code, company=body.company, now=timezone.now()
    )
    return Answer(s.link_out(link))


@router.put(
    "/quickbooks/accounts",
    summary="Map accounts",
    needs=MANAGE,
    action="book_link.map",
    returns=(200, s.BookLinkOut),
    problems=(NotFound,),
    example=examples.BOOK_LINK,
    request_example=examples.MAPPING,
)
def map_accounts(request: ScopedRequest, body: s.MappingIn) -> Answer:
    """
    Say which of our accounts is which there. A day waits until all of its accounts are mapped.

    Accounts of the kinds Accounts Receivable and Accounts Payable are refused: there each line names a person.
    """
    link = linking.map_accounts(scope=request.auth, mapping=body.mapping, now=timezone.now())
    return Answer(s.link_out(link))


@router.post(
    "/quickbooks/unlink",
    summary="End the link",
    needs=MANAGE,
    action="book_link.unlink",
    returns=(200, s.BookLinkOut),
    problems=(NotFound,),
    example=examples.BOOK_LINK | {"state": "signed_out", "last_code": "unlinked"},
    request_example={},
)
def unlink(request: ScopedRequest, body: Nothing | None = None) -> Answer:
    """Forget the tokens. What was sent stays there. Take the permission back at Intuit as well."""
    return Answer(s.link_out(linking.unlink(scope=request.auth, now=timezone.now())))


@router.get(
    "/book-entries",
    summary="List entries for the books elsewhere",
    needs=READ,
    action="book_entry.list",
    returns=(200, s.BookEntryOut),
    list_spec=ENTRIES,
    example=examples.page(examples.BOOK_ENTRY),
)
def list_entries(request: ScopedRequest) -> Answer:
    """What was sent of which day, and what became of it, the latest day first."""
    return ENTRIES.run(request, scope=request.auth)
