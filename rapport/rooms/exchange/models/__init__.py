"""What is kept of portals: accounts, sessions, the mirror of their records, and writes into them."""

from __future__ import annotations

from .connections import AttentionItem, Breaker, Connection, ConnectionHistory, Pace, Secret
from .mirror import Artefact, DriftReport, ExportOrder, Mirror, PartRead, Shadow, SyncRun
from .sessions import Challenge, CodeMailbox, PortalSession, SignIn, SpentCode
from .writes import Write, WriteHistory

__all__ = [
    "Artefact",
    "AttentionItem",
    "Breaker",
    "Challenge",
    "CodeMailbox",
    "Connection",
    "ConnectionHistory",
    "DriftReport",
    "ExportOrder",
    "Mirror",
    "Pace",
    "PartRead",
    "PortalSession",
    "Secret",
    "Shadow",
    "SignIn",
    "SpentCode",
    "SyncRun",
    "Write",
    "WriteHistory",
]
