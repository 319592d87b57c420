"""Statuses told as JSON, written down as the 277CA that says the same: the room reads one language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rapport.protocols.x12.envelope import Address, Numbers, interchange

VERSION = "005010X214"
ADDRESS = "CLAIMMD"
MOST_WORDS = 264
"""Length of STC12."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message about one claim."""

    number: int
    """The id that the feed counts by."""
    control: str
    """CLM01."""
    status: str
    """`A` acknowledged, `R` rejected, or what became of it at the payer."""
    words: str
    source: str
    """Who says so: the clearinghouse or a payer."""
    payer_claim_number: str
    file_name: str
    npi: str


def status_of(one: Told) -> tuple[str, str]:
    """
    STC01 and STC03 of a message.

    An acknowledgement is an acceptance by the payer only where the payer's claim number comes with it.
    Paid and denied (`P`, `D`) say no more than that the payer has it: the decision is the remittance's.
    """
    if one.status == "R":
        return "A3:21", "U"
    if one.status in ("P", "D") or (one.status == "A" and one.payer_claim_number):
        return "A2:20:PR", "WQ"
    if one.status == "F":
        return "A0:16", "WQ"
    return "A1:19", "WQ"


def as_277ca(told: Sequence[Told], *, sender_id: str, number: int, at: datetime) -> bytes:
    """
    Write messages down as one interchange, a transaction set for each run of one file and source.

    What is not told (the patient's name, the charge) is not there: nobody is named, and amounts are 0.

    :param number: of the interchange; the last nine digits count
    :param at: when it was written down
    """
    usable = [one for one in told if one.control]
    # In the order told: a later message may take an earlier one back.
    sets = [
        _set(list(of_file), at=at)
        for _, of_file in groupby(usable, key=lambda one: (one.file_name, one.source))
    ]
    numbers = Numbers(number % 1_000_000_000 or 1, number % 1_000_000_000 or 1, 1)
    return b"".join(
        interchange(
            (("277", body) for body in sets),
            sender=Address("ZZ", ADDRESS), receiver=Address("ZZ", sender_id), numbers=numbers, at=at,
            usage="P", version=VERSION,
        )
    )  # fmt: skip


def _set(told: list[Told], *, at: datetime) -> list[str]:
    day = f"{at:%Y%m%d}"
    reference = clean(told[0].file_name.partition(".")[0])[:50] or "0"
    lines = [
        f"BHT*0085*08*R{told[-1].number}*{day}*{at:%H%M}*TH",
        "HL*1**20*1",
        f"NM1*AY*2*{clean(told[0].source)[:60] or ADDRESS}*****46*{ADDRESS}",
        f"TRN*1*R{told[-1].number}",
        f"DTP*050*D8*{day}",
        f"DTP*009*D8*{day}",
        "HL*2*1*21*1",
        "NM1*41*2*PRACTICE*****46*PRACTICE",
        f"TRN*2*{reference}",
        f"STC*A1:19*{day}*WQ*0",
    ]
    level = 2
    for npi, of_provider in groupby(told, key=lambda one: one.npi):
        level += 1
        parent = level
        lines += [f"HL*{parent}*2*19*1", f"NM1*85*2*PROVIDER*****XX*{clean(npi)}" if npi else "NM1*85*2*PROVIDER", "TRN*1*0"]
        for one in of_provider:
            level += 1
            lines += [f"HL*{level}*{parent}*PT", *_claim(one, day)]
    return lines


def _claim(one: Told, day: str) -> Iterable[str]:
    status, action = status_of(one)
    words = clean(one.words)[:MOST_WORDS].strip()
    yield "NM1*QC*1*NOT GIVEN"
    yield f"TRN*2*{clean(one.control)[:50]}"
    yield f"STC*{status}*{day}*{action}*0" + (f"{'*' * 8}{words}" if words and action == "U" else "")
    if one.payer_claim_number:
        yield f"REF*1K*{clean(one.payer_claim_number)[:50]}"


def clean(text: str) -> str:
    """Free text without the characters that divide a file, in capitals."""
    safe = "".join(" " if one in "*:~^" or not " " <= one <= "~" else one for one in text)
    return " ".join(safe.upper().split())
