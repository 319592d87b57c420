"""
Envelopes: ISA/GS/ST around segments, counted and numbered; checked on reading, made on writing.

Source: ASC X12.5 and X12.6; usage as in the HIPAA guides' appendix B/C.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from .syntax import BYTE_ORDER_MARK, Delimiters, Finding, Segment

FUNCTIONAL_IDS = {
    "837": "HC", "835": "HP", "999": "FA", "997": "FA", "277": "HN", "276": "HR", "270": "HS",
    "271": "HB",
}  # fmt: skip
"""ST01 -> GS01."""

VERSIONS = {
    "837": "005010X222A1",
    "835": "005010X221A1",
    "999": "005010X231A1",
    "277": "005010X214",
    "276": "005010X212",
    "270": "005010X279A1",
    "271": "005010X279A1",
}
"""ST01 -> GS08 of the guides we write. A 277 that answers a 276 is of 005010X212: say so."""

_BASIC = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"&'()*+,-./:;?=")
"""X12 basic character set."""
_EXTENDED = _BASIC | frozenset("abcdefghijklmnopqrstuvwxyz%~@[]_{}\\|<>#$")
"""X12 extended character set."""
_REPLACED = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "ß": "SS", "Æ": "AE",
             "æ": "ae", "Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """Who an interchange is from or for: qualifier and id (ISA05/06, ISA07/08; GS02, GS03)."""

    qualifier: str
    id: str
    group_id: str = ""
    """GS02/GS03; the same as `id` when empty."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Control numbers. They come from a durable counter; this module never makes one up."""

    interchange: int
    """ISA13, 1 to 999999999, never used again towards this receiver."""
    group: int
    """GS06."""
    transaction: int
    """ST02 of the first transaction set; the next ones count up."""


def clean(text: str, *, extended: bool = False, reserved: str = "*:^~") -> tuple[str, int]:
    """
    Make free text fit to send: no delimiter, no control character, no letter outside the set.

    Accents are folded (MÜLLER -> MULLER), other characters become a space, runs of spaces one.
    X12 has no escape character, so a delimiter in data must go. The map is published in README.

    :param extended: keep the extended set (lower case, @) for elements that allow it
    :return: the text, and how many characters were replaced

    >>> clean("Müller*John~NM1*IL")
    ('MULLER JOHN NM1 IL', 4)
    """
    allowed = (_EXTENDED if extended else _BASIC).difference(reserved)
    # Composed first, so that a letter and its accent are one; case is no substitution.
    text = unicodedata.normalize("NFC", text)
    out: list[str] = []
    replaced = 0
    for letter in text:
        plain = letter.upper() if letter.isascii() and not extended else letter
        if plain not in allowed:
            replaced += 1
            folded = _REPLACED.get(letter) or unicodedata.normalize("NFKD", letter)
            folded = folded if extended else folded.upper()
            plain = "".join(c for c in folded if c in allowed)
            plain = plain or ("" if unicodedata.combining(letter) else " ")
        out.append(plain)
    return " ".join("".join(out).split()), replaced


class Writer:
    """Builds segments with one set of delimiters and refuses data that would break them."""

    __slots__ = ("_forbidden", "delimiters", "segments")

    def __init__(self, delimiters: Delimiters | None = None) -> None:
        self.delimiters = delimiters or Delimiters()
        self._forbidden = re.compile(
            "[" + re.escape(self.delimiters.element + self.delimiters.terminator) + "\x00-\x1f]"
        )
        self.segments: list[str] = []

    def add(self, tag: str, *elements: str) -> None:
        """
        Add a segment; empty elements at its end are left out, as the standard demands.

        :raises ValueError: an element holds a delimiter or a control character. Data must have
            been through `clean`; this is the belt to those braces.
        """
        values = list(elements)
        while values and not values[-1]:
            values.pop()
        for number, value in enumerate(values, 1):
            if self._forbidden.search(value):
                raise ValueError(f"{tag}{number:02} holds a delimiter or a control character")
        self.segments.append(self.delimiters.element.join([tag, *values]))

    def composite(self, *components: str) -> str:
        """Return a composite element; empty components at its end are left out."""
        values = list(components)
        while values and not values[-1]:
            values.pop()
        for value in values:
            if self.delimiters.component in value or self.delimiters.repetition in value:
                raise ValueError("a component holds a delimiter")
        return self.delimiters.component.join(values)


