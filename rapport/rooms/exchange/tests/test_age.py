"""A record is as old as the last time the portal was seen to have it so, and is not written for that."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rapport.platform.tenancy import services as tenancy
from rapport.rooms.exchange import handlers
from rapport.rooms.exchange.models import Shadow
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal

ANA = {"first_name": "Ana", "last_name": "Rivera", "birth_on": "1990-04-12", "sex": "female", "status": "active"}
MAYA = {"first_name": "Maya", "last_name": "Chen", "status": "active"}


@pytest.fixture
def read(connected: Connected, portal: ScriptedPortal) -> Connected:
    """Ana, Bea and Maya, read once."""
    with connected.house.entered() as scope:
        tenancy.connect(scope=scope, now=timezone.now())
    handlers.connect()
    portal.put("patients", "p1", **ANA)
    portal.put("patients", "p2", **ANA | {"first_name": "Bea"})
    portal.put("clinicians", "c1", **MAYA)
    return connected.start()


def seen(connected: Connected, what: str = "patients") -> dict[str, dict[str, Any]]:
    rows = connected.house.scheduler.get(f"/v1/{what}").json()["data"]
    return {one["source"]["remote_id"]: one for one in rows if one["source"]["remote_id"] in ("p1", "p2", "c1")}


def test_a_record_that_is_read_again_unchanged_is_younger_and_not_written(
    read: Connected, portal: ScriptedPortal
) -> None:
    before, staff = seen(read), seen(read, "clinicians")
    with CaptureQueriesContext(connection) as asked:
        read.sync("patients")
        read.sync("clinicians")
    after = seen(read)

    for id in ("p1", "p2"):
        assert after[id]["source"]["as_of"] > before[id]["source"]["as_of"]
        assert after[id] | {"source": None} == before[id] | {"source": None}
        one = read.house.scheduler.get(f"/v1/patients/{after[id]['id']}").json()
        assert one == after[id]
    assert seen(read, "clinicians")["c1"]["source"]["as_of"] > staff["c1"]["source"]["as_of"]
    assert not [one for one in asked if 'UPDATE "roster_' in one["sql"]]
    # The control: what has changed is written.
    portal.put("patients", "p1", **ANA | {"last_name": "Soto"})
    with CaptureQueriesContext(connection) as asked:
        read.sync("patients")
    assert len([one for one in asked if 'UPDATE "roster_patient"' in one["sql"]]) == 1
    assert seen(read)["p1"]["version"] == before["p1"]["version"] + 1


def test_what_a_reading_missed_or_could_not_take_over_stays_as_old_as_it_was(
    read: Connected, portal: ScriptedPortal
) -> None:
    before = seen(read)
    portal.drop("patients", "p2")
    portal.put("patients", "p1", **ANA | {"status": "on the moon"})
    read.sync("patients")
    with read.house.entered() as scope:
        held = dict(Shadow.objects.visible_to(scope).filter(kind="patients").values_list("remote_id", "held_code"))
    assert (held["p1"], held["p2"]) == ("unknown-status", "")

    assert {id: one["source"]["as_of"] for id, one in seen(read).items()} == {
        id: one["source"]["as_of"] for id, one in before.items()
    }
    # The control: once it is there again, and understood, both are as young as that reading.
    portal.put("patients", "p2", **ANA | {"first_name": "Bea"})
    portal.put("patients", "p1", **ANA)
    read.sync("patients")
    assert all(one["source"]["as_of"] > before[id]["source"]["as_of"] for id, one in seen(read).items())
