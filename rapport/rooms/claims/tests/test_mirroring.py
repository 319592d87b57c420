"""Claims that a portal has: read as every claim, charged once, and neither changed nor sent from here."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from rapport.kernel.ids import new_uuid, type_id
from rapport.kernel.problems import NotAtSource
from rapport.platform.tenancy.source import NotTakenOver
from rapport.rooms.claims import at_source, mirroring, queries, services
from rapport.rooms.claims.models import Billed, Claim
from rapport.rooms.coverage import mirroring as coverage
from rapport.rooms.scheduling import mirroring as calendar
from rapport.rooms.scheduling.tests.portal import SYSTEM, VISIT, Portal
from tests.support.cast import House
from tests.support.claims837 import TestClaim, write_837p

DAY = "2026-11-23"
CARD = {
    "patient": "p1", "rank": 1, "payer": "Cascade Health Plan", "payer_id": "CHP01", "member_id": "CHP000007",
    "starts_on": "2026-01-01", "copay": 2500, "status": "active",
}  # fmt: skip
CLAIM: dict[str, Any] = {
    "number": "FB000012", "patient": "p1", "payer": "Cascade Health Plan", "service_on": DAY, "charge": 18000,
    "paid": 0, "status": "submitted",
}  # fmt: skip


@pytest.fixture
def portal(willow: House) -> Portal:
    made = Portal(willow)
    made.say(coverage.mirror_policy, "5", CARD)
    return made


def visit(portal: Portal, id: str = "a1", **more: Any) -> str:
    seen = VISIT | {"start_local": f"{DAY}T09:00", "status": "completed", "duration_minutes": 60} | more
    row, _ = portal.say(calendar.mirror_appointment, id, seen)
    return type_id("appointment", row.id)


def claims(portal: Portal) -> list[dict[str, Any]]:
    return portal.house.biller.get("/v1/claims").json()["data"]


def owed(portal: Portal) -> tuple[int, int]:
    """Return what the patient owes, and what payers are asked for."""
    [patient] = portal.house.biller.get("/v1/patients").json()["data"]
    answer = portal.house.biller.get(f"/v1/patients/{patient['id']}/balance").json()
    return answer["patient_responsibility"]["amount"], answer["insurance_outstanding"]["amount"]


def test_a_claim_of_the_portal_reads_as_every_claim_with_its_visit_and_its_policy(portal: Portal) -> None:
    appointment = visit(portal)
    portal.say(mirroring.mirror_claim, "31", CLAIM)

    [listed] = claims(portal)
    shown = portal.house.biller.get(f"/v1/claims/{listed['id']}").json()
    assert {name: shown[name] for name in listed} == listed
    assert shown["source"] == {"system": SYSTEM, "remote_id": "31", "as_of": "2026-11-26T09:00:00.000Z"}
    assert (shown["state"], shown["control_number"], shown["rank"]) == ("submitted", "FB000012", "primary")
    assert (shown["charge"]["amount"], shown["paid"]["amount"], shown["service_from_on"]) == (18000, 0, DAY)
    [policy] = portal.house.biller.get("/v1/insurance-policies").json()["data"]
    assert (shown["policy_id"], shown["payer_id"]) == (policy["id"], policy["payer_id"])
    [line] = shown["lines"]
    assert (line["appointment_id"], line["service_code"], line["note_id"]) == (appointment, "90837", None)
    [clinician] = [one for one in portal.house.biller.get("/v1/clinicians").json()["data"] if one["source"]["remote_id"]]
    assert shown["clinician_id"] == clinician["id"]
    assert [(one["action"], one["state"]) for one in shown["history"]] == [("record_sent", "submitted")]
    assert portal.told()[-2:] == ["claim.created", "claim.submitted"]


def test_what_became_of_it_there_is_told_here_once(portal: Portal) -> None:
    visit(portal)
    portal.say(mirroring.mirror_claim, "31", CLAIM)
    portal.say(mirroring.mirror_claim, "31", CLAIM | {"status": "paid", "paid": 11900})
    told = portal.told()

    [shown] = claims(portal)
    assert (shown["state"], shown["paid"]["amount"]) == ("paid", 11900)
    assert told[-1] == "claim.paid"
    portal.say(mirroring.mirror_claim, "31", CLAIM | {"status": "paid", "paid": 11900})
    assert (portal.told(), claims(portal)[0]["version"]) == (told, shown["version"]), "the control: no news"


def test_of_two_visits_on_one_day_none_is_guessed_and_the_claim_is_there_all_the_same(portal: Portal) -> None:
    visit(portal, "a1")
    visit(portal, "a2", start_local=f"{DAY}T15:00")
    row, _ = portal.say(mirroring.mirror_claim, "31", CLAIM)

    shown = portal.house.biller.get(f"/v1/claims/{claims(portal)[0]['id']}").json()
    assert (shown["lines"], shown["clinician_id"]) == ([], None)
    with portal.house.entered() as scope:
        assert mirroring.is_open_question(scope=scope, claim=row)

    portal.lose(calendar.appointment_gone, "a2")
    row, changed = portal.say(mirroring.mirror_claim, "31", CLAIM)
    assert "lines" in changed
    with portal.house.entered() as scope:
        assert not mirroring.is_open_question(scope=scope, claim=row), "the control: one visit is it"


def test_what_the_portal_claims_is_charged_once_in_place_of_the_rate_that_is_known_here(portal: Portal) -> None:
    visit(portal)
    assert owed(portal) == (0, 18000), "the visit was charged by the code's rate"

    for _ in range(2):
        portal.say(mirroring.mirror_claim, "31", CLAIM | {"charge": 15000})
        assert owed(portal) == (0, 15000)
    portal.say(mirroring.mirror_claim, "31", CLAIM | {"charge": 16000})
    assert owed(portal) == (0, 16000), "the portal corrected it"

    portal.lose(mirroring.claim_gone, "31")
    assert (claims(portal)[0]["state"], owed(portal)) == ("voided", (0, 0))


def test_a_charge_that_is_the_same_there_is_left_as_the_visit_made_it(portal: Portal) -> None:
    visit(portal)
    before = portal.house.biller.get("/v1/ledger-entries").json()["data"]

    portal.say(mirroring.mirror_claim, "31", CLAIM)

    assert len(before) == 1
    assert portal.house.biller.get("/v1/ledger-entries").json()["data"] == before


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"patient": "p9"}, "unknown-patient"), ({"payer": "Nobody"}, "unknown-payer"), ({"charge": 0}, "missing-charge"),
        ({"status": "lost"}, "unknown-status"), ({"service_on": "yesterday"}, "unreadable-service-on"),
        ({"number": None}, "missing-number"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_held(portal: Portal, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(NotTakenOver, match=code):
        portal.say(mirroring.mirror_claim, "31", CLAIM | wrong)
    assert claims(portal) == []
    portal.say(mirroring.mirror_claim, "31", CLAIM)
    with pytest.raises(NotTakenOver, match="number-taken"):
        portal.say(mirroring.mirror_claim, "32", CLAIM)


def test_nothing_of_it_is_changed_or_sent_from_here(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_source.keeper, "_record", None)
    visit(portal)
    portal.say(mirroring.mirror_claim, "31", CLAIM | {"status": "ready"})
    api = portal.house.biller
    path = f"/v1/claims/{claims(portal)[0]['id']}"
    tag = api.get(path)["ETag"]

    for action in ("validate", "hold", "void"):
        answer = api.post(f"{path}/{action}", {}, if_match=tag)
        assert (answer.status_code, answer.json()["code"]) == (409, "not-at-source"), action
    without = api.post(f"{path}/submit", {}, if_match=tag)
    assert (without.status_code, without.json()["code"]) == (409, "connector-not-ready"), "the portal is to send it"
    assert api.get(path, accept="application/pdf").json()["code"] == "not-at-source"
    # Below the route, too: whoever comes another way is refused by the claim itself.
    with portal.house.entered() as scope:
        claim = Claim.objects.visible_to(scope).get()
        for attempt in (
            lambda: services.validate_claim(scope=scope, claim_id=claim.id, now=timezone.now()),
            lambda: services.submit_claim(scope=scope, claim_id=claim.id, if_match=tag, now=timezone.now()),
            lambda: services.hold_claim(scope=scope, claim_id=claim.id, if_match=tag, reason="x", now=timezone.now()),
            lambda: services.void_claim(scope=scope, claim_id=claim.id, if_match=tag, now=timezone.now()),
        ):
            with pytest.raises(NotAtSource):
                attempt()
        assert Billed.objects.visible_to(scope).filter(claim_id=claim.id).count() == 1
    assert claims(portal)[0]["state"] == "validated"


def test_a_file_that_the_portal_sent_says_which_claims_it_carries_whichever_came_first(portal: Portal) -> None:
    visit(portal)
    document = new_uuid()
    data = write_837p([TestClaim(number="FB000012"), TestClaim(number="FB000099")])

    def carried() -> list[tuple[str, bool]]:
        with portal.house.entered() as scope:
            found = queries.carried_in(scope=scope, document_ids=[document, new_uuid()])
        return [(number, claim is not None) for number, claim in found.get(document, [])]

    for _ in range(2):  # the same file, read once more, says no more
        with portal.house.entered() as scope:
            count = mirroring.note_file(scope=scope, system=SYSTEM, document_id=document, data=data, now=timezone.now())
    assert (count, carried()) == (2, [("FB000012", False), ("FB000099", False)])

    portal.say(mirroring.mirror_claim, "31", CLAIM)
    assert carried() == [("FB000012", True), ("FB000099", False)]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4", b"ISA*00*", write_837p([])])
def test_what_carries_no_claims_is_no_claim_file(portal: Portal, data: bytes) -> None:
    with portal.house.entered() as scope, pytest.raises(NotTakenOver):
        mirroring.note_file(scope=scope, system=SYSTEM, document_id=new_uuid(), data=data, now=timezone.now())
