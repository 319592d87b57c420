"""
A claim on the CMS-1500 (02/12): text at (line, column) of a grid of 63 lines and 78 columns.

Made from the same record as the 837P, so paper and file cannot disagree. Six services a page;
further pages repeat the header. Names, addresses and notes are shortened to their box; an amount, a
count or an identifier is never cut, since what is left would be another one. The form is in the public domain; the positions follow CMS' print
standard (10 characters and 6 lines an inch).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from rapport.protocols.x12.claim837p import Claim, Line, Name, Person, Place, Provider
from rapport.protocols.x12.envelope import clean

SERVICES_A_PAGE = 6
DIAGNOSES = 12


class DoesNotFit(ValueError):
    """A value that must not be shortened is wider than its box. Says which box, never the value."""

    def __init__(self, box: str) -> None:
        super().__init__(f"Box {box} of the paper form is too narrow for its value.")
        self.box = box


class Text(NamedTuple):
    """A text and where it begins. Line 1 is the one with the PICA boxes; column 1 the leftmost."""

    line: int
    column: int
    text: str


Page = tuple[Text, ...]

_GROUPS = {"MB": 1, "MC": 8, "CH": 15, "VA": 24, "CI": 31, "BL": 31, "HM": 31, "12": 31}
"""Claim filing indicator -> column of the X in box 1; others: 45."""
_RELATIONSHIPS = {"18": 33, "01": 38, "19": 42}
_MODIFIERS = (33, 36, 39, 42)
_FREQUENCIES = {"7": "7", "8": "8"}


def _upper(text: str, width: int, *, comma: bool = False) -> str:
    cleaned = clean(text)[0]
    kept = "".join(c if c.isalnum() or c in (" -&," if comma else " -&") else " " for c in cleaned)
    return " ".join(kept.split())[:width].strip()


def _name(name: Name, width: int) -> str:
    parts = [f"{name.last} {name.suffix}".strip(), name.first, name.middle]
    return _upper(", ".join(part for part in parts if part), width, comma=True)


def _exact(box: str, text: str, width: int) -> str:
    """Return the text, whole. :raises DoesNotFit: it is wider than the box"""
    if len(text) > width:
        raise DoesNotFit(box)
    return text


def _number(box: str, text: str, width: int) -> str:
    """Upper-case an identifier, whole."""
    return _exact(box, _upper(text, len(text) * 2 + 1), width)


def _money(box: str, amount: Decimal, width: int) -> str:
    """Dollars and cents without a point, to the right."""
    return _exact(box, f"{int((amount * 100).to_integral_value())}".rjust(width), width)


def layout(claim: Claim, *, today: date) -> tuple[Page, ...]:
    """
    Return the pages of a claim.

    :param today: printed beside the signatures
    :raises DoesNotFit: an amount, a count or an identifier is wider than its box
    """
    if len(claim.diagnoses) > DIAGNOSES:
        raise DoesNotFit("21")
    chunks = [
        claim.lines[start : start + SERVICES_A_PAGE]
        for start in range(0, max(1, len(claim.lines)), SERVICES_A_PAGE)
    ]
    return tuple(
        (*_head(claim, today), *_services(claim, chunk), *_foot(claim, today, last=number == len(chunks)))
        for number, chunk in enumerate(chunks, 1)
    )


def _birth(line: int, columns: tuple[int, int, int], person: Person, male: int, female: int) -> Iterator[Text]:
    if person.birth_on:
        month, day, year = columns
        yield Text(line, month, f"{person.birth_on:%m}")
        yield Text(line, day, f"{person.birth_on:%d}")
        yield Text(line, year, f"{person.birth_on:%Y}")
    if person.sex in ("M", "F"):
        yield Text(line, male if person.sex == "M" else female, "X")


def _address(place: Place | None, column: int, width: int) -> Iterator[Text]:
    if place is None:
        return
    yield Text(7, column, _upper(f"{place.line1} {place.line2}", width))
    yield Text(9, column, _upper(place.city, 23))
    yield Text(9, 26 if column == 1 else 74, place.state)
    yield Text(11, column, _exact("5 or 7", place.postal_code, 9))


def _head(claim: Claim, today: date) -> Iterator[Text]:
    patient = claim.patient or claim.subscriber
    yield Text(-3, 41, _upper(claim.payer.name, 31))
    if claim.payer.place:
        yield Text(-2, 41, _upper(claim.payer.place.line1, 31))
        place = claim.payer.place
        yield Text(0, 41, _upper(f"{place.city} {place.state} {place.postal_code}", 31))
    yield Text(3, _GROUPS.get(claim.filing_indicator, 45), "X")
    yield Text(3, 50, _number("1a", claim.member_id, 29))
    yield Text(5, 1, _name(patient.name, 29))
    yield from _birth(5, (31, 34, 37), patient, 42, 47)
    yield Text(5, 50, _name(claim.subscriber.name, 29))
    yield from _address(patient.place, 1, 29)
    yield Text(7, _RELATIONSHIPS.get(claim.relationship, 47), "X")
    yield from _address(claim.subscriber.place, 50, 29)
    if claim.others:
        other = claim.others[0]
        yield Text(13, 1, _name(other.subscriber.name, 28))
        yield Text(15, 1, _number("9a", other.group_number or other.member_id, 28))
        yield Text(21, 1, _upper(other.payer.name, 28))
    for line in (15, 17, 19):
        yield Text(line, 41, "X")
    yield Text(13, 50, _number("11", claim.group_number, 29) or ("NONE" if claim.filing_indicator == "MB" else ""))
    yield from _birth(15, (53, 56, 59), claim.subscriber, 68, 75)
    yield Text(21, 52 if claim.others else 57, "X")
    yield Text(24, 7, "SIGNATURE ON FILE")
    yield Text(24, 55, "SIGNATURE ON FILE")
    provider, qualifier = (claim.supervising, "DQ") if claim.supervising else (claim.referring, "DN")
    if provider:
        yield Text(29, 1, qualifier)
        yield Text(29, 4, _name(provider.name, 25))
        yield Text(29, 33, provider.npi)
    if claim.note:
        # Of the box's 71 characters those left of box 20, whose crosses share this line.
        yield Text(31, 1, _upper(claim.note, 49))
    yield Text(31, 57, "X")
    yield Text(32, 42, "0")
    for number, code in enumerate(claim.diagnoses):
        yield Text(33 + number // 4, (3, 16, 29, 42)[number % 4], _number("21", code, 7))
    if claim.frequency in _FREQUENCIES:
        yield Text(33, 50, _FREQUENCIES[claim.frequency])
        yield Text(33, 62, _number("22", claim.payer_claim_number, 18))
    yield Text(35, 50, _number("23", claim.authorisation or claim.referral, 29))


def _services(claim: Claim, lines: tuple[Line, ...]) -> Iterator[Text]:
    rendering: Provider = claim.rendering or claim.billing
    for row, line in enumerate(lines):
        at = 39 + 2 * row
        for column in (1, 10):
            for offset, part in enumerate((f"{line.service_on:%m}", f"{line.service_on:%d}", f"{line.service_on:%y}")):
                yield Text(at, column + 3 * offset, part)
        yield Text(at, 19, line.place_of_service or claim.place_of_service)
        yield Text(at, 25, line.procedure)
        if len(line.modifiers) > len(_MODIFIERS):
            raise DoesNotFit("24D")
        for column, modifier in zip(_MODIFIERS, line.modifiers, strict=False):
            yield Text(at, column, modifier)
        yield Text(at, 45, "".join("ABCDEFGHIJKL"[pointer - 1] for pointer in line.pointers[:4]))
        yield Text(at, 50, _money("24F", line.charge, 8))
        yield Text(at, 59, _exact("24G", f"{line.units.normalize():f}".rjust(3), 3))
        yield Text(at, 68, rendering.npi)


def _foot(claim: Claim, today: date, *, last: bool) -> Iterator[Text]:
    billing = claim.billing
    yield Text(51, 1, billing.tax_id)
    yield Text(51, 19 if billing.tax_id_kind == "EI" else 17, "X")
    yield Text(51, 23, claim.control[:14])
    yield Text(51, 38, "X")
    if last:
        yield Text(51, 52, _money("28", claim.total, 8))
        # What the patient and earlier payers paid, together: the form has one box for both.
        paid = (claim.patient_paid or Decimal(0)) + sum(
            (other.paid or Decimal(0) for other in claim.others), Decimal(0)
        )
        if paid:
            yield Text(51, 62, _money("29", paid, 8))
    else:
        yield Text(51, 52, "CONTINUE")
    yield Text(55, 1, "SIGNATURE ON FILE")
    yield Text(56, 6, f"{today:%m%d%y}")
    facility = claim.facility
    if facility:
        yield from _block(23, facility.name, facility.place, 26)
        yield Text(56, 23, facility.npi)
    if billing.phone:
        yield Text(52, 66, billing.phone[:3])
        yield Text(52, 70, billing.phone[3:10])
    if billing.place:
        name = _name(billing.name, 29) if billing.name.is_person else _upper(billing.name.last, 29)
        yield from _block(50, name, billing.place, 29)
    yield Text(56, 50, billing.npi)


def _block(column: int, name: str, place: Place, width: int) -> Iterator[Text]:
    yield Text(53, column, _upper(name, width, comma=True))
    yield Text(54, column, _upper(f"{place.line1} {place.line2}", width))
    yield Text(55, column, _upper(f"{place.city} {place.state} {place.postal_code}", width))
