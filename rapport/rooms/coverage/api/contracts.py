"""What payers' contracts say that services are worth, over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from rapport.kernel.problems import TooLarge
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags, uploads
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.coverage import examples, queries, services
from rapport.rooms.coverage import schemas as s

from .base import router

MOST_BYTES = 2 * 1024 * 1024


def _whole(scope: Scope, payer_id: UUID) -> Answer:
    payer = queries.get_payer(scope=scope, payer_id=payer_id)
    scope.trail.target("payer", payer.id, payer.version)
    shape = s.contract_rates_out(
        payer_id=payer.id, version=payer.version, rates=queries.contract_rates(scope=scope, payer_id=payer.id)
    )
    return Answer(shape, etag=etags.of(payer.id, payer.version))


@router.get(
    "/payers/{payer_id}/contract-rates",
    summary="Read a payer's contracted rates",
    needs=Permission.PAYERS_READ,
    action="payer.read_contract_rates",
    returns=(200, s.ContractRatesOut),
    example=examples.CONTRACT_RATES,
)
def get_contract_rates(request: ScopedRequest, payer_id: str) -> Answer:
    """
    What the practice's contract with the payer allows for its services, by code, modifier, credential, place and days.

    The rate with the most conditions that fit holds; what the payer allows less than it is an underpayment.
    """
    return _whole(request.auth, path_id("payer", payer_id))


@router.put(
    "/payers/{payer_id}/contract-rates",
    summary="Set a payer's contracted rates",
    needs=Permission.PAYERS_WRITE,
    action="payer.set_contract_rates",
    returns=(200, s.ContractRatesOut),
    match=True,
    example=examples.CONTRACT_RATES,
    request_example=examples.NEW_CONTRACT_RATES,
)
def set_contract_rates(request: ScopedRequest, payer_id: str, body: s.ContractRatesIn) -> Answer:
    """Replace all of them. What was compared with the ones before stays as it was found."""
    id = path_id("payer", payer_id)
    services.set_contract_rates(
        scope=request.auth, payer_id=id, if_match=request.edge.if_match, rates=body.rates, now=timezone.now()
    )
    return _whole(request.auth, id)


@router.post(
    "/payers/{payer_id}/contract-rates/import",
    summary="Take in a payer's fee schedule",
    needs=Permission.PAYERS_WRITE,
    action="payer.import_contract_rates",
    returns=(200, s.ContractImportOut),
    content_types=("text/csv", "text/plain", uploads.FORM),
    problems=(TooLarge,),
    example={"object": "contract_import", "added": 24, "changed": 24, "known": 0},
)
def import_contract_rates(request: ScopedRequest, payer_id: str) -> Answer:
    """
    CSV with a line of names: `service_code`, `rate` (dollars per unit), `starts_on` (YYYY-MM-DD), and if there are such
    `modifier`, `credential`, `telehealth` (yes or no), `place_of_service`, `ends_on`.

    A rate that is there ends on the eve of a later one for the same. One wrong line, and nothing is kept.
    """
    data = uploads.file_in(request)
    if len(data) > MOST_BYTES:
        raise TooLarge(f"A file may have {MOST_BYTES} bytes at most.")
    found = services.import_contract_rates(
        scope=request.auth, payer_id=path_id("payer", payer_id), data=data, now=timezone.now()
    )
    return Answer(
        s.ContractImportOut(object="contract_import", added=found.added, changed=found.changed, known=found.known)
    )
