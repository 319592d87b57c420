"""
What a receiver checks before any payer looks: the envelope (TA1) and the guide's syntax (999).

Only what outpatient professional claims, eligibility and claim status inquiries use is known; the
codes are those of TA1 note codes, IK3/IK4 error codes and IK5/AK9 in the 999 guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rapport.sandbox.payer.scenarios import Scenario, scenario_of
from rapport.sandbox.payer.x12 import Group, Interchange, Segment, TransactionSet, groups

ACCEPTED = "000"
DUPLICATE = "025"

KNOWN_TAGS = frozenset(
    "ST SE BHT NM1 N2 N3 N4 REF PER HL PRV CUR SBR PAT DMG CLM DTP PWK CN1 AMT K3 NTE CR1 CR2 CR3"
    " CRC HI HCP OI MIA MOA CAS LX SV1 SV5 QTY MEA PS1 LIN CTP SVD LQ FRM".split()
)

INQUIRY_TAGS = frozenset(
    "ST SE BHT HL NM1 PER REF N3 N4 PRV TRN DMG INS HI DTP EQ AMT III SVC".split()
)
KINDS = {
    "HC": ("837", "005010X222"), "HS": ("270", "005010X279"), "HR": ("276", "005010X212"),
}  # fmt: skip
"""GS01 -> ST01 and the version without its addenda, of everything that is taken."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding of the 999: a segment at a position counted from ST as 1."""

    tag: str
    position: int
    loop: str
    code: str
    element: str = ""
    """IK401 when an element is at fault: its number, with :n for a component."""
    reference: str = ""
    """IK402: the data element's reference number."""
    element_code: str = ""
    bad_value: str = ""


