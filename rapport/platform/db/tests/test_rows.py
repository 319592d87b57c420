"""One row in, one row out: the same row that the ORM writes and reads."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from rapport.kernel.ids import new_uuid, parse_type_id, type_id
from rapport.platform.db.rows import add, by_id
from rapport.rooms.roster import examples
from rapport.rooms.roster.models import Patient
from tests.support.cast import House

PATIENT = examples.NEW_PATIENT | {"external_ids": []}


def _uuid(made: dict[str, Any]) -> UUID:
    id = parse_type_id("patient", made["id"])
    assert id is not None
    return id


def test_a_row_is_what_the_orm_reads_in_every_column(willow: House) -> None:
    made = willow.scheduler.post("/v1/patients", PATIENT)
    assert made.status_code == 201, made.content
    with willow.entered() as scope:
        theirs = Patient.objects.visible_to(scope).latest("created_at")
        ours = by_id(Patient, scope=scope, id=theirs.id)
        assert ours is not None
        for field in Patient._meta.concrete_fields:
            assert getattr(ours, field.attname) == getattr(theirs, field.attname), field.name
        assert not ours._state.adding


def test_another_practices_row_and_nobodys_are_none(willow: House, aspen: House) -> None:
    assert willow.scheduler.post("/v1/patients", PATIENT).status_code == 201
    with willow.entered() as scope:
        theirs = Patient.objects.visible_to(scope).latest("created_at").id
    with aspen.entered() as scope:
        assert by_id(Patient, scope=scope, id=theirs) is None
        assert by_id(Patient, scope=scope, id=new_uuid()) is None


@pytest.mark.parametrize("lock", [True, False])
def test_a_row_is_held_only_when_that_was_asked_for(willow: House, lock: bool) -> None:
    made = willow.scheduler.post("/v1/patients", PATIENT).json()
    free: list[bool] = []

    def another() -> None:
        try:
            with willow.entered() as scope:
                rows = Patient.objects.visible_to(scope).select_for_update(skip_locked=True)
                free.append(rows.filter(id=_uuid(made)).first() is not None)
        finally:
            connections.close_all()

    with willow.entered() as scope:
        assert by_id(Patient, scope=scope, id=_uuid(made), lock=lock)
        thread = threading.Thread(target=another)
        thread.start()
        thread.join(10)

    assert free == [not lock]


def test_a_row_that_was_added_is_read_back_whole(willow: House) -> None:
    made = willow.scheduler.post("/v1/patients", PATIENT).json()
    with willow.entered() as scope:
        row = by_id(Patient, scope=scope, id=_uuid(made))
        assert row is not None
        row.id = new_uuid()
        add(row)
        again = by_id(Patient, scope=scope, id=row.id)
        assert again is not None
        row.face = row.face.replace(made["id"], type_id("patient", row.id))  # written by the database
        for field in Patient._meta.concrete_fields:
            assert getattr(again, field.attname) == getattr(row, field.attname), field.name
