"""Accounting over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import books, organisations, papers, paying, plans, reports
from .base import router

__all__ = ["books", "organisations", "papers", "paying", "plans", "reports", "router"]
