"""What each kind of channel carries."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CLAIMS_A_FILE: Mapping[str, int] = MappingProxyType({"stedi": 1, "claim_md": 2_000})
"""Kind of channel -> how many claims one file may have, where its interface sets a limit."""

QUESTIONS = ("http", "sftp")
"""Kinds of channel that carry questions (276) as files. The interfaces for claims of the others take none."""

KINDS = ("http", "stedi", "claim_md", "sftp", "download", "portal")
"""Every kind of channel."""
