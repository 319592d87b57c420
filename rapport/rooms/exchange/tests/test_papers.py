"""Papers of signed records: they come by themselves, one after the other."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.utils import timezone

from rapport.rooms.exchange import services
from rapport.rooms.exchange.ports import Ability
from tests.support import props
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


@pytest.fixture
def portal(portal: ScriptedPortal) -> ScriptedPortal:
    """The portal, which has papers of notes."""
    portal.further = (Ability("notes.pdf", "file", "calibrated"),)
    return portal


def want(connected: Connected, *ids: str) -> None:
    patient: UUID = props.uuid_of("patient", props.patient(connected.house))
    with connected.house.entered() as scope:
        services.want_papers(
            scope=scope, connection_id=connected.id, kind="notes", about=dict.fromkeys(ids, patient), now=timezone.now()
        )


def kept(connected: Connected) -> list[str]:
    return sorted(one["remote_id"] for one in connected.list("artefacts") if one["document_id"])


def test_each_paper_is_fetched_when_the_one_before_it_is_here(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    want(connected, "n1", "n2", "n3")
    want(connected, "n1")
    connected.work()

    assert kept(connected) == ["n1", "n2", "n3"]
    assert len(portal.log("fetch")) == 3, "asked for twice before it came, it is fetched once"


def test_one_that_does_not_come_stops_the_others_until_the_next_reading(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("fetch", {"trouble": "incomplete"})
    want(connected, "n1", "n2", "n3")
    connected.work()
    assert (kept(connected), len(portal.log("fetch"))) == ([], 1), "the others are not even asked for"

    connected.sync("claims")
    connected.work()

    assert len(kept(connected)) == 2, "the control: they are asked for again, and the first when its time comes"


def test_a_portal_whose_user_may_not_see_them_is_asked_for_none(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    with connected.house.entered():
        row = connected.row()
        row.permitted["notes.pdf"] = False
        row.save(update_fields=["permitted"])
    want(connected, "n1")
    connected.work()

    assert (portal.log("fetch"), connected.list("artefacts")) == ([], [])
