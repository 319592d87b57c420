"""Addresses."""

from __future__ import annotations

from django.urls import path

from rapport.interfaces.rest.v1 import api

urlpatterns = [path("v1/", api.urls)]
