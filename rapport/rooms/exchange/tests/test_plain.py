"""Plain values: sentences for everything, moves that lead somewhere, and finding a write again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.rooms.exchange import states
from rapport.rooms.exchange.ports import OWNERS, Reason, Row
from rapport.rooms.exchange.rules import canonical, pacing
from rapport.rooms.exchange.rules.finding import Match, given_for, look
from rapport.rooms.exchange.rules.matters import CALLS, DOWN, DRIFT, STOPS, Matter


def test_every_reason_and_matter_has_one_sentence_one_owner_and_one_thing_to_do() -> None:
    assert set(CALLS) == {*Reason, *Matter}
    assert len({call.sentence for call in CALLS.values()}) == len(CALLS)
    for reason in Reason:
        assert CALLS[reason].owner is OWNERS[reason]
    for call in CALLS.values():
        assert call.sentence.endswith(".")
        assert call.to_do.endswith(".")


def test_no_reason_has_two_consequences() -> None:
    assert not STOPS & DRIFT
    assert not STOPS & DOWN
    assert not DRIFT & DOWN


@pytest.mark.parametrize(
    ("table", "enum", "final"),
    [
        (states.WRITE_MOVES, states.WriteState, {"confirmed", "conflicting", "refused"}),
        (states.RUN_MOVES, states.RunState, {"published", "quarantined", "refused"}),
        (states.CHALLENGE_MOVES, states.ChallengeState, {"passed", "failed", "expired"}),
    ],
)
def test_every_state_is_in_its_table_and_only_the_final_ones_lead_nowhere(
    table: dict[str, frozenset[str]], enum: type, final: set[str]
) -> None:
    assert set(table) == set(enum)
    assert {state.value for state, targets in table.items() if not targets} == final  # type: ignore[attr-defined]


def test_nothing_leads_back_to_submitted_but_armed() -> None:
    into = {state for state, targets in states.WRITE_MOVES.items() if states.WriteState.SUBMITTED in targets}
    assert into == {states.WriteState.ARMED}
    assert states.ConnectionState.WITHDRAWN not in {
        source for move in states.MOVES.values() for source in move.sources
    }


VALUES = {"patient": "7", "day": datetime(2026, 3, 2, tzinfo=UTC).date(), "text": "é"}


def found(*rows: Row, remote_id: str | None = None, seen: dict[str, object] | None = None) -> Match:
    return look(rows, values=VALUES, key=("patient", "day"), remote_id=remote_id, seen=seen).match


def test_what_stands_in_the_place_of_a_write_is_told_apart() -> None:
    same = Row("1", {"patient": "7", "day": "2026-03-02", "text": "e\u0301"})
    other = Row("2", {"patient": "7", "day": "2026-03-02", "text": "x"})
    stranger = Row("3", {"patient": "8", "day": "2026-03-02", "text": "é"})
    assert found(same) is Match.EQUAL, "days as text, and letters composed or not"
    assert found(other) is Match.DIFFERENT
    assert found(stranger) is Match.NOTHING
    assert found() is Match.NOTHING
    assert found(same, same) is Match.DIFFERENT, "two where one was meant"
    unseen = Row("4", {"patient": "7", "day": "2026-03-02"}, absent={"text": "not_loaded"})
    assert found(unseen) is Match.EQUAL, "what a list does not show cannot speak against it"
    assert found(other, remote_id="2", seen={"text": "x"}) is Match.UNCHANGED
    assert found(other, remote_id="2", seen={"text": "y"}) is Match.DIFFERENT


@given(
    steps=st.lists(st.tuples(st.floats(0, 2), st.integers(0, 3)), max_size=60),
    rate=st.floats(0.5, 20), burst=st.integers(1, 10),
)  # fmt: skip
def test_no_bucket_ever_lets_more_through_than_rate_and_burst(
    steps: list[tuple[float, int]], rate: float, burst: int
) -> None:
    bucket, passed, elapsed = pacing.Bucket(float(burst), rate, float(burst)), 0, 0.0
    for seconds, wanted in steps:
        elapsed += seconds
        bucket = pacing.Bucket(pacing.fill(bucket, seconds=seconds), rate, float(burst))
        for _ in range(wanted):
            if pacing.wait_for(bucket, cost=1) == 0:
                bucket = pacing.Bucket(bucket.tokens - 1, rate, float(burst))
                passed += 1
    assert passed <= burst + rate * elapsed + 1e-6


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.text(max_size=8), st.integers(), st.booleans())))
def test_a_record_has_one_text(values: dict[str, object]) -> None:
    text = canonical.dump(canonical.record(values))
    assert canonical.dump(canonical.load(text)) == text
    assert canonical.dump(canonical.record(dict(reversed(values.items())))) == text


@pytest.mark.parametrize(
    ("wanted", "match"), [({"reason": "Ill"}, Match.NOT_SHOWN), ({"reason": "Ill", "status": "cancelled"}, Match.EQUAL)]
)
def test_a_record_that_shows_nothing_of_what_was_wanted_proves_nothing(
    wanted: dict[str, object], match: Match
) -> None:
    rows = [Row("9", {"status": "cancelled"})]

    assert look(rows, values=wanted, key=("status",), remote_id="9", seen=None).match is match


def test_the_day_after_the_last_that_is_wanted_ends_a_window() -> None:
    narrow = given_for({"start_local": "2026-12-31T09:00:00"}, remote_id="9")

    assert narrow == {"from_on": "2026-12-31", "to_on": "2027-01-01", "remote_id": "9"}
