"""What each kind of channel carries."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CLAIMS_A_FILE: Mapping[str, int] = MappingProxyType({"stedi": 1, "claim_md": 2_000})
"""Kind of channel -> how many claims one file may have, where its interface sets a limit."""

QUESTIONS = ("http", "stedi", "sftp")
"""Kinds of channel that carry questions about claims (276)."""

QUESTIONS_A_FILE: Mapping[str, int] = MappingProxyType({"stedi": 1})
"""Kind of channel -> how many claims one 276 may ask about, where its interface answers one at once."""

QUESTION_FILES = ("sftp", "http")
"""Kinds of channel that take a file of many questions (270), and bring its answers as files."""

AT_ONCE = ("http", "stedi", "claim_md")
"""Kinds of channel on which a question about eligibility (270) is answered in the same call."""

ASKED_AGAIN = frozenset({"http"})
"""Of these, those that know a question again by its key. Over the others it would be another one, which may cost again."""

KINDS = ("http", "stedi", "claim_md", "sftp", "download", "portal")
"""Every kind of channel."""
