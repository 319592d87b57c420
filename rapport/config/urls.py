"""Addresses."""

from __future__ import annotations

from django.urls import path

from rapport.interfaces.desk import pages
from rapport.interfaces.rest import health
from rapport.interfaces.rest.v1 import api
from rapport.platform.outbox.api import webhook_keys

urlpatterns = [
    path("v1/openapi.json", health.openapi),
    path("v1/", api.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path(".well-known/webhook-keys.json", webhook_keys),
    path("docs", pages.docs),
    path("docs/<slug:page>", pages.docs_page),
    path("problems/<slug:code>", pages.problem),
    path("static/<path:name>", pages.static),
    path("", pages.front),
]
