"""Scheduling over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import appointments, groups
from .base import router

__all__ = ["appointments", "groups", "router"]
