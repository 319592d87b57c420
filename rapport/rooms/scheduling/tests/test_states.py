"""Every action in every state, in the table and over HTTP; and what the database itself forbids."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from rapport.rooms.scheduling.states import BUSY, MOVES, Action, AppointmentStatus, allowed
from tests.support.cast import House
from tests.support.props import uuid_of

from .stage import HELD, Stage

PATHS = {
    Action.CHECK_IN: ("check-in", {}),
    Action.COMPLETE: ("complete", {}),
    Action.CANCEL: ("cancel", {}),
    Action.CANCEL_LATE: ("cancel", {"late": True}),
    Action.MARK_NO_SHOW: ("no-show", {}),
    Action.REOPEN: ("reopen", {}),
    Action.RESCHEDULE: (
        "reschedule",
        {"start_local": f"{HELD}15:00:00", "time_zone": "America/Los_Angeles"},
    ),
    Action.CHANGE: ("", {"telehealth": True}),
}
ROADS = {
    AppointmentStatus.BOOKED: (),
    AppointmentStatus.CHECKED_IN: (Action.CHECK_IN,),
    AppointmentStatus.COMPLETED: (Action.COMPLETE,),
    AppointmentStatus.CANCELLED: (Action.CANCEL,),
    AppointmentStatus.LATE_CANCELLED: (Action.CANCEL_LATE,),
    AppointmentStatus.NO_SHOW: (Action.MARK_NO_SHOW,),
}


def do(stage: Stage, thing: dict[str, Any], action: Action) -> Any:
    path, body = PATHS[action]
    return stage.act(thing, path, body) if path else stage.patch(thing, body)


def test_every_state_can_be_reached_and_every_outcome_taken_back() -> None:
    reached = {AppointmentStatus.BOOKED} | {move.target for move in MOVES.values() if move.target}

    assert reached == set(AppointmentStatus)
    assert MOVES[Action.REOPEN].sources == set(AppointmentStatus) - {AppointmentStatus.BOOKED}
    assert set(MOVES) == set(Action)
    assert all(allowed(status) for status in AppointmentStatus)


@pytest.mark.parametrize(("status", "action"), list(itertools.product(AppointmentStatus, Action)))
def test_an_action_works_in_its_states_and_in_no_other(
    willow: House, status: AppointmentStatus, action: Action
) -> None:
    stage = Stage(willow, HELD)
    thing = stage.book()
    for step in ROADS[status]:
        assert do(stage, thing, step).status_code == 200

    answer = do(stage, thing, action)

    if status in MOVES[action].sources:
        assert answer.status_code == 200, answer.content
        assert answer.json()["status"] == (MOVES[action].target or status)
    else:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "state-conflict")
        assert problem["current_state"] == status
        assert problem["allowed_from"] == sorted(MOVES[action].sources)
        assert stage.status(thing) == status


@pytest.mark.parametrize("action", ["complete", "no-show"])
def test_what_has_not_begun_has_no_outcome(willow: House, action: str) -> None:
    stage = Stage(willow)
    ahead = stage.book()
    stage.act(ahead, "check-in") if action == "complete" else None

    answer = stage.act(ahead, action)

    assert (answer.status_code, answer.json()["code"]) == (409, "appointment-in-future")
    assert answer.json()["start_at"] == ahead["start_at"]
    assert stage.status(ahead) in ("booked", "checked_in")
    # The control: the same of one that is over.
    stage.day = HELD
    assert stage.act(stage.book(), action).status_code == 200


def test_the_constraint_counts_the_same_states_as_busy(willow: House) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'appointment_no_double_booking'"
        )
        (text,) = cursor.fetchone()
    named = {status for status in AppointmentStatus if f"'{status}'" in text}
    assert named == set(BUSY)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "UPDATE scheduling_appointment SET start_at = start_at - interval '1 hour' WHERE id = %s",
            IntegrityError,
        ),
        (
            "UPDATE scheduling_appointment SET patient_id = gen_random_uuid() WHERE id = %s",
            IntegrityError,
        ),
        ("DELETE FROM scheduling_appointment WHERE id = %s", ProgrammingError),
        (
            "UPDATE scheduling_appointmenthistory SET action = 'x' WHERE appointment_id = %s",
            ProgrammingError,
        ),
        ("DELETE FROM scheduling_appointmenthistory WHERE appointment_id = %s", ProgrammingError),
    ],
)
def test_the_database_keeps_what_took_place(
    willow: House, statement: str, error: type[Exception]
) -> None:
    stage = Stage(willow, HELD)
    thing = stage.book()
    stage.act(thing, "complete")

    with (
        pytest.raises(error),
        willow.entered(),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [uuid_of("appointment", thing)])


def test_each_outcome_is_told_once(willow: House) -> None:
    from rapport.platform.db import sql

    stage = Stage(willow, HELD)
    thing = stage.book()
    for action in ("check-in", "complete", "reopen", "no-show", "reopen", "cancel"):
        assert stage.act(thing, action).status_code == 200
    with willow.entered() as scope:
        rows = sql.rows(
            "SELECT type FROM outbox_outboxevent WHERE practice_id = %s AND object_id = %s ORDER BY sequence",
            (scope.practice_id, uuid_of("appointment", thing)),
        )
    assert [row[0].removeprefix("appointment.") for row in rows] == [
        "created", "checked_in", "completed", "reopened", "no_show", "reopened", "cancelled",
    ]  # fmt: skip
