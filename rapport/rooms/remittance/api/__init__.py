"""Remittances over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import below, files, money, policy, work
from .base import router

__all__ = ["below", "files", "money", "policy", "router", "work"]
