"""How an ICD-10-CM code is written, and what changed when in the behavioural chapters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_FORM = re.compile(r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$")


def written(code: str) -> str:
    """
    Return a code as the list writes it: capitals, and a dot after the third character.

    >>> written(" f411 "), written("F41.1"), written("f42")
    ('F41.1', 'F41.1', 'F42')
    """
    bare = code.strip().upper().replace(".", "")
    return f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare


def has_form(code: str) -> bool:
    """Tell whether this could be an ICD-10-CM code; says nothing of whether it exists."""
    return bool(_FORM.match(code))


@dataclass(frozen=True, slots=True)
class Retired:
    """A code that could be billed until its finer codes came."""

    code: str
    title: str
    last_on: date


_BEGAN: tuple[tuple[date, str], ...] = (
    (date(2016, 10, 1), "F32.81 F32.89 F34.81 F34.89 F42. F64.0 F80.82"),
    (
        date(2017, 10, 1),
        "F10.11 F11.11 F12.11 F13.11 F14.11 F15.11 F16.11 F18.11 F19.11 F50.82 T14.91X",
    ),
    (date(2018, 10, 1), "F12.23 F12.93 F53.0 F53.1 F68.A"),
    (
        date(2020, 10, 1),
        "F10.13 F10.93 F11.13 F12.13 F13.13 F14.13 F14.93 F15.13 F19.13",
    ),
    (date(2021, 10, 1), "F32.A F78.A R45.88"),
    (
        date(2022, 10, 1),
        "F01.511 F01.518 F01.52 F01.53 F01.54 F01.A F01.B F01.C F02.811 F02.818 F02.82 F02.83 "
        "F02.84 F02.A F02.B F02.C F03.911 F03.918 F03.92 F03.93 F03.94 F03.A F03.B F03.C F06.7 "
        "F43.81 F43.89",
    ),
    (
        date(2024, 10, 1),
        "F50.010 F50.011 F50.012 F50.013 F50.014 F50.019 F50.020 F50.021 F50.022 F50.023 F50.024 "
        "F50.029 F50.20 F50.21 F50.22 F50.23 F50.24 F50.25 F50.810 F50.811 F50.812 F50.813 "
        "F50.814 F50.819 F50.83 F50.84",
    ),
)
"""First day -> codes, or beginnings of codes, that were new on it (yearly CDC/CMS addenda)."""

RETIRED: tuple[Retired, ...] = (
    Retired("F32.8", "Other depressive episodes", date(2016, 9, 30)),
    Retired("F34.8", "Other persistent mood [affective] disorders", date(2016, 9, 30)),
    Retired("F42", "Obsessive-compulsive disorder", date(2016, 9, 30)),
    Retired("T14.91", "Suicide attempt", date(2017, 9, 30)),
    Retired("F53", "Puerperal psychosis", date(2018, 9, 30)),
    Retired("F78", "Other intellectual disabilities", date(2021, 9, 30)),
    Retired("F01.51", "Vascular dementia with behavioral disturbance", date(2022, 9, 30)),
    Retired(
        "F02.81",
        "Dementia in other diseases classified elsewhere with behavioral disturbance",
        date(2022, 9, 30),
    ),
    Retired("F03.91", "Unspecified dementia with behavioral disturbance", date(2022, 9, 30)),
    Retired("F43.8", "Other reactions to severe stress", date(2022, 9, 30)),
    Retired("F50.01", "Anorexia nervosa, restricting type", date(2024, 9, 30)),
    Retired("F50.02", "Anorexia nervosa, binge eating/purging type", date(2024, 9, 30)),
    Retired("F50.2", "Bulimia nervosa", date(2024, 9, 30)),
    Retired("F50.81", "Binge eating disorder", date(2024, 9, 30)),
)
"""Codes of these chapters that lost their place on a claim, with their last day on one."""

_BEGINNINGS: dict[str, date] = {
    beginning: first_on for first_on, words in _BEGAN for beginning in words.split()
}


def _prefixes(code: str) -> Iterator[str]:
    for length in range(len(code), 2, -1):
        yield code[:length]


def began_on(code: str) -> date | None:
    """
    Return the first day of a code, when it is one whose beginning we know.

    None: it is older than the changes recorded here, or of a chapter they do not cover; it is
    then taken as valid on every earlier day.

    >>> began_on("F32.A"), began_on("F41.1")
    (datetime.date(2021, 10, 1), None)
    """
    return next((_BEGINNINGS[p] for p in _prefixes(code) if p in _BEGINNINGS), None)
