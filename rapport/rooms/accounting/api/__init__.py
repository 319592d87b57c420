"""Accounting over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import books, papers, paying, reports
from .base import router

__all__ = ["books", "papers", "paying", "reports", "router"]
