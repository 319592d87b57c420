"""Which member is answered how. The prefix of the member id decides; README.md has the list."""

from __future__ import annotations

from enum import StrEnum

PREFIX = "SBX"


class Scenario(StrEnum):
    """What happens to a claim. The value is what follows SBX in the member id."""

    USUAL = ""
    PAID_IN_FULL = "FULL"
    COPAY = "COPAY"
    DEDUCTIBLE = "DED"
    COINSURANCE = "COIN"
    DENIED_MISSING_INFORMATION = "CO16"
    DENIED_LATE = "CO29"
    DENIED_NO_AUTHORISATION = "CO197"
    DENIED_NOT_COVERED = "PR204"
    PARTLY_PAID = "PART"
    REJECTED_SYNTAX = "999"
    REJECTED_MEMBER = "277"
    REJECTED_UNPROCESSABLE = "277A3"
    LATE = "LATE"
    ACKNOWLEDGEMENT_LOST = "LOST"
    PAID_TWICE = "DUP"
    TAKEN_BACK = "TAKE"
    RECOUPED = "WO"
    INTEREST = "INT"
    SECONDARY_ONLY = "COB"
    KEEPS_A_COPAY = "KEEP"
    FORWARDED = "CROSS"
    SPLIT = "SPLIT"
    SILENT = "NEVER"


def scenario_of(member_id: str) -> Scenario:
    """The scenario of a member: the longest name after SBX that the id begins with, else usual."""
    wanted = member_id.strip().upper()
    if not wanted.startswith(PREFIX):
        return Scenario.USUAL
    rest = wanted.removeprefix(PREFIX)
    matching = [one for one in Scenario if one.value and rest.startswith(one.value)]
    return max(matching, key=lambda one: len(one.value), default=Scenario.USUAL)
