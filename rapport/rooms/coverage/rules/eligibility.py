"""
What a payer's answer to an eligibility inquiry means here, and what to do when there is none. Plain values.

Nothing in it is a reason to turn a patient away: payers are wrong, late and incomplete, and say so themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rapport.protocols.x12.benefits import Call, Chosen, Summary
from rapport.protocols.x12.elig271 import Refusal

from .notices import Notice

WAITS = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8))
"""After the first, second … answer that is none, until the payer is asked again."""
_AGAIN = frozenset({"42", "80"})
"""AAA03: the payer could not answer just now."""
_NOT_AGAIN = frozenset({"C", "N"})
"""AAA04: correct it first, or do not ask again."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a refusal."""

    what: str
    pointer: str
    """Where it is mended: a path into the policy, the patient, the payer or the practice; empty: nowhere here."""


_MEMBER = "/policy/member_id"
_PROVIDER = "/practice/npi"
_BIRTH = "/patient/birth_on"
_ADVICE: dict[str, Advice] = {
    "04": Advice("The payer was asked too often: ask again tomorrow.", ""),
    "15": Advice("The payer wants something more: compare patient and policy with the card.", "/policy"),
    "33": Advice("The payer could not use the question: compare patient and policy with the card.", "/policy"),
    "35": Advice("The practice is out of this plan's network: ask the payer by telephone.", "/payer"),
    "41": Advice("The practice may not ask this payer yet: enrol for 270 first.", "/payer/enrollments"),
    "42": Advice("The payer cannot answer just now. It is asked again by itself.", ""),
    "43": Advice("The payer does not know the practice's NPI: check it, and the enrolment for 270.", _PROVIDER),
    "44": Advice("The payer does not know the practice by this name.", "/practice/name"),
    "50": Advice("The practice may not ask this payer: enrol for 270 first.", "/payer/enrollments"),
    "51": Advice("The payer does not have the practice on file: enrol for 270 first.", "/payer/enrollments"),
    "52": Advice("The practice was not enrolled with this payer on that day.", "/payer/enrollments"),
    "56": Advice("The payer does not answer for that day: ask for today.", "/service_on"),
    "57": Advice("The payer does not answer for that day: ask for today.", "/service_on"),
    "58": Advice("The birth date is missing or wrong.", _BIRTH),
    "60": Advice("The birth date is later than the day that was asked for.", _BIRTH),
    "61": Advice("The payer has a date of death before that day: ask the payer by telephone.", ""),
    "62": Advice("The payer does not answer for a day that far away: ask for one nearer to today.", "/service_on"),
    "63": Advice("The payer does not answer for days to come: ask for today.", "/service_on"),
    "64": Advice("The member id is missing or wrong: compare it with the card.", _MEMBER),
    "65": Advice("The patient's name is not as the payer has it: compare it with the card.", "/patient/name"),
    "67": Advice("The payer does not find the patient: compare name, birth date and member id with the card.", _MEMBER),
    "68": Advice("Two people have this member id: ask the payer by telephone.", _MEMBER),
    "71": Advice("The birth date is not as the payer has it.", _BIRTH),
    "72": Advice("The member id is missing or wrong: compare it with the card.", _MEMBER),
    "73": Advice("The name is not as the payer has it: compare it with the card.", "/patient/name"),
    "75": Advice("The payer does not find the subscriber: compare name, birth date and member id with the card.", _MEMBER),
    "76": Advice("Two people have this member id: ask the payer by telephone.", _MEMBER),
    "77": Advice("The payer finds the subscriber and not the patient: check the relationship.", "/policy/relationship"),
    "78": Advice("The subscriber is not in this group: check the group number and the payer.", "/policy/group_number"),
    "79": Advice("The clearinghouse does not know the payer by this id.", "/payer/payer_id_code"),
    "80": Advice("The payer did not answer in time. It is asked again by itself.", ""),
    "T4": Advice("The payer's name or id is missing.", "/payer/payer_id_code"),
}  # fmt: skip
"""AAA03 -> what to do."""
_ELSE = Advice("The payer refused the question: ask it by telephone.", "")


