"""Connections over HTTP. A view turns a request into one service call; a worker speaks to the portal."""

from __future__ import annotations

from . import connections, work
from .base import router

__all__ = ["connections", "router", "work"]
