"""Is it alive, can it write, what are its figures, and what is its contract."""

from __future__ import annotations

import ipaddress

from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from rapport.interfaces.rest.v1 import api
from rapport.platform.api import openapi as document
from rapport.platform.telemetry import metrics as figures


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process is up. Touches nothing."""
    return HttpResponse(b'{"status":"ok"}', content_type="application/json")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer that a write reaches the disk: one probe row is really written and committed."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO tenancy_probe (id, at) VALUES (1, clock_timestamp())"
                " ON CONFLICT (id) DO UPDATE SET at = excluded.at"
            )
    except DatabaseError:
        connection.close()
        response = HttpResponse(
            b'{"status":"unavailable"}', content_type="application/json", status=503
        )
        response["Retry-After"] = "2"
        return response
    return HttpResponse(b'{"status":"ready"}', content_type="application/json")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus figures of this process, for callers on this machine only."""
    if not ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "127.0.0.1").is_loopback:
        raise Http404
    return HttpResponse(figures.exposition(), content_type="text/plain; version=0.0.4")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The contract: OpenAPI 3.1, made from the routes."""
    return HttpResponse(document.encoded(api), content_type="application/json")