def interchange(
    bodies: Iterable[tuple[str, list[str]]],
    *,
    sender: Address,
    receiver: Address,
    numbers: Numbers,
    at: datetime,
    usage: str,
    version: str = "",
    delimiters: Delimiters | None = None,
    newline: str = "\n",
    ask_ta1: bool = False,
) -> Iterator[bytes]:
    """
    Yield an interchange of one functional group, piece by piece.

    :param bodies: (ST01, segments between ST and SE) of each transaction set, all of one kind
    :param at: local time of the sender, for ISA09/10 and GS04/05
    :param usage: `P` production, `T` test (ISA15)
    """
    d = delimiters or Delimiters()
    e, t = d.element, d.terminator + newline
    count = 0
    kind = ""
    for kind, segments in bodies:
        version = version or VERSIONS[kind]
        if count == 0:
            yield (
                e.join(
                    (
                        "ISA", "00", " " * 10, "00", " " * 10, sender.qualifier, f"{sender.id:<15}",
                        receiver.qualifier, f"{receiver.id:<15}", f"{at:%y%m%d}", f"{at:%H%M}",
                        d.repetition, "00501", f"{numbers.interchange:09}", "1" if ask_ta1 else "0",
                        usage, d.component,
                    )
                ) + t
                + e.join(
                    (
                        "GS", FUNCTIONAL_IDS[kind], sender.group_id or sender.id,
                        receiver.group_id or receiver.id, f"{at:%Y%m%d}", f"{at:%H%M}",
                        str(numbers.group), "X", version,
                    )
                ) + t
            ).encode("latin-1")  # fmt: skip
        control = f"{numbers.transaction + count:04}"
        header = (
            [e.join(("ST", kind, control, version))]
            if kind != "835"
            else [e.join(("ST", kind, control))]
        )
        trailer = e.join(("SE", str(len(segments) + 2), control))
        yield "".join(f"{segment}{t}" for segment in [*header, *segments, trailer]).encode(
            "latin-1"
        )
        count += 1
    yield (f"GE{e}{count}{e}{numbers.group}{t}IEA{e}1{e}{numbers.interchange:09}{t}").encode(
        "latin-1"
    )


