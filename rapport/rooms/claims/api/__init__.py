"""Claims over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import batches, claims, proposals
from .base import router

__all__ = ["batches", "claims", "proposals", "router"]
