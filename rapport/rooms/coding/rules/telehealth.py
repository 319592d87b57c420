"""
Where a visit took place, and by what means, as a claim says it.

Sources: CMS place-of-service code set (02, 10, 11 …); modifier 95 for synchronous audio and
video, 93 for audio only. Which of them a payer wants is its own choice: these are defaults, and
the claim's edits warn where a payer's profile says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Means(StrEnum):
    """How patient and clinician met."""

    IN_PERSON = "in_person"
    VIDEO = "video"
    AUDIO = "audio"
    """By voice alone."""


class Setting(StrEnum):
    """Where the patient was while the clinician was elsewhere."""

    HOME = "home"
    ELSEWHERE = "elsewhere"
    """A school, a clinic, a car: any place that is not their home."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a claim line says of place and means, and why."""

    place_of_service_code: str
    """Two digits (837P SV105, CMS-1500 box 24B)."""
    modifiers: tuple[str, ...]
    """In claim order (837P SV101-3…)."""
    rule: str
    """Name of the rule that decided; stable."""
    explanation: str
    """The same in words for a person."""


@lru_cache(maxsize=512)
def place_of(
    *, means: Means, setting: Setting | None = None, location_code: str | None = None
) -> Place:
    """
    Return place of service and modifiers of a visit.

    :param setting: where the patient was, for a visit that was not in person; None: at home
    :param location_code: the location's own place-of-service code, for one in person
    :raises ValueError: a visit in person without a location

    >>> place_of(means=Means.AUDIO, setting=Setting.HOME).modifiers
    ('93',)
    """
    if means is Means.IN_PERSON:
        if not location_code:
            raise ValueError("a visit in person has a location")
        return Place(
            location_code, (), "in-person-location",
            "In person: the place-of-service code of the location, no modifier.",
        )  # fmt: skip
    modifier, said = ("95", "video") if means is Means.VIDEO else ("93", "audio only")
    if setting is Setting.ELSEWHERE:
        return Place(
            "02", (modifier,), f"telehealth-elsewhere-{means}",
            f"Telehealth by {said}, patient not at home: place of service 02, modifier {modifier}.",
        )  # fmt: skip
    return Place(
        "10", (modifier,), f"telehealth-home-{means}",
        f"Telehealth by {said}, patient at home: place of service 10, modifier {modifier}.",
    )  # fmt: skip
