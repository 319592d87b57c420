"""A small X12 reader and writer of the sandbox's own: one interchange in, one interchange out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

ISA_LENGTH = 106


class NotX12(Exception):
    """The bytes do not begin with an interchange header: nobody can be answered."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. `elements[0]` is the tag, so `elements[n]` is element n of the guide."""

    elements: tuple[str, ...]
    component: str = ":"

    @property
    def tag(self) -> str:
        """The segment's identifier, such as CLM."""
        return self.elements[0]

    def at(self, number: int) -> str:
        """Element `number`, or an empty string where the segment is shorter."""
        return self.elements[number] if number < len(self.elements) else ""

    def parts(self, number: int) -> list[str]:
        """The components of element `number`."""
        return self.at(number).split(self.component)


@dataclass(frozen=True, slots=True)
class Interchange:
    """An interchange as it came: its header and everything after it, unchecked."""

    header: Segment
    body: tuple[Segment, ...]

    @property
    def control_number(self) -> str:
        """ISA13 as sent."""
        return self.header.at(13).strip()

    @property
    def sender(self) -> tuple[str, str]:
        """ISA05 and ISA06: the qualifier and the identity of who sent it."""
        return self.header.at(5), self.header.at(6).strip()

    @property
    def receiver(self) -> tuple[str, str]:
        """ISA07 and ISA08: the qualifier and the identity of whom it is for."""
        return self.header.at(7), self.header.at(8).strip()

    @property
    def wants_ta1(self) -> bool:
        """Whether ISA14 asks for an interchange acknowledgement."""
        return self.header.at(14) == "1"


def read(data: bytes) -> Interchange:
    """
    Split one file into segments by the delimiters its own header declares.

    Raises `NotX12` when there is no fixed-width ISA header to take them from.
    """
    text = data.decode("latin-1").lstrip("\ufeff\r\n\t ")
    if len(text) < ISA_LENGTH or not text.startswith("ISA"):
        raise NotX12("the file does not begin with a complete ISA segment")
    element, component, terminator = text[3], text[104], text[105]
    if text[:105].count(element) != 16:
        raise NotX12("the ISA segment is not sixteen elements of fixed width")
    header, *rest = (piece.strip("\r\n") for piece in text.split(terminator))
    body = tuple(
        Segment(tuple(part.strip() for part in raw.split(element)), component)
        for raw in rest
        if raw.strip()
    )
    return Interchange(Segment(tuple(header.split(element)), component), body)


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """The segments from ST to SE; a missing SE leaves it open."""

    segments: tuple[Segment, ...]
    closed: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A functional group: its GS, its transaction sets, and its GE when there is one."""

    header: Segment
    sets: tuple[TransactionSet, ...]
    trailer: Segment | None


def groups(interchange: Interchange) -> Iterator[Group]:
    """The functional groups of an interchange, in order."""
    header: Segment | None = None
    sets: list[TransactionSet] = []
    current: list[Segment] = []
    for segment in interchange.body:
        match segment.tag:
            case "GS":
                if header is not None:
                    yield Group(header, tuple(sets), None)
                header, sets, current = segment, [], []
            case "ST":
                if current:
                    sets.append(TransactionSet(tuple(current), closed=False))
                current = [segment]
            case "SE":
                sets.append(TransactionSet((*current, segment), closed=True))
                current = []
            case "GE" | "IEA":
                if current:
                    sets.append(TransactionSet(tuple(current), closed=False))
                    current = []
                if header is not None:
                    yield Group(header, tuple(sets), segment if segment.tag == "GE" else None)
                header, sets = None, []
            case _ if current:
                current.append(segment)
            case _:
                continue
    if header is not None:
        if current:
            sets.append(TransactionSet(tuple(current), closed=False))
        yield Group(header, tuple(sets), None)


def money(amount: Decimal) -> str:
    """An amount as X12 writes it: no trailing zeros, no plus, a bare zero for nothing."""
    text = format(amount.quantize(Decimal("0.01")), "f").rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def clean(text: str) -> str:
    """Free text made safe for a file delimited by * : ~ and ^."""
    safe = "".join(" " if character in "*:~^" else character for character in text)
    return " ".join(safe.upper().split())


def segment(tag: str, *elements: str) -> str:
    """One segment without its terminator; empty elements at the end are left off."""
    return "*".join((tag, *elements)).rstrip("*")


@dataclass(frozen=True, slots=True)
class Route:
    """From whom to whom an answer travels: ISA qualifiers and identities, and test or live."""

    sender: tuple[str, str]
    receiver: tuple[str, str]
    usage: str = "T"


def write_interchange(
    *,
    route: Route,
    control_number: int,
    at: datetime,
    groups_of: Sequence[tuple[str, str, Sequence[Sequence[str]]]] = (),
    ta1: str = "",
) -> bytes:
    """
    One interchange. Each group is (functional id, version, transaction sets); each set is its
    segments from ST to the last one before SE, which is counted and written here.
    """
    lines = [
        segment(
            "ISA", "00", " " * 10, "00", " " * 10, route.sender[0], f"{route.sender[1]:<15}",
            route.receiver[0], f"{route.receiver[1]:<15}", f"{at:%y%m%d}", f"{at:%H%M}", "^",
            "00501", f"{control_number:09d}", "0", route.usage, ":",
        )
    ]  # fmt: skip
    if ta1:
        lines.append(ta1)
    for number, (functional_id, version, sets) in enumerate(groups_of):
        group_number = str(control_number * 10 + number) if number else str(control_number)
        lines.append(
            segment(
                "GS", functional_id, route.sender[1], route.receiver[1], f"{at:%Y%m%d}",
                f"{at:%H%M}", group_number, "X", version,
            )
        )  # fmt: skip
        for body in sets:
            lines.extend(body)
            lines.append(segment("SE", str(len(body) + 1), body[0].split("*")[2]))
        lines.append(segment("GE", str(len(sets)), group_number))
    lines.append(segment("IEA", str(len(groups_of)), f"{control_number:09d}"))
    return _bytes(lines)


def _bytes(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}~\n" for line in lines).encode("ascii", errors="replace")
