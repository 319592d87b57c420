"""What the ledger's tests share."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.platform.db import sql
from rapport.rooms.ledger import services
from rapport.rooms.roster import examples
from tests.support.cast import House

DAY = date(2026, 3, 2)


def add_patient(house: House) -> tuple[str, UUID]:
    """Add a patient; return the public id and the UUID."""
    answer = house.scheduler.post("/v1/patients", examples.NEW_PATIENT | {"external_ids": []})
    assert answer.status_code == 201, answer.content
    text = answer.json()["id"]
    id = parse_type_id("patient", text)
    assert id is not None
    return text, id


def charge(
    house: House, patient_id: UUID, *, patient_cents: int, insurance_cents: int = 0, on: date = DAY
) -> UUID:
    """Charge for a visit; return the visit's id."""
    visit = new_uuid()
    with house.entered() as scope:
        services.post_charge(
            scope=scope, appointment_id=visit, patient_id=patient_id, service_on=on,
            patient_cents=patient_cents, insurance_cents=insurance_cents, now=timezone.now(),
        )  # fmt: skip
    return visit


def pay(house: House, patient: str, cents: int, **more: Any) -> Any:
    """Record a payment in cash; return the answer."""
    return house.biller.post(
        "/v1/payments",
        {"patient_id": patient, "amount": {"amount": cents}, "method": "cash"} | more,
    )


def balance(house: House, patient: str, query: str = "") -> tuple[int, int, int]:
    """Return (patient responsibility, insurance outstanding, credit) in cents."""
    answer = house.biller.get(f"/v1/patients/{patient}/balance{query}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    return tuple(
        body[name]["amount"]
        for name in ("patient_responsibility", "insurance_outstanding", "credit")
    )  # type: ignore[return-value]


def entry_count(house: House) -> int:
    """Return how many entries the practice has."""
    with house.entered():
        row = sql.one("SELECT count(*) FROM ledger_entry")
    assert row is not None
    return int(row[0])
