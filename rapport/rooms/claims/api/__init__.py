"""Claims over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import batches, claims, papers, profiles, proposals, rules, work
from .base import router

__all__ = ["batches", "claims", "papers", "profiles", "proposals", "router", "rules", "work"]