@dataclass(frozen=True, slots=True)
class SetVerdict:
    """What the 999 says about one transaction set."""

    transaction: TransactionSet
    faults: tuple[Fault, ...]
    envelope_codes: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether the set goes on to the payers."""
        return not self.faults and not self.envelope_codes


@dataclass(frozen=True, slots=True)
class GroupVerdict:
    """What the 999 says about one functional group."""

    group: Group
    sets: tuple[SetVerdict, ...]
    codes: tuple[str, ...]

    @property
    def accepted_count(self) -> int:
        """How many of its sets go on to the payers."""
        return 0 if self.codes else sum(one.accepted for one in self.sets)


def envelope_note(interchange: Interchange) -> str:
    """The TA1 note code of an interchange: `000` when its envelope holds together."""
    header = interchange.header
    trailers = [segment for segment in interchange.body if segment.tag == "IEA"]
    checks = (
        (header.at(12) == "00501", "017"),
        (len(header.at(13)) == 9 and header.at(13).isdigit(), "018"),
        (header.at(14) in ("0", "1"), "019"),
        (header.at(15) in ("P", "T"), "020"),
        (bool(interchange.sender[1]), "006"),
        (bool(interchange.receiver[1]), "008"),
        (_is_moment(header.at(9), "%y%m%d"), "014"),
        (_is_moment(header.at(10), "%H%M"), "015"),
        (bool(trailers), "023"),
        (len(trailers) == 1 and interchange.body[-1].tag == "IEA", "022"),
        (bool(trailers) and trailers[0].at(2) == header.at(13), "001"),
        (bool(trailers) and trailers[0].at(1) == str(len(list(groups(interchange)))), "021"),
    )
    return next((note for passed, note in checks if not passed), ACCEPTED)


def check_groups(interchange: Interchange) -> list[GroupVerdict]:
    """The verdict on every group and set of an interchange whose envelope was accepted."""
    return [_check_group(group) for group in groups(interchange)]


def _check_group(group: Group) -> GroupVerdict:
    codes = []
    kind, version = KINDS.get(group.header.at(1), ("", ""))
    if not kind:
        codes.append("1")
    elif not group.header.at(8).startswith(version):
        codes.append("2")
    if group.trailer is None:
        codes.append("3")
    else:
        if group.trailer.at(2) != group.header.at(6):
            codes.append("4")
        if group.trailer.at(1) != str(len(group.sets)):
            codes.append("5")
    verdicts = tuple(_check_set(one, kind, bool(codes)) for one in group.sets)
    return GroupVerdict(group, verdicts, tuple(codes))


def _check_set(transaction: TransactionSet, kind: str, group_refused: bool) -> SetVerdict:
    codes: list[str] = []
    first, last = transaction.segments[0], transaction.segments[-1]
    if first.at(1) != kind:
        codes.append("1")
    if not transaction.closed:
        codes.append("2")
    else:
        if last.at(2) != first.at(2):
            codes.append("3")
        if last.at(1) != str(len(transaction.segments)):
            codes.append("4")
    if group_refused or codes:
        return SetVerdict(transaction, (), tuple(codes))
    look = _faults if kind == "837" else _inquiry_faults
    return SetVerdict(transaction, tuple(look(transaction)), ())


def _missing(tag: str, position: int, loop: str) -> Fault:
    return Fault(tag, position, loop, "3")


class _Wanted:
    """The segments a loop still owes; whatever is owed when it closes is a fault."""

    def __init__(self, loop: str, *owed: tuple[str, str]) -> None:
        self.loop = loop
        self.owed = dict.fromkeys(owed)

    def met(self, tag: str, qualifiers: frozenset[str]) -> None:
        for owed in list(self.owed):
            if owed[0] == tag and (not owed[1] or set(owed[1].split("|")) & qualifiers):
                del self.owed[owed]

    def faults(self, position: int) -> Iterator[Fault]:
        for tag, _ in self.owed:
            yield _missing(tag, position, self.loop)


OWED = {
    "start": _Wanted("1000", ("BHT", ""), ("NM1", "41"), ("PER", ""), ("NM1", "40")),
    "20": _Wanted("2010", ("NM1", "85"), ("N3", ""), ("N4", ""), ("REF", "EI|SY")),
    "22": _Wanted("2010", ("SBR", ""), ("NM1", "IL"), ("NM1", "PR")),
    "23": _Wanted("2010", ("PAT", ""), ("NM1", "QC"), ("DMG", "")),
    "CLM": _Wanted("2300", ("HI", "")),
    "LX": _Wanted("2400", ("SV1", ""), ("DTP", "472")),
}


def _wanted(name: str) -> _Wanted:
    pattern = OWED.get(name)
    return _Wanted("") if pattern is None else _Wanted(pattern.loop, *pattern.owed)


def _faults(transaction: TransactionSet) -> Iterator[Fault]:
    """Walk a set once: unknown segments, owed segments, and elements that cannot be read."""
    loop = "start"
    wanted = _wanted(loop)
    seen_claim = lines_owed = False
    for position, segment in enumerate(transaction.segments, start=1):
        opens = segment.at(3) if segment.tag == "HL" else segment.tag
        if segment.tag in ("HL", "CLM", "LX", "SE"):
            yield from wanted.faults(position)
            if lines_owed and segment.tag != "LX":
                yield _missing("LX", position, "2400")
            lines_owed = segment.tag == "CLM"
            seen_claim = seen_claim or segment.tag == "CLM"
            loop, wanted = opens, _wanted(opens)
        wanted.met(segment.tag, frozenset((segment.at(1),)))
        if segment.tag not in KNOWN_TAGS:
            yield Fault(_shown(segment.tag), position, _loop_name(loop), "1")
        yield from _element_faults(segment, position, loop)
    if not seen_claim:
        yield _missing("CLM", len(transaction.segments), "2300")


INQUIRY_OWED = {
    "270": {"20": "", "21": "", "22": "IL", "23": "03"},
    "276": {"20": "PR", "21": "41", "19": "1P", "22": "IL", "23": "QC"},
}
"""ST01 -> the levels, and who must be named in each."""


def _inquiry_faults(transaction: TransactionSet) -> Iterator[Fault]:
    """Unknown segments, a level without its name, elements that cannot be read, and nothing asked."""
    kind = transaction.segments[0].at(1)
    owed, asks = INQUIRY_OWED[kind], "EQ" if kind == "270" else "TRN"
    wanted = _Wanted("", ("BHT", ""))
    asked = patient = False
    for position, segment in enumerate(transaction.segments, start=1):
        patient = patient or (segment.tag == "HL" and segment.at(3) == "22")
        if segment.tag in ("HL", "SE"):
            yield from wanted.faults(position)
            level = segment.at(3)
            wanted = _Wanted("2100", *([("NM1", owed[level])] if level in owed else []))
            if segment.tag == "HL" and level not in owed:
                yield Fault("HL", position, "2000", "8", "3", "735", "7", level[:99])
        wanted.met(segment.tag, frozenset((segment.at(1),)))
        asked = asked or segment.tag == asks
        if segment.tag not in INQUIRY_TAGS:
            yield Fault(_shown(segment.tag), position, "", "1")
        # A member of SBX999 turns a file of eligibility questions away; what became of their claims may be asked.
        yield from _element_faults(segment, position, "22" if kind == "270" else "")
    if not patient:
        yield _missing("HL", len(transaction.segments), "2000")
    if not asked:
        yield _missing(asks, len(transaction.segments), "2110" if kind == "270" else "2200")


def _shown(tag: str) -> str:
    """A segment's identifier as an answer can carry it."""
    return "".join(c for c in tag.upper() if c.isascii() and c.isalnum())[:3] or "UNK"


