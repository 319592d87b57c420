"""
The syntax of X12: delimiters, segments, positions; reading as a stream, and writing back.

Delimiters are those the ISA segment declares (bytes 3, 82, 104 and 105; ASC X12.5). Text is
Latin-1, so that every byte survives reading and writing.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from . import snip

ISA_LENGTH = 106
MAX_SEGMENT = 100_000
"""Longest segment in bytes. The longest legal one of our guides is far below."""
MAX_SEGMENTS = 5_000_000
"""Most segments of one file: about 250 000 remittance lines."""
_CHUNK = 1 << 16
_NEWLINES = "\r\n"
BLANKS = " \t\r\n"
"""White space that may stand between segments."""
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}\Z")
_USUAL_TAGS = {
    decoration + tag: tag
    for tag in (
        "AAA AK1 AK2 AK9 AMT BHT BPR CAS CLM CLP CTX DMG DTM DTP EB HI HL IK3 IK4 IK5 LQ LX MOA N1"
        " N3 N4 NM1 NTE PER PLB PRV REF SBR STC SV1 SVC SVD TRN"
    ).split()
    for decoration in ("", "\n", "\r\n")
}
"""Identifiers with the decoration before them: saves strip and pattern for most segments. Those
that open or close an envelope are not here."""
_ISA_WIDTHS = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
BYTE_ORDER_MARK = "\xef\xbb\xbf"
"""UTF-8's mark, as Latin-1 text. Skipped on reading; `envelope.check` reports it."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The four characters an interchange is cut by."""

    element: str = "*"
    repetition: str = "^"
    """Empty in a file that declares none."""
    component: str = ":"
    terminator: str = "~"

    def characters(self) -> str:
        """All four, for looking for them in data."""
        return self.element + self.repetition + self.component + self.terminator


class Segment:
    """One segment: its elements as text, the tag first, and where it stands."""

    __slots__ = ("delimiters", "elements", "end", "index", "opened")

    def __init__(
        self,
        elements: list[str],
        index: int,
        end: int,
        delimiters: Delimiters,
        opened: int = 0,
    ) -> None:
        self.elements = elements
        """`elements[0]` is the tag, `elements[3]` is element 03."""
        self.index = index
        """Position in the file, the first ISA is 1."""
        self.end = end
        """Position of its terminator in the file."""
        self.delimiters = delimiters
        self.opened = opened
        """Index of the ST of its transaction set; 0 outside one."""

    @property
    def offset(self) -> int:
        """Position of its first byte in the file."""
        return self.end - len(self.text())

    @property
    def position(self) -> int:
        """Position in its transaction set, ST is 1 (as 999 IK302 counts); 0 outside one."""
        return self.index - self.opened + 1 if self.opened else 0

    @property
    def tag(self) -> str:
        """The segment identifier."""
        return self.elements[0]

    def get(self, number: int) -> str:
        """Return element `number`, or an empty string when it is not there."""
        elements = self.elements
        return elements[number] if number < len(elements) else ""

    def components(self, number: int) -> list[str]:
        """Return the components of element `number`."""
        return self.get(number).split(self.delimiters.component)

    def repetitions(self, number: int) -> list[str]:
        """Return the repetitions of element `number`: one where the file has no such delimiter."""
        separator = self.delimiters.repetition
        return self.get(number).split(separator) if separator else [self.get(number)]

    def text(self) -> str:
        """Return the segment as it is written, without its terminator."""
        return self.delimiters.element.join(self.elements)

    def __repr__(self) -> str:
        # Elements can hold a person's data: the tag and the place only.
        return f"<Segment {self.tag} #{self.index}>"


