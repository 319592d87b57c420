"""Text as a person reads it: without the characters that nobody sees."""

from __future__ import annotations

import unicodedata

UNSEEN = dict.fromkeys(
    [
        0x00AD, 0x034F, 0x061C, 0x180E, 0xFEFF,
        *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10),
    ]
)  # fmt: skip
"""Soft hyphens, zero-width spaces and joiners, marks of writing direction, variation selectors. For `str.translate`."""


def plain(text: str) -> str:
    """
    Return a text in its compatibility form, without unseen characters, with single spaces.

    >>> plain("Zo\\u200be\\u00a0 Hart")
    'Zoe Hart'
    """
    return " ".join(unicodedata.normalize("NFKC", text).translate(UNSEEN).split())
