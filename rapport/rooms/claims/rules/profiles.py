"""
How a payer wants its claims: what is known of its kind, and what the practice says of this one.

The defaults are common habits of each kind of payer, by claim filing indicator. They are in no contract: each is
shown as "default, verify", and a practice puts its own in their place. Plain values; nothing here reads anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, Literal

from rapport.protocols.x12.claim837p import Claim as Record
from rapport.protocols.x12.scrub837p import TELEHEALTH_MODIFIERS, TELEHEALTH_PLACES

from .findings import Finding

VERIFY = "default, verify"

Supervision = Literal["name_supervisor", "bill_under_supervisor"]
Taxonomy = Literal["none", "billing", "rendering", "both"]
Correction = Literal["replacement", "new_claim", "paper"]
Telehealth = Literal["telehealth_place", "office_place"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What holds for claims to one payer."""

    supervision: Supervision = "name_supervisor"
    """Supervised work: the clinician stays the rendering provider and the supervisor is named (2310D), or the supervisor renders."""
    telehealth_place: Telehealth = "telehealth_place"
    """Place of service 02 or 10, or the office's 11 with the modifier."""
    video_modifier: str = "95"
    """Asked for on video; empty: the place says it, no modifier is wanted."""
    audio_modifier: str = "93"
    """Asked for where there was a voice alone."""
    group_modifier: str = ""
    """Asked for where several were seen together, mostly HQ; empty: the code says it, or nobody wants to know."""
    taxonomy_required: Taxonomy = "none"
    """Whose taxonomy code the payer insists on."""
    electronic_secondary: bool = True
    """Takes claims as second payer electronically."""
    corrected_claims: Correction = "replacement"
    """How a decided claim is corrected: frequency 7 or 8, a new claim, or on paper."""
    filing_limit_days: int | None = None
    """Days from the first service to file in; null: no limit is known."""
    corrected_limit_days: int | None = None
    """Days from the payer's decision to file a correction in."""
    appeal_days: int | None = None
    """Days from the payer's decision to appeal or dispute it in; null: as the practice's posting policy says."""
    warn_days: int = 14
    """How many days before the limit somebody is told."""
    max_units_a_day: Mapping[str, int] | None = None
    """Service code -> units of it that are paid on one day."""
    patient_paid: bool = False
    """Claims say what the patient has paid for their services (AMT*F5); some payers take it off what they pay."""
    one_day_a_claim: bool = False
    """A claim carries services of one day only."""
    status_after_days: int = 14
    """Days after it was sent that the payer is asked what became of a claim, when no decision came."""


NAMES = tuple(field.name for field in fields(Profile))
_HABITS: dict[str, dict[str, Any]] = {
    "MB": {
        "filing_limit_days": 365, "corrected_limit_days": 365, "corrected_claims": "new_claim", "video_modifier": "",
        "appeal_days": 120,
    },
    "MC": {"filing_limit_days": 90, "corrected_limit_days": 60, "taxonomy_required": "both"},
    "BL": {"filing_limit_days": 90},
    "CH": {"filing_limit_days": 365},
    "VA": {"filing_limit_days": 180},
    "CI": {"filing_limit_days": 90, "corrected_limit_days": 365},
    "HM": {"filing_limit_days": 90, "corrected_limit_days": 365},
    "12": {"filing_limit_days": 90, "corrected_limit_days": 365},
    "16": {"filing_limit_days": 365, "video_modifier": ""},
}
"""Claim filing indicator -> what is usual, always the shorter where habits differ."""


@dataclass(frozen=True, slots=True)
class Said:
    """One value of a profile, and who says so."""

    value: Any
    source: str
    """`practice` or `default`."""
    note: str | None
    """`default, verify` where nobody of the practice has said it."""


def explain(*, filing_indicator: str, own: Mapping[str, Any]) -> dict[str, Said]:
    """Return every value of a payer's profile, and whether the practice said it."""
    usual = _HABITS.get(filing_indicator, {})
    plain = Profile()
    return {
        name: Said(own[name], "practice", None)
        if name in own
        else Said(usual.get(name, getattr(plain, name)), "default", VERIFY)
        for name in NAMES
    }


def effective(*, filing_indicator: str, own: Mapping[str, Any]) -> Profile:
    """Return the profile that holds: the practice's own word before what is usual."""
    return Profile(**{name: said.value for name, said in explain(filing_indicator=filing_indicator, own=own).items()})


def file_by(*, profile: Profile, first_service_on: date, decided_on: date | None) -> date | None:
    """
    Return the last day on which a claim can be filed; None: no limit is known.

    :param decided_on: of a replacement or void, the day on which the payer decided the original
    """
    if decided_on is not None:
        days, since = profile.corrected_limit_days, decided_on
    else:
        days, since = profile.filing_limit_days, first_service_on
    return None if days is None else since + timedelta(days=days)


