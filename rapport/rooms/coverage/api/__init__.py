"""Coverage over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from . import authorizations, contracts, directory, eligibility, estimates, policies
from .base import router

__all__ = ["authorizations", "contracts", "directory", "eligibility", "estimates", "policies", "router"]
