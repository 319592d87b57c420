"""
Forty-six faults planted one at a time into files that are right: each is refused, with a finding that names segment,
element and rule, at the place where it was planted.

About half of them pass the validators of the registries unseen: check digits, sums between segments, what one segment
asks of another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from rapport.protocols.x12.check import check_bytes
from tests.support import x12files

CLAIMS = b"".join(x12files.professional(10, newline=""))
PAYMENTS = b"".join(x12files.remittance(10, newline=""))
Segments = list[str]


@dataclass(frozen=True)
class Fault:
    """A fault, how it is planted, and what must be found."""

    what: str
    plant: Callable[[Segments], int]
    """Changes the segments; returns where (from 0)."""
    found: tuple[str, str, str]
    """Segment, element, rule."""
    snip: int
    counted: bool = True
    """Set SE01 right again, so that nothing but the fault is wrong."""


def at(segments: Segments, start: str, nth: int = 0) -> int:
    return [n for n, segment in enumerate(segments) if segment.startswith(start)][nth]


def swap(start: str, old: str, new: str, nth: int = 0) -> Callable[[Segments], int]:
    """Change text within one segment."""

    def plant(segments: Segments) -> int:
        place = at(segments, start, nth)
        assert old in segments[place], (start, old)
        segments[place] = segments[place].replace(old, new, 1)
        return place

    return plant


def element(start: str, number: int, value: str, nth: int = 0) -> Callable[[Segments], int]:
    """Give one element another value."""

    def plant(segments: Segments) -> int:
        place = at(segments, start, nth)
        elements = segments[place].split("*")
        elements[number] = value
        segments[place] = "*".join(elements)
        return place

    return plant


def cut(start: str, length: int) -> Callable[[Segments], int]:
    """Leave only the tag and the first elements, `length` in all."""

    def plant(segments: Segments) -> int:
        place = at(segments, start)
        segments[place] = "*".join(segments[place].split("*")[:length])
        return place

    return plant


def without(start: str, loop: str = "") -> Callable[[Segments], int]:
    """Take a segment away. What is missing is told at its loop's first segment, else at the end."""

    def plant(segments: Segments) -> int:
        del segments[at(segments, start)]
        return at(segments, loop or "SE")

    return plant


def twice(start: str, before: str) -> Callable[[Segments], int]:
    """Put a claim's segments a second time before another segment."""

    def plant(segments: Segments) -> int:
        first = at(segments, start)
        place = at(segments, before)
        segments[place:place] = segments[first : at(segments, start, 1)]
        return place

    return plant


def moved(start: str, before: str) -> Callable[[Segments], int]:
    def plant(segments: Segments) -> int:
        segment = segments.pop(at(segments, start))
        place = at(segments, before)
        segments.insert(place, segment)
        return place + 1  # the one that now comes too late

    return plant


def added(text: str, before: str) -> Callable[[Segments], int]:
    def plant(segments: Segments) -> int:
        place = at(segments, before)
        segments.insert(place, text)
        return place

    return plant


IN_CLAIMS = (
    Fault("SE01 one too many", element("SE", 1, "999"), ("SE", "01", "se-count"), 1, counted=False),
    Fault("SE02 is not ST02", element("SE", 2, "0009"), ("SE", "02", "se-control-number"), 1),
    Fault("GE01 counts two sets", element("GE", 1, "2"), ("GE", "01", "ge-count"), 1),
    Fault("IEA02 is not ISA13", element("IEA", 2, "000000009"), ("IEA", "02", "iea-control-number"), 1),
    Fault("no tax id of the biller", without("REF*EI", "NM1*85"), ("REF", "", "segment-missing"), 2),
    Fault("no subscriber information", without("SBR", "HL*2"), ("SBR", "", "segment-missing"), 2),
    Fault("no service date", without("DTP*472", "LX*1"), ("DTP", "", "segment-missing"), 2),
    Fault("HI before REF", moved("HI", "REF*D9"), ("REF", "", "order"), 1),
    Fault("an unknown segment", added("ZZ9*1", "HI"), ("ZZ9", "", "segment-unknown"), 1),
    Fault("HL below none", element("HL*2", 2, "77"), ("HL", "02", "hl-parent"), 1),
    Fault("a day that is none", element("DTP*472", 3, "20251341"), ("DTP", "03", "date"), 1),
    Fault("a name of 61", element("NM1*IL", 3, "X" * 61), ("NM1", "03", "too-long"), 1),
    Fault("place of service 98", element("CLM", 5, "98:B:1"), ("CLM", "05-1", "place-of-service"), 5),
    Fault("the same LX twice", element("LX*2", 1, "1"), ("LX", "01", "line-number"), 2),
    Fault("sex X", element("DMG", 3, "X"), ("DMG", "03", "code"), 2),
    Fault("an empty element at the end", swap("REF*D9*000000000001", "1", "1*"), ("REF", "03", "trailing-separator"), 1),
    Fault("CLM02 is not the sum", element("CLM", 2, "1"), ("CLM", "02", "charge-total"), 3),
    Fault("a negative charge", element("SV1", 2, "-20"), ("SV1", "02", "charge-negative"), 2),
    Fault("the biller's NPI", swap("NM1*85", x12files.PAYEE, "1234567890"), ("NM1", "09", "npi-check-digit"), 5),
    Fault("a state ZZ", swap("N4", "*CT*", "*ZZ*"), ("N4", "02", "state"), 5),
    Fault("a pointer to no diagnosis", swap("SV1", "***1", "***7"), ("SV1", "07-1", "pointer-beyond"), 4),
    Fault("frequency 9", swap("CLM", ":B:1", ":B:9"), ("CLM", "05-3", "frequency"), 5),
    Fault("a replacement of nothing", swap("CLM", ":B:1", ":B:7"), ("CLM", "05-3", "payer-claim-number"), 4),
    Fault("the biller's ZIP of five", swap("N4", "061030001", "06103"), ("N4", "03", "zip-plus-four"), 2),
    Fault("born in 2099", element("DMG", 2, "20990101"), ("DMG", "02", "birth-date-future"), 4),
    Fault("a rendering provider without NPI", cut("NM1*82", 5), ("NM1", "09", "npi-missing"), 4),
    Fault("a procedure of four", swap("SV1", "HC:9", "HC:"), ("SV1", "01-2", "procedure-form"), 5),
    Fault("a diagnosis ZZZ999", element("HI", 1, "ABK:ZZZ999"), ("HI", "01-2", "diagnosis-form"), 5),
    Fault("ICD-9 in 2025", element("HI", 1, "BK:29600"), ("HI", "01-1", "icd9"), 5),
    Fault("a name in lower case", element("NM1*IL", 3, "baker"), ("NM1", "03", "lower-case"), 2),
)  # fmt: skip

