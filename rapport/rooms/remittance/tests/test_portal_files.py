"""A remittance file of a portal: read, matched and posted as one that came through a channel, and once."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.tenancy.source import SourceRef
from rapport.rooms.claims import mirroring as claims
from rapport.rooms.claims.tests.test_mirroring import CARD, CLAIM, DAY, visit
from rapport.rooms.coverage import mirroring as coverage
from rapport.rooms.remittance import services
from rapport.rooms.scheduling.tests.portal import AS_OF, SYSTEM, Portal
from tests.support import eras
from tests.support.cast import House

X12 = "application/edi-x12"


def era(npi: str = "1234567893") -> bytes:
    """Return what the payer says of claim FB000012: 80 % allowed, the copay left to the patient."""
    return eras.one(number="FB000012", service_on=DAY, npi=npi)


@pytest.fixture
def portal(willow: House) -> Portal:
    made = Portal(willow)
    made.say(coverage.mirror_policy, "5", CARD)
    visit(made)
    return made


def arrives(portal: Portal, data: bytes) -> Any:
    with portal.house.entered() as scope:
        file, _ = services.receive(
            scope=scope, data=data, via="portal", source=SourceRef(SYSTEM, "4", AS_OF), now=timezone.now()
        )
        return file


def files(portal: Portal) -> list[dict[str, Any]]:
    return portal.house.biller.get("/v1/era-files").json()["data"]


def balance(portal: Portal) -> tuple[int, int]:
    [patient] = portal.house.biller.get("/v1/patients").json()["data"]
    answer = portal.house.biller.get(f"/v1/patients/{patient['id']}/balance").json()
    return answer["patient_responsibility"]["amount"], answer["insurance_outstanding"]["amount"]


def test_it_is_matched_to_the_portals_claim_and_posted_once(portal: Portal) -> None:
    portal.say(claims.mirror_claim, "31", CLAIM | {"status": "paid", "paid": 11900})
    assert balance(portal) == (0, 18000)

    for _ in range(3):
        arrives(portal, era())

    [shown] = files(portal)
    source = {"system": SYSTEM, "remote_id": "4", "as_of": "2026-11-26T09:00:00.000Z"}
    assert (shown["state"], shown["received_via"], shown["source"]) == ("posted", "portal", source)
    [check] = portal.house.biller.get("/v1/remittances").json()["data"]
    [line] = check["lines"]
    assert (check["trace"], check["total"]["amount"], check["source"]) == ("EFT0000001", 11900, source)
    assert (line["matched_by"], line["paid"]["amount"]) == ("code_and_date", 11900)
    assert balance(portal) == (2500, 0), "the copay is the patient's, the rest is settled"


def test_the_state_of_the_claim_is_the_portals_to_say_and_the_payers_number_is_kept(portal: Portal) -> None:
    portal.say(claims.mirror_claim, "31", CLAIM)
    file = arrives(portal, era())

    [claim] = portal.house.biller.get("/v1/claims").json()["data"]
    assert (file.state, claim["state"], claim["payer_claim_number"]) == ("posted", "submitted", "ICN00000031")
    assert "claim.paid" not in portal.told()
    answer = portal.house.biller.post(f"/v1/era-files/{files(portal)[0]['id']}/unpost", {"reason": "wrong account"})
    assert answer.status_code == 200, answer.content
    assert (balance(portal), portal.house.biller.get("/v1/claims").json()["data"][0]["state"]) == ((0, 18000), "submitted")


def test_one_that_came_before_its_claim_waits_and_is_matched_when_the_claim_is_here(portal: Portal) -> None:
    arrives(portal, era())
    [waiting] = files(portal)
    assert (waiting["state"], [one["rule"] for one in waiting["findings"]]) == ("received", ["unmatched"])
    with portal.house.entered() as scope:
        assert services.match_again(scope=scope, now=timezone.now()) == 1
    assert files(portal) == [waiting], "the control: nothing new is known"

    portal.say(claims.mirror_claim, "31", CLAIM)
    with portal.house.entered() as scope:
        services.match_again(scope=scope, now=timezone.now())
        assert services.match_again(scope=scope, now=timezone.now()) == 0

    [posted] = files(portal)
    assert (posted["state"], posted["findings"], balance(portal)) == ("posted", [], (2500, 0))


def test_what_was_handed_in_by_a_person_first_is_the_same_file(portal: Portal) -> None:
    portal.say(claims.mirror_claim, "31", CLAIM)
    answer = portal.house.biller.call(
        "POST", "/v1/era-files", raw=era(), content_type=X12, idempotency_key=new_uuid().hex
    )
    assert (answer.status_code, answer.json()["source"]["system"]) == (201, "rapport")

    arrives(portal, era())

    [shown] = files(portal)
    assert (shown["id"], shown["received_via"], shown["source"]["system"]) == (answer.json()["id"], "upload", SYSTEM)
    assert balance(portal) == (2500, 0)


@pytest.mark.parametrize("by_hand", [False, True], ids=["a portals", "handed in"])
def test_a_file_is_given_as_it_came_to_those_who_may_read_it(portal: Portal, aspen: House, by_hand: bool) -> None:
    portal.say(claims.mirror_claim, "31", CLAIM)
    biller, data = portal.house.biller, era().replace(b"~", b"~\r\n")
    if by_hand:
        biller.call("POST", "/v1/era-files", raw=data, content_type=X12, idempotency_key=new_uuid().hex)
    else:
        arrives(portal, data)
    [shown] = files(portal)
    path = f"/v1/era-files/{shown['id']}"

    answer = biller.get(path, accept=X12)

    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, X12, data)
    assert answer["Repr-Digest"] == f"sha-256=:{b64encode(sha256(data).digest()).decode()}:"
    assert answer["Content-Disposition"] == f'attachment; filename="{shown["id"]}.835"', "it names nobody"
    assert biller.get(path).json() == shown, "the control: asked for nothing else it is JSON"
    [noted, _] = portal.house.auditor.get("/v1/audit-events?action=era_file.read").json()["data"]
    assert (noted["outcome"], len(noted["patient_ids"])) == ("allow", 1)
    assert portal.house.scheduler.get(path, accept=X12).status_code == 403
    assert aspen.biller.get(path, accept=X12).status_code == 404


def test_a_file_for_another_payee_is_held_and_posts_nothing(portal: Portal) -> None:
    portal.say(claims.mirror_claim, "31", CLAIM)
    arrives(portal, era(npi="1000000038"))

    [shown] = files(portal)
    assert (shown["state"], [one["rule"] for one in shown["findings"]]) == ("held", ["payee-not-ours"])
    assert balance(portal) == (0, 18000)
