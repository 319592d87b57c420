"""Payments, cards and payouts over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import autopay, cards, paying
from .base import router

__all__ = ["autopay", "cards", "paying", "router"]