def place_and_modifiers(
    *, profile: Profile, place: str, modifiers: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """
    Return place of service and modifiers as this payer wants a telehealth visit told.

    What is neither 02 nor 10 stays as it is, and so does every modifier that says nothing of telehealth.

    >>> place_and_modifiers(profile=Profile(video_modifier="GT"), place="10", modifiers=("HO", "95"))
    ('10', ('HO', 'GT'))
    """
    if place not in TELEHEALTH_PLACES:
        return place, modifiers
    wanted = {"95": profile.video_modifier, "93": profile.audio_modifier}
    told = tuple(one for one in (wanted.get(modifier, modifier) for modifier in modifiers) if one)
    return ("11" if profile.telehealth_place == "office_place" else place), told


def findings_of(
    *, record: Record, profile: Profile, days: int, grouped: Collection[int] = ()
) -> list[Finding]:
    """
    Return what a payer's profile has against a claim. The lines of a void are those of its original, whatever holds now.

    :param days: on how many days its services were
    :param grouped: numbers of the lines, from 1, for which several patients were seen together
    """
    found = _taxonomies(record, profile)
    if record.frequency != "8":
        found += [*_units(record, profile), *_telehealth(record, profile), *_groups(record, profile, grouped)]
    if record.frequency != "1" and profile.corrected_claims != "replacement":
        found.append(
            Finding(
                "corrected-claim-method", "error", "/frequency", "2300 CLM05-3",
                "This payer takes no replacement or void; its profile says how it takes corrections.",
            )
        )  # fmt: skip
    if record.rank != "P" and not profile.electronic_secondary:
        found.append(
            Finding(
                "secondary-on-paper", "warning", "/format", "2000B SBR01",
                "As second payer this one takes paper only, by its profile.",
            )
        )  # fmt: skip
    if days > 1 and profile.one_day_a_claim and record.frequency != "8":
        found.append(
            Finding(
                "several-days", "error", "/lines", "2400 DTP472",
                "This payer takes the services of one day on a claim: make a claim for each.",
            )
        )  # fmt: skip
    return found


def _taxonomies(record: Record, profile: Profile) -> list[Finding]:
    found = []
    if profile.taxonomy_required in ("billing", "both") and not record.billing.taxonomy:
        found.append(
            Finding("taxonomy-required", "error", "/practice/taxonomy_code", "2000A PRV03",
                    "This payer wants the billing provider's taxonomy code.")
        )  # fmt: skip
    if profile.taxonomy_required in ("rendering", "both") and record.rendering and not record.rendering.taxonomy:
        found.append(
            Finding("taxonomy-required", "error", "/clinician/taxonomy_code", "2310B PRV03",
                    "This payer wants the rendering provider's taxonomy code.")
        )  # fmt: skip
    return found


def _units(record: Record, profile: Profile) -> list[Finding]:
    counted: dict[tuple[str, date], int] = {}
    for line in record.lines:
        day = (line.procedure, line.service_on)
        counted[day] = counted.get(day, 0) + int(line.units)
    most = profile.max_units_a_day or {}
    return [
        Finding("units-a-day", "error", "/lines/units", "2400 SV104",
                f"More than {most[code]} unit(s) of {code} on one day; this payer pays no more.")
        for (code, _), units in counted.items()
        if units > most.get(code, units)
    ]  # fmt: skip


def _telehealth(record: Record, profile: Profile) -> list[Finding]:
    """Name each line whose place and modifiers do not go together for this payer."""
    found = []
    for number, line in enumerate(record.lines, 1):
        place = line.place_of_service or record.place_of_service
        said = bool(set(line.modifiers) & TELEHEALTH_MODIFIERS)
        if place in TELEHEALTH_PLACES and profile.telehealth_place == "office_place":
            found.append(
                Finding("telehealth-office", "error", "/lines/place_of_service_code", "2400 SV105",
                        f"Line {number}: this payer wants the office's place of service with the modifier.")
            )  # fmt: skip
        elif place in TELEHEALTH_PLACES and not said and profile.video_modifier:
            found.append(
                Finding("telehealth-modifier-wanted", "error", "/lines/modifiers", "2400 SV101-3",
                        f"Line {number}: this payer wants {profile.video_modifier} or {profile.audio_modifier} with telehealth.")
            )  # fmt: skip
        elif place == "11" and said and profile.telehealth_place != "office_place":
            found.append(
                Finding("telehealth-incoherent", "error", "/lines/place_of_service_code", "2400 SV105",
                        f"Line {number}: a telehealth modifier at the office; this payer wants 02 or 10.")
            )  # fmt: skip
    return found


def _groups(record: Record, profile: Profile, grouped: Collection[int]) -> list[Finding]:
    # A payer after the first is told what the first was told.
    wanted, severity = profile.group_modifier, "error" if record.rank == "P" else "warning"
    return [
        Finding("group-modifier-wanted", severity, "/lines/modifiers", "2400 SV101-3",
                f"Line {number}: this payer wants {wanted} where several were seen together; make the claim anew.")
        for number, line in enumerate(record.lines, 1)
        if wanted and number in grouped and wanted not in line.modifiers
    ]  # fmt: skip


def says_otherwise(*, code: str, profile: Profile) -> bool:
    """Tell whether a general warning about telehealth is what this payer asks for."""
    return (code == "telehealth-modifier" and not profile.video_modifier) or (
        code == "telehealth-place" and profile.telehealth_place == "office_place"
    )
