"""
The authoring kit of portals, for the command line, which may not reach a connector by itself.

It stores nothing: no database, no keys and no folder of the installation are opened for it.
"""

from __future__ import annotations

from django.conf import settings

from rapport.connectors.portals.kit import (
    assessing,
    capture,
    diagnosing,
    drafting,
    files,
    live,
    recording,
    rerun,
    signed,
    tuning,
)
from rapport.connectors.portals.kit.outcome import Outcome, Unusable

__all__ = [
    "Outcome", "Unusable", "assessing", "capture", "diagnosing", "drafting", "files", "live", "recording", "rerun", "signed", "tuning",
]  # fmt: skip


def without_database() -> None:
    """Let code run that asks whether it is inside a transaction: here it never is."""
    if not settings.configured:
        settings.configure()
