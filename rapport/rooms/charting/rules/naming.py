"""Whether a text names somebody: what keeps one member of a group out of another's note. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_WORD = re.compile(r"[^\W\d_]+")
_ALSO_WORDS = frozenset(
    "angel april art august autumn bill black bliss brook brown carol chance charity charm christian crystal dale"
    " dawn day dean destiny drew dusty earl eden faith field frank gene ginger glen grace grant gray green guy hall"
    " harmony hazel heath heather hill holly honor hope hunter iris ivy jack jade jay jean jewel joy june justice king"
    " lane lily little long love major mark may melody mercy miles moon nick noble olive paige pat peace pearl penny"
    " price prince rain ray rich rob robin rock rose ruby rusty sage sandy short skip small stone strong summer sunny"
    " terry trinity trip van victor violet ward west white will willow win winter wise wood young".split()
)
"""Names that are words of the language as well: in a text they name somebody only with a capital."""


def _words(text: str) -> Iterator[str]:
    """Give the words of a text without accents, in its own letter case."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    yield from _WORD.findall(plain.replace("\u2019s", " ").replace("'s", " "))


def names_in(text: str, *, of: Collection[str], but: Collection[str] = ()) -> bool:
    """
    Tell whether a text has a name as a word of its own.

    :param of: first, last and other names, each of one or more words; words of one letter are no names
    :param but: names that may stand there, such as those of the patient whom the text is about

    >>> names_in("Ana was quiet; Marks faded.", of=["Mark", "Luz"], but=["Ana"])
    False
    >>> names_in("she and luz left", of=["Luz"]), names_in("will leave. Will left", of=["Will"])
    (True, True)
    """
    allowed = {word.casefold() for name in but for word in _words(name)}
    names = {word.casefold() for name in of for word in _words(name) if len(word) > 1} - allowed
    return any(
        word.casefold() in names and (word.casefold() not in _ALSO_WORDS or word[0].isupper())
        for word in _words(text)
    )


def sections_that_name(content: Mapping[str, Any], *, of: Collection[str], but: Collection[str]) -> list[str]:
    """
    Return the sections in whose text or fields a name of `of` stands.

    >>> sections_that_name({"data": {"with": ["Luz"]}, "plan": "Go on."}, of=["Luz"], but=[])
    ['data']
    """
    return [section for section, value in content.items() if any(names_in(text, of=of, but=but) for text in _texts(value))]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield str(name)
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
