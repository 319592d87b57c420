"""Payments, cards and payouts over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import cards, paying
from .base import router

__all__ = ["cards", "paying", "router"]
