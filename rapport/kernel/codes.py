"""Formats of outside codes: NPI, US states, ZIP, phone digits. Formats only, no lists that age."""

from __future__ import annotations

import re

US_STATES = frozenset(
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ "
    "NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI AA AE AP".split()
)
"""Two-letter codes the Postal Service delivers to (USPS Publication 28, appendix B)."""

_ZIP = re.compile(r"^\d{5}(-?\d{4})?$")


def npi_is_valid(npi: str) -> bool:
    """
    Tell whether this is a National Provider Identifier with a right check digit.

    Luhn over `80840` + the ten digits (45 CFR 162.406 and the CMS NPI check-digit note).

    >>> npi_is_valid("1234567893"), npi_is_valid("1234567890")
    (True, False)
    """
    if len(npi) != 10 or not (npi.isascii() and npi.isdigit()) or npi[0] not in "12":
        return False
    total = 24  # what the constant prefix 80840 adds to the sum
    for position, digit in enumerate(reversed(npi)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def zip_is_valid(code: str) -> bool:
    """Tell whether this is a ZIP or ZIP+4, with or without the hyphen."""
    return bool(_ZIP.match(code))


def digits(text: str) -> str:
    """Keep the ASCII digits of a text, in order."""
    return "".join(letter for letter in text if letter in "0123456789")
