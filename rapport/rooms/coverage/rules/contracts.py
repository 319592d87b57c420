"""Which rate of a payer's contract holds for a service. Plain values; cents are whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from rapport.protocols.x12.scrub837p import TELEHEALTH_MODIFIERS, TELEHEALTH_PLACES

Key = tuple[str, str, str, bool | None, str]


@dataclass(frozen=True, slots=True)
class ContractRate:
    """As `models.ContractRate`, whose docstrings say what each member means."""

    service_code: str
    allowed_cents: int
    starts_on: date
    ends_on: date | None = None
    modifier: str = ""
    credential: str = ""
    telehealth: bool | None = None
    place_of_service_code: str = ""

    @property
    def key(self) -> Key:
        """What it is for: two of one key never share a day."""
        return self.service_code, self.modifier, self.credential, self.telehealth, self.place_of_service_code

    @property
    def rule(self) -> str:
        """
        What it is for, in a person's words.

        >>> ContractRate("90837", 12000, date(2026, 1, 1), modifier="95", telehealth=True).rule
        '90837, modifier 95, telehealth, from 2026-01-01'
        """
        parts = [self.service_code]
        if self.modifier:
            parts.append(f"modifier {self.modifier}")
        if self.credential:
            parts.append(self.credential)
        if self.place_of_service_code:
            parts.append(f"place {self.place_of_service_code}")
        if self.telehealth is not None:
            parts.append("telehealth" if self.telehealth else "no telehealth")
        return ", ".join([*parts, f"from {self.starts_on}"])


class Service(NamedTuple):
    """One service as a payer was asked for it."""

    service_code: str
    modifiers: tuple[str, ...]
    place_of_service_code: str
    credentials: str
    """Of the clinician in whose name it was billed, as the roster has them: `PhD, LCSW`."""
    on: date

    @property
    def telehealth(self) -> bool:
        """By place of service or modifier."""
        return self.place_of_service_code in TELEHEALTH_PLACES or not TELEHEALTH_MODIFIERS.isdisjoint(self.modifiers)


def credential_of(text: str) -> str:
    """
    Return a credential as contracts and clinicians are compared by it.

    >>> credential_of(" Ph.D."), credential_of("lcsw-c")
    ('PHD', 'LCSWC')
    """
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def rate_for(rates: Iterable[ContractRate], *, service: Service) -> ContractRate | None:
    """
    Return the rate that holds for a service; None: the contract says nothing of it.

    The one with the most conditions; of as many, modifier goes before credential, that before place, and that before
    telehealth.

    :param rates: of the payer; those of other codes are passed over
    """
    fitting = [rate for rate in rates if _fits(rate, service)]
    return max(fitting, key=_weight, default=None)


def _fits(rate: ContractRate, service: Service) -> bool:
    return (
        rate.service_code == service.service_code
        and rate.starts_on <= service.on
        and (rate.ends_on is None or service.on <= rate.ends_on)
        and (not rate.modifier or rate.modifier in service.modifiers)
        and (not rate.place_of_service_code or rate.place_of_service_code == service.place_of_service_code)
        and (rate.telehealth is None or rate.telehealth == service.telehealth)
        and (
            not rate.credential
            or rate.credential in {credential_of(one) for one in re.split(r"[\s,;/]+", service.credentials)}
        )
    )  # fmt: skip


def _weight(rate: ContractRate) -> tuple[int, bool, bool, bool, date]:
    said = (bool(rate.modifier), bool(rate.credential), bool(rate.place_of_service_code))
    return sum(said) + (rate.telehealth is not None), *said, rate.starts_on


def overlapping(rates: Sequence[ContractRate]) -> int | None:
    """Return the place of a rate that shares a day with one before it of the same key; None: there is none."""
    seen: dict[Key, list[ContractRate]] = {}
    for place, rate in enumerate(rates):
        others = seen.setdefault(rate.key, [])
        if any(_share_a_day(rate, other) for other in others):
            return place
        others.append(rate)
    return None


def _share_a_day(one: ContractRate, other: ContractRate) -> bool:
    return (one.ends_on is None or other.starts_on <= one.ends_on) and (
        other.ends_on is None or one.starts_on <= other.ends_on
    )


def merged(known: Iterable[ContractRate], new: Iterable[ContractRate]) -> list[ContractRate]:
    """
    Return what holds when a schedule of rates comes to those that are there.

    A rate ends on the eve of the next one of its key; one that begins on the same day as a known one takes its place.
    """
    by_key: dict[Key, dict[date, ContractRate]] = {}
    for rate in (*known, *new):
        by_key.setdefault(rate.key, {})[rate.starts_on] = rate
    found: list[ContractRate] = []
    for of_key in by_key.values():
        in_order = [of_key[day] for day in sorted(of_key)]
        for rate, after in zip(in_order, [*in_order[1:], None], strict=True):
            if after is not None and (rate.ends_on is None or rate.ends_on >= after.starts_on):
                found.append(replace(rate, ends_on=after.starts_on - timedelta(days=1)))
            else:
                found.append(rate)
    return found
