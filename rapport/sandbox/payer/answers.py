"""The acknowledgements: TA1, 999 and 277CA as segments, ready for an interchange."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rapport.sandbox.payer.claims import Batch, Claim
from rapport.sandbox.payer.guide import ACCEPTED, GroupVerdict, SetVerdict
from rapport.sandbox.payer.scenarios import Scenario, scenario_of
from rapport.sandbox.payer.x12 import Interchange, clean, money, segment

VERSION_999 = "005010X231A1"
VERSION_277CA = "005010X214"


def write_ta1(interchange: Interchange, note: str) -> str:
    """The TA1 for an interchange: accepted for note 000, else refused as a whole."""
    header = interchange.header
    verdict = "A" if note == ACCEPTED else "R"
    return segment("TA1", header.at(13), header.at(9), header.at(10), verdict, note)


def write_999(verdicts: Iterable[GroupVerdict]) -> list[list[str]]:
    """One 999 per functional group."""
    return [_one_999(number, one) for number, one in enumerate(verdicts, start=1)]


def _one_999(number: int, verdict: GroupVerdict) -> list[str]:
    header = verdict.group.header
    lines = [
        segment("ST", "999", f"{number:04d}", VERSION_999),
        segment("AK1", header.at(1), header.at(6), header.at(8)),
    ]
    for one in verdict.sets:
        lines += _set_999(one)
    included, accepted = len(verdict.sets), verdict.accepted_count
    answer = "R" if not accepted else "A" if accepted == included else "P"
    stated = verdict.group.trailer.at(1) if verdict.group.trailer else str(included)
    counts = (stated if stated.isdigit() else str(included), str(included), str(accepted))
    return [*lines, segment("AK9", answer, *counts, *verdict.codes)]


def _set_999(verdict: SetVerdict) -> list[str]:
    first = verdict.transaction.segments[0]
    lines = [segment("AK2", first.at(1), first.at(2), first.at(3))]
    for fault in verdict.faults:
        lines.append(segment("IK3", fault.tag, str(fault.position), fault.loop, fault.code))
        if fault.element:
            lines.append(
                segment(
                    "IK4", fault.element, fault.reference, fault.element_code,
                    clean(fault.bad_value),
                )
            )  # fmt: skip
    codes = [*verdict.envelope_codes, *(["5"] if verdict.faults else [])]
    return [*lines, segment("IK5", "A" if verdict.accepted else "R", *codes[:5])]


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """A claim with its 277CA answer: a payer number when accepted, else why not."""

    claim: Claim
    icn: str = ""
    refusal: tuple[str, str, str] | None = None
    """Category, status code and entity code of the rejection."""
    text: str = ""


def refusal_of(claim: Claim, *, original_known: bool) -> tuple[tuple[str, str, str], str] | None:
    """Why the payer returns a claim before adjudication, with words; None when it does not."""
    pointers = [pointer for line in claim.lines for pointer in line.pointers]
    match scenario_of(claim.member_id):
        case Scenario.REJECTED_MEMBER:
            return ("A7", "164", "IL"), "SUBSCRIBER ID NOT FOUND"
        case Scenario.REJECTED_UNPROCESSABLE:
            return ("A3", "21", "IL"), "CLAIM RETURNED AS UNPROCESSABLE"
        case _:
            pass
    if sum((line.charge for line in claim.lines), Decimal(0)) != claim.charge:
        return ("A7", "400", "85"), "CLAIM IS OUT OF BALANCE"
    if not npi_holds(claim.billing_npi):
        return ("A7", "562", "85"), "BILLING PROVIDER NPI IS NOT VALID"
    if not pointers or max(pointers) > claim.diagnosis_count or min(pointers) < 1:
        return ("A7", "477", "85"), "DIAGNOSIS POINTER WITHOUT A DIAGNOSIS"
    if claim.frequency in ("7", "8") and not claim.original_number:
        return ("A6", "464", "PR"), "PAYER CLAIM CONTROL NUMBER MISSING"
    if claim.frequency in ("7", "8") and not original_known:
        return ("A7", "464", "PR"), "PAYER CLAIM CONTROL NUMBER NOT KNOWN"
    return None


def npi_holds(text: str) -> bool:
    """Whether ten digits carry the check digit of a National Provider Identifier."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()) or text[0] not in "12":
        return False
    total = 24
    for index, digit in enumerate(reversed(text)):
        doubled = int(digit) * (2 if index % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def write_277ca(
    batch: Batch, verdicts: Sequence[ClaimVerdict], *, reference: str, at: datetime
) -> list[list[str]]:
    """One 277CA set per payer named in the batch."""
    payers: dict[tuple[str, str], list[ClaimVerdict]] = {}
    for verdict in verdicts:
        payers.setdefault((verdict.claim.payer_id, verdict.claim.payer_name), []).append(verdict)
    return [
        _one_277ca(batch, of_payer, f"{number:04d}", f"{reference}{number:02d}", at)
        for number, of_payer in enumerate(payers.values(), start=1)
    ]


def _one_277ca(
    batch: Batch, verdicts: Sequence[ClaimVerdict], number: str, reference: str, at: datetime
) -> list[str]:
    claim = verdicts[0].claim
    day = f"{at:%Y%m%d}"
    lines = [
        segment("ST", "277", number, VERSION_277CA),
        segment("BHT", "0085", "08", reference, day, f"{at:%H%M}", "TH"),
        segment("HL", "1", "", "20", "1"),
        segment("NM1", "PR", "2", clean(claim.payer_name), "", "", "", "", "PI", claim.payer_id),
        segment("TRN", "1", reference),
        segment("DTP", "050", "D8", day),
        segment("DTP", "009", "D8", day),
        segment("HL", "2", "1", "21", "1"),
        segment("NM1", "41", "2", clean(batch.submitter_name), "", "", "", "", "46",
                batch.submitter_id),
        segment("TRN", "2", batch.reference),
        *_totals(verdicts, ("90", "AA"), day),
    ]  # fmt: skip
    providers: dict[str, list[ClaimVerdict]] = {}
    for verdict in verdicts:
        providers.setdefault(verdict.claim.billing_npi, []).append(verdict)
    level = 2
    for npi, of_provider in providers.items():
        level += 1
        parent = level
        name = clean(of_provider[0].claim.billing_name)
        lines += [
            segment("HL", str(parent), "2", "19", "1"),
            segment("NM1", "85", "2", name, "", "", "", "", "XX", npi),
            segment("TRN", "1", "0"),
            *_totals(of_provider, ("QA", "QC"), ""),
        ]
        for verdict in of_provider:
            level += 1
            lines += [segment("HL", str(level), str(parent), "PT"), *_claim_status(verdict, day)]
    return lines


def _totals(verdicts: Sequence[ClaimVerdict], counts: tuple[str, str], day: str) -> list[str]:
    accepted = [one.claim.charge for one in verdicts if one.refusal is None]
    refused = [one.claim.charge for one in verdicts if one.refusal is not None]
    total = sum((one.claim.charge for one in verdicts), Decimal(0))
    lines = [segment("STC", "A1:19:PR", day, "WQ" if accepted else "U", money(total))]
    pairs = ((counts[0], accepted), (counts[1], refused))
    lines += [segment("QTY", code, str(len(some))) for code, some in pairs if some]
    amounts = (("YU", accepted), ("YY", refused))
    lines += [segment("AMT", code, money(sum(s, Decimal(0)))) for code, s in amounts if s]
    return lines


def _claim_status(verdict: ClaimVerdict, day: str) -> list[str]:
    claim = verdict.claim
    name = (clean(claim.last_name), clean(claim.first_name))
    lines = [
        segment("NM1", "QC", "1", *name, "", "", "", "MI", claim.member_id),
        segment("TRN", "2", claim.number),
    ]
    charge = money(claim.charge)
    if verdict.refusal is None:
        lines += [
            segment("STC", "A2:20:PR", day, "WQ", charge),
            segment("REF", "1K", verdict.icn),
        ]
    else:
        status = ":".join(verdict.refusal)
        lines.append(segment("STC", status, day, "U", charge, *[""] * 7, verdict.text))
    if claim.trace:
        lines.append(segment("REF", "D9", claim.trace))
    days = sorted({part for line in claim.lines for part in line.service_on.split("-") if part})
    if len(days) == 1:
        lines.append(segment("DTP", "472", "D8", days[0]))
    elif days:
        lines.append(segment("DTP", "472", "RD8", f"{days[0]}-{days[-1]}"))
    return lines
