"""What accounting's tests share."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.rooms.ledger import services as ledger
from rapport.rooms.ledger.rules import entries as book
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House

RATE = 18_000
"""What a visit of the cast costs, in cents."""


def today(house: House) -> date:
    return house.scope.day_of(timezone.now())


def period(house: House, days: int = 60) -> dict[str, str]:
    last = today(house)
    return {"from_on": (last - timedelta(days=days)).isoformat(), "to_on": last.isoformat()}


def self_payer(house: House, billing: Billing, first: str = "Pia") -> Any:
    """Add a patient without a policy, of the cast's clinician."""
    return props.patient(
        house, first, clinician_ids=[billing.things["clinician"]["id"]],
        address={"line1": "12 Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205"},
    )


def paper(house: House, kind: str, patient: Any, **more: Any) -> Any:
    """Ask for a paper of all that happened lately; return the answer."""
    return house.biller.post(f"/v1/{kind}", {"patient_id": patient["id"], **period(house), **more})


def pay(house: House, patient: Any, cents: int) -> Any:
    body = {"patient_id": patient["id"], "amount": {"amount": cents}, "method": "cash"}
    return props.made(house.biller.post("/v1/payments", body))


def post(house: House, build: Any, appointment: Any, patient: Any, **more: Any) -> None:
    """Post what a payer does about a visit, as a remittance would."""
    about = book.About(
        _uuid("patient", patient), _uuid("appointment", appointment),
        service_on=date.fromisoformat(appointment["start_at"][:10]),
    )
    with house.entered() as scope:
        entry = build(book.Source("era_line", new_uuid(), "1"), today(house), about, **more)
        ledger.post(scope=scope, entry=entry, now=timezone.now())


def _uuid(kind: str, thing: Any) -> UUID:
    id = parse_type_id(kind, thing["id"])
    assert id is not None
    return id