class NotX12(ValueError):
    """The bytes cannot be read as X12. Says where, and what would be right."""

    def __init__(
        self, message: str, *, rule: str, segment: str = "", index: int = 0, offset: int = 0
    ) -> None:
        """
        :param rule: stable code of the rule that is broken
        :param segment: tag of the segment that is wrong or missing; `?` when it cannot be made out
        :param index: position of the segment in the file, from 1
        :param offset: position of the byte in the file
        """
        super().__init__(message)
        self.message, self.rule = message, rule
        self.segment, self.index, self.offset = segment, index, offset


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a readable file that a rule forbids. Holds no data of the file but its place."""

    segment: str
    position: int
    """Of the segment in the file, from 1."""
    element: str
    """`03`, `01-2` …; empty when it is about the whole segment."""
    rule: str
    severity: str
    """`error`, or `warning` when the file can still be used."""
    message: str

    @property
    def snip(self) -> int:
        """SNIP type of the rule: 1 to 5, or 7 for what only sender and receiver know."""
        return snip.level(self.rule)


def _isa(head: str, *, offset: int, index: int) -> Segment:
    """
    Read the fixed-width ISA segment at the start of `head`.

    :raises NotX12: it is not 106 bytes wide, or its delimiters cannot tell data apart
    """

    def refuse(message: str, rule: str) -> NotX12:
        return NotX12(message, rule=rule, segment="ISA", index=index, offset=offset)

    if len(head) < ISA_LENGTH:
        raise refuse("The file ends inside the ISA segment, which has 106 bytes.", "isa-short")
    element, component, terminator = head[3], head[104], head[105]
    elements = head[:105].split(element)
    if element.isalnum() or element.isspace() or len(elements) != len(_ISA_WIDTHS):
        raise refuse(
            "The ISA segment is not 106 bytes with 16 elements: spaces may have been lost.",
            "isa-width",
        )
    for number, width in enumerate(_ISA_WIDTHS):
        if len(elements[number]) != width:
            raise refuse(f"ISA{number:02} must have {width} characters.", "isa-width")
    used = (element, component, terminator)
    if len(set(used)) != len(used) or any(c.isalnum() or c == " " for c in used):
        raise refuse(
            "The delimiters in ISA must differ and be no letter, digit or space.", "isa-delimiters"
        )
    if component in _NEWLINES or element in _NEWLINES:
        raise refuse("A line break separates segments only.", "isa-delimiters")
    repetition = elements[11]
    if elements[12] < "00402" or repetition in used or repetition.isalnum() or repetition.isspace():
        # Before 00402 ISA11 names a standard. After it, a file that says the same (or repeats
        # another delimiter) can still be read, without repetitions; `envelope.check` reports it.
        repetition = ""
    return Segment(
        elements,
        index,
        offset + ISA_LENGTH - 1,
        Delimiters(element, repetition, component, terminator),
    )


class _Source:
    """The file as text that is not yet read, and where that text begins in the file."""

    __slots__ = ("_chunks", "offset", "text")

    def __init__(self, data: bytes | BinaryIO) -> None:
        self._chunks: Iterator[bytes] = (
            (data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK))
            if isinstance(data, bytes)
            else iter(lambda: data.read(_CHUNK), b"")
        )
        self.text = ""
        self.offset = 0
        self.more()
        if self.text.startswith(BYTE_ORDER_MARK):
            self.skip(len(BYTE_ORDER_MARK))

    def more(self) -> bool:
        """Read on; tell whether there was more."""
        chunk = next(self._chunks, b"")
        self.text += chunk.decode("latin-1")
        return bool(chunk)

    def skip(self, length: int) -> None:
        """Pass over what has been read."""
        self.text = self.text[length:]
        self.offset += length

    def skip_blanks(self) -> bool:
        """Pass over white space; tell whether anything comes after it."""
        while True:
            self.skip(len(self.text) - len(self.text.lstrip(BLANKS)))
            if self.text or not self.more():
                return bool(self.text)


Row = tuple[list[str], int, int, int]
"""A segment without its object: elements (the tag first), index, end and index of its ST."""


class Reading:
    """
    A file on its way through: its segments one after the other, as rows, holding one chunk.

    White space between segments is decoration. Several interchanges may follow one another.
    Iterating raises NotX12 where what is read is not X12: when that is reached, not before.
    """

    def __init__(self, data: bytes | BinaryIO) -> None:
        """
        :param data: the bytes, or an open binary file
        """
        self._source = _Source(data)
        self.delimiters = Delimiters()
        """Those of the row that was yielded last."""

    def __iter__(self) -> Iterator[Row]:
        source = self._source
        index = 0
        while source.skip_blanks():
            while len(source.text) < ISA_LENGTH and source.more():
                pass
            if source.text[:3] != "ISA":
                place = "begin with" if index == 0 else "go on with"
                raise NotX12(
                    f"The file must {place} an ISA segment.",
                    rule="no-isa",
                    segment="ISA",
                    index=index + 1,
                    offset=source.offset,
                )
            index += 1
            opened = _isa(source.text, offset=source.offset, index=index)
            self.delimiters = opened.delimiters
            source.skip(ISA_LENGTH)
            yield opened.elements, index, opened.end, 0
            index = yield from _interchange(source, opened)
        if index == 0:
            raise NotX12("The file is empty.", rule="empty", segment="ISA", index=1)


def read(data: bytes | BinaryIO) -> Iterator[Segment]:
    """
    Yield the segments of a file, one after the other, as `Reading` does.

    :raises NotX12: what is read is not X12; raised when it is reached, not before
    """
    reading = Reading(data)
    for elements, index, end, opened in reading:
        yield Segment(elements, index, end, reading.delimiters, opened)


def _interchange(source: _Source, opened: Segment) -> Generator[Row, None, int]:
    """Yield what follows an ISA, up to its IEA; return the position of that."""
    element, terminator = opened.delimiters.element, opened.delimiters.terminator
    usual, index, st = _USUAL_TAGS, opened.index, 0
    while True:
        cut = source.text.rfind(terminator)
        if cut < 0:
            if len(source.text) > MAX_SEGMENT:
                raise _fault("segment-too-long", source.text, element, index + 1, source.offset)
            if not source.more():
                raise _fault("truncated", source.text, element, index + 1, source.offset)
            continue
        end = source.offset - 1
        for raw in source.text[:cut].split(terminator):
            length = len(raw)
            end += length + 1
            elements = raw.split(element)
            tag = usual.get(elements[0])
            if tag is not None and length < MAX_SEGMENT:
                elements[0] = tag
                index += 1
                yield elements, index, end, st
                continue
            text = raw.lstrip(BLANKS)
            if not text:
                continue  # `check` reports it: a reader of a doubled terminator loses nothing
            elements = text.split(element)
            tag = elements[0]
            index += 1
            rule = _refusal(tag, len(text), inside=bool(st))
            if rule:
                raise _fault(rule, text, element, index, end - len(text))
            if tag == "ST":
                st = index
            yield elements, index, end, st
            if tag == "SE":
                st = 0
            elif tag == "IEA":
                source.skip(end + 1 - source.offset)
                return index
        source.skip(cut + 1)
        if index > MAX_SEGMENTS:
            raise _fault("too-many-segments", source.text, element, index, source.offset)


def _refusal(tag: str, length: int, *, inside: bool) -> str:
    """Return the rule that a segment breaks by itself; empty when it can be read."""
    if not _TAG.match(tag):
        return "segment-tag"
    if length > MAX_SEGMENT:
        return "segment-too-long"
    return "isa-inside" if tag == "ISA" and not inside else ""


_FAULTS = {
    "truncated": "The file ends inside an interchange: there is no IEA, or a terminator is missing.",
    "segment-tag": "A segment does not begin with an identifier of two or three capitals and digits.",
    "segment-too-long": "A segment is longer than any legal one.",
    "too-many-segments": "The file has too many segments.",
    "isa-inside": "An ISA segment stands inside an interchange: IEA is missing.",
}


def _fault(rule: str, text: str, element: str, index: int, offset: int) -> NotX12:
    tag = text.lstrip(BLANKS).split(element, 1)[0] or "IEA"  # which is what is missing at the end
    return NotX12(
        _FAULTS[rule],
        rule=rule,
        segment=tag if _TAG.match(tag) else "?",
        index=index,
        offset=offset,
    )


def write(segments: Iterable[Segment], *, newline: str = "") -> bytes:
    """
    Return segments as bytes, each in the delimiters it was read with.

    :param newline: decoration after every terminator
    """
    return b"".join(
        f"{segment.text()}{segment.delimiters.terminator}{newline}".encode("latin-1")
        for segment in segments
    )