def check(segments: Iterable[Segment], *, findings: list[Finding]) -> Iterator[Segment]:
    """
    Pass segments on, and add a finding for each fault of their envelopes.

    Checked: nesting, control numbers that must be equal, counts, functional ids.
    """

    def add(
        segment: Segment, element: str, rule: str, message: str, severity: str = "error"
    ) -> None:
        findings.append(Finding(segment.tag, segment.index, element, rule, severity, message))

    isa = gs = st = None
    groups = sets = 0
    start = 0
    seen_sets: set[str] = set()
    for segment in segments:
        tag = segment.elements[0]
        if segment.elements[-1] == "" and tag != "ISA":
            add(
                segment,
                f"{len(segment.elements) - 1:02}",
                "trailing-separator",
                "A segment ends with an empty element.",
            )
        if tag == "ISA":
            if segment.index == 1 and segment.offset == len(BYTE_ORDER_MARK):
                add(
                    segment,
                    "",
                    "byte-order-mark",
                    "The file begins with a byte order mark; save it without.",
                )
            isa, groups = segment, 0
            if not segment.get(13).isdigit():
                add(segment, "13", "isa-control-number", "ISA13 must have nine digits.")
            if not segment.delimiters.repetition and segment.get(12) >= "00402":
                add(
                    segment,
                    "11",
                    "isa-repetition",
                    "ISA11 is no separator of repetitions.",
                    "warning",
                )
            if segment.get(15) not in ("P", "T"):
                add(segment, "15", "isa-usage", "ISA15 is P or T.")
        elif tag == "GS":
            if gs is not None:
                add(
                    segment,
                    "",
                    "gs-inside",
                    "A GS stands inside a functional group: GE is missing.",
                )
            gs, sets = segment, 0
            seen_sets = set()
            groups += 1
        elif tag == "ST":
            if st is not None:
                add(
                    segment,
                    "",
                    "st-inside",
                    "An ST stands inside a transaction set: SE is missing.",
                )
            if gs is None:
                add(segment, "", "st-outside", "An ST stands outside a functional group.")
            elif FUNCTIONAL_IDS.get(segment.get(1), gs.get(1)) != gs.get(1):
                add(
                    segment,
                    "01",
                    "st-kind",
                    "The transaction set is not of the kind that GS01 names.",
                )
            if segment.get(2) in seen_sets:
                add(segment, "02", "st-control-twice", "ST02 occurs twice in the functional group.")
            seen_sets.add(segment.get(2))
            st, start = segment, segment.index
            sets += 1
        elif tag == "SE":
            if st is None:
                add(segment, "", "se-outside", "An SE without an ST.")
            else:
                if segment.get(1) != str(segment.index - start + 1):
                    add(
                        segment,
                        "01",
                        "se-count",
                        f"SE01 must be {segment.index - start + 1}, the number of segments from ST to SE.",
                    )
                if segment.get(2) != st.get(2):
                    add(segment, "02", "se-control-number", "SE02 must equal ST02.")
            st = None
        elif tag == "GE":
            if gs is None:
                add(segment, "", "ge-outside", "A GE without a GS.")
            else:
                if st is not None:
                    add(segment, "", "se-missing", "The transaction set before GE has no SE.")
                    st = None
                if segment.get(1) != str(sets):
                    add(
                        segment,
                        "01",
                        "ge-count",
                        f"GE01 must be {sets}, the number of transaction sets.",
                    )
                if segment.get(2) != gs.get(6):
                    add(segment, "02", "ge-control-number", "GE02 must equal GS06.")
            gs = None
        elif tag == "IEA":
            if gs is not None:
                add(segment, "", "ge-missing", "The functional group before IEA has no GE.")
                gs = st = None
            if isa is not None:
                if segment.get(1) != str(groups):
                    add(
                        segment,
                        "01",
                        "iea-count",
                        f"IEA01 must be {groups}, the number of functional groups.",
                    )
                if segment.get(2) != isa.get(13):
                    add(segment, "02", "iea-control-number", "IEA02 must equal ISA13.")
            isa = None
        elif st is None and tag not in ("TA1",):
            add(segment, "", "outside-set", "A segment stands outside a transaction set.")
        yield segment


@dataclass(frozen=True, slots=True)
class Sealed:
    """The control numbers and names of the envelope a transaction set came in."""

    sender: str
    receiver: str
    interchange: str
    """ISA13."""
    group: str
    """GS06."""
    version: str
    """GS08."""
    usage: str
    """ISA15."""
    made_on: str = ""
    """GS04, CCYYMMDD as it stands."""


@dataclass(slots=True)
class TransactionSet:
    """A transaction set while it is read: its envelope, its ST, and what follows up to SE."""

    envelope: Sealed
    st: Segment
    body: list[Segment]
    se: Segment | None = None
    """None until it is reached."""

    @property
    def kind(self) -> str:
        """ST01."""
        return self.st.get(1)


def transaction_sets(segments: Iterable[Segment]) -> Iterator[TransactionSet | Segment]:
    """Yield each transaction set whole, and each TA1 as it stands between them."""
    isa = gs = None
    current: TransactionSet | None = None
    for segment in segments:
        tag = segment.elements[0]
        if tag == "ISA":
            isa = segment
        elif tag == "TA1":
            yield segment
        elif tag == "GS":
            gs = segment
        elif tag == "ST":
            current = TransactionSet(sealed(isa, gs), segment, [])
        elif tag == "SE":
            if current is not None:
                current.se = segment
                yield current
            current = None
        elif current is not None:
            current.body.append(segment)


def sealed(isa: Segment | None, gs: Segment | None) -> Sealed:
    """Return the envelope's names and numbers."""
    return Sealed(
        sender=isa.get(6).strip() if isa else "",
        receiver=isa.get(8).strip() if isa else "",
        interchange=isa.get(13) if isa else "",
        group=gs.get(6) if gs else "",
        version=gs.get(8) if gs else "",
        usage=isa.get(15) if isa else "",
        made_on=gs.get(4) if gs else "",
    )
