"""What coverage has to say before a visit is given or billed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be looked at before a visit is given or billed."""

    code: str
    message: str
    serious: bool
    """The payer will probably not pay as it is."""
