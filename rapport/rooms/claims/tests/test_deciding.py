"""Which of a payer's decisions count, in every order in which they can come."""

from __future__ import annotations

import random
from datetime import date
from itertools import permutations
from uuid import UUID

import pytest

from rapport.rooms.claims.rules.deciding import (
    Adjusted,
    Decided,
    ServiceDecided,
    Source,
    standing,
    told,
)

ID = UUID(int=1)


def service(line: int, paid: int, *adjusted: Adjusted) -> ServiceDecided:
    taken = adjusted or (Adjusted("CO", "45", 18000 - paid),)
    charge = paid + sum(one.cents for one in taken)
    return ServiceDecided(line, "90837", (), charge, paid, "1", taken)


def word(*services: ServiceDecided, status: str = "1", day: int = 1, segment: int = 1) -> Decided:
    return Decided(
        status, date(2026, 1, day), sum(s.charge_cents for s in services),
        sum(s.paid_cents for s in services), "ICN1", (), services, Source(ID, ID, segment),
    )  # fmt: skip


def reversal(one: Decided, segment: int) -> Decided:
    return word(
        *(
            ServiceDecided(
                s.line, s.code, s.modifiers, -s.charge_cents, -s.paid_cents, s.units,
                tuple(Adjusted(a.group, a.reason, -a.cents, a.quantity) for a in s.adjustments),
            )
            for s in one.services
        ),
        status="22", day=2, segment=segment,
    )  # fmt: skip


FIRST, SECOND = word(service(1, 11900), segment=1), word(service(1, 8300), day=3, segment=3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_reversal_takes_back_what_it_mirrors_whenever_it_comes(order: tuple[int, ...]) -> None:
    words = [FIRST, reversal(FIRST, 2), SECOND]

    assert standing([words[place] for place in order]) == [SECOND]


def test_a_reversal_that_mirrors_nothing_takes_back_the_latest_before_it() -> None:
    odd = reversal(word(service(1, 11800)), 4)

    assert standing([FIRST, SECOND, odd]) == [FIRST]
    assert standing([odd, FIRST]) == [FIRST], "what comes later is not what it took back"


def test_the_last_word_about_each_service_counts() -> None:
    parts = [
        word(service(1, 11900), day=1),
        word(service(2, 5000), day=4),
        word(service(1, 8300), day=6),
    ]
    found = told(parts)

    assert found is not None
    assert {line: (one.paid_cents, on.day) for line, (one, on) in found.services.items()} == {
        1: (8300, 6),
        2: (5000, 4),
    }
    assert (found.paid_cents, found.decided_on) == (13300, date(2026, 1, 6))
    assert told([]) is None
    assert told([FIRST, reversal(FIRST, 2)]) is None


def test_a_decision_about_the_claim_as_a_whole_is_told_as_one() -> None:
    whole = Decided(
        "1", date(2026, 1, 2), 18000, 11900, "ICN1",
        (Adjusted("CO", "45", 3600), Adjusted("PR", "1", 2500)), (), Source(ID, ID, 9), ("MA18",),
    )  # fmt: skip
    found = told([FIRST, reversal(FIRST, 2), whole])

    assert found is not None
    assert (found.services, found.paid_cents, found.left_to_patient_cents) == ({}, 11900, 2500)
    assert (found.adjustments, found.remarks) == (whole.adjustments, ("MA18",))


def test_what_was_taken_off_a_whole_claim_is_told_beside_its_services() -> None:
    both = Decided(
        "1", date(2026, 1, 2), 18000, 11400, "ICN1", (Adjusted("CO", "104", 500),),
        (service(1, 11900),), Source(ID, ID, 9),
    )  # fmt: skip
    found = told([both])

    assert found is not None
    assert (found.paid_cents, found.adjustments) == (11400, both.adjustments)


@pytest.mark.parametrize("seed", range(20))
def test_any_history_that_is_taken_back_whole_leaves_what_came_last(seed: int) -> None:
    chance = random.Random(seed)
    history: list[Decided] = []
    for turn in range(chance.randrange(1, 6)):
        decided = word(service(1, chance.randrange(18000)), day=turn + 1, segment=2 * turn)
        history += [decided, reversal(decided, 2 * turn + 1)]
    last = word(service(1, 4200), day=20, segment=99)

    assert standing([*history, last]) == [last]
