"""One row in, one row out: the same row that the ORM writes and reads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from rapport.kernel.ids import new_uuid, parse_type_id, type_id
from rapport.platform.access.scope import Scope
from rapport.platform.db.rows import AT_ONCE, add, add_plain, by_id
from rapport.platform.db.rows import made as made_of
from rapport.rooms.roster import examples
from rapport.rooms.roster.models import Patient, PatientExternalId
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


def _ids_elsewhere(scope: Scope, patient: UUID, *, count: int) -> Iterator[dict[str, Any]]:
    """Rows of what a patient is called elsewhere, one after the other."""
    for number in range(count):
        yield {
            "id": new_uuid(), "practice_id": scope.practice_id, "patient_id": patient,
            "system": "urn:elsewhere", "value": str(number),
        }  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 7])
def test_rows_of_a_generator_are_each_added_once(willow: House, count: int) -> None:
    patient = _uuid(willow.scheduler.post("/v1/patients", PATIENT).json())
    with willow.entered() as scope:
        add_plain(PatientExternalId, _ids_elsewhere(scope, patient, count=count))
        kept = PatientExternalId.objects.visible_to(scope).filter(patient_id=patient)
        assert sorted(int(row.value) for row in kept) == list(range(count))


def test_a_generator_that_fails_on_the_way_fails_the_call_and_leaves_nothing_behind(willow: House) -> None:
    patient = _uuid(willow.scheduler.post("/v1/patients", PATIENT).json())

    def broken(scope: Scope) -> Iterator[dict[str, Any]]:
        yield from _ids_elsewhere(scope, patient, count=AT_ONCE + 10)
        raise LookupError("no more of them")

    before = threading.active_count()
    with pytest.raises(LookupError), willow.entered() as scope:
        add_plain(PatientExternalId, broken(scope))
    assert threading.active_count() == before
    with willow.entered() as scope:
        assert not PatientExternalId.objects.visible_to(scope).filter(patient_id=patient).exists()


def test_an_instance_is_made_of_all_its_columns_or_not_at_all() -> None:
    whole = {"id": new_uuid(), "practice_id": new_uuid(), "patient_id": new_uuid(), "system": "s", "value": "v"}
    row = made_of(PatientExternalId, whole)
    assert (row._state.adding, row.pk, row.value) == (True, PatientExternalId(**whole).pk, "v")
    for column in whole:
        with pytest.raises(TypeError, match=column):
            made_of(PatientExternalId, {name: value for name, value in whole.items() if name != column})


def test_rows_are_found_by_any_of_more_values_than_a_statement_has_places_for(willow: House) -> None:
    patient = _uuid(willow.scheduler.post("/v1/patients", PATIENT).json())
    with willow.entered() as scope:
        add_plain(PatientExternalId, _ids_elsewhere(scope, patient, count=3))
        rows = PatientExternalId.objects.visible_to(scope)
        others = [new_uuid() for _ in range(70_000)]
        assert rows.filter(patient_id__any_of=[*others, patient]).count() == 3
        assert rows.filter(id__any_of={row.id for row in rows} | set(others)).count() == 3
        assert [row.value for row in rows.filter(value__any_of=["2", '{"7", \\}', ""])] == ["2"]
        assert not rows.filter(patient_id__any_of=others).exists()
        assert not rows.filter(value__any_of=[]).exists()
