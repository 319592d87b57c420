"""
What no validator checks: rules between the elements of a claim, with their X12 position.

Each finding names segment, element and rule. `error` blocks sending, `warning` does not.
Sources: 45 CFR 162 (NPI), the 837P guide's balancing and situational rules (SNIP 3 and 4), CMS
place-of-service codes, ICD-10-CM code format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from .claim837p import CAS_SEGMENTS, Adjustment, Claim, Line, OtherPayer, Provider, cas_segments
from .envelope import clean
from .syntax import Finding

STATES = frozenset(
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ "
    "NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI AA AE AP".split()
)
PLACES_OF_SERVICE = frozenset(
    "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 31 32 33 34 "
    "41 42 49 50 51 52 53 54 55 56 57 58 60 61 62 65 66 71 72 81 99".split()
)
TELEHEALTH_PLACES = frozenset({"02", "10"})
TELEHEALTH_MODIFIERS = frozenset({"95", "93", "GT", "GQ", "FQ"})
PROCEDURE = re.compile(r"^[0-9A-Z][0-9]{3}[0-9A-Z]\Z")
DIAGNOSIS = re.compile(r"^[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?\Z")
PO_BOX = re.compile(r"\s*P\.?\s*O\.?\s+BOX", re.IGNORECASE)
_CONTROL = re.compile(r"^[A-Z0-9]{1,20}\Z")


def npi_ok(npi: str) -> bool:
    """Tell whether an NPI's check digit is right (Luhn over 80840 and the ten digits)."""
    if len(npi) != 10 or not (npi.isascii() and npi.isdigit()) or npi[0] not in "12":
        return False
    total = 24
    for position, digit in enumerate(reversed(npi)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _error(segment: str, element: str, rule: str, message: str) -> Finding:
    return Finding(segment, 0, element, rule, "error", message)


def _warning(segment: str, element: str, rule: str, message: str) -> Finding:
    return Finding(segment, 0, element, rule, "warning", message)


def scrub(claim: Claim, *, today: date) -> list[Finding]:
    """
    Return every fault of a claim, not only the first. Positions are 0: it is not written yet.

    :param today: the practice's day
    """
    return [
        *_header(claim, today),
        *_providers(claim),
        *_people(claim, today),
        *_lines(claim, today),
        *_others(claim),
    ]


def _header(claim: Claim, today: date) -> Iterator[Finding]:
    if not _CONTROL.match(claim.control):
        yield _error(
            "CLM", "01", "control-number", "The control number is 1 to 20 capitals and digits."
        )
    if claim.frequency not in ("1", "7", "8"):
        yield _error("CLM", "05-3", "frequency", "The frequency is 1, 7 or 8.")
    elif claim.frequency in ("7", "8") and not claim.payer_claim_number:
        yield _error(
            "REF",
            "02",
            "payer-claim-number",
            "A replacement or void needs the payer's claim number (REF*F8).",
        )
    elif claim.frequency == "1" and claim.payer_claim_number:
        yield _warning(
            "REF", "02", "payer-claim-number", "An original claim carries a payer claim number."
        )
    if claim.place_of_service not in PLACES_OF_SERVICE:
        yield _error("CLM", "05-1", "place-of-service", "This is no place of service code.")
    if not claim.diagnoses:
        yield _error("HI", "01", "diagnosis-missing", "A claim needs at least one diagnosis.")
    if len(claim.diagnoses) > 12:
        yield _error("HI", "12", "diagnosis-too-many", "A claim carries twelve diagnoses at most.")
    if len(set(claim.diagnoses)) != len(claim.diagnoses):
        yield _error("HI", "02", "diagnosis-twice", "A diagnosis is named twice.")
    for number, code in enumerate(claim.diagnoses, 1):
        if not DIAGNOSIS.match(code.upper()):
            yield _error(
                "HI",
                f"{number:02}-2",
                "diagnosis-form",
                "This is not the form of an ICD-10-CM code.",
            )
    if not claim.lines:
        yield _error("LX", "01", "line-missing", "A claim needs at least one service line.")
    if len(claim.lines) > 50:
        yield _error("LX", "01", "line-too-many", "A claim carries fifty service lines at most.")
    if claim.total <= 0:
        yield _error("CLM", "02", "charge-zero", "The charge must be more than zero.")
    if not claim.member_id.strip():
        yield _error("NM1", "09", "member-id-missing", "The policy has no member id (2010BA).")
    if not claim.payer.id.strip():
        yield _error(
            "NM1", "09", "payer-id-missing", "The payer has no id at the clearinghouse (2010BB)."
        )


def _providers(claim: Claim) -> Iterator[Finding]:
    billing = claim.billing
    if not npi_ok(billing.npi):
        yield _error(
            "NM1",
            "09",
            "npi-check-digit",
            "The billing provider's NPI is missing or wrong (2010AA).",
        )
    if len(billing.tax_id) != 9 or not billing.tax_id.isdigit():
        yield _error(
            "REF", "02", "tax-id", "The billing provider's tax id has nine digits (2010AA)."
        )
    if billing.place is None or not billing.place.line1:
        yield _error(
            "N3", "01", "address-missing", "The billing provider has no street address (2010AA)."
        )
    else:
        if PO_BOX.match(billing.place.line1):
            yield _error(
                "N3", "01", "po-box", "The billing address must be a street, not a PO box (2010AA)."
            )
        if len(billing.place.postal_code) != 9 or not billing.place.postal_code.isdigit():
            yield _error(
                "N4",
                "03",
                "zip-plus-four",
                "The billing address needs a nine-digit ZIP code (2010AA).",
            )
        if billing.place.state not in STATES:
            yield _error("N4", "02", "state", "The billing address has no known state (2010AA).")
    people: tuple[tuple[str, str, Provider | None], ...] = (
        ("2310B", "rendering", claim.rendering),
        ("2310D", "supervising", claim.supervising),
        ("2310A", "referring", claim.referring),
    )
    for loop, word, provider in people:
        if provider is not None and not npi_ok(provider.npi):
            yield _error(
                "NM1",
                "09",
                "npi-check-digit",
                f"The {word} provider's NPI is missing or wrong ({loop}).",
            )
    if claim.facility and (len(claim.facility.place.postal_code) != 9):
        yield _error(
            "N4", "03", "zip-plus-four", "The service facility needs a nine-digit ZIP code (2310C)."
        )


def _people(claim: Claim, today: date) -> Iterator[Finding]:
    person = claim.patient or claim.subscriber
    loop = "2010CA" if claim.patient else "2010BA"
    if not clean(person.name.last)[0]:
        yield _error("NM1", "03", "name-missing", f"X12 can carry nothing of the name ({loop}).")
    if person.birth_on is None:
        yield _error(
            "DMG", "02", "birth-date-missing", f"The patient has no date of birth ({loop})."
        )
    elif person.birth_on > today:
        yield _error(
            "DMG", "02", "birth-date-future", f"The date of birth is in the future ({loop})."
        )
    elif today.year - person.birth_on.year > 125:
        yield _error(
            "DMG",
            "02",
            "birth-date-past",
            f"The date of birth is more than 125 years ago ({loop}).",
        )
    if person.sex not in ("F", "M", "U"):
        yield _error("DMG", "03", "sex", f"The sex is F, M or U ({loop}).")
    if person.place is None or not person.place.line1:
        yield _error("N3", "01", "address-missing", f"The patient has no address ({loop}).")
    elif person.place.state not in STATES:
        yield _error("N4", "02", "state", f"The patient's address has no known state ({loop}).")


def _lines(claim: Claim, today: date) -> Iterator[Finding]:
    seen: set[tuple[str, tuple[str, ...], date]] = set()
    controls: set[str] = set()
    for number, line in enumerate(claim.lines, 1):
        yield from _line(claim, line, number, today)
        service = (line.procedure, line.modifiers, line.service_on)
        if service in seen:
            yield _warning(
                "SV1", "01", "duplicate-line", f"Line {number} repeats a service of the same day."
            )
        seen.add(service)
        if line.control in controls or not line.control:
            yield _error(
                "REF", "02", "line-control", f"Line {number} needs a control number of its own."
            )
        controls.add(line.control)


def _line(claim: Claim, line: Line, number: int, today: date) -> Iterator[Finding]:
    where = f"Line {number}"
    if not PROCEDURE.match(line.procedure):
        yield _error(
            "SV1",
            "01-2",
            "procedure-form",
            f"{where}: this is not the form of a CPT or HCPCS code.",
        )
    if line.charge < 0:
        yield _error("SV1", "02", "charge-negative", f"{where}: a charge is not negative.")
    if line.charge != line.charge.quantize(Decimal("0.01")):
        yield _error(
            "SV1", "02", "charge-precision", f"{where}: a charge has two decimals at most."
        )
    if line.units <= 0:
        yield _error("SV1", "04", "units", f"{where}: units must be more than zero.")
    if len(line.modifiers) > 4:
        yield _error("SV1", "01-6", "modifier-too-many", f"{where}: four modifiers at most.")
    if any(not re.match(r"[A-Z0-9]{2}\Z", modifier) for modifier in line.modifiers):
        yield _error(
            "SV1", "01-3", "modifier-form", f"{where}: a modifier has two capitals or digits."
        )
    if len(set(line.modifiers)) != len(line.modifiers):
        yield _error("SV1", "01-4", "modifier-twice", f"{where}: a modifier is named twice.")
    if not line.pointers or len(line.pointers) > 4:
        yield _error("SV1", "07", "pointer-missing", f"{where}: one to four diagnosis pointers.")
    if any(not 1 <= pointer <= len(claim.diagnoses) for pointer in line.pointers):
        yield _error(
            "SV1", "07", "pointer-beyond", f"{where}: a pointer goes beyond the diagnoses."
        )
    if line.service_on > today:
        yield _error("DTP", "03", "service-future", f"{where}: the service is in the future.")
    place = line.place_of_service or claim.place_of_service
    if place not in PLACES_OF_SERVICE:
        yield _error("SV1", "05", "place-of-service", f"{where}: this is no place of service code.")
    has_modifier = bool(set(line.modifiers) & TELEHEALTH_MODIFIERS)
    if place in TELEHEALTH_PLACES and not has_modifier:
        yield _warning(
            "SV1",
            "01-3",
            "telehealth-modifier",
            f"{where}: a telehealth place of service without a telehealth modifier.",
        )
    if has_modifier and place not in TELEHEALTH_PLACES:
        yield _warning(
            "SV1",
            "05",
            "telehealth-place",
            f"{where}: a telehealth modifier with a place of service that is not 02 or 10.",
        )


_RANKS = {"P": "first", "S": "second", "T": "third"}


def _others(claim: Claim) -> Iterator[Finding]:
    """What other payers decided: said once, of a payer that is named, and adding up to the charge."""
    ids = [other.payer.id for other in claim.others]
    ranks = [claim.rank, *(other.rank for other in claim.others)]
    if len(set(ids)) != len(ids):
        yield _error("NM1", "09", "other-payer-twice", "Two other payers have the same id (2330B).")
    if len(set(ranks)) != len(ranks):
        yield _error("SBR", "01", "payer-rank-twice", "Two payers have the same rank.")
    for line in claim.lines:
        if any(decided.payer_id not in ids for decided in line.adjudications):
            yield _error("SVD", "01", "payer-unknown", "A line names none of the other payers (2330B).")
    for other in claim.others:
        yield from _other(claim, other)


def _other(claim: Claim, other: OtherPayer) -> Iterator[Finding]:
    who = f"the {_RANKS.get(other.rank, 'other')} payer"
    if not other.payer.id.strip():
        yield _error("NM1", "09", "payer-id-missing", f"An id of {who} is missing (2330B).")
    if not clean(other.subscriber.name.last)[0] or not other.member_id.strip():
        yield _error("NM1", "03", "other-subscriber-missing", f"Name or member id at {who} is missing (2330A).")
    by_line = [[one for one in line.adjudications if one.payer_id == other.payer.id] for line in claim.lines]
    said_by_line = any(by_line)
    if other.paid is None:
        if said_by_line or other.adjustments:
            yield _error("AMT", "02", "other-paid-missing", f"What {who} paid in all is missing (AMT*D).")
        return
    if said_by_line == (other.adjudicated_on is not None):
        yield _error(
            "DTP", "03", "adjudication-date",
            f"The day on which {who} decided stands once: with the claim, or with each line (DTP*573).",
        )  # fmt: skip
    if len(other.remarks) > 5:
        yield _error("MOA", "07", "remark-too-many", f"There is room for five remarks of {who} (MOA).")
    for lists in ([other.adjustments], [one.adjustments for found in by_line for one in found]):
        if any(len(cas_segments(adjustments)) > CAS_SEGMENTS for adjustments in lists):
            yield _error("CAS", "02", "adjustment-too-many", f"There are too many adjustments of {who} (CAS).")
    paid = adjusted = Decimal(0)
    for number, (line, found) in enumerate(zip(claim.lines, by_line, strict=True), 1):
        if not found:
            continue
        line_paid = sum((one.paid for one in found), Decimal(0))
        line_adjusted = sum((_total(one.adjustments) for one in found), Decimal(0))
        if line_paid + line_adjusted != line.charge:
            yield _error(
                "SVD", "02", "balance-cob-line",
                f"Line {number}: the charge is not what {who} paid and adjusted (SVD, CAS).",
            )  # fmt: skip
        paid, adjusted = paid + line_paid, adjusted + line_adjusted
    whole = _total(other.adjustments)
    if other.paid + whole + adjusted != claim.total:
        yield _error(
            "AMT", "02", "balance-cob-claim",
            f"The charge is not what {who} paid and adjusted (AMT*D, CAS).",
        )  # fmt: skip
    if said_by_line and other.paid != paid - whole:
        yield _error(
            "AMT", "02", "balance-cob-paid",
            f"What {who} paid in all is not what it paid for the lines (AMT*D, SVD).",
        )  # fmt: skip


def _total(adjustments: Iterable[Adjustment]) -> Decimal:
    return sum((one.amount for one in adjustments), Decimal(0))
