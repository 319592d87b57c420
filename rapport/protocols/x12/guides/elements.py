"""
Elements of the segments we meet: type and length, as the X12 005010 dictionary has them.

`AN` text, `ID` a code, `N` a whole number, `R` a decimal number, `DT` a date, `TM` a time; then
the length or the shortest and longest. A composite stands in parentheses; `*3` repeats what is
before it; `^` says that the element itself may repeat. Only facts about form are here; which codes
a guide allows is in the guide's table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from rapport.protocols.x12.syntax import Finding, Segment


@dataclass(frozen=True, slots=True)
class Simple:
    """The form of one element or component."""

    kind: str
    shortest: int
    longest: int
    repeats: bool = False


Composite = tuple[Simple, ...]

_PROCEDURE = "(ID2,AN1-48,AN2,AN2,AN2,AN2,AN1-80,AN1-48)"
_STATUS = "(AN1-30,AN1-30,ID2-3,ID1-3)"
_DIAGNOSIS = "(ID1-3,AN1-30,ID2-3,AN1-35,R1-18,R1-15,AN1-30,AN1-30,ID1)"

_FORMS = f"""
AAA ID1 AN2 ID2 ID1
AK1 ID2 N1-9 AN1-12
AK2 ID3 AN4-9 AN1-35
AK9 ID1 N1-6 N1-6 N1-6 ID1-3*5
AMT ID1-3 R1-18 ID1
BHT ID4 ID2 AN1-50 DT8 TM4-8 ID2
BPR ID1-2 R1-18 ID1 ID3 ID1-10 ID2 AN3-12 ID1-3 AN1-35 AN10 AN9 ID2 AN3-12 ID1-3 AN1-35 DT8 ID1-3 ID2 AN3-12 ID1-3 AN1-35
CAS ID1-2 ID1-5 R1-18 R1-15 ID1-5 R1-18 R1-15 ID1-5 R1-18 R1-15 ID1-5 R1-18 R1-15 ID1-5 R1-18 R1-15 ID1-5 R1-18 R1-15
CLM AN1-38 R1-18 ID1-2 ID1-2 (AN1-2,ID1-2,ID1) ID1*5 (ID2-3,ID2-3,ID2-3,ID2,ID2-3) ID2-3 ID1 ID1-3 ID1 ID1 ID1-2 ID1 ID2 ID1-2
CLP AN1-38 ID1-2 R1-18 R1-18 R1-18 ID1-2 AN1-50 AN1-2 ID1 ID1-2 ID1-4 R1-15 R1-10 ID1
CN1 ID2 R1-18 R1-6 AN1-50 R1-6 AN1-30
CR1 ID2 R1-10 ID1 ID1 ID2 R1-15 AN1-55 AN1-55 AN1-80 AN1-80
CR2 N1-9 R1-15 ID2-3 ID2-3 ID2 R1-15 R1-15 ID1 ID1 AN1-80 AN1-80 ID1
CR3 ID1 ID2 R1-15 ID1 AN1-80
CRC ID2 ID1 ID2-3*5
CTP ID2 ID3 R1-17 R1-15 (ID2,R1-15,R1-10) ID3 R1-10 R1-18 ID2 AN1-10 N1-2
CUR ID2-3 ID3 R4-10 ID2-3 ID3
DMG ID2-3 AN1-35 ID1 ID1 () ID1-2 ID2-3 ID1-2 R1-15 ID1-3 AN1-30
DTM ID3 DT8 TM4-8 ID2 ID2-3 AN1-35
DTP ID3 ID2-3 AN1-35
EB ID1-3 ID3 ID1-2^ ID1-3 AN1-50 ID1-2 R1-18 R1-10 ID2 R1-15 ID1 ID1 {_PROCEDURE} (N1-2,N1-2,N1-2,N1-2)
EQ ID1-2^ {_PROCEDURE} ID3 ID1-3 (N1-2,N1-2,N1-2,N1-2)
FRM AN1-20 ID1 AN1-50 DT8 R1-6
GE N1-6 N1-9
GS ID2 AN2-15 AN2-15 DT8 TM4-8 N1-9 ID1-2 AN1-12
HCP ID2 R1-18 R1-18 AN1-50 R1-9 AN1-50 R1-18 AN1-48 ID2 AN1-48 ID2 R1-15 ID2 ID1-2 ID1-2
HI {_DIAGNOSIS}*12
HL AN1-12 AN1-12 ID1-2 ID1
HSD ID2 R1-15 ID2 R1-6 ID1-2 N1-3 ID1-2 ID1
IEA N1-5 N9
III ID1-3 AN1-30 ID2 AN1-264
IK3 ID2-3 N1-6 AN1-6 ID1-3
IK5 ID1 ID1-3*5
INS ID1 ID2 ID3 ID2-3 ID1 () ID2 ID2 ID1 ID1 ID2-3 AN1-35 ID1 AN2-30 ID2 ID2-3 N1-9
K3 AN1-80 ID1-2 ()
LE AN1-6
LIN AN1-20 ID2 AN1-48
LQ ID1-3 AN1-30
LS AN1-6
LX N1-6
MEA ID2 ID1-3 R1-20 () R1-20 R1-20 ID2 ID2 ID2 ID2-4 ID1-3 AN1-30
MOA R1-10 R1-18 AN1-50*5 R1-18 R1-18
MPI ID1 ID2 ID1 AN1-80 ID2 ID2-3 AN1-35
MSG AN1-264
N1 ID2-3 AN1-60 ID1-2 AN2-80 ID2 ID2-3
N3 AN1-55 AN1-55
N4 AN2-30 ID2 ID3-15 ID2-3 ID1-2 AN1-30 ID1-3
NM1 ID2-3 ID1 AN1-60 AN1-35 AN1-25 AN1-10 AN1-10 ID1-2 AN2-80 ID2 ID2-3 AN1-60
NTE ID3 AN1-80
OI ID1-2 ID2 ID1 ID1 ID1 ID1
PAT ID2 ID1 ID2 ID1 ID2-3 AN1-35 ID2 R1-10 ID1
PER ID2 AN1-60 ID2 AN1-256 ID2 AN1-256 ID2 AN1-256 AN1-20
PLB AN1-50 DT8 (ID2,AN1-50) R1-18 (ID2,AN1-50) R1-18 (ID2,AN1-50) R1-18 (ID2,AN1-50) R1-18 (ID2,AN1-50) R1-18 (ID2,AN1-50) R1-18
PRV ID1-3 ID2-3 AN1-50 ID2 () ID3
PS1 AN1-50 R1-18 ID2
PWK ID2 ID1-2 N1-2 ID2-3 ID1-2 AN2-80 AN1-80 () ID1-2
QTY ID2 R1-15 () AN1-30
REF ID2-3 AN1-50 AN1-80 (ID2-3,AN1-50,ID2-3,AN1-50,ID2-3,AN1-50)
SBR ID1 ID2 AN1-50 AN1-60 ID1-3 ID1 ID1 ID2 ID1-2
SE N1-10 AN4-9
ST ID3 AN4-9 AN1-35
STC {_STATUS} DT8 ID1-2 R1-18 R1-18 DT8 ID3 AN1-35 AN1-30 {_STATUS} {_STATUS} AN1-264
SV1 {_PROCEDURE} R1-18 ID2 R1-15 AN1-2 ID1-2 (N1-2,N1-2,N1-2,N1-2) R1-18 ID1 ID1-2 ID1 ID1 ID1-2 AN1-2 ID1 ID1 AN1-50 ID3-15 R1-18 ID1 ID1
SV5 {_PROCEDURE} ID2 R1-15 R1-18 R1-18 ID1 ID1
SVC {_PROCEDURE} R1-18 R1-18 AN1-48 R1-15 {_PROCEDURE} R1-15
SVD AN2-80 R1-18 {_PROCEDURE} AN1-48 R1-15 N1-6
TRN ID1-2 AN1-50 AN10 AN1-50
"""

_SIMPLE = re.compile(r"(AN|ID|DT|TM|N|R)(\d+)(?:-(\d+))?(\^?)$")
_KINDS = {
    "N": (re.compile(r"-?\d+$"), "a whole number"),
    "R": (re.compile(r"-?(\d+\.?\d*|\.\d+)$"), "a number"),
    "TM": (re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d(\d{1,2})?)?$"), "a time HHMM or HHMMSS"),
}


def _simple(text: str) -> Simple:
    match = _SIMPLE.match(text)
    if match is None:
        raise ValueError(f"no element form: {text}")
    kind, shortest, longest, repeats = match.groups()
    return Simple(kind, int(shortest), int(longest or shortest), bool(repeats))


def _forms(text: str) -> Iterator[Simple | Composite]:
    for word in text.split():
        form, _, times = word.partition("*")
        one: Simple | Composite
        if form.startswith("("):
            one = tuple(_simple(inner) for inner in form[1:-1].split(",") if inner)
        else:
            one = _simple(form)
        for _number in range(int(times or 1)):
            yield one


FORMS: dict[str, tuple[Simple | Composite, ...]] = {
    tag: tuple(_forms(rest))
    for tag, _, rest in (line.partition(" ") for line in _FORMS.strip().splitlines())
}
"""Tag -> the form of each element."""


def day(text: str) -> date | None:
    """Return CCYYMMDD as a day; None when it is none."""
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def period_ok(qualifier: str, text: str) -> bool:
    """Tell whether a date, time or span has the form its qualifier (D8, RD8, DT, TM) promises."""
    if qualifier == "D8":
        return day(text) is not None
    if qualifier == "RD8":
        first, _, last = text.partition("-")
        start, end = day(first), day(last)
        return start is not None and end is not None and start <= end
    if qualifier == "DT":
        return day(text[:8]) is not None
    return True


def check(segment: Segment) -> Iterator[Finding]:
    """Yield what is wrong with the form of a segment's elements."""
    forms = FORMS.get(segment.tag)
    if forms is None:
        return

    def finding(element: str, rule: str, message: str) -> Finding:
        return Finding(segment.tag, segment.index, element, rule, "error", message)

    elements = segment.elements
    if len(elements) - 1 > len(forms):
        yield finding(f"{len(forms) + 1:02}", "too-many-elements", "The segment has more elements.")
    for number, (value, form) in enumerate(zip(elements[1:], forms, strict=False), 1):
        if not value:
            continue
        if isinstance(form, Simple):
            for one in segment.repetitions(number) if form.repeats else (value,):
                fault = _fault(one, form)
                if fault:
                    yield finding(f"{number:02}", *fault)
                    break
            continue
        parts = segment.components(number)
        if form and len(parts) > len(form):
            yield finding(f"{number:02}", "too-many-components", "The element has more components.")
        if parts[-1] == "":
            yield finding(
                f"{number:02}-{len(parts)}",
                "trailing-separator",
                "A composite ends with an empty component.",
            )
        for place, (part, inner) in enumerate(zip(parts, form, strict=False), 1):
            fault = _fault(part, inner) if part else None
            if fault:
                yield finding(f"{number:02}-{place}", *fault)


def _fault(value: str, form: Simple) -> tuple[str, str] | None:
    """Return the rule that a value breaks, and why; None when it is well formed."""
    if form.kind == "DT":
        return None if day(value) else ("date", "This is not a date of the form CCYYMMDD.")
    pattern = _KINDS.get(form.kind)
    length = len(value)
    if pattern is not None:
        if not pattern[0].match(value):
            return "number" if form.kind != "TM" else "time", f"This is not {pattern[1]}."
        length = len(value.replace("-", "").replace(".", ""))
        if form.kind == "R":
            length = max(length, form.shortest)
    if length < form.shortest:
        return "too-short", f"The element needs {form.shortest} characters at least."
    if length > form.longest:
        return "too-long", f"The element has {form.longest} characters at most."
    if form.kind == "AN" and value[-1] == " " and len(value) > form.shortest:
        return "trailing-blank", "The element ends with a blank."
    return None
