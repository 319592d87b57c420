"""Things on the stage: patients, clinicians, places, services, payers, made over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rapport.kernel.ids import parse_type_id
from tests.support.cast import House

Thing = dict[str, Any]


def made(answer: Any) -> Thing:
    """Return the object that a call made. Fails with the answer's own words when it made none."""
    assert answer.status_code in (200, 201), answer.content
    thing: Thing = answer.json()
    return thing


def uuid_of(kind: str, thing: Thing | str) -> UUID:
    """Return the UUID in a thing's public id."""
    id = parse_type_id(kind, thing if isinstance(thing, str) else thing["id"])
    assert id is not None
    return id


def patient(house: House, first: str = "Ana", **fields: Any) -> Thing:
    """Add a patient."""
    body = {"name": {"first": first, "last": "Rivera"}, "birth_on": "1990-04-12", "sex": "female"}
    return made(house.scheduler.post("/v1/patients", body | fields))


def clinician(house: House, first: str = "Maya", **fields: Any) -> Thing:
    """Add a clinician."""
    body = {"first_name": first, "last_name": "Chen", "credentials": "PhD", "npi": "1234567893"}
    return made(house.admin.post("/v1/clinicians", body | fields))


def location(house: House, name: str = "Main office", **fields: Any) -> Thing:
    """Add a place."""
    body = {
        "name": name,
        "address": {
            "line1": "100 Willow Street", "city": "Portland", "state": "OR",
            "postal_code": "97205-0001",
        },
    }  # fmt: skip
    return made(house.admin.post("/v1/locations", body | fields))


def service_code(house: House, code: str = "90837", **fields: Any) -> Thing:
    """Add a service code of 60 minutes at 180 dollars."""
    body = {"code": code, "label": "Session", "duration_minutes": 60, "rate": {"amount": 18000}}
    return made(house.admin.post("/v1/service-codes", body | fields))


def payer(house: House, name: str = "Example Health Plan", **fields: Any) -> Thing:
    """Add a payer."""
    return made(house.admin.post("/v1/payers", {"name": name, "payer_id_code": "60054"} | fields))


def policy(house: House, patient: Thing, payer: Thing, **fields: Any) -> Thing:
    """Give a patient a policy."""
    body = {
        "patient_id": patient["id"], "payer_id": payer["id"], "member_id": "W123456789",
        "starts_on": "2026-01-01",
    }  # fmt: skip
    return made(house.scheduler.post("/v1/insurance-policies", body | fields))
