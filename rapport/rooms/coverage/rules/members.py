"""How a member id is kept."""

from __future__ import annotations


def trimmed(member_id: str) -> str:
    """
    Return a member id without blanks, in capitals, otherwise as the card shows it.

    Hyphens stay: some payers' ids have them, and a Medicare id without its letters' places is
    another id. What a payer wants stripped is stripped when a claim is written.

    >>> trimmed(" w12 345-6789 ")
    'W12345-6789'
    """
    return "".join(member_id.split()).upper()
