"""The face that PostgreSQL gives a patient's row is what the contract says, letter by letter."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.db import connections

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import encoder, instant
from rapport.rooms.roster.models import Patient
from rapport.rooms.roster.schemas import PatientOut
from tests.support import props
from tests.support.cast import House

ODD = 'Ána "Q" \\ Zoë\u2028\u0007/<b>&😀'


def kept(house: House, made: Any) -> Patient:
    with house.entered() as scope:
        found: Patient = Patient.objects.visible_to(scope).get(id=props.uuid_of("patient", made))
        return found


@pytest.mark.parametrize("name", ["Ana", ODD[:35], "O'Brien", "محمد", "%s{0}$1"])
def test_a_face_reads_as_the_contracts_shape_and_says_what_the_columns_say(
    willow: House, name: str
) -> None:
    row = kept(
        willow,
        props.patient(
            willow, name={"first": name, "last": name, "preferred": name}, pronouns=name,
            email="ana@example.org", phones=[{"use": "home", "number": "5035550100"}],
            address={"line1": name, "city": "Portland", "state": "OR", "postal_code": "97205"},
            external_ids=[{"system": "urn:x", "value": name}],
        ),
    )  # fmt: skip

    shown = msgspec.json.decode(row.face, type=PatientOut, strict=True)

    assert (shown.id, shown.name.first, shown.name.middle) == (type_id("patient", row.id), row.first_name, None)
    assert (shown.name.last, shown.name.preferred, shown.pronouns) == (row.last_name, row.preferred_name, row.pronouns)
    assert (shown.address.line1, shown.email, shown.birth_on) == (row.address_line1, row.email, row.birth_on)
    assert (shown.external_ids[0].value, shown.phones[0].number) == (name, row.phones[0]["number"])
    assert (shown.status, shown.sex, shown.version) == (row.status, row.sex, row.version)
    assert (shown.created_at, shown.updated_at) == (instant(row.created_at), instant(row.updated_at))
    # Nothing more, and in the order of the shape.
    assert msgspec.json.decode(encoder.encode(shown)) == msgspec.json.decode(row.face)
    assert list(msgspec.json.decode(row.face)) == [field.name for field in msgspec.structs.fields(PatientOut)]


def test_a_face_follows_whatever_changes_its_row(willow: House) -> None:
    made = props.patient(willow)
    row = kept(willow, made)
    with willow.entered():
        Patient.objects.filter(id=row.id).update(last_name="Moved", version=7, face="forged")

    shown = willow.scheduler.get(f"/v1/patients/{made['id']}")

    assert (shown.json()["name"]["last"], shown.json()["version"]) == ("Moved", 7)
    assert shown["ETag"].startswith('"7-')


def test_postgresql_writes_ids_as_we_do(willow: House) -> None:
    ids = [props.uuid_of("patient", props.patient(willow)) for _ in range(3)]
    with connections["owner"].cursor() as cursor:
        for id in ids:
            cursor.execute("SELECT rapport_type_id('pat', %s)", [id])
            assert cursor.fetchone() == (type_id("patient", id),)
