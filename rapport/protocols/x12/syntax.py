"""
The syntax of X12: delimiters, segments, positions; reading as a stream, and writing back.

Delimiters are those the ISA segment declares (bytes 3, 82, 104 and 105; ASC X12.5). Text is
Latin-1, so that every byte survives reading and writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

ISA_LENGTH = 106
MAX_SEGMENT = 100_000
"""Longest segment in bytes. The longest legal one of our guides is far below."""
MAX_SEGMENTS = 5_000_000
"""Most segments of one file: about 250 000 remittance lines."""
_CHUNK = 1 << 18
_NEWLINES = "\r\n"
BYTE_ORDER_MARK = "\xef\xbb\xbf"
"""UTF-8's mark, as Latin-1 text. Skipped on reading; `envelope.check` reports it."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The four characters an interchange is cut by."""

    element: str = "*"
    repetition: str = "^"
    component: str = ":"
    terminator: str = "~"

    def characters(self) -> str:
        """All four, for looking for them in data."""
        return self.element + self.repetition + self.component + self.terminator


class Segment:
    """One segment: its elements as text, the tag first, and where it stands."""

    __slots__ = ("delimiters", "elements", "index", "offset", "position")

    def __init__(
        self, elements: list[str], index: int, offset: int, delimiters: Delimiters, position: int = 0
    ) -> None:
        self.elements = elements
        """`elements[0]` is the tag, `elements[3]` is element 03."""
        self.index = index
        """Position in the file, the first ISA is 1."""
        self.offset = offset
        """Position of its first byte in the file."""
        self.delimiters = delimiters
        self.position = position
        """Position in its transaction set, ST is 1 (as 999 IK302 counts); 0 outside one."""

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
        """Return the repetitions of element `number`."""
        return self.get(number).split(self.delimiters.repetition)

    def text(self) -> str:
        """Return the segment as it is written, without its terminator."""
        return self.delimiters.element.join(self.elements)

    def __repr__(self) -> str:
        # Elements can hold a person's data: the tag and the place only.
        return f"<Segment {self.tag} #{self.index}>"


