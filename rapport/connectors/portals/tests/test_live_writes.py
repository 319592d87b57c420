"""Forms of the sandbox portal, sent once. What became of each is looked up in the portal's own tables."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.tests.live import Stage, changed, now
from rapport.rooms.exchange.ports import (
    Got,
    GotFile,
    InDoubt,
    NoTurn,
    Reason,
    Refused,
    Submitted,
    Trouble,
)

BOOKING = {
    "patient": "7", "clinician": "2", "start_local": "2027-01-04T10:00:00", "duration_minutes": 50,
    "service_code": "90837", "location": "Telehealth",
}  # fmt: skip


def send(
    stage: Stage, session: bytes, values: dict[str, Any] | None = None, *, ability: str = "appointments.create"
) -> Submitted | Refused | InDoubt | Trouble:
    target = replace(stage.target(), secrets={})
    return stage.driver.submit(
        target, ability=ability, values=BOOKING if values is None else values, session=session, now=now()
    )


def booked(stage: Stage) -> list[dict[str, Any]]:
    return [one for one in stage.rows("appointment") if one["start_at"] == "2027-01-04T10:00"]


def test_a_form_is_sent_once_and_what_it_made_is_told(stage: Stage) -> None:
    session = stage.session()
    found = send(stage, session)
    made = booked(stage)

    assert isinstance(found, Submitted), found
    assert [str(one["id"]) for one in made] == [found.remote_id]
    assert (made[0]["patient_id"], made[0]["clinician_id"], made[0]["minutes"]) == (7, 2, 50)
    assert (made[0]["code"], made[0]["place"]) == ("90837", "Telehealth")
    got = stage.read("appointments.read", found.session, from_on="2027-01-01", to_on="2027-02-01")
    assert isinstance(got, Got), got
    assert [row.remote_id for row in got.rows] == [found.remote_id]
    assert got.rows[0].values["start_local"] == "2027-01-04T10:00:00"


def test_a_form_that_breaks_off_is_not_filled_and_no_changed_page(stage: Stage) -> None:
    session = stage.session()
    stage.trouble({"fault": "truncate", "on": "/appointments/new", "method": "GET"})
    found = send(stage, session)
    assert isinstance(found, Trouble), found
    assert found.reason is Reason.CUT_SHORT
    assert booked(stage) == []
    assert isinstance(send(stage, found.session or session), Submitted), "the control: the whole form is"


def test_a_record_that_was_removed_is_not_there_and_no_changed_page(stage: Stage) -> None:
    session = stage.session()
    made = send(stage, session)
    assert isinstance(made, Submitted), made
    id = str(made.remote_id)
    there = stage.read("appointment.read", made.session, remote_id=id)
    assert isinstance(there, Got), there
    assert [row.remote_id for row in there.rows] == [id], "the control: it was there"

    stage.portal.order("DELETE", f"appointment/{id}")

    gone = stage.read("appointment.read", there.session, remote_id=id)
    assert isinstance(gone, Got), gone
    assert (gone.rows, gone.complete) == ((), "empty_marker")
    refused = send(stage, gone.session, {"remote_id": id, "start_local": "2027-01-04T12:00:00"}, ability="appointments.update")
    assert isinstance(refused, Refused), refused
    assert refused.message


class TurnsEnd:
    """So many turns, and then others take too long."""

    def __init__(self, number: int) -> None:
        self.left = number

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise NoTurn

    def give(self, session: bytes | None) -> None:
        """Nobody else is here."""


@pytest.mark.parametrize(("turns", "sent"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_without_a_turn_nothing_leaves_and_after_the_form_has_left_it_is_never_said_that_it_did_not(
    stage: Stage, turns: int, sent: int
) -> None:
    target = replace(stage.target(), secrets={}, turn=TurnsEnd(turns))
    found = stage.driver.submit(
        target, ability="appointments.create", values=BOOKING, session=stage.session(), now=now()
    )
    assert len(booked(stage)) == sent
    if sent:
        assert isinstance(found, Submitted | InDoubt), found
    else:
        assert isinstance(found, Trouble), found
        assert found.reason is Reason.BUSY


def test_another_look_and_language_of_the_form_keep_the_same(stage: Stage) -> None:
    stage.set(look="B")
    found = send(stage, stage.session())
    assert isinstance(found, Submitted), found
    assert [(one["patient_id"], one["place"]) for one in booked(stage)] == [(7, "Telehealth")]


def test_what_the_portal_refuses_comes_back_in_its_own_words_and_nothing_is_kept(stage: Stage) -> None:
    session = stage.session()
    send(stage, session)
    taken = send(stage, session)
    nobody = send(stage, session, BOOKING | {"patient": "99999", "start_local": "2027-01-05T10:00:00"})
    no_choice = send(stage, session, BOOKING | {"clinician": "99", "start_local": "2027-01-05T10:00:00"})
    stage.trouble({"fault": "refuse_write", "on": "/appointments/new", "method": "POST", "value": "Not on a holiday."})
    said = send(stage, session, BOOKING | {"start_local": "2027-01-05T10:00:00"})

    assert isinstance(taken, Refused), taken
    assert "already has an appointment" in " ".join(taken.fields.values())
    assert isinstance(nobody, Refused), nobody
    assert list(nobody.fields) == ["patient"]
    assert isinstance(no_choice, Refused), no_choice
    assert list(no_choice.fields) == ["clinician"]
    assert isinstance(said, Refused), said
    assert "Not on a holiday." in said.message
    assert len(booked(stage)) == 1


@pytest.mark.parametrize(("fault", "kept"), [("drop_reply", 1), ("drop_request", 0)])
def test_a_lost_reply_is_doubt_whatever_became_of_the_form_and_it_is_not_sent_again(
    stage: Stage, fault: str, kept: int
) -> None:
    session = stage.session()
    stage.trouble({"fault": fault, "on": "/appointments/new", "method": "POST"})
    found = send(stage, session)

    assert isinstance(found, InDoubt), found
    assert len(booked(stage)) == kept
    got = stage.read("appointments.read", found.session or b"", from_on="2027-01-01")
    assert isinstance(got, Got), got
    assert len(got.rows) == kept


def test_a_portal_that_broke_over_a_form_leaves_doubt_and_one_that_is_gone_leaves_none(stage: Stage) -> None:
    session = stage.session()
    stage.trouble({"fault": "status", "value": "500", "on": "/appointments/new", "method": "POST"})
    doubt = send(stage, session)
    stage.portal.kill()
    gone = send(stage, session)

    assert isinstance(doubt, InDoubt), doubt
    assert isinstance(gone, Trouble), gone
    assert gone.reason is Reason.PORTAL_DOWN


def test_a_session_that_ends_between_the_form_and_its_button_keeps_nothing_and_says_doubt(stage: Stage) -> None:
    session = stage.session()
    stage.trouble({"fault": "expire", "on": "/appointments/new", "method": "POST"})
    found = send(stage, session)
    assert isinstance(found, InDoubt), found
    assert found.session is None
    assert booked(stage) == []

    again = send(stage, stage.session())

    assert isinstance(again, Submitted), again
    assert len(booked(stage)) == 1


def test_an_ended_session_and_a_missing_right_are_trouble_before_anything_is_sent(stage: Stage) -> None:
    session = stage.session("carol")
    forbidden = stage.driver.submit(
        stage.target("carol"), ability="appointments.create", values=BOOKING, session=session, now=now()
    )
    stage.portal.order("DELETE", "session")
    ended = send(stage, session)

    assert isinstance(forbidden, Trouble), forbidden
    assert forbidden.reason is Reason.NOT_PERMITTED
    assert isinstance(ended, Trouble), ended
    assert ended.reason is Reason.SESSION_EXPIRED
    assert stage.requests("POST", "/appointments") == []


def test_an_answer_that_keeps_nothing_is_still_only_what_the_portal_says(stage: Stage) -> None:
    """Not for the driver to find out: the room reads back, and finds nothing."""
    session = stage.session()
    stage.trouble({"fault": "ignore_write", "on": "/appointments/new", "method": "POST"})
    found = send(stage, session)
    assert isinstance(found, Submitted), found
    got = stage.read("appointments.read", found.session, from_on="2027-01-01")
    assert isinstance(got, Got), got
    assert (len(got.rows), got.complete) == (0, "empty_marker")


def test_what_a_signed_note_locks_is_not_even_tried(stage: Stage) -> None:
    signed = next(one["appointment_id"] for one in stage.rows("note") if one["status"] == "Signed" and one["appointment_id"])
    session = stage.session()
    stage.portal.order("DELETE", "audit")
    change = {"remote_id": str(signed), "duration_minutes": 30}
    found = send(stage, session, change, ability="appointments.update")
    # The control: one that no note locks is changed, and the portal's own trail shows it.
    free = send(stage, session)
    assert isinstance(free, Submitted), free
    other = send(stage, free.session, change | {"remote_id": free.remote_id}, ability="appointments.update")

    assert isinstance(found, Trouble), found
    assert found.reason is Reason.WITHHELD_LOCKED
    assert isinstance(other, Submitted), other
    assert [one["minutes"] for one in booked(stage)] == [30]
    assert stage.requests("POST", f"/appointments/{signed}") == []
    assert str(signed) not in {str(one["record"]) for one in stage.rows("audit")}
    assert str(free.remote_id) in {str(one["record"]) for one in stage.rows("audit")}


NOOR = {
    "first_name": "Noor", "last_name": "Szymanska", "birth_on": "1988-02-29", "sex": "female", "status": "active",
    "phone": "+15035550177", "clinician": "2", "state": "OR",
}  # fmt: skip


@pytest.mark.parametrize("shown", [{"look": "A"}, {"look": "B"}, {"look": "A", "language": "de"}])
def test_a_patient_is_registered_changed_and_shown_in_each_look(stage: Stage, shown: dict[str, str]) -> None:
    stage.set(**shown)
    made = send(stage, stage.session(), NOOR, ability="patients.create")
    assert isinstance(made, Submitted), made
    change = {"remote_id": made.remote_id, "email": "noor@example.org", "phone": "+15035550199", "status": "inactive"}
    changed = send(stage, made.session, change, ability="patients.update")
    assert isinstance(changed, Submitted), changed
    got = stage.read("patient.read", changed.session, remote_id=str(made.remote_id))

    [row] = [one for one in stage.rows("patient") if str(one["id"]) == made.remote_id]
    assert (row["first"], row["sex"], row["phone"], row["status"]) == ("Noor", "F", "503-555-0199", "Inactive")
    assert isinstance(got, Got), got
    values = NOOR | {name: value for name, value in change.items() if name != "remote_id"}
    assert {name: str(got.rows[0].values[name]) for name in values} == values


def test_a_signed_note_is_locked_and_a_draft_is_not(stage: Stage) -> None:
    notes = {one["status"]: str(one["id"]) for one in stage.rows("note")}
    session = stage.session()
    stage.portal.order("DELETE", "audit")
    locked = send(stage, session, {"remote_id": notes["Signed"], "body": "Else."}, ability="notes.update")
    assert isinstance(locked, Trouble), locked
    assert (locked.reason, stage.rows("audit")) == (Reason.WITHHELD_LOCKED, [])
    draft = send(stage, session, {"remote_id": notes["Draft"], "body": "Slept better."}, ability="notes.update")
    assert isinstance(draft, Submitted), draft
    assert [str(one["record"]) for one in stage.rows("audit")] == [notes["Draft"]]


def test_a_version_that_somebody_changed_meanwhile_overwrites_nothing(stage: Stage) -> None:
    session = stage.session()
    free = send(stage, session)
    assert isinstance(free, Submitted), free
    before = booked(stage)[0]["version"]
    stage.portal.order("PATCH", f"appointment/{free.remote_id}", {"place": "Main office"})
    change = {"remote_id": free.remote_id, "duration_minutes": 30, "version": before}
    found = send(stage, free.session, change, ability="appointments.update")

    assert isinstance(found, Refused), found
    assert [(one["minutes"], one["place"]) for one in booked(stage)] == [(50, "Main office")]


def test_a_button_that_means_something_else_commits_nothing(stage: Stage, tmp_path: Path) -> None:
    session = stage.session()
    stage.trouble({"fault": "swap_buttons", "on": "/appointments/new", "value": "save,cancel", "times": 0})
    swapped = send(stage, session)
    stage.trouble({"fault": "rename_button", "on": "/appointments/new", "value": "save=Go on", "times": 0})
    renamed = send(stage, session)
    stage.trouble()

    def nameless(content: dict[str, Any]) -> None:
        # Would be healed on a page that is only read: the words of the form and of the button are the ones meant.
        content["writes"]["appointment_create"]["submit"] = {
            "role": "button", "name": ["gone"], "group": {"en": ["New appointment"]}, "synonyms": {"en": ["Save appointment"]},
        }  # fmt: skip

    healed = Stage(stage.portal, PortalDriver(local=True, folder=changed(tmp_path, nameless)))
    lost = send(healed, session)

    for found in (swapped, renamed, lost):
        assert isinstance(found, Trouble), found
        assert found.reason in (Reason.MEANING_GUARD, Reason.DRIFT_BREAKING)
        assert found.findings[0].place == "appointment_create.submit"
    assert stage.requests("POST", "/appointments") == []


def test_an_addendum_is_kept_where_a_note_is_locked(stage: Stage) -> None:
    signed = next(one["id"] for one in stage.rows("note") if one["status"] == "Signed")
    session = stage.session()
    found = send(stage, session, {"remote_id": str(signed), "body": "Seen again.\nNo change."}, ability="notes.addendum")

    assert isinstance(found, Submitted), found
    kept = [one for one in stage.rows("addendum") if one["note_id"] == signed]
    assert kept[-1]["body"].replace("\r\n", "\n") == "Seen again.\nNo change."


def test_files_are_taken_as_they_are_and_a_page_instead_of_one_is_not(stage: Stage) -> None:
    signed = next(one["id"] for one in stage.rows("note") if one["status"] == "Signed")
    session = stage.session()

    def fetch(ability: str, remote_id: object) -> GotFile | Trouble:
        return stage.driver.fetch(
            stage.target(), ability=ability, remote_id=str(remote_id), session=session, now=now()
        )

    first, again = fetch("notes.pdf", signed), fetch("notes.pdf", signed)
    era = fetch("eras.file", stage.rows("era")[0]["id"])
    stage.trouble({"fault": "maintenance", "on": "/notes"})
    closed = fetch("notes.pdf", signed)

    assert isinstance(first, GotFile), first
    assert isinstance(again, GotFile), again
    assert isinstance(era, GotFile), era
    assert first.content.startswith(b"%PDF-")
    assert first.content == again.content
    assert era.content.startswith(b"ISA")
    assert isinstance(closed, Trouble), closed
    assert closed.reason is Reason.MAINTENANCE


def test_an_export_is_waited_for_and_then_fetched(stage: Stage) -> None:
    stage.set(export_seconds="1")
    session = stage.session()
    asked = send(stage, session, {"kind": "patients"}, ability="exports.create")
    assert isinstance(asked, Submitted), asked
    number = str(stage.rows("export")[-1]["id"])
    early = stage.driver.fetch(stage.target(), ability="exports.file", remote_id=number, session=session, now=now())
    assert isinstance(early, Trouble), early
    assert (early.reason, early.retry_after_seconds) == (Reason.NOT_READY, 5)
    time.sleep(1.2)
    found = stage.driver.fetch(stage.target(), ability="exports.file", remote_id=number, session=session, now=now())
    assert not isinstance(found, Trouble), found
    assert found.content.count(b"\n") >= 132
    assert found.name.endswith(".csv")
