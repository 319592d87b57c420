"""What a room cannot take over yet is offered again when what it lacked has come, without another reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest
from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.rooms.exchange import services
from rapport.rooms.exchange.models import Shadow
from rapport.rooms.exchange.rules.changes import Change, Held, Origin
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


class Rooms:
    """A roster, and a calendar that takes an appointment over only once its patient is there."""

    def __init__(self) -> None:
        self.patients: set[str] = set()
        self.visits: list[str] = []
        self.offers = 0

    def roster(self, *, scope: Scope, origin: Origin, changes: Sequence[Change], now: datetime) -> Sequence[Held]:
        self.patients |= {one.remote_id for one in changes}
        return ()

    def calendar(self, *, scope: Scope, origin: Origin, changes: Sequence[Change], now: datetime) -> Sequence[Held]:
        self.offers += len(changes)
        held = [Held(one.remote_id, "unknown-patient") for one in changes if one.values["patient"] not in self.patients]
        self.visits += [one.remote_id for one in changes if one.values["patient"] in self.patients]
        return held


@pytest.fixture
def rooms() -> Iterator[Rooms]:
    made = Rooms()
    services.register_recipient(kind="patients", recipient=made.roster)
    services.register_recipient(kind="appointments", recipient=made.calendar)
    yield made
    for kind in ("patients", "appointments"):
        services.register_recipient(kind=kind, recipient=None)


def held(connected: Connected) -> list[str]:
    with connected.house.entered() as scope:
        rows = Shadow.objects.visible_to(scope).exclude(held_code="").order_by("remote_id")
        return list(rows.values_list("remote_id", flat=True))


def test_a_visit_of_somebody_who_comes_later_is_taken_over_then(
    connected: Connected, portal: ScriptedPortal, rooms: Rooms
) -> None:
    day = timezone.now().date()
    for number, patient in (("1", "7"), ("2", "9")):
        portal.put("appointments", number, patient=patient, start_local=f"{day}T0{number}:00:00")
    connected.start()

    assert rooms.visits == ["1"], "appointments are read before patients are"
    assert held(connected) == ["2"], "the control: whose patient is not there is held still"
    readings = len(portal.log("read:appointments"))

    portal.put("patients", "9", first_name="Chloe", last_name="Haddad", birth_on="1970-02-03")
    connected.sync("patients")

    assert (rooms.visits, held(connected)) == (["1", "2"], [])
    assert len(portal.log("read:appointments")) == readings, "nothing was read for it"
