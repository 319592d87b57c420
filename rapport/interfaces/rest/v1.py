"""`/v1`: every router, and how a failure becomes an answer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from rapport.kernel.problems import Forbidden, MalformedJson, Problem
from rapport.platform.api import bodies
from rapport.platform.api.gate import Replayed
from rapport.platform.api.problems import as_response, from_validation
from rapport.platform.audit import api as audit
from rapport.platform.identity import api as identity
from rapport.platform.jobs import api as jobs
from rapport.platform.outbox import api as outbox
from rapport.rooms.accounting import api as accounting
from rapport.rooms.charting import api as charting
from rapport.rooms.claims import api as claims
from rapport.rooms.coding import api as coding
from rapport.rooms.coverage import api as coverage
from rapport.rooms.documents import api as documents
from rapport.rooms.exchange import api as exchange
from rapport.rooms.ledger import api as ledger
from rapport.rooms.payments import api as payments
from rapport.rooms.remittance import api as remittance
from rapport.rooms.roster import api as roster
from rapport.rooms.scheduling import api as scheduling
from rapport.rooms.telehealth import api as telehealth

ROUTERS = (
    identity.router,
    audit.router,
    outbox.router,
    jobs.router,
    roster.router,
    coding.router,
    documents.router,
    ledger.router,
    coverage.router,
    scheduling.router,
    charting.router,
    claims.router,
    remittance.router,
    accounting.router,
    telehealth.router,
    payments.router,
    exchange.router,
)


class StrictParser(Parser):
    """Reads bodies by the rules of `bodies`."""

    def parse_body(self, request: HttpRequest) -> Any:
        value = bodies.parse(request.body)
        if not isinstance(value, dict):
            raise MalformedJson("Send a JSON object.")
        return value


def nobody_may(request: HttpRequest) -> None:
    """Refuse: what a route without a gate of its own gets."""
    raise Forbidden(reason="no_gate")


api = NinjaAPI(
    auth=nobody_may,
    title="Rapport",
    version="1",
    docs_url=None,
    openapi_url=None,
    parser=StrictParser(),
    urls_namespace="v1",
)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    request.edge.problem = problem  # type: ignore[attr-defined]
    return as_response(problem, request.edge.request_id)  # type: ignore[attr-defined]


@api.exception_handler(ValidationError)
def _validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return _problem(request, from_validation(error))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # ninja's only own use of it: a body that its parser could not read.
    if isinstance(error.__cause__, Problem):
        return _problem(request, error.__cause__)
    return _problem(request, MalformedJson("Send a JSON object."))


@api.exception_handler(Replayed)
def _replayed(request: HttpRequest, replayed: Replayed) -> HttpResponse:
    return replayed.response


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    raise error


for _router in ROUTERS:
    api.add_router("", _router.build())