def _loop_name(loop: str) -> str:
    pattern = OWED.get(loop)
    return pattern.loop if pattern else ""


def _element_faults(segment: Segment, position: int, loop: str) -> Iterator[Fault]:
    def fault(element: str, reference: str, code: str, value: str = "") -> Fault:
        return Fault(
            segment.tag, position, _loop_name(loop), "8", element, reference, code, value[:99]
        )

    match segment.tag, segment.at(1):
        case "CLM", number:
            if not number:
                yield fault("1", "1028", "1")
            elif len(number) > 20:
                yield fault("1", "1028", "5", number)
            if not _is_number(segment.at(2)):
                yield fault("2", "782", "6" if segment.at(2) else "1", segment.at(2))
            facility = [*segment.parts(5), "", "", ""]
            if facility[2] not in ("1", "7", "8"):
                yield fault("5:3", "1325", "7" if facility[2] else "1", facility[2])
        case "SV1", _ if not _is_number(segment.at(2)):
            yield fault("2", "782", "6" if segment.at(2) else "1", segment.at(2))
        case "DMG", "D8" if not _is_moment(segment.at(2), "%Y%m%d"):
            yield fault("2", "1251", "8", segment.at(2))
        case "DTP", _ if not _is_period(segment):
            yield fault("3", "1251", "8", segment.at(3))
        case "NM1", "IL" if loop == "22":
            if not segment.at(9):
                yield fault("9", "67", "1")
            elif scenario_of(segment.at(9)) is Scenario.REJECTED_SYNTAX:
                yield fault("9", "67", "7")
        case _:
            return


def _is_number(text: str) -> bool:
    whole = text.removeprefix("-").replace(".", "", 1)
    return whole.isascii() and whole.isdigit()


def _is_moment(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only its shape is asked for
    except ValueError:
        return False
    return text.isascii() and text.isdigit()


def _is_period(segment: Segment) -> bool:
    match segment.at(2):
        case "D8":
            return _is_moment(segment.at(3), "%Y%m%d")
        case "RD8":
            ends = segment.at(3).split("-")
            return len(ends) == 2 and all(_is_moment(end, "%Y%m%d") for end in ends)
        case _:
            return True
