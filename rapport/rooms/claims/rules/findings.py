"""Findings: what a claim's faults are called, where they are mended, and which of them block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rapport.protocols.x12.syntax import Finding as X12Finding


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a claim."""

    code: str
    severity: str
    """`error` blocks sending, `warning` does not."""
    pointer: str
    """Where it is mended: a path into the claim, the patient, the policy or the practice."""
    position: str
    """Its X12 position, e.g. `2010AA NM109`."""
    message: str
    """What to change."""

    @property
    def blocks(self) -> bool:
        """It must be mended before the claim can be sent."""
        return self.severity == "error"


OVERRIDABLE = frozenset({"crossed-over"})
"""Findings that block until somebody answers for them, with a reason: what they warn of may not be so."""

_POINTERS = {
    "member-id-missing": "/policy/member_id",
    "payer-id-missing": "/payer/payer_id_code",
    "birth-date-missing": "/patient/birth_on",
    "birth-date-future": "/patient/birth_on",
    "birth-date-past": "/patient/birth_on",
    "sex": "/patient/sex",
    "tax-id": "/practice/tax_id",
    "po-box": "/practice/address/line1",
    "payer-claim-number": "/original_claim_id",
    "frequency": "/frequency",
    "place-of-service": "/place_of_service_code",
    "telehealth-modifier": "/lines/modifiers",
    "telehealth-place": "/lines/place_of_service_code",
}
"""Rule of the protocol -> where a person mends it. By loop below where the rule alone is not
enough, else the diagnoses or lines."""
_BY_LOOP = {
    "2010AA": "/practice",
    "2310B": "/clinician",
    "2310D": "/supervisor",
    "2310A": "/referring",
    "2310C": "/location",
    "2010BA": "/patient",
    "2010CA": "/patient",
    "2330A": "/other_policies",
    "2330B": "/other_policies",
}


def from_x12(found: Iterable[X12Finding]) -> list[Finding]:
    """Turn the protocol's findings into the room's, each with a pointer to what is mended."""
    result = []
    for finding in found:
        loop = next((loop for loop in _BY_LOOP if f"({loop})" in finding.message), "")
        pointer = _POINTERS.get(finding.rule) or _BY_LOOP.get(loop, "")
        if not pointer:
            pointer = "/diagnosis_codes" if finding.segment == "HI" else "/lines"
        place = f"{loop} {finding.segment}{finding.element}".strip()
        result.append(Finding(finding.rule, finding.severity, pointer, place, finding.message))
    return result


def timely_filing(*, file_by_on: date | None, warn_days: int, today: date) -> list[Finding]:
    """
    Warn when the payer's time limit is near or has passed; whether it is worth sending then, a person says.

    :param file_by_on: the last day; None: no limit is known
    """
    if file_by_on is None:
        return []
    left = (file_by_on - today).days
    if left < 0:
        return [
            Finding(
                "timely-filing-passed", "warning", "/service_from_on", "2400 DTP472",
                f"The payer's time limit passed on {file_by_on:%Y-%m-%d}.",
            )
        ]  # fmt: skip
    if left <= warn_days:
        return [
            Finding(
                "timely-filing-near", "warning", "/service_from_on", "2400 DTP472",
                f"{left} day(s) are left: the payer takes it until {file_by_on:%Y-%m-%d}.",
            )
        ]  # fmt: skip
    return []