def refused(refusals: Iterable[Refusal]) -> list[dict[str, str]]:
    """Return refusals as they are kept: code, follow-up, what to do, and where; each once."""
    found: dict[str, dict[str, str]] = {}
    for one in refusals:
        advice = _ADVICE.get(one.reason, _ELSE)
        found.setdefault(
            one.reason,
            {
                "code": one.reason, "follow_up": one.follow_up, "what_to_do": advice.what,
                "pointer": advice.pointer,
            },
        )  # fmt: skip
    return list(found.values())


def again_in(refusals: Sequence[Refusal], *, answers: int) -> timedelta | None:
    """
    Return after what time the payer is to be asked the same again; None: not by itself.

    :param answers: how often it has answered so, this time included
    """
    if not refusals or answers > len(WAITS):
        return None
    later = all(one.reason in _AGAIN and one.follow_up not in _NOT_AGAIN for one in refusals)
    return WAITS[answers - 1] if later else None


def told_notices(told: Mapping[str, Any], *, authorized: bool) -> list[Notice]:
    """
    Return what is to be said at booking of what the payer said last.

    :param told: a snapshot
    :param authorized: an authorisation of the policy is known here
    """
    found = []
    if told["coverage"] == "inactive":
        found.append(Notice("coverage-inactive", "The payer said that the policy is not in force.", False))
    if told["covered"] is False:
        found.append(Notice("not-covered", "The payer said that it does not cover mental health.", False))
    if told["carved_out"]:
        found.append(
            Notice("carved-out", "The payer names somebody else who answers for mental health.", False)
        )
    if told["authorization"] == "required" and not authorized:
        found.append(
            Notice("authorization-required", "The payer said that it wants an authorisation.", False)
        )
    return found


_AUTHORIZATION = {"Y": "required", "N": "not_required", "U": "unknown"}


def snapshot(summary: Summary) -> dict[str, Any]:
    """
    Return the benefits of a visit as they are kept: whole cents, basis points, ISO days.

    What the payer did not say is null; messages are word for word.
    """
    return {
        "coverage": summary.coverage,
        "plan": summary.plan or None,
        "plan_begins_on": _day(summary.plan_begins),
        "plan_ends_on": _day(summary.plan_ends),
        "covered": summary.covered,
        "carved_out": summary.carved_out,
        "copay": _money(summary.copay),
        "coinsurance_basis_points": _points(summary.coinsurance),
        "deductible": _money(summary.deductible),
        "deductible_remaining": _money(summary.deductible_remaining),
        "family_deductible": _money(summary.family_deductible),
        "family_deductible_remaining": _money(summary.family_deductible_remaining),
        "out_of_pocket": _money(summary.out_of_pocket),
        "out_of_pocket_remaining": _money(summary.out_of_pocket_remaining),
        "visits": _count(summary.visits),
        "visits_remaining": _count(summary.visits_remaining),
        "authorization": _AUTHORIZATION.get(summary.authorisation),
        "other_payers": [_call(one) for one in summary.other_payers],
        "contacts": [_call(one) for one in summary.call],
        "messages": list(summary.messages),
    }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _whole(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def _money(chosen: Chosen | None) -> dict[str, Any] | None:
    return None if chosen is None else {"amount": _whole(chosen.value * 100), "currency": "USD"}


def _points(chosen: Chosen | None) -> int | None:
    return None if chosen is None else _whole(chosen.value * 10_000)


def _count(chosen: Chosen | None) -> int | None:
    return None if chosen is None else _whole(chosen.value)


def _call(one: Call) -> dict[str, Any]:
    return {"name": one.name, "id": one.id or None, "phones": list(one.phones), "other": [number for _, number in one.others]}
