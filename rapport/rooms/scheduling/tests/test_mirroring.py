"""What a portal has is kept here as it has it: once, with the events of a native practice, and honestly."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError
from django.utils import timezone

from rapport.kernel.ids import type_id
from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Role
from rapport.platform.audit.models import AuditEvent
from rapport.platform.outbox.models import OutboxEvent
from rapport.platform.tenancy import services as tenancy
from rapport.platform.tenancy.source import NotTakenOver, SourceRef
from rapport.rooms.charting import mirroring as notes
from rapport.rooms.charting.models import ClinicalNote
from rapport.rooms.documents import services as documents
from rapport.rooms.roster import mirroring as roster
from rapport.rooms.scheduling import mirroring as calendar
from rapport.rooms.scheduling.models import Appointment
from rapport.rooms.scheduling.tests.portal import ANA, AS_OF, MAYA, NOTE, SYSTEM, VISIT, Portal
from rapport.rooms.scheduling.tests.stage import HELD, Stage
from tests.support.cast import House


@pytest.fixture
def portal(willow: House) -> Portal:
    return Portal(willow)


def test_a_patient_is_read_as_the_portal_has_them_with_its_source(portal: Portal) -> None:
    [shown] = portal.house.scheduler.get("/v1/patients").json()["data"]

    assert (shown["name"]["first"], shown["birth_on"], shown["email"]) == ("Ana", "1990-04-12", "ana@example.org")
    assert shown["source"] == {"system": SYSTEM, "remote_id": "p1", "as_of": "2026-11-26T09:00:00.000Z"}
    assert [member["display_name"] for member in shown["clinicians"]] == ["Maya Chen, PhD"]
    assert shown["phones"] == [{"use": "mobile", "number": "+15035550123"}]


def test_the_same_record_again_is_one_row_and_tells_nothing_but_that_it_is_fresher(portal: Portal) -> None:
    portal.say(calendar.mirror_appointment, "a1", VISIT)
    portal.say(notes.mirror_note, "n1", NOTE)
    before = portal.told()

    for mirror, id, values in (
        (roster.mirror_clinician, "C-1", MAYA), (roster.mirror_patient, "p1", ANA),
        (calendar.mirror_appointment, "a1", VISIT), (notes.mirror_note, "n1", NOTE),
    ):  # fmt: skip
        row, changed = portal.say(mirror, id, values)
        assert (changed, row.version) == ([], 1)
    with portal.house.entered() as scope:
        later = SourceRef(SYSTEM, "a1", datetime(2026, 11, 26, 9, 5, tzinfo=UTC))
        calendar.mirror_appointment(scope=scope, source=later, values=VISIT, now=timezone.now())

    assert portal.told() == before
    shown = portal.house.scheduler.get("/v1/appointments").json()["data"]
    assert [one["source"]["as_of"] for one in shown] == ["2026-11-26T09:05:00.000Z"]
    # The control: another value is another version, and is told.
    assert portal.say(roster.mirror_patient, "p1", ANA | {"last_name": "Soto"})[1] == ["name"]
    assert portal.told() == [*before, "patient.updated"]


def test_the_same_week_tells_the_same_events_as_in_a_native_practice(portal: Portal, aspen: House) -> None:
    stage = Stage(aspen, HELD)
    native = stage.book("09:00")
    path = f"/v1/appointments/{native['id']}"
    api = aspen.scheduler
    stage.act(native, "reschedule", {"start_local": f"{HELD}10:00", "time_zone": "America/Los_Angeles"})
    stage.act(native, "check-in")
    stage.act(native, "complete")
    stage.act(native, "reopen")
    stage.act(native, "cancel", {"reason": "illness", "initiated_by": "patient"})
    assert api.get(path).json()["status"] == "cancelled"
    with aspen.entered() as scope:
        rows = OutboxEvent.objects.visible_to(scope).filter(type__startswith="appointment.")
        wanted = [(row.type, row.version) for row in rows.order_by("position")]

    for values in (
        VISIT, VISIT | {"start_local": "2026-11-30T10:00"},
        VISIT | {"start_local": "2026-11-30T10:00", "status": "checked_in"},
        VISIT | {"start_local": "2026-11-30T10:00", "status": "completed"},
        VISIT | {"start_local": "2026-11-30T10:00", "status": "cancelled"},
    ):  # fmt: skip
        row, _ = portal.say(calendar.mirror_appointment, "a1", values)

    with portal.house.entered() as scope:
        rows = OutboxEvent.objects.visible_to(scope).filter(type__startswith="appointment.")
        assert [(one.type, one.version) for one in rows.order_by("position")] == wanted
        trail = AuditEvent.objects.filter(practice_id=scope.practice_id, target_id=row.id)
        assert {(one.actor_type, one.reason) for one in trail} == {("system", "mirrored")}
        assert len(trail) == len(wanted)


def test_who_is_booked_twice_in_the_portal_is_booked_twice_here_and_flagged(portal: Portal) -> None:
    first, _ = portal.say(calendar.mirror_appointment, "a1", VISIT)
    second, _ = portal.say(calendar.mirror_appointment, "a2", VISIT | {"start_local": "2026-11-30T09:20"})
    third, _ = portal.say(calendar.mirror_appointment, "a3", VISIT | {"start_local": "2026-11-30T12:00"})

    assert (first.overbooked, second.overbooked, third.overbooked) == (False, True, False)
    moved, _ = portal.say(calendar.mirror_appointment, "a3", VISIT | {"start_local": "2026-11-30T09:40"})
    back, _ = portal.say(calendar.mirror_appointment, "a3", VISIT | {"start_local": "2026-11-30T12:00"})
    assert (moved.overbooked, back.overbooked) == (True, False)


def test_what_is_completed_in_the_portal_may_move_there_and_moves_here(portal: Portal) -> None:
    portal.say(calendar.mirror_appointment, "a1", VISIT | {"status": "completed"})

    row, _ = portal.say(
        calendar.mirror_appointment, "a1", VISIT | {"status": "completed", "start_local": "2026-11-30T11:00"}
    )

    assert (row.status, row.start_local) == ("completed", "2026-11-30T11:00:00")
    assert portal.told()[-3:] == ["appointment.reopened", "appointment.rescheduled", "appointment.completed"]


def test_what_is_gone_stays_here_ended_with_its_reason_and_may_come_back(portal: Portal) -> None:
    portal.say(calendar.mirror_appointment, "a1", VISIT)
    portal.say(notes.mirror_note, "n1", NOTE | {"status": "signed", "signed_at": "2026-11-25T17:00"})

    visit = portal.lose(calendar.appointment_gone, "a1")
    note = portal.lose(notes.note_gone, "n1")
    patient = portal.lose(roster.patient_gone, "p1")
    clinician = portal.lose(roster.clinician_gone, "C-1")
    before = portal.told()
    for gone, id in ((calendar.appointment_gone, "a1"), (roster.patient_gone, "p1"), (notes.note_gone, "n1")):
        portal.lose(gone, id)

    assert (visit.status, visit.ended_reason) == ("cancelled", "gone_at_source")
    assert (note.status, patient.status, clinician.active) == ("void", "inactive", False)
    assert portal.told() == before
    assert portal.lose(calendar.appointment_gone, "never") is None
    row, _ = portal.say(calendar.mirror_appointment, "a1", VISIT)
    assert (row.status, row.ended_reason) == ("booked", "")
    row, _ = portal.say(notes.mirror_note, "n1", NOTE | {"status": "signed", "signed_at": "2026-11-25T17:00"})
    assert row.status == "signed"


def test_nothing_is_joined_by_name_alone(portal: Portal) -> None:
    """S-111: a stranger of the same name is another patient; a name is no reference."""
    other, _ = portal.say(roster.mirror_patient, "p2", ANA | {"external_id": "P-200"})
    with portal.house.entered() as scope:
        assert str(other.id) != str(roster.find_patient(scope=scope, system=SYSTEM, id="P-100").id)

    for values, code in (
        (VISIT | {"patient": "Ana Rivera"}, "unknown-patient"),
        (VISIT | {"clinician": "Maya Chen"}, "unknown-clinician"),
        (VISIT | {"service_code": "99999"}, "unknown-service-code"),
        (VISIT | {"location": "Elsewhere"}, "unknown-location"),
        (VISIT | {"status": "dreamt"}, "unknown-status"),
        (VISIT | {"start_local": ""}, "missing-start-local"),
        (VISIT | {"duration_minutes": -5}, "unreadable-duration-minutes"),
    ):
        with pytest.raises(NotTakenOver) as held:
            portal.say(calendar.mirror_appointment, "a9", values)
        assert held.value.code == code
    # Another system's id for her is nobody here.
    with pytest.raises(NotTakenOver), portal.house.entered() as scope:
        roster.find_patient(scope=scope, system="csv-export", id="P-100")
    with portal.house.entered() as scope:
        assert not Appointment.objects.visible_to(scope).exists()


def test_a_mirrored_appointment_never_changes_its_patient(portal: Portal) -> None:
    portal.say(roster.mirror_patient, "p2", ANA | {"external_id": "P-200"})
    portal.say(calendar.mirror_appointment, "a1", VISIT)

    with pytest.raises(NotTakenOver) as held:
        portal.say(calendar.mirror_appointment, "a1", VISIT | {"patient": "P-200"})

    assert held.value.code == "patient-changed"


def test_a_note_has_its_facts_and_never_a_text_that_is_not_here(portal: Portal) -> None:
    draft, _ = portal.say(notes.mirror_note, "n1", NOTE)
    assert draft.missing == ["/content"], "what else it lacks, the portal does not say"
    row, _ = portal.say(notes.mirror_note, "n1", NOTE | {"status": "signed", "signed_at": "2026-11-25T17:00"})

    cleo = portal.house.person("cleo", Role.CLINICAL_ADMINISTRATOR)
    shown = cleo.get(f"/v1/clinical-notes/{type_id('clinical_note', row.id)}").json()

    assert (shown["status"], shown["locked"], shown["signed_at"]) == ("signed", True, "2026-11-26T01:00:00.000Z")
    assert (shown["content"], shown["author_user_id"], shown["signatures"]) == (None, None, [])
    assert shown["completeness"] == {"complete": True, "missing": []}
    assert shown["source"]["remote_id"] == "n1"
    assert portal.told()[-3:] == ["note.created", "note.signed", "note.locked"]
    with pytest.raises(NotTakenOver) as held:
        portal.say(notes.mirror_note, "n2", NOTE | {"type": "psychotherapy"})
    assert held.value.code == "psychotherapy-note"


def test_a_note_is_of_the_one_visit_of_that_patient_clinician_and_day(portal: Portal) -> None:
    portal.say(roster.mirror_clinician, "C-2", MAYA | {"first_name": "Owen"})
    for id, values in (
        ("a1", VISIT | {"start_local": "2026-11-23T09:00"}),
        ("a2", VISIT | {"start_local": "2026-11-23T11:00", "clinician": "C-2"}),
        ("a3", VISIT | {"start_local": "2026-11-24T09:00", "status": "no_show"}),
        ("a4", VISIT | {"start_local": "2026-11-25T09:00"}), ("a5", VISIT | {"start_local": "2026-11-25T11:00"}),
    ):  # fmt: skip
        portal.say(calendar.mirror_appointment, id, values)

    def about(id: str, day: str, **fields: str) -> str | None:
        row, _ = portal.say(notes.mirror_note, id, NOTE | {"service_on": f"2026-11-{day}"} | fields)
        with portal.house.entered() as scope:
            visit = Appointment.objects.visible_to(scope).filter(id=row.appointment_id).first()
        return visit.source_remote_id if visit else None

    assert [about("n1", "23"), about("n2", "23", clinician="C-2")] == ["a1", "a2"]
    assert [about("n3", "24"), about("n4", "25"), about("n5", "26")] == [None, None, None], "none held, two, none"
    assert about("n6", "23", type="contact") is None, "such a note is of no visit"
    assert about("n1", "23", status="signed") == "a1"


@pytest.mark.parametrize(
    "columns", [{"content": {"plan": "x"}}, {"signatures": [{"role": "author"}]}, {"source_remote_id": "n9"}]
)
def test_nobody_writes_a_text_or_a_signature_into_a_mirrored_note(portal: Portal, columns: dict[str, object]) -> None:
    row, _ = portal.say(notes.mirror_note, "n1", NOTE)

    with pytest.raises(DatabaseError), portal.house.entered() as scope:
        ClinicalNote.objects.visible_to(scope).filter(id=row.id).update(**columns)
    # The control: its facts may change.
    with portal.house.entered() as scope:
        assert ClinicalNote.objects.visible_to(scope).filter(id=row.id).update(signed_at=AS_OF) == 1


def test_the_pdf_that_was_signed_there_comes_to_its_note(portal: Portal) -> None:
    row, _ = portal.say(notes.mirror_note, "n1", NOTE | {"status": "signed", "signed_at": "2026-11-25T17:00"})
    with portal.house.entered() as scope:
        kept = documents.store(
            scope=scope, patient_id=row.patient_id, kind="clinical_note", data=b"%PDF-1.7 there",
            content_type="application/pdf", now=timezone.now(),
        )  # fmt: skip
        for _ in range(2):
            notes.note_document(
                scope=scope, source=portal.ref("n1"), document_id=kept.id, now=timezone.now()
            )

    cleo = portal.house.person("cleo", Role.CLINICAL_ADMINISTRATOR)
    path = f"/v1/clinical-notes/{type_id('clinical_note', row.id)}"
    shown = cleo.get(path).json()
    assert (shown["document"]["id"], shown["version"]) == (type_id("document", kept.id), row.version + 1)
    assert cleo.post(f"{path}/document-link", {}).status_code == 201


def test_the_way_back_is_closed_while_anything_is_mirrored(portal: Portal, aspen: House) -> None:
    assert portal.house.admin.get("/v1/me").json()["practice"]["system"] == "connected"
    [practice] = portal.house.admin.get("/v1/practices").json()["data"]
    assert practice["system"] == "connected"
    with pytest.raises(StateConflict), portal.house.entered() as scope:
        tenancy.disconnect(scope=scope, now=timezone.now())
    # The control: nothing is mirrored in Aspen.
    with aspen.entered() as scope:
        tenancy.connect(scope=scope, now=timezone.now())
        assert tenancy.disconnect(scope=scope, now=timezone.now()).system == "native"
    assert aspen.admin.get("/v1/me").json()["practice"]["system"] == "native"
