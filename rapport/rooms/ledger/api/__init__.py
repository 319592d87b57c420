"""The ledger over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import closing, money
from .base import router

__all__ = ["closing", "money", "router"]
