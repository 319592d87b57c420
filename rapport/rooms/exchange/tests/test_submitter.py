"""One submitter for each practice and payer: what is open at the other system is not asked for a second time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from rapport.kernel.ids import new_uuid, type_id
from rapport.platform.tenancy.source import SourceRef
from rapport.rooms.claims.services import DuplicateClaim, OtherSubmitter
from rapport.rooms.coverage import mirroring as coverage
from rapport.rooms.exchange import handlers, services
from rapport.rooms.exchange.models import Write
from rapport.rooms.roster import mirroring as roster
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


@pytest.fixture
def connected(willow: House, portal: ScriptedPortal) -> Connected:
    handlers.connect()
    return Connected(willow, portal)


@pytest.fixture
def billing(willow: House) -> Billing:
    return Billing(willow)


def seen(billing: Billing, *, days_ago: int = 3) -> dict[str, Any]:
    """Return a documented visit of Ana, whom the portal calls 7."""
    visit: dict[str, Any] = billing.visit(days_ago=days_ago, patient=billing.things.get("patient"))
    billing.note(visit)
    path = f"/v1/patients/{visit['patient_id']}"
    api = billing.house.scheduler
    known_as = {"external_ids": [{"system": "scripted", "value": "7"}]}
    assert api.patch(path, known_as, if_match=api.get(path)["ETag"]).status_code == 200
    return visit


def claimed_there(connected: Connected, visit: dict[str, Any], id: str = "31", **more: Any) -> None:
    """The portal has a claim for a visit, and it was read."""
    told = {
        "patient": "7", "payer": "Example Health Plan", "service_on": visit["start_local"][:10], "charge": 18000,
        "status": "submitted", "number": f"FB{id}",
    }  # fmt: skip
    connected.portal.put("claims", id, **told | more)
    connected.sync("claims")


def claim(billing: Billing, visit: dict[str, Any]) -> Any:
    return billing.house.biller.post("/v1/claims", {"appointment_ids": [visit["id"]]})


def submitter(house: House, payer_id: str, name: str) -> None:
    path = f"/v1/payers/{payer_id}"
    answer = house.admin.patch(path, {"submitter": name}, if_match=house.admin.get(path)["ETag"])
    assert (answer.status_code, answer.json()["submitter"]) == (200, name)


def send_there(connected: Connected, remote_id: str = "31") -> Write:
    with connected.house.entered() as scope:
        return services.begin_write(
            scope=scope, connection_id=connected.id, ability="claims.submit", values={"status": "submitted"},
            key=new_uuid().hex, now=timezone.now(), remote_id=remote_id,
        )  # fmt: skip


def test_what_the_portal_asks_for_is_not_claimed_here_beside_it(connected: Connected, billing: Billing) -> None:
    connected.start()
    visit, other = seen(billing), seen(billing, days_ago=5)
    claimed_there(connected, visit)

    refused = claim(billing, visit)

    assert (refused.status_code, refused.json()["code"], refused.json()["remote_id"]) == (409, "duplicate-claim", "31")
    assert claim(billing, other).status_code == 201, "the control: another day is another service"
    claimed_there(connected, visit, status="voided")
    assert claim(billing, visit).status_code == 201, "the control: withdrawn there it is claimed here"


def test_a_claim_that_the_portal_made_meanwhile_stops_ours_before_it_leaves(connected: Connected, billing: Billing) -> None:
    connected.start()
    visit = seen(billing)
    made = props.made(claim(billing, visit))
    path = f"/v1/claims/{made['id']}"
    claimed_there(connected, visit)

    api = billing.house.biller
    answer = api.post(f"{path}/submit", {}, if_match=api.get(path)["ETag"])

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate-claim")
    assert api.get(path).json()["submissions"] == []
    connected.portal.drop("claims", "31")
    for _ in range(2):
        connected.sync("claims")
    answer = api.post(f"{path}/submit", {}, if_match=api.get(path)["ETag"])
    assert answer.json()["code"] != "duplicate-claim", "the control: gone there it is ours to send"


def test_to_a_payer_whose_claims_the_portal_sends_none_is_made_here(connected: Connected, billing: Billing) -> None:
    connected.start()
    visit = seen(billing)
    payer = billing.things["payer"]["id"]
    submitter(billing.house, payer, "portal")

    refused = claim(billing, visit)

    assert (refused.status_code, refused.json()["code"], refused.json()["submitter"]) == (409, "other-submitter", "portal")
    submitter(billing.house, payer, "rapport")
    assert claim(billing, visit).status_code == 201, "the control: changed back it is made"


def test_what_is_claimed_here_is_not_sent_from_the_portal_beside_it(connected: Connected, billing: Billing) -> None:
    connected.start()
    visit = seen(billing)
    submitter(billing.house, billing.things["payer"]["id"], "rapport")
    ours = props.made(claim(billing, visit))
    submitter(billing.house, billing.things["payer"]["id"], "portal")
    claimed_there(connected, visit, status="ready")

    with pytest.raises(DuplicateClaim) as refused:
        send_there(connected)
    assert refused.value.data["claim_id"] == ours["id"]

    api = billing.house.biller
    path = f"/v1/claims/{ours['id']}"
    assert api.post(f"{path}/void", {}, if_match=api.get(path)["ETag"]).status_code == 200
    assert send_there(connected).state == "intended", "the control: withdrawn here it is sent there"


def test_to_a_payer_whose_claims_are_sent_from_here_the_portal_sends_none(connected: Connected, billing: Billing) -> None:
    connected.start()
    visit = seen(billing)
    claimed_there(connected, visit, status="ready")
    claimed_there(connected, visit, "32", status="ready", payer="A payer nobody here knows")

    with pytest.raises(OtherSubmitter):
        send_there(connected)

    assert send_there(connected, "32").state == "intended", "the control: of an unknown payer nothing was said"
    submitter(billing.house, billing.things["payer"]["id"], "portal")
    assert send_there(connected).state == "intended"


def test_in_a_connected_practice_the_portal_sends_until_somebody_says_otherwise(
    connected: Connected, portal: ScriptedPortal
) -> None:
    house = connected.house
    connected.link(system_of_record=True)
    assert connected.secrets().status_code == 202
    connected.work()
    source = SourceRef("scripted", "9", datetime(2026, 3, 1, tzinfo=UTC))
    with house.entered() as scope:
        roster.mirror_patient(
            scope=scope, source=SourceRef("scripted", "9", source.as_of), now=timezone.now(),
            values={"first_name": "Cleo", "last_name": "Okafor", "birth_on": "1980-01-01", "sex": "female", "status": "active"},
        )  # fmt: skip
        policy, _ = coverage.mirror_policy(
            scope=scope, source=source, now=timezone.now(),
            values={"patient": "9", "rank": 1, "payer": "Cascade", "payer_id": "CHP01", "member_id": "CHP000009", "starts_on": "2026-01-01"},
        )  # fmt: skip
    portal.put("claims", "31", patient="9", payer="Cascade", service_on="2026-03-02", charge=18000, number="FB31", status="ready")
    connected.sync("appointments")
    connected.sync("claims")
    [shown] = house.biller.get("/v1/claims").json()["data"]
    assert (shown["state"], shown["source"]["remote_id"]) == ("validated", "31")
    payer = house.biller.get(f"/v1/insurance-policies/{type_id('insurance_policy', policy.id)}").json()["payer_id"]

    submitter(house, payer, "rapport")
    with pytest.raises(OtherSubmitter):
        send_there(connected)
    submitter(house, payer, "portal")
    assert send_there(connected).state == "intended", "the control"
