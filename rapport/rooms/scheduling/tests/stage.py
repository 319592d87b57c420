"""A practice with a patient, two clinicians, a place and a service: what a booking needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support import props
from tests.support.cast import House

MONDAY = "2026-11-30T"
"""A Monday in winter time, ahead of every clock that matters here."""
HELD = "2026-03-02T"
"""A Monday in winter time that is over: what has begun may have an outcome."""


@dataclass
class Stage:
    """What is there, and short ways to book."""

    house: House
    day: str = MONDAY
    """When is booked."""
    ana: dict[str, Any] = field(init=False)
    maya: dict[str, Any] = field(init=False)
    luz: dict[str, Any] = field(init=False)
    office: dict[str, Any] = field(init=False)
    code: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.ana = props.patient(self.house)
        self.maya = props.clinician(self.house, "Maya")
        self.luz = props.clinician(self.house, "Luz")
        self.office = props.location(self.house)
        self.code = props.service_code(self.house)

    def body(self, wall: str = "09:00", **fields: Any) -> dict[str, Any]:
        """Return a body that books Ana with Maya on the day at this wall time."""
        body = {
            "patient_id": self.ana["id"],
            "clinician_id": self.maya["id"],
            "service_code": "90837",
            "start_local": self.day + wall,
            "time_zone": "America/Los_Angeles",
            "location_id": self.office["id"],
        } | fields
        if body.get("telehealth"):
            body.pop("location_id") if "location_id" not in fields else None
        return {name: value for name, value in body.items() if value is not ...}

    def ask(self, wall: str = "09:00", **fields: Any) -> Any:
        """Try to book, and return the answer."""
        return self.house.scheduler.post("/v1/appointments", self.body(wall, **fields))

    def book(self, wall: str = "09:00", **fields: Any) -> dict[str, Any]:
        """Book, and return the appointment."""
        return props.made(self.ask(wall, **fields))

    def act(self, thing: dict[str, Any], action: str, body: Any = None, *, api: Any = None) -> Any:
        """Do something to an appointment as it stands now."""
        api = api or self.house.scheduler
        path = f"/v1/appointments/{thing['id']}"
        return api.post(f"{path}/{action}", body or {}, if_match=api.get(path)["ETag"])

    def patch(self, thing: dict[str, Any], body: Any) -> Any:
        """Change an appointment as it stands now."""
        path = f"/v1/appointments/{thing['id']}"
        api = self.house.scheduler
        return api.patch(path, body, if_match=api.get(path)["ETag"])

    def status(self, thing: dict[str, Any]) -> str:
        """Return the present status."""
        answer = self.house.scheduler.get(f"/v1/appointments/{thing['id']}")
        return str(answer.json()["status"])
