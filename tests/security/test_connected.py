"""No write of a connected practice lands in tables here: it goes to the system that is its truth, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rapport.kernel.ids import new_uuid, type_id
from rapport.kernel.outcomes import Asked, Done, Outcome, Pending, Refused
from rapport.platform.access.permissions import Role
from rapport.platform.access.scope import Scope
from rapport.platform.api import handed_on
from rapport.platform.api.router import ROUTES, RouteInfo
from rapport.rooms.charting import at_source as charts
from rapport.rooms.charting import mirroring as notes
from rapport.rooms.charting.models import ClinicalNote
from rapport.rooms.claims import at_source as billing
from rapport.rooms.claims import mirroring as claims
from rapport.rooms.coverage import mirroring as coverage
from rapport.rooms.roster import at_source as roster
from rapport.rooms.roster.models import Patient
from rapport.rooms.scheduling import at_source
from rapport.rooms.scheduling import mirroring as calendar
from rapport.rooms.scheduling.models import Appointment
from rapport.rooms.scheduling.tests.portal import ANA, NOTE, SYSTEM, VISIT, Portal
from rapport.rooms.scheduling.tests.stage import Stage
from tests.security.test_every_route import address, name
from tests.support.cast import House

PORT = {
    "POST /patients", "PATCH /patients/{patient_id}", "POST /clinical-notes/{clinical_note_id}/addenda",
    "POST /claims", "POST /claims/{claim_id}/submit",
    "POST /appointments", "PATCH /appointments/{appointment_id}",
    *(f"POST /appointments/{{appointment_id}}/{deed}" for deed in (
        "reschedule", "cancel", "check-in", "complete", "no-show", "reopen",
    )),
}  # fmt: skip
"""Handed to the system that keeps the records."""
KEPT = {
    "POST /patients/search": "a read that keeps names out of addresses",
    "POST /locations": "no portal lists its places: they are the practice's own words",
    "PATCH /locations/{location_id}": "as above",
    "PUT /locations/by-external-id": "as above",
    "PUT /clinicians/{clinician_id}/work-schedule": "what availability is searched by, where the other system shows no hours; else `not-at-source`",
    "POST /clinical-notes/{clinical_note_id}/document-link": "a read",
    "POST /payers": "the practice's own directory: who sends a payer its claims, and where paper goes",
    "PUT /payers/by-external-id": "as above",
    "PATCH /payers/{payer_id}": "as above",
    "POST /authorizations": "what a payer authorised: no list of a portal shows it",
    "PATCH /authorizations/{authorization_id}": "as above",
    "POST /payers/{payer_id}/enrollments": "the practice's own directory, as its payers",
    "PUT /payers/{payer_id}/contract-rates": "what the practice agreed with its payers: no portal shows it",
    "POST /payers/{payer_id}/contract-rates/import": "as above",
    "POST /credential-spans": "as above: no portal shows who is credentialed with whom",
    "PATCH /credential-spans/{credential_span_id}": "as above",
    "POST /eligibility-checks": "asks the payer, and writes nothing at the portal",
    "POST /insurance-policies/{insurance_policy_id}/eligibility-checks": "as above",
    "POST /eligibility-checks/{eligibility_check_id}/give-up": "a word about this system's own questions",
    "POST /good-faith-estimates": "papers of this system: no list of a portal shows them",
    "POST /good-faith-estimates/{estimate_id}/give": "as above",
    "PATCH /coverage-settings": "settings of this system",
    "PATCH /payers/{payer_id}/claim-profile": "the practice's own word on its payers",
    "PUT /print-setting": "a setting of the practice's printer",
    "POST /channels": "settings of this system",
    "PATCH /channels/{channel_id}": "settings of this system",
    "POST /card-processors/{card_processor_id}/notices": "the word of a processor, which is no portal",
}
"""Writes of these rooms that are no records of the other system, and why."""
WRITES = [info for info in ROUTES if info.method in ("POST", "PUT", "PATCH", "DELETE")]


@dataclass
class Journal:
    """A system of record by script: notes what it is asked, and answers what the test says."""

    answers: list[Outcome] = field(default_factory=list)
    later: Outcome | None = None
    asked: list[tuple[str, Asked]] = field(default_factory=list)
    waited_in_transaction: bool | None = None

    def _next(self, what: str, asked: Asked) -> Outcome:
        self.asked.append((what, asked))
        return self.answers.pop(0) if self.answers else Pending(type_id("event", new_uuid()), "intended")

    def book(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        return self._next("book", asked)

    def create(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        return self._next("create", asked)

    def add(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        return self._next("add", asked)

    def addend(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        return self._next("addend", asked)

    def submit(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        return self._next("submit", asked)

    def change(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        return self._next("change", asked)

    def cancel(self, *, scope: Scope, asked: Asked, now: datetime) -> Outcome:
        return self._next("cancel", asked)

    def wait(self, *, scope: Scope, write_id: str, seconds: float) -> Outcome:
        self.waited_in_transaction = connection.in_atomic_block
        return self.later or Pending(write_id, "submitted")


@pytest.fixture
def portal(willow: House) -> Portal:
    return Portal(willow)


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    journal = Journal()
    for room in (at_source, roster, charts, billing):
        monkeypatch.setattr(room.keeper, "_record", journal)
    return journal


def rows(house: House) -> dict[UUID, Mapping[str, Any]]:
    with house.entered() as scope:
        return {row["id"]: row for row in Appointment.objects.visible_to(scope).values()}


def booking(portal: Portal, **fields: Any) -> dict[str, Any]:
    api = portal.house.scheduler
    [patient] = api.get("/v1/patients").json()["data"]
    [clinician] = api.get("/v1/clinicians").json()["data"]
    [place] = api.get("/v1/locations").json()["data"]
    return {
        "patient_id": patient["id"], "clinician_id": clinician["id"], "service_code": "90837",
        "start_local": "2026-11-30T14:00:00", "time_zone": "America/Los_Angeles",
        "duration_minutes": 50, "location_id": place["id"],
    } | fields  # fmt: skip


def test_every_write_of_these_rooms_is_handed_on_refused_or_kept_for_a_reason() -> None:
    rooms = {info.tag for info in WRITES if info.connected != "kept"}
    of_rooms = [info for info in WRITES if info.tag in rooms]

    assert {name(info) for info in of_rooms if info.connected == "port"} == PORT
    assert {name(info) for info in of_rooms if info.connected == "kept"} == set(KEPT)
    refused = {name(info) for info in of_rooms if info.connected == "refused"}
    assert len(refused) > 20
    assert {
        "POST /claims/{claim_id}/void", "PUT /patients/by-external-id", "POST /clinical-notes/{clinical_note_id}/sign", "POST /insurance-policies",
        "POST /payments", "POST /write-offs",
    } <= refused  # fmt: skip
    assert len(rooms) >= 4, rooms


def test_a_route_that_hands_on_names_whatever_may_come_back() -> None:
    handing_on = [info for info in WRITES if info.connected == "port"]
    assert len(handing_on) == len(PORT)
    for info in handing_on:
        assert set(handed_on.PROBLEMS) <= set(info.problems), name(info)


@pytest.mark.parametrize("info", [i for i in WRITES if i.connected == "refused"], ids=name)
def test_a_refused_write_says_so_before_it_looks_at_anything(portal: Portal, aspen: House, info: RouteInfo) -> None:
    """The control: the same call in a native practice is judged by what it says."""
    everything = (Role.PRACTICE_ADMINISTRATOR, Role.CLINICAL_ADMINISTRATOR, Role.PRACTICE_BILLER, Role.SUPERVISOR)
    answers = {}
    for house in (portal.house, aspen):
        api = house.person("all", *everything)
        answers[house.id] = api.call(
            info.method, address(info), {}, idempotency_key=new_uuid().hex, if_match='"1-x"'
        ).json()

    assert answers[portal.house.id]["code"] == "not-at-source"
    assert answers[portal.house.id]["detail"].endswith("where this is done.")
    assert answers[aspen.id]["code"] != "not-at-source"


def test_without_a_system_of_record_nothing_is_booked(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_source.keeper, "_record", None)
    answer = portal.house.scheduler.post("/v1/appointments", booking(portal))

    assert (answer.status_code, answer.json()["code"]) == (409, "connector-not-ready")
    assert rows(portal.house) == {}


def test_a_booking_is_on_its_way_and_not_in_the_table(portal: Portal, journal: Journal) -> None:
    body = booking(portal, external_ids=[{"system": "urn:x", "value": "7"}])
    key = new_uuid().hex
    answer = portal.house.scheduler.post("/v1/appointments", body, idempotency_key=key)
    again = portal.house.scheduler.post("/v1/appointments", body, idempotency_key=key)

    shown = answer.json()
    assert (answer.status_code, shown["id"], shown["status"]) == (202, None, "booked")
    assert shown["write"]["state"] == "intended"
    assert (shown["start_at"], shown["duration_minutes"]) == ("2026-11-30T22:00:00.000Z", 50)
    assert shown["source"]["system"] == SYSTEM
    assert again.json() == shown
    [(what, asked)] = journal.asked
    assert (what, asked.values) == (
        "book",
        {
            "patient": "p1", "clinician": "C-1", "start_local": "2026-11-30T14:00:00",
            "duration_minutes": 50, "service_code": "90837", "location": "Main office",
            "telehealth": False, "external_ids": [{"system": "urn:x", "value": "7"}],
        },
    )  # fmt: skip
    assert rows(portal.house) == {}
    assert "appointment.created" not in portal.told()


def test_who_prefers_to_wait_gets_the_appointment_as_the_portal_has_it(portal: Portal, journal: Journal) -> None:
    ids = [{"system": "urn:x", "value": "7"}]
    there = VISIT | {"patient": "p1", "start_local": "2026-11-30T14:00", "external_ids": ids}
    journal.later = Done(SYSTEM, "a77", there)

    answer = portal.house.scheduler.post("/v1/appointments", booking(portal), prefer="wait")

    shown = answer.json()
    assert (answer.status_code, answer["Preference-Applied"]) == (201, "wait")
    assert (shown["source"]["remote_id"], shown["external_ids"], "write" in shown) == ("a77", ids, False)
    assert journal.waited_in_transaction is False
    assert portal.told()[-1] == "appointment.created"
    assert portal.house.scheduler.get(f"/v1/appointments/{shown['id']}").json() == shown
    # The control: who waits for what is not settled in time is told where it stands.
    journal.later = None
    late = portal.house.scheduler.post(
        "/v1/appointments", booking(portal, start_local="2026-11-30T16:00:00"), prefer="wait"
    )
    assert (late.status_code, late.json()["write"]["state"]) == (202, "submitted")


def test_what_the_portal_refuses_is_refused_in_its_words(portal: Portal, journal: Journal) -> None:
    journal.answers = [Refused("That room is closed on Mondays.")]
    at_once = portal.house.scheduler.post("/v1/appointments", booking(portal))
    journal.later = Refused("The clinician is away.")
    waited = portal.house.scheduler.post("/v1/appointments", booking(portal), prefer="wait=5")

    assert (at_once.status_code, at_once.json()["code"]) == (409, "refused-at-source")
    assert at_once.json()["detail"] == "That room is closed on Mondays."
    assert (waited.status_code, waited.json()["detail"]) == (409, "The clinician is away.")
    assert rows(portal.house) == {}


def test_a_taken_slot_is_refused_before_the_portal_is_asked(portal: Portal, journal: Journal) -> None:
    portal.say(calendar.mirror_appointment, "a1", VISIT | {"start_local": "2026-11-30T14:20"})

    answer = portal.house.scheduler.post("/v1/appointments", booking(portal))

    assert (answer.status_code, answer.json()["code"]) == (409, "slot-taken")
    assert journal.asked == []


def test_moves_and_cancellations_are_asked_for_and_change_nothing_here(portal: Portal, journal: Journal) -> None:
    row, _ = portal.say(calendar.mirror_appointment, "a1", VISIT)
    path = f"/v1/appointments/{type_id('appointment', row.id)}"
    api = portal.house.scheduler
    before = rows(portal.house)
    tag = api.get(path)["ETag"]

    time = {"start_local": "2026-11-30T15:00:00", "time_zone": "America/Los_Angeles"}
    moved = api.post(f"{path}/reschedule", time, if_match=tag)
    shorter = api.patch(path, {"duration_minutes": 30}, if_match=tag)
    off = api.post(f"{path}/cancel", {"reason": "illness", "initiated_by": "patient"}, if_match=tag)
    stale = api.post(f"{path}/cancel", {}, if_match='"9-x"')

    assert [one.status_code for one in (moved, shorter, off, stale)] == [202, 202, 202, 412]
    assert (moved.json()["start_local"], shorter.json()["duration_minutes"]) == ("2026-11-30T15:00:00", 30)
    assert (off.json()["status"], off.json()["ended_reason"]) == ("cancelled", "illness")
    assert [(what, asked.remote_id, asked.changed) for what, asked in journal.asked] == [
        ("change", "a1", ("duration_minutes", "start_local")), ("change", "a1", ("duration_minutes",)),
        ("cancel", "a1", ("status",)),
    ]  # fmt: skip
    assert len({asked.key for _, asked in journal.asked}) == 3
    assert rows(portal.house) == before


def test_what_became_of_a_visit_is_asked_for_in_the_portals_words_and_judged_as_anywhere(
    portal: Portal, journal: Journal
) -> None:
    api = portal.house.scheduler
    for id, day, status in (("a1", "01", "scheduled"), ("a2", "02", "scheduled"), ("a3", "03", "cancelled")):
        portal.say(calendar.mirror_appointment, id, VISIT | {"start_local": f"2026-11-{day}T09:00", "status": status})
    portal.say(calendar.mirror_appointment, "a4", VISIT | {"start_local": "2036-11-03T09:00"})
    visits = {one["source"]["remote_id"]: one for one in api.get("/v1/appointments").json()["data"]}
    before = rows(portal.house)

    def act(id: str, deed: str) -> Any:
        path = f"/v1/appointments/{visits[id]['id']}"
        return api.post(f"{path}/{deed}", {}, if_match=api.get(path)["ETag"])

    answers = [act("a1", "check-in"), act("a1", "complete"), act("a2", "no-show"), act("a3", "reopen")]

    assert [(one.status_code, one.json()["status"]) for one in answers] == [
        (202, "checked_in"), (202, "completed"), (202, "no_show"), (202, "booked"),
    ]  # fmt: skip
    assert [(what, asked.remote_id, dict(asked.values), asked.changed) for what, asked in journal.asked] == [
        ("change", id, {"status": word}, ("status",))
        for id, word in (("a1", "checked_in"), ("a1", "completed"), ("a2", "no_show"), ("a3", "scheduled"))
    ]
    assert rows(portal.house) == before
    # The control: what a native practice refuses is refused here, and nobody is asked.
    refused = [act("a4", "complete"), act("a4", "no-show"), act("a3", "check-in"), act("a1", "reopen")]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (409, "appointment-in-future"), (409, "appointment-in-future"), (409, "state-conflict"), (409, "state-conflict"),
    ]  # fmt: skip
    assert len(journal.asked) == 4


def test_that_a_cancellation_came_late_and_why_is_kept_though_no_portal_shows_it(portal: Portal, journal: Journal) -> None:
    api = portal.house.scheduler
    portal.say(calendar.mirror_appointment, "a1", VISIT)
    [visit] = api.get("/v1/appointments").json()["data"]
    path = f"/v1/appointments/{visit['id']}"
    gone = VISIT | {"status": "cancelled"}

    asked = api.post(
        f"{path}/cancel", {"reason": "illness", "initiated_by": "patient", "late": True}, if_match=api.get(path)["ETag"]
    )
    assert (asked.status_code, asked.json()["status"]) == (202, "late_cancelled")
    [(what, wanted)] = journal.asked
    assert (what, dict(wanted.values)) == ("cancel", {"reason": "illness"})
    portal.say(calendar.mirror_appointment, "a1", gone | dict(wanted.aside))
    kept = api.get(path).json()
    assert (kept["status"], kept["ended_reason"], kept["ended_by"]) == ("late_cancelled", "illness", "patient")

    portal.say(calendar.mirror_appointment, "a1", gone)
    assert api.get(path).json() == kept, "read again it is the same"
    # The control: taken back there and cancelled there, it is a cancellation of which nothing was said here.
    for status in ("scheduled", "cancelled"):
        portal.say(calendar.mirror_appointment, "a1", VISIT | {"status": status})
    again = api.get(path).json()
    assert (again["status"], again["ended_reason"], again["ended_by"]) == ("cancelled", None, None)


def test_an_external_id_that_is_known_changes_that_visit_or_nothing(portal: Portal, journal: Journal) -> None:
    pair = [{"system": "urn:x", "value": "7"}]
    portal.say(calendar.mirror_appointment, "a1", VISIT | {"external_ids": pair})
    api, moved = portal.house.scheduler, VISIT | {"start_local": "2026-11-30T14:00"}
    [visit] = api.get("/v1/appointments").json()["data"]
    journal.answers = [Done(SYSTEM, "a1", moved), Done(SYSTEM, "a2", moved | {"start_local": "2026-11-30T16:00"})]

    first = api.post("/v1/appointments", booking(portal, external_ids=pair))
    again = api.post("/v1/appointments", booking(portal, external_ids=pair))

    for answer in (first, again):
        assert (answer.status_code, answer.json()["id"], answer.json()["start_local"]) == (200, visit["id"], "2026-11-30T14:00:00")
    assert [what for what, _ in journal.asked] == ["change"], "what is so already is not asked for"
    # The control: under another id it is another visit.
    other = api.post("/v1/appointments", booking(portal, start_local="2026-11-30T16:00:00", external_ids=[{"system": "urn:x", "value": "8"}]))
    assert (other.status_code, journal.asked[-1][0]) == (201, "book")
    assert other.json()["id"] != visit["id"]


def test_why_it_was_cancelled_is_kept_though_a_reading_saw_it_first(portal: Portal) -> None:
    portal.say(calendar.mirror_appointment, "a1", VISIT)
    gone = VISIT | {"status": "cancelled"}
    portal.say(calendar.mirror_appointment, "a1", gone)
    ended = {"status": "cancelled", "ended_reason": "weather", "ended_by": "practice"}

    portal.say(calendar.mirror_appointment, "a1", gone | {"ended": ended})

    [kept] = portal.house.scheduler.get("/v1/appointments").json()["data"]
    assert (kept["status"], kept["ended_reason"], kept["ended_by"]) == ("cancelled", "weather", "practice")


NOOR = {
    "name": {"first": "Noor", "last": "Haddad"}, "birth_on": "1988-02-29", "sex": "female",
    "phones": [{"number": "5035550177"}], "external_ids": [{"system": "urn:x", "value": "7"}],
}  # fmt: skip


def people(house: House) -> dict[UUID, Mapping[str, Any]]:
    with house.entered() as scope:
        return {row["id"]: row for row in Patient.objects.visible_to(scope).values()}


def test_a_new_patient_is_on_their_way_and_not_in_the_table(portal: Portal, journal: Journal) -> None:
    before, [clinician] = people(portal.house), portal.house.scheduler.get("/v1/clinicians").json()["data"]
    answer = portal.house.scheduler.post("/v1/patients", NOOR | {"clinician_ids": [clinician["id"]]})

    shown = answer.json()
    assert (answer.status_code, shown["id"], shown["name"]["last"]) == (202, None, "Haddad")
    assert (shown["phones"], shown["write"]["state"]) == ([{"use": "mobile", "number": "+15035550177"}], "intended")
    [(what, asked)] = journal.asked
    assert (what, asked.patient_id, asked.values) == ("add", None, {
        "first_name": "Noor", "last_name": "Haddad", "birth_on": "1988-02-29", "sex": "female", "status": "active",
        "phone": "+15035550177", "clinician": "C-1", "external_ids": NOOR["external_ids"],
    })  # fmt: skip
    assert people(portal.house) == before
    # The control: once the portal has them, they are here, with what it does not show.
    journal.later = Done(SYSTEM, "p9", ANA | {"external_id": "P-900", "external_ids": NOOR["external_ids"]})
    waited = portal.house.scheduler.post("/v1/patients", NOOR, prefer="wait")
    assert (waited.status_code, waited.json()["source"]["remote_id"]) == (201, "p9")
    assert waited.json()["external_ids"] == [{"system": SYSTEM, "value": "P-900"}, *NOOR["external_ids"]]
    taken = portal.house.scheduler.post("/v1/patients", NOOR | {"name": {"first": "A", "last": "B"}})
    assert (taken.status_code, taken.json()["code"]) == (409, "external-id-taken")


def test_of_a_patient_only_what_differs_is_asked_for(portal: Portal, journal: Journal) -> None:
    api, before = portal.house.scheduler, people(portal.house)
    [patient] = api.get("/v1/patients").json()["data"]
    path = f"/v1/patients/{patient['id']}"
    tag = api.get(path)["ETag"]

    new = {"email": None, "phones": patient["phones"], "name": {"first": "Ana", "last": "Soto"}}
    answer = api.patch(path, new, if_match=tag)
    same = api.patch(path, {"phones": patient["phones"], "sex": "female"}, if_match=tag)
    two = api.patch(path, {"phones": [{"number": "5035550123"}, {"number": "5035550124"}]}, if_match=tag)
    ids = api.patch(path, {"external_ids": []}, if_match=tag)
    stale = api.patch(path, new, if_match='"9-x"')

    assert (answer.status_code, answer.json()["name"]["last"], answer.json()["email"]) == (202, "Soto", None)
    assert [(what, asked.values, asked.remote_id) for what, asked in journal.asked] == [
        ("change", {"last_name": "Soto", "email": ""}, "p1")
    ]
    assert (same.status_code, same.json()["version"]) == (200, patient["version"])
    assert [(one.status_code, one.json()["code"]) for one in (two, ids)] == [(422, "field-not-at-source")] * 2
    assert two.json()["errors"][0]["pointer"] == "/phones/1"
    assert stale.status_code == 412
    journal.answers = [Refused("No.", {"email": "Not one of ours.", "name": "x"})]
    no = api.patch(path, {"email": "a@example.org"}, if_match=tag).json()
    assert [(one["pointer"], one["detail"]) for one in no["errors"]] == [("/email", "Not one of ours.")]
    assert people(portal.house) == before


def test_an_addendum_is_asked_for_by_a_person_of_a_signed_note(portal: Portal, journal: Journal) -> None:
    portal.say(notes.mirror_note, "n1", NOTE | {"status": "signed", "signed_at": "2026-11-25T17:00"})
    portal.say(notes.mirror_note, "n2", NOTE)
    api = portal.house.person("doctor", Role.CLINICAL_ADMINISTRATOR)
    listed = {one["source"]["remote_id"]: one for one in api.get("/v1/clinical-notes").json()["data"]}
    path = f"/v1/clinical-notes/{listed['n1']['id']}"

    asked_for = api.post(f"{path}/addenda", {"text": "ZZPHI called."})
    draft = api.post(f"/v1/clinical-notes/{listed['n2']['id']}/addenda", {"text": "x"})

    assert (asked_for.status_code, asked_for.json()["addenda_count"]) == (202, 0)
    assert (draft.status_code, draft.json()["code"]) == (409, "state-conflict")
    [(what, asked)] = journal.asked
    assert (what, asked.remote_id, asked.values) == ("addend", "n1", {"body": "ZZPHI called."})
    journal.later = Done(SYSTEM, "x1", {"under": "n1", "count": 1})
    told = portal.told()
    done = api.post(f"{path}/addenda", {"text": "ZZPHI called."}, prefer="wait")
    assert (done.status_code, done.json()["addenda_count"], done.json()["addenda"]) == (201, 1, [])
    assert portal.told() == [*told, "note.addended"]
    portal.say(notes.mirror_addendum, "x1", {"under": "n1", "count": 1})
    assert portal.told() == [*told, "note.addended"], "it is known"
    with portal.house.entered() as scope:
        kept = ClinicalNote.objects.visible_to(scope).values_list("content", flat=True)
        assert "ZZPHI" not in str(list(kept))


CARD = {
    "patient": "p1", "rank": 1, "payer": "Cascade Health Plan", "payer_id": "CHP01", "member_id": "CHP000007",
    "starts_on": "2026-01-01", "copay": 2500, "status": "active",
}  # fmt: skip
CLAIM = {
    "number": "FB000012", "patient": "p1", "payer": "Cascade Health Plan", "service_on": "2026-11-23", "charge": 18000,
    "paid": 0, "status": "ready",
}  # fmt: skip


def test_a_claim_that_is_ready_is_asked_to_be_sent_and_stays_as_it_is(portal: Portal, journal: Journal) -> None:
    portal.say(coverage.mirror_policy, "5", CARD)
    portal.say(claims.mirror_claim, "31", CLAIM)
    portal.say(claims.mirror_claim, "32", CLAIM | {"number": "FB000013", "status": "submitted"})
    api = portal.house.biller
    listed = {one["source"]["remote_id"]: f"/v1/claims/{one['id']}" for one in api.get("/v1/claims").json()["data"]}
    ready, gone = listed["31"], listed["32"]
    key, tag, told = new_uuid().hex, api.get(ready)["ETag"], portal.told()

    asked_for = api.post(f"{ready}/submit", {}, if_match=tag, idempotency_key=key)
    again = api.post(f"{ready}/submit", {}, if_match=tag, idempotency_key=key)
    stale = api.post(f"{ready}/submit", {}, if_match='"9-x"')
    sent = api.post(f"{gone}/submit", {}, if_match=api.get(gone)["ETag"])

    shown = asked_for.json()
    assert (asked_for.status_code, shown["state"], shown["write"]["state"]) == (202, "validated", "intended")
    assert again.json() == shown
    assert (stale.status_code, sent.status_code, sent.json()["code"]) == (412, 409, "state-conflict")
    [(what, asked)] = journal.asked
    assert (what, asked.remote_id, asked.values) == ("submit", "31", {"status": "submitted"})
    assert (portal.told(), api.get(ready)["ETag"]) == (told, tag)
    refused = portal.house.scheduler.post(f"{ready}/submit", {}, if_match=tag)
    assert refused.status_code == 403, "who may not send claims may not ask the portal to"
    # The control: what the portal was seen to have is here, and told.
    journal.answers = [Done(SYSTEM, "31", CLAIM | {"status": "submitted"})]
    done = api.post(f"{ready}/submit", {}, if_match=tag)
    assert (done.status_code, done.json()["state"], done.json()["write"]["state"]) == (202, "submitted", "confirmed")
    assert portal.told() == [*told, "claim.submitted"]


def test_a_claim_is_made_at_the_portal_of_a_visit_that_took_place_and_is_noted(portal: Portal, journal: Journal) -> None:
    api = portal.house.biller
    portal.say(coverage.mirror_policy, "5", CARD)
    portal.say(calendar.mirror_appointment, "a1", VISIT | {"start_local": "2026-11-02T09:00"})
    portal.say(calendar.mirror_appointment, "a2", VISIT | {"start_local": "2026-11-03T09:00"})
    visits = {one["source"]["remote_id"]: one["id"] for one in portal.house.scheduler.get("/v1/appointments").json()["data"]}

    def ask(*ids: str, **fields: Any) -> Any:
        return api.post("/v1/claims", {"appointment_ids": [visits[id] for id in ids]} | fields, idempotency_key=new_uuid().hex)

    early = ask("a1")
    assert (early.status_code, [one["code"] for one in early.json()["errors"]]) == (422, ["not-completed", "note-not-signed"])
    for id, day in (("a1", "02"), ("a2", "03")):
        portal.say(calendar.mirror_appointment, id, VISIT | {"start_local": f"2026-11-{day}T09:00", "status": "completed"})
        portal.say(notes.mirror_note, f"n{id}", NOTE | {"service_on": f"2026-11-{day}", "status": "signed", "signed_at": None})
    for fields, pointers in (
        ({"frequency": "void"}, ["/frequency"]), ({"format": "cms1500"}, ["/format"]),
    ):  # fmt: skip
        nowhere = ask("a1", **fields)
        assert (nowhere.status_code, nowhere.json()["code"]) == (422, "field-not-at-source")
        assert [one["pointer"] for one in nowhere.json()["errors"]] == pointers
    assert [one["pointer"] for one in ask("a1", "a2").json()["errors"]] == ["/appointment_ids/1"]
    assert journal.asked == [], "none of it left the house"

    wanted = ask("a1")

    shown = wanted.json()
    assert (wanted.status_code, shown["id"], shown["service_from_on"], shown["write"]["state"]) == (202, None, "2026-11-02", "intended")
    [(what, asked)] = journal.asked
    assert (what, dict(asked.values)) == ("create", {"appointment": "a1", "patient": "p1", "service_on": "2026-11-02"})
    assert api.get("/v1/claims").json()["data"] == [], "nothing is here before the portal was seen to have it"
    # The control: what the portal was seen to have is answered as every claim is, and asked for once.
    journal.answers = [Done(SYSTEM, "31", CLAIM | {"service_on": "2026-11-02"})]
    done = ask("a1")
    assert (done.status_code, done.json()["state"], done.json()["lines"][0]["appointment_id"]) == (201, "validated", visits["a1"])
    again = ask("a1")
    assert (again.status_code, again.json()["code"], again.json()["claim_id"]) == (409, "duplicate-claim", done.json()["id"])
    portal.house.admin.patch(
        f"/v1/payers/{done.json()['payer_id']}", {"submitter": "rapport"},
        if_match=portal.house.admin.get(f"/v1/payers/{done.json()['payer_id']}")["ETag"],
    )  # fmt: skip
    ours = ask("a2")
    assert (ours.status_code, ours.json()["code"]) == (409, "other-submitter")


def test_what_the_portal_has_against_a_claim_is_said(portal: Portal, journal: Journal) -> None:
    portal.say(coverage.mirror_policy, "5", CARD)
    portal.say(claims.mirror_claim, "31", CLAIM)
    [listed] = portal.house.biller.get("/v1/claims").json()["data"]
    path = f"/v1/claims/{listed['id']}"
    journal.answers = [Refused("The note is not signed.")]

    answer = portal.house.biller.post(f"{path}/submit", {}, if_match=portal.house.biller.get(path)["ETag"])

    assert (answer.status_code, answer.json()["code"]) == (409, "refused-at-source")
    assert answer.json()["detail"] == "The note is not signed."


def test_a_native_practice_asks_the_database_no_more_than_before(willow: House, journal: Journal) -> None:
    stage = Stage(willow)
    made = stage.book("09:00")
    path = f"/v1/appointments/{made['id']}"
    with CaptureQueriesContext(connection) as asked:
        assert willow.scheduler.get(path, prefer="wait").status_code == 200

    assert not [one for one in asked if "tenancy_practice" in one["sql"]]
    assert made["source"]["system"] == "rapport"
    assert journal.asked == []
