"""A group on the stage: Maya leads; Ana, Ben and Cleo are members; Luz sees Ben alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rapport.kernel.ids import parse_type_id
from rapport.platform.access.permissions import Role
from tests.support import props
from tests.support.cast import Api, House

NAMES = {"Ana": "Rivera", "Ben": "Okafor", "Cleo": "Lindqvist"}
ADDRESS = {"line1": "12 Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205"}
HELD = "2026-03-02T"
"""A Monday that is over: what has begun may have an outcome."""
AHEAD = "2030-03-04T"
"""A Monday ahead of every clock."""


@dataclass
class Circle:
    """What is there, and short ways to meet."""

    house: House
    maya: Api = field(init=False)
    luz: Api = field(init=False)
    lead: Any = field(init=False)
    other: Any = field(init=False)
    office: Any = field(init=False)
    people: dict[str, Any] = field(init=False)
    group: Any = field(init=False)

    def __post_init__(self) -> None:
        house = self.house
        self.lead = props.clinician(house, npi="1000000004", taxonomy_code="103TC0700X")
        self.other = props.clinician(house, "Luz", last_name="Abara")
        self.office = props.location(house)
        props.service_code(house, "90853", duration_minutes=90, rate={"amount": 6000})
        self.maya, self.luz = (
            house.person(name, Role.CLINICIAN, clinician_id=parse_type_id("clinician", who["id"]))
            for name, who in (("maya", self.lead), ("luz", self.other))
        )
        self.people = {
            first: props.patient(
                house, name={"first": first, "last": last}, address=ADDRESS,
                clinician_ids=[self.lead["id"], *([self.other["id"]] if first == "Ben" else [])],
            )
            for first, last in NAMES.items()
        }  # fmt: skip
        self.group = props.made(house.scheduler.post("/v1/groups", self.body()))

    def body(self, **fields: Any) -> dict[str, Any]:
        """Return a body that makes a group of the three."""
        return {
            "label": "Monday evening", "clinician_id": self.lead["id"], "service_code": "90853", "capacity": 4,
            "patient_ids": [person["id"] for person in self.people.values()],
        } | fields  # fmt: skip

    def ask(self, day: str = AHEAD, wall: str = "18:00", **fields: Any) -> Any:
        """Try to book a session of the group."""
        body = {"start_local": day + wall, "time_zone": "America/Los_Angeles", "location_id": self.office["id"]}
        return self.house.scheduler.post(f"/v1/groups/{self.group['id']}/sessions", body | fields)

    def meet(self, day: str = AHEAD, wall: str = "18:00", **fields: Any) -> Any:
        """Book a session of the group, and return it."""
        return props.made(self.ask(day, wall, **fields))["sessions"][0]

    def read(self, session: Any, *, api: Api | None = None) -> Any:
        """Return a session as it is now."""
        return (api or self.house.scheduler).get(f"/v1/group-sessions/{session['id']}").json()

    def part(self, session: Any, first: str) -> str:
        """Return the id of a member's latest appointment of a session."""
        seats = [one for one in self.read(session)["members"] if one["patient"]["id"] == self.people[first]["id"]]
        return str(seats[-1]["appointment_id"])

    def act(self, session: Any, first: str, action: str, body: Any = None) -> Any:
        """Do something to a member's appointment as it is now."""
        path = f"/v1/appointments/{self.part(session, first)}"
        api = self.house.scheduler
        return api.post(f"{path}/{action}", body or {}, if_match=api.get(path)["ETag"])

    def all(self, session: Any, action: str, body: Any, *, api: Api | None = None) -> Any:
        """Do something to a session as it is now."""
        api = api or self.house.scheduler
        path = f"/v1/group-sessions/{session['id']}"
        return api.post(f"{path}/{action}", body, if_match=api.get(path)["ETag"])

    def held(self, **booked: Any) -> Any:
        """Hold a session: Ana and Ben were there, Cleo did not come."""
        session = self.meet(HELD, **booked)
        for first, action in (("Ana", "complete"), ("Ben", "complete"), ("Cleo", "no-show")):
            answer = self.act(session, first, action)
            assert answer.status_code == 200, answer.content
        return session
