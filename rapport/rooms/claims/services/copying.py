"""A claim about the very services of another one: to the payer after, or to take it back."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.rooms.claims.models import Claim, ClaimLine

from .numbers import control_number_of


def copied(*, claim: Claim, before: Sequence[ClaimLine]) -> list[ClaimLine]:
    """
    Return lines for a claim that is not kept yet, alike to those of earlier claims, with numbers of their own.

    The claim takes on their diagnoses and place of service.

    :param before: lines with their claims, in order
    """
    claim.diagnosis_codes = list(
        dict.fromkeys(code for line in before for code in line.claim.diagnosis_codes)
    )[:12]
    claim.place_of_service_code = before[0].claim.place_of_service_code
    return [
        ClaimLine(
            practice_id=claim.practice_id, claim=claim, position=position,
            appointment_id=line.appointment_id, note_id=line.note_id, service_on=line.service_on,
            service_code=line.service_code, modifiers=list(line.modifiers),
            place_of_service_code=line.place_of_service_code, units=line.units,
            charge_cents=line.charge_cents, diagnosis_pointers=_pointers(claim, line),
            control_number=control_number_of("L"), rate_rule=line.rate_rule,
        )
        for position, line in enumerate(before, 1)
    ]  # fmt: skip


def _pointers(claim: Claim, line: ClaimLine) -> list[int]:
    """Return a line's pointers, which count in its own claim, as they count in another one."""
    theirs = line.claim.diagnosis_codes
    codes = [theirs[pointer - 1] for pointer in line.diagnosis_pointers if pointer <= len(theirs)]
    return [claim.diagnosis_codes.index(code) + 1 for code in codes if code in claim.diagnosis_codes]
