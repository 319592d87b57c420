"""
Envelopes: ISA/GS/ST around segments, counted and numbered; checked on reading, made on writing.

Source: ASC X12.5 and X12.6; usage as in the HIPAA guides' appendix B/C.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

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
    if text.isascii():  # as nearly all is: nothing to fold, and mostly nothing to replace
        plain = text if extended else text.upper()
        if not _unfit(extended, reserved).search(plain):
            return " ".join(plain.split()), 0
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


@lru_cache(maxsize=64)
def _unfit(extended: bool, reserved: str) -> re.Pattern[str]:
    """Return the pattern of a character that text may not hold."""
    allowed = (_EXTENDED if extended else _BASIC).difference(reserved)
    return re.compile("[^" + re.escape("".join(sorted(allowed))) + "]")


class Writer:
    """Builds segments with one set of delimiters and refuses data that would break them."""

    __slots__ = ("_forbidden", "delimiters", "segments")

    def __init__(self, delimiters: Delimiters | None = None) -> None:
        self.delimiters = delimiters or Delimiters()
        self._forbidden = re.compile("[" + re.escape(self.delimiters.terminator) + "\x00-\x1f]")
        self.segments: list[str] = []

    def add(self, tag: str, *elements: str) -> None:
        """
        Add a segment; empty elements at its end are left out, as the standard demands.

        :raises ValueError: an element holds a delimiter or a control character. Data must have
            been through `clean`; this is the belt to those braces.
        """
        count = len(elements)
        while count and not elements[count - 1]:
            count -= 1
        separator = self.delimiters.element
        text = separator.join((tag, *elements[:count]))
        # Weighed as a whole, which is quicker than one by one: so many separators, and no more.
        if text.count(separator) != count or self._forbidden.search(text):
            for number, value in enumerate(elements, 1):
                if separator in value or self._forbidden.search(value):
                    raise ValueError(f"{tag}{number:02} holds a delimiter or a control character")
        self.segments.append(text)

    def composite(self, *components: str) -> str:
        """Return a composite element; empty components at its end are left out."""
        count = len(components)
        while count and not components[count - 1]:
            count -= 1
        separator, repetition = self.delimiters.component, self.delimiters.repetition
        text = separator.join(components[:count])
        if text.count(separator) != max(count - 1, 0) or repetition in text:
            raise ValueError("a component holds a delimiter")
        return text


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


class Envelopes:
    """
    Watches the envelopes of a file go by: nesting, control numbers that must be equal, counts,
    functional ids. `findings` grows.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        self.isa: Segment | None = None
        self.gs: Segment | None = None
        self.st: Segment | None = None
        self._groups = self._sets = 0
        self._seen_sets: set[str] = set()

    def take(self, segment: Segment) -> None:
        """Look at the next segment of the file."""
        tag = segment.elements[0]
        if not segment.elements[-1] and tag != "ISA":
            self.trailing(segment.elements, segment.index)
        look = _ENVELOPES.get(tag)
        if look is not None:
            look(self, segment)
        elif self.st is None and tag != "TA1":
            self._add(segment, "", "outside-set", "A segment stands outside a transaction set.")

    def trailing(self, elements: list[str], index: int) -> None:
        """Note an empty element at the end of a segment."""
        message = "A segment ends with an empty element."
        self.findings.append(
            Finding(
                elements[0],
                index,
                f"{len(elements) - 1:02}",
                "trailing-separator",
                "error",
                message,
            )
        )

    def _add(
        self, segment: Segment, element: str, rule: str, message: str, severity: str = "error"
    ) -> None:
        self.findings.append(Finding(segment.tag, segment.index, element, rule, severity, message))

    def _isa(self, segment: Segment) -> None:
        self.isa, self._groups = segment, 0
        if segment.index == 1 and segment.offset == len(BYTE_ORDER_MARK):
            message = "The file begins with a byte order mark; save it without."
            self._add(segment, "", "byte-order-mark", message)
        if not segment.get(13).isdigit():
            self._add(segment, "13", "isa-control-number", "ISA13 must have nine digits.")
        if not segment.delimiters.repetition and segment.get(12) >= "00402":
            message = "ISA11 is no separator of repetitions."
            self._add(segment, "11", "isa-repetition", message, "warning")
        if segment.get(15) not in ("P", "T"):
            self._add(segment, "15", "isa-usage", "ISA15 is P or T.")

    def _gs(self, segment: Segment) -> None:
        if self.gs is not None:
            message = "A GS stands inside a functional group: GE is missing."
            self._add(segment, "", "gs-inside", message)
        self.gs, self._sets = segment, 0
        self._seen_sets = set()
        self._groups += 1

    def _st(self, segment: Segment) -> None:
        if self.st is not None:
            message = "An ST stands inside a transaction set: SE is missing."
            self._add(segment, "", "st-inside", message)
        if self.gs is None:
            self._add(segment, "", "st-outside", "An ST stands outside a functional group.")
        elif FUNCTIONAL_IDS.get(segment.get(1), self.gs.get(1)) != self.gs.get(1):
            message = "The transaction set is not of the kind that GS01 names."
            self._add(segment, "01", "st-kind", message)
        if segment.get(2) in self._seen_sets:
            message = "ST02 occurs twice in the functional group."
            self._add(segment, "02", "st-control-twice", message)
        self._seen_sets.add(segment.get(2))
        self.st = segment
        self._sets += 1

    def _se(self, segment: Segment) -> None:
        if self.st is None:
            self._add(segment, "", "se-outside", "An SE without an ST.")
            return
        count = segment.index - self.st.index + 1
        if segment.get(1) != str(count):
            message = f"SE01 must be {count}, the number of segments from ST to SE."
            self._add(segment, "01", "se-count", message)
        if segment.get(2) != self.st.get(2):
            self._add(segment, "02", "se-control-number", "SE02 must equal ST02.")
        self.st = None

    def _ge(self, segment: Segment) -> None:
        if self.gs is None:
            self._add(segment, "", "ge-outside", "A GE without a GS.")
            return
        if self.st is not None:
            self._add(segment, "", "se-missing", "The transaction set before GE has no SE.")
            self.st = None
        if segment.get(1) != str(self._sets):
            message = f"GE01 must be {self._sets}, the number of transaction sets."
            self._add(segment, "01", "ge-count", message)
        if segment.get(2) != self.gs.get(6):
            self._add(segment, "02", "ge-control-number", "GE02 must equal GS06.")
        self.gs = None

    def _iea(self, segment: Segment) -> None:
        if self.gs is not None:
            self._add(segment, "", "ge-missing", "The functional group before IEA has no GE.")
            self.gs = self.st = None
        if self.isa is not None:
            if segment.get(1) != str(self._groups):
                message = f"IEA01 must be {self._groups}, the number of functional groups."
                self._add(segment, "01", "iea-count", message)
            if segment.get(2) != self.isa.get(13):
                self._add(segment, "02", "iea-control-number", "IEA02 must equal ISA13.")
        self.isa = None


_ENVELOPES: dict[str, Callable[[Envelopes, Segment], None]] = {
    "ISA": Envelopes._isa, "GS": Envelopes._gs, "ST": Envelopes._st, "SE": Envelopes._se,
    "GE": Envelopes._ge, "IEA": Envelopes._iea,
}  # fmt: skip


def check(segments: Iterable[Segment], *, findings: list[Finding]) -> Iterator[Segment]:
    """Pass segments on, and add a finding for each fault of their envelopes."""
    envelopes = Envelopes(findings)
    for segment in segments:
        envelopes.take(segment)
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