class NotX12(ValueError):
    """The bytes cannot be read as X12. Says where, and what would be right."""

    def __init__(self, message: str, *, rule: str, segment: str = "", index: int = 0, offset: int = 0) -> None:
        """
        :param rule: stable code of the rule that is broken
        :param segment: tag of the segment, where one could be made out
        :param index: position of the segment in the file, from 1; 0: before the first
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


def _isa(head: str, *, offset: int, index: int) -> tuple[Segment, Delimiters]:
    """Read the fixed-width ISA segment at the start of `head`."""

    def refuse(message: str, rule: str) -> NotX12:
        return NotX12(message, rule=rule, segment="ISA", index=index, offset=offset)

    if len(head) < ISA_LENGTH:
        raise refuse("The file ends inside the ISA segment, which has 106 bytes.", "isa-short")
    element = head[3]
    delimiters = Delimiters(element, head[82], head[104], head[105])
    elements = head[:105].split(element)
    if element.isalnum() or element.isspace() or len(elements) != 17:
        raise refuse(
            "The ISA segment is not 106 bytes with 16 elements: spaces may have been lost on the way.",
            "isa-width",
        )
    widths = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
    for number, width in enumerate(widths):
        if len(elements[number]) != width:
            raise refuse(f"ISA{number:02} must have {width} characters.", "isa-width")
    if elements[12] < "00402":
        # Before 00402 ISA11 names a standard and does not separate repetitions.
        delimiters = Delimiters(element, "", head[104], head[105])
    used = [c for c in delimiters.characters() if c]
    if len(set(used)) != len(used) or any(c.isalnum() or c == " " for c in used):
        raise refuse("The delimiters in ISA must differ and be no letter, digit or space.", "isa-delimiters")
    if delimiters.component in _NEWLINES or element in _NEWLINES:
        raise refuse("A line break separates segments only.", "isa-delimiters")
    return Segment(elements, index, offset, delimiters), delimiters


def _chunks(data: bytes | BinaryIO) -> Iterator[str]:
    if isinstance(data, bytes):
        yield data.decode("latin-1")
        return
    while chunk := data.read(_CHUNK):
        yield chunk.decode("latin-1")


def read(data: bytes | BinaryIO) -> Iterator[Segment]:
    """
    Yield the segments of a file, one after the other, holding no more than one chunk.

    Line breaks between segments are decoration. Several interchanges may follow one another.

    :param data: the bytes, or an open binary file
    :raises NotX12: what is read is not X12; raised when it is reached, not before
    """
    source = _chunks(data)
    buffer = next(source, "")
    consumed = 0  # bytes of the file before `buffer`
    index = 0
    ended = False

    def more() -> bool:
        nonlocal buffer, ended
        chunk = next(source, None)
        if chunk is None:
            ended = True
            return False
        buffer += chunk
        return True

    if buffer.startswith(BYTE_ORDER_MARK):
        buffer = buffer[len(BYTE_ORDER_MARK) :]
        consumed = len(BYTE_ORDER_MARK)
    while True:
        # Between interchanges: white space only.
        start = 0
        while True:
            stripped = buffer.lstrip(" \t\r\n")
            start = len(buffer) - len(stripped)
            if stripped or not more():
                break
        consumed += start
        buffer = buffer[start:]
        if not buffer:
            if index == 0:
                raise NotX12("The file is empty.", rule="empty")
            return
        while len(buffer) < ISA_LENGTH and more():
            pass
        if buffer[:3] != "ISA":
            place = "begin with" if index == 0 else "go on with"
            raise NotX12(
                f"The file must {place} an ISA segment.", rule="no-isa", index=index + 1, offset=consumed
            )
        index += 1
        opened, delimiters = _isa(buffer, offset=consumed, index=index)
        yield opened
        buffer = buffer[ISA_LENGTH:]
        consumed += ISA_LENGTH
        element, terminator = delimiters.element, delimiters.terminator
        in_set = 0
        closed = False
        while not closed:
            cut = buffer.rfind(terminator)
            if cut < 0:
                if len(buffer) > MAX_SEGMENT:
                    raise NotX12("A segment is too long.", rule="segment-too-long", index=index + 1, offset=consumed)
                if more():
                    continue
                rest = buffer.strip()
                raise NotX12(
                    "The file ends inside an interchange: "
                    + ("its last segment has no terminator." if rest else "there is no IEA segment."),
                    rule="truncated",
                    segment=_tag_of(rest, element),
                    index=index + 1,
                    offset=consumed,
                )
            block, rest = buffer[:cut], buffer[cut + 1 :]
            position = consumed
            for raw in block.split(terminator):
                text = raw.lstrip(_NEWLINES) if raw[:1] in ("\r", "\n") else raw
                here = position + len(raw) - len(text)
                position += len(raw) + 1
                if closed:
                    # Another interchange begins in this block: give it back.
                    rest = block[here - consumed :] + terminator + rest
                    position = here
                    if not text.strip():
                        rest = rest[len(text) + 1 :]
                        position += len(text) + 1
                    break
                elements = text.split(element)
                tag = elements[0]
                index += 1
                if not (2 <= len(tag) <= 3 and tag.isalnum() and tag[0].isalpha() and tag.isupper()) or not tag.isascii():
                    if not text.strip():
                        index -= 1
                        continue
                    raise NotX12(
                        "A segment does not begin with a segment identifier of two or three capital"
                        " letters and digits.",
                        rule="segment-tag", segment=tag[:3] if tag[:3].isalnum() else "", index=index, offset=here,
                    )  # fmt: skip
                if len(text) > MAX_SEGMENT:
                    raise NotX12("A segment is too long.", rule="segment-too-long", segment=tag, index=index, offset=here)
                if index > MAX_SEGMENTS:
                    raise NotX12("The file has too many segments.", rule="too-many-segments", segment=tag, index=index, offset=here)
                if tag == "ST":
                    in_set = 1
                elif in_set:
                    in_set += 1
                if tag == "ISA":
                    raise NotX12(
                        "An ISA segment stands inside an interchange: IEA is missing.",
                        rule="isa-inside", segment="ISA", index=index, offset=here,
                    )  # fmt: skip
                yield Segment(elements, index, here, delimiters, in_set)
                if tag == "SE":
                    in_set = 0
                elif tag == "IEA":
                    closed = True
            consumed = position
            buffer = rest


def _tag_of(text: str, element: str) -> str:
    tag = text.split(element)[0][:3]
    return tag if tag.isalnum() and tag.isascii() and tag.isupper() else ""


def write(segments: Iterable[Segment], *, newline: str = "") -> bytes:
    """
    Return segments as bytes, each in the delimiters it was read with.

    :param newline: decoration after every terminator
    """
    return b"".join(
        f"{segment.text()}{segment.delimiters.terminator}{newline}".encode("latin-1")
        for segment in segments
    )
