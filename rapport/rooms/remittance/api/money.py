"""Money between practice and payers: what is open, and what reached the bank."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import ReferenceNotFound, TooLarge, UnknownParameter
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags, uploads
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.remittance import examples, queries, services
from rapport.rooms.remittance.models import Deposit
from rapport.rooms.remittance.schemas import money as s

from .base import router


@router.get(
    "/payer-balances",
    summary="Read what is open with payers",
    needs=Permission.REMITTANCES_READ,
    action="payer_balance.list",
    returns=(200, s.PayerBalancesOut),
    example=examples.PAYER_BALANCES,
)
def get_payer_balances(request: ScopedRequest) -> Answer:
    """
    Money of posted checks that belongs to no claim, by payer and code: what was carried over and not yet collected,
    taken back and not yet explained, or came for services that nobody knows.
    """
    return Answer(s.payer_balances_out(queries.beside_claims(scope=request.auth)))


MOST_BYTES = 2 * 1024 * 1024
LONGEST = timedelta(days=100)

DEPOSITS = ListSpec(
    route="deposits",
    columns="d.id",
    source="remittance_deposit d",
    id_column="d.id",
    practice_column="d.practice_id",
    sorts={"received_on": Sort("d.received_on", "date")},
    default_sort="-received_on",
    filters={
        "received_on": Filter("d.received_on", "date", ("gte", "lt")),
        "trace": Filter("d.trace", "text"),
    },
    build_page=lambda ids, scope: [
        s.deposit_out(row) for row in queries.deposits_by_id(scope=scope, deposit_ids=ids)
    ],
)  # fmt: skip


def _deposit(row: Deposit, *, status: int | None = None) -> Answer:
    return Answer(s.deposit_out(row), etag=etags.of(row.id, row.version), status=status)


@router.get(
    "/deposits",
    summary="List deposits",
    needs=Permission.REMITTANCES_READ,
    action="deposit.list",
    returns=(200, s.DepositOut),
    list_spec=DEPOSITS,
    example=examples.page(examples.DEPOSIT),
)
def list_deposits(request: ScopedRequest) -> Answer:
    """What the bank says it received, the newest first."""
    return DEPOSITS.run(request, scope=request.auth)


@router.get(
    "/deposits/{deposit_id}",
    summary="Read a deposit",
    needs=Permission.REMITTANCES_READ,
    action="deposit.read",
    returns=(200, s.DepositOut),
    example=examples.DEPOSIT,
)
def get_deposit(request: ScopedRequest, deposit_id: str) -> Answer:
    """One deposit of the bank, with the checks it is made of."""
    return _deposit(queries.get_deposit(scope=request.auth, deposit_id=path_id("deposit", deposit_id)))


@router.post(
    "/deposits",
    summary="Record a deposit",
    needs=Permission.REMITTANCES_POST,
    action="deposit.create",
    returns=(201, s.DepositOut),
    key="required",
    example=examples.DEPOSIT,
    request_example={"received_on": "2026-11-06", "amount": {"amount": 11900}, "trace": "EFT202611050001"},
)
def create_deposit(request: ScopedRequest, body: s.DepositIn) -> Answer:
    """Books nothing: the ledger has the money by its remittance, and this says that it arrived."""
    row = services.record_deposit(
        scope=request.auth, received_on=body.received_on, cents=body.amount.amount, trace=body.trace,
        description=body.description, now=timezone.now(),
    )  # fmt: skip
    return _deposit(row, status=201)


@router.post(
    "/deposits/import",
    summary="Take in a bank's file",
    needs=Permission.REMITTANCES_POST,
    action="deposit.import",
    returns=(200, s.ImportedOut),
    content_types=("text/csv", "text/plain", uploads.FORM),
    problems=(TooLarge,),
    example={"object": "deposit_import", "added": 12, "known": 3},
)
def import_deposits(request: ScopedRequest) -> Answer:
    """
    CSV with a line of names: `date` (YYYY-MM-DD), `amount` (dollars), and if there are such `reference` and
    `description`. The same line again adds nothing. One wrong line, and nothing is kept.
    """
    data = uploads.file_in(request)
    if len(data) > MOST_BYTES:
        raise TooLarge(f"A file may have {MOST_BYTES} bytes at most.")
    added, known = services.import_deposits(scope=request.auth, data=data, now=timezone.now())
    return Answer(s.ImportedOut(object="deposit_import", added=added, known=known))


@router.post(
    "/deposits/{deposit_id}/match",
    summary="Say which check a deposit is",
    needs=Permission.REMITTANCES_POST,
    action="deposit.match",
    returns=(200, s.DepositOut),
    example=examples.DEPOSIT,
    request_example={"remittance_id": "rem_01h455vb4pex5vsknk084sn02q"},
)
def match_deposit(request: ScopedRequest, deposit_id: str, body: s.MatchIn) -> Answer:
    """Where number, amount and day do not tell. Null takes it back."""
    wanted = None
    if body.remittance_id is not None:
        wanted = parse_type_id("remittance", body.remittance_id)
        if wanted is None:
            raise ReferenceNotFound("A field refers to something that is not here.")
    row = services.match_deposit(
        scope=request.auth, deposit_id=path_id("deposit", deposit_id), remittance_id=wanted, now=timezone.now()
    )
    return _deposit(row)


@router.get(
    "/reconciliation",
    summary="Compare payers' checks with the bank",
    needs=Permission.REMITTANCES_READ,
    action="reconciliation.read",
    returns=(200, s.ReconciliationOut),
    parameters={
        "from": "First day, `YYYY-MM-DD`; 30 days ago when left out.", "to": "Last day; today when left out.",
    },
    example=examples.RECONCILIATION,
)  # fmt: skip
def get_reconciliation(request: ScopedRequest) -> Answer:
    """
    What payers say they paid and what the bank shows: pairs by number and amount (or by hand, or by amount and day), what is
    missing on either side, and what the bank has and the ledger does not. 100 days at most.
    """
    today = request.auth.day_of(timezone.now())
    try:
        ends_on = date.fromisoformat(request.GET.get("to", "") or today.isoformat())
        starts_on = date.fromisoformat(request.GET.get("from", "") or (ends_on - timedelta(days=30)).isoformat())
    except ValueError as error:
        raise UnknownParameter("`from` and `to` are days, YYYY-MM-DD.") from error
    if not timedelta(0) <= ends_on - starts_on <= LONGEST:
        raise UnknownParameter("`from` comes before `to`, by 100 days at most.")
    found = services.reconcile(scope=request.auth, starts_on=starts_on, ends_on=ends_on)
    return Answer(s.reconciliation_out(found, starts_on=starts_on, ends_on=ends_on))