IN_PAYMENTS = (
    Fault("SE01 one too many", element("SE", 1, "999"), ("SE", "01", "se-count"), 1, counted=False),
    Fault("a line that does not balance", element("SVC", 3, "1"), ("SVC", "03", "balance-line"), 3),
    Fault("a claim that does not balance", element("CLP", 4, "1"), ("CLP", "04", "balance-claim"), 3),
    Fault("a payment that does not balance", element("BPR", 2, "1"), ("BPR", "02", "balance-transaction"), 3),
    Fault("the provider's adjustments lost", without("PLB", "BPR"), ("BPR", "02", "balance-transaction"), 3),
    Fault("a claim twice", twice("CLP", "PLB"), ("CLP", "01", "claim-twice"), 4),
    Fault("CLP05 is not the patient's", element("CLP", 5, "1"), ("CLP", "05", "patient-responsibility"), 3),
    Fault("a reason 9999", element("CAS*CO", 2, "9999"), ("CAS", "02", "adjustment-reason"), 5),
    Fault("the payee's NPI", swap("N1*PE", x12files.PAYEE, "1234567890"), ("N1", "04", "npi-check-digit"), 5),
    Fault("a rendering provider's NPI", element("NM1*82", 9, "1234567890"), ("NM1", "09", "npi-check-digit"), 5),
    Fault("a group XX", element("CAS", 1, "XX"), ("CAS", "01", "code"), 2),
    Fault("a status 77", element("CLP", 2, "77"), ("CLP", "02", "code"), 2),
    Fault("a charge that is no number", element("SVC", 2, "ABC"), ("SVC", "02", "number"), 1),
    Fault("no trace number", without("TRN"), ("TRN", "", "segment-missing"), 2),
    Fault("nobody to ask", without("PER*BL", "N1*PR"), ("PER", "", "segment-missing"), 2),
    Fault("a provider adjustment QQ", swap("PLB", "WO:", "QQ:"), ("PLB", "03-1", "plb-reason"), 2),
)  # fmt: skip
FAULTS = [("837P", CLAIMS, fault) for fault in IN_CLAIMS] + [
    ("835", PAYMENTS, fault) for fault in IN_PAYMENTS
]


def planted(base: bytes, fault: Fault) -> tuple[bytes, int]:
    """Return the file with the fault, and the position of its segment (from 1)."""
    segments = base.decode().split("~")[:-1]
    place = fault.plant(segments)
    if fault.counted:
        start, end = at(segments, "ST"), at(segments, "SE")
        trailer = segments[end].split("*")
        segments[end] = "*".join((trailer[0], str(end - start + 1), *trailer[2:]))
    return "".join(f"{segment}~" for segment in segments).encode(), place + 1


def test_there_are_forty_six() -> None:
    assert len({(guide, fault.what) for guide, _, fault in FAULTS}) == 46


@pytest.mark.parametrize("base", [CLAIMS, PAYMENTS], ids=["837P", "835"])
def test_the_control_the_files_they_are_planted_in_are_clean(base: bytes) -> None:
    assert check_bytes(base).findings == ()


@pytest.mark.parametrize(
    ("guide", "base", "fault"), FAULTS, ids=[f"{guide}: {fault.what}" for guide, _, fault in FAULTS]
)
def test_a_planted_fault_is_refused_by_segment_element_and_rule(
    guide: str, base: bytes, fault: Fault
) -> None:
    data, position = planted(base, fault)
    assert data != base
    report = check_bytes(data)
    assert not report.clean
    found = {(f.segment, f.element, f.rule, f.position, f.snip) for f in report.findings}
    assert (*fault.found, position, fault.snip) in found
    assert [summary.guide for summary in report.transactions] == [guide]
