"""Policies that a portal has: the same shape as everybody's, with their payers, and held when they do not fit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rapport.platform.tenancy.source import NotTakenOver
from rapport.rooms.coverage import mirroring
from rapport.rooms.scheduling.tests.portal import SYSTEM, Portal
from tests.support import props
from tests.support.cast import House

CARD: dict[str, Any] = {
    "patient": "p1", "rank": 1, "payer": "Cascade Health Plan", "payer_id": "CHP01", "member_id": "CHP 000007",
    "group_number": "G107", "copay": 2500, "starts_on": "2026-01-01", "ends_on": None, "status": "active",
}  # fmt: skip


@pytest.fixture
def portal(willow: House) -> Portal:
    return Portal(willow)


def policies(portal: Portal) -> list[dict[str, Any]]:
    return portal.house.biller.get("/v1/insurance-policies").json()["data"]


def payers(portal: Portal) -> list[dict[str, Any]]:
    return portal.house.biller.get("/v1/payers").json()["data"]


def test_a_policy_of_the_portal_reads_as_every_policy_and_is_shown_on_its_patient(portal: Portal) -> None:
    row, _ = portal.say(mirroring.mirror_policy, "5", CARD)

    [shown] = policies(portal)
    assert shown["source"] == {"system": SYSTEM, "remote_id": "5", "as_of": "2026-11-26T09:00:00.000Z"}
    assert (shown["rank"], shown["member_id"], shown["group_number"]) == ("primary", "CHP000007", "G107")
    assert (shown["copay"]["amount"], shown["starts_on"], shown["ends_on"]) == (2500, "2026-01-01", None)
    assert (shown["relationship"], shown["subscriber"]) == (None, None), "no list of policies says whose it is"
    [payer] = payers(portal)
    assert (payer["name"], payer["payer_id_code"]) == ("Cascade Health Plan", "CHP01")
    assert (payer["source"]["system"], payer["source"]["remote_id"]) == (SYSTEM, "CHP01")
    [patient] = portal.house.biller.get("/v1/patients").json()["data"]
    assert patient["primary_insurance"] == {
        "policy_id": shown["id"], "payer": {"id": payer["id"], "name": payer["name"]},
        "member_id": "CHP000007", "relationship": None,
    }  # fmt: skip
    told = portal.told()
    assert told[-3:] == ["payer.created", "insurance_policy.created", "patient.updated"]
    assert row.version == 1
    # The control: the same again is no news.
    assert portal.say(mirroring.mirror_policy, "5", CARD)[1] == []
    assert portal.told() == told


def test_what_changes_there_changes_here_and_a_payers_new_name_shows_at_once(portal: Portal) -> None:
    portal.say(mirroring.mirror_policy, "5", CARD)

    row, changed = portal.say(mirroring.mirror_policy, "5", CARD | {"copay": 3000, "payer": "Cascade Health"})

    assert (changed, row.version) == (["copay_cents"], 2)
    assert policies(portal)[0]["payer"]["name"] == "Cascade Health"
    [patient] = portal.house.biller.get("/v1/patients").json()["data"]
    assert patient["primary_insurance"]["payer"]["name"] == "Cascade Health"


def test_the_practices_own_entry_with_that_very_code_is_the_payer_and_a_name_alone_is_not(portal: Portal) -> None:
    api = portal.house.admin
    own = props.made(api.post("/v1/payers", {"name": "Cascade", "payer_id_code": "CHP01"}))
    props.made(api.post("/v1/payers", {"name": "Example Mutual", "payer_id_code": "99999"}))

    portal.say(mirroring.mirror_policy, "5", CARD)
    portal.say(mirroring.mirror_policy, "6", CARD | {"rank": 2, "payer": "Example Mutual", "payer_id": "EXM01"})

    by_code = {one["payer_id_code"]: one for one in payers(portal)}
    assert by_code["CHP01"]["id"] == own["id"]
    assert sorted(by_code) == ["99999", "CHP01", "EXM01"]
    assert by_code["99999"]["source"]["system"] == "rapport"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"patient": "p9"}, "unknown-patient"), ({"rank": 9}, "unknown-rank"), ({"member_id": None}, "missing-member-id"),
        ({"starts_on": None}, "missing-starts-on"), ({"ends_on": "2025-01-01"}, "ends-before-it-starts"),
        ({"status": "inactive"}, "inactive-without-end"), ({"copay": "25 dollars"}, "unreadable-copay"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_held_and_leaves_nothing(portal: Portal, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(NotTakenOver, match=code):
        portal.say(mirroring.mirror_policy, "5", CARD | wrong)

    assert (policies(portal), payers(portal)) == ([], [])
    portal.say(mirroring.mirror_policy, "5", CARD)
    assert len(policies(portal)) == 1, "the control: as it should be it is taken over"


def test_two_of_one_rank_on_one_day_are_held_until_one_has_ended(portal: Portal) -> None:
    portal.say(mirroring.mirror_policy, "5", CARD)
    second = CARD | {"member_id": "CHP999999", "starts_on": "2026-06-01"}
    with pytest.raises(NotTakenOver, match="policy-overlap"):
        portal.say(mirroring.mirror_policy, "6", second)

    portal.say(mirroring.mirror_policy, "5", CARD | {"ends_on": "2026-05-31"})
    portal.say(mirroring.mirror_policy, "6", second)

    assert [one["member_id"] for one in policies(portal)] == ["CHP000007", "CHP999999"]


def test_a_policy_that_is_gone_there_ends_and_shows_no_more(portal: Portal) -> None:
    portal.say(mirroring.mirror_policy, "5", CARD)

    portal.lose(mirroring.policy_gone, "5")

    with portal.house.entered() as scope:
        yesterday = scope.day_of(timezone.now()) - timedelta(days=1)
    assert policies(portal)[0]["ends_on"] == yesterday.isoformat()
    [patient] = portal.house.biller.get("/v1/patients").json()["data"]
    assert patient["primary_insurance"] is None
    assert portal.lose(mirroring.policy_gone, "nobody") is None
    portal.say(mirroring.mirror_policy, "5", CARD)
    assert policies(portal)[0]["ends_on"] is None, "it came back"


def test_the_portals_policies_are_not_written_here_and_the_directory_of_payers_is(portal: Portal, aspen: House) -> None:
    portal.say(mirroring.mirror_policy, "5", CARD)
    [shown] = policies(portal)
    path = f"/v1/insurance-policies/{shown['id']}"
    api = portal.house.biller
    refused = api.patch(path, {"ends_on": "2026-12-31"}, if_match=api.get(path)["ETag"])
    assert (refused.status_code, refused.json()["code"]) == (409, "not-at-source")

    payer = f"/v1/payers/{shown['payer_id']}"
    admin = portal.house.admin
    assert admin.get(payer).json()["submitter"] == "portal", "who keeps the records sends the claims"
    answer = admin.patch(payer, {"submitter": "rapport"}, if_match=admin.get(payer)["ETag"])
    assert (answer.status_code, answer.json()["submitter"]) == (200, "rapport")
    # The control: a native practice is its own submitter, and its policies are written here.
    own = props.payer(aspen)
    assert own["submitter"] == "rapport"
    assert props.policy(aspen, props.patient(aspen), own)["source"]["system"] == "rapport"
