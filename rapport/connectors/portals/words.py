"""Text as a person reads it: without the characters that nobody sees, and compared without case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from rapport.kernel.text import UNSEEN

_LAYOUT = re.compile(r"[ \t\r\n\f]+")
"""Spaces that a page has for its source's sake."""
_SPACE = re.compile(r"\s+")
_EDGE = " \t:*.…"


def clean(text: str) -> str:
    """
    Return a text in its compatibility form, without unseen characters, with single spaces.

    >>> clean("36\\u200by\\u00a0 old")
    '36y old'
    """
    if text.isascii():
        return " ".join(text.split())
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).translate(UNSEEN)).strip()


def odd(text: str) -> str:
    """
    Return a text as it stands, where cleaning changes more of it than its spaces and lines; else empty.

    >>> odd("Hart,\\u00a0Zo\\u200be") == "Hart,\\u00a0Zo\\u200be", odd(" Hart,\\n Zoé ")
    (True, '')
    """
    if text.isascii():
        return ""
    told = _LAYOUT.sub(" ", text).strip(" ")
    return told if told != clean(text) else ""


def folded(text: str) -> str:
    """
    Return a label as it is compared: clean, without case, without the colon or star behind it.

    >>> folded(" E-Mail:* ")
    'e-mail'
    """
    return clean(text).casefold().strip(_EDGE)


def all_words(labels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the words of every language, folded, each once."""
    return tuple(dict.fromkeys(folded(word) for words in labels.values() for word in words))


def is_one_of(text: str, labels: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether a text is one of these words, in any language."""
    return folded(text) in all_words(labels)


def says_any(text: str, labels: Mapping[str, Sequence[str]]) -> bool:
    """
    Tell whether one of these stands in a text as words of its own, in any language.

    >>> says_any("Please sign in again", {"en": ["Sign in"]}), says_any("resigned", {"en": ["sign"]})
    (True, False)
    """
    return _has_words(clean(text).casefold(), all_words(labels))


def _has_words(text: str, words: Iterable[str]) -> bool:
    return any(word and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words)
