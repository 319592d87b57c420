"""In which order the modifiers of a line stand: those that price first, then those that inform, then a state's own."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.protocols.x12.scrub837p import TELEHEALTH_MODIFIERS

MOST = 4
"""Of one line (SV101-3 to -6, CMS-1500 box 24D)."""


def put(modifiers: Sequence[str], one: str) -> tuple[str, ...]:
    """
    Return a line's modifiers with one more at its place. One that is there already, or a fifth, changes nothing.

    >>> put(("HO", "95"), "HQ")
    ('HO', 'HQ', '95')
    >>> put(("95", "U1"), "93")
    ('95', '93', 'U1')
    """
    if one in modifiers or len(modifiers) >= MOST:
        return tuple(modifiers)
    place = next((at for at, other in enumerate(modifiers) if _turn(other) > _turn(one)), len(modifiers))
    return (*modifiers[:place], one, *modifiers[place:])


def _turn(modifier: str) -> int:
    if modifier.startswith("U"):  # U1 to UD mean what a state's Medicaid says
        return 2
    return 1 if modifier in TELEHEALTH_MODIFIERS else 0
