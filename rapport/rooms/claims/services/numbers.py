"""Numbers by which the outside names what is ours: opaque, and never used again."""

from __future__ import annotations

import secrets

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def control_number_of(prefix: str) -> str:
    """Return an opaque number: no time, no count, nothing of a patient. 80 random bits."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(16))
