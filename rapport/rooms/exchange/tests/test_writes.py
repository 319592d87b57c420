"""A write is made once: looked up before, noted before it leaves, read back after, and never repeated in doubt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from rapport.kernel.ids import new_uuid, parse_type_id, type_id
from rapport.platform.access.permissions import Permission, Role
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.jobs import writing
from rapport.rooms.exchange.models import Write, WriteHistory
from rapport.rooms.exchange.problems import (
    ConnectorDrift,
    NotPermittedThere,
    WriteKeyReused,
    WriteUnderWay,
)
from tests.support import props
from tests.support.connected import Connected, at_once
from tests.support.portal import ScriptedPortal

VALUES = {"patient": "7", "clinician": "3", "start_local": "2026-03-02T09:00:00", "duration_minutes": 60}


def states(connected: Connected, write: Write) -> list[str]:
    with connected.house.entered() as scope:
        rows = WriteHistory.objects.visible_to(scope).filter(write_id=write.id).order_by("at", "id")
        return [row.state for row in rows]


def path(connected: Connected, write: Write) -> str:
    return f"{connected.path}/writes/{type_id('connector_write', write.id)}"


def test_a_write_is_confirmed_by_reading_it_back(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    write = connected.settle(connected.write())
    assert write.state == "confirmed"
    assert states(connected, write) == ["armed", "submitted", "confirmed"]
    assert [dict(values) for values in portal.rows("appointments").values()] == [VALUES]
    assert write.remote_id in portal.rows("appointments")
    events = connected.admin.get("/v1/events?type=connector.write_confirmed").json()["data"]
    assert [event["object"]["id"] for event in events] == [type_id("connector_write", write.id)]
    trail = connected.house.auditor.get("/v1/audit-events?action=connector_write.submit").json()["data"]
    assert len(trail) == 1
    assert "ZZPHI" not in str(trail)


def test_the_reply_is_lost_after_the_portal_took_it(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("submit", {"drop": "after"})
    write = connected.settle(connected.write())
    assert write.state == "confirmed"
    assert len(portal.rows("appointments")) == len(portal.log("submit")) == 1
    assert states(connected, write) == ["armed", "submitted", "in_doubt", "confirmed"]
    assert connected.admin.get("/v1/events?type=connector.in_doubt").json()["data"]


def test_a_worker_that_breaks_gives_the_write_back_and_the_next_one_looks(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("submit", {"took": "no number"})  # the portal has it, and then our side breaks
    write = connected.write()
    connected.work()
    with connected.house.entered():
        write.refresh_from_db()
    assert (write.state, write.leased_until) == ("submitted", None)

    writing.write(scope=connected.house.scope, write_id=write.id)
    write = connected.settle(write)

    assert (write.state, write.sends) == ("confirmed", 1)
    assert states(connected, write) == ["armed", "submitted", "in_doubt", "confirmed"]
    assert len(portal.rows("appointments")) == 1


def test_the_control_who_sends_again_without_looking_makes_two(portal: ScriptedPortal) -> None:
    from rapport.rooms.exchange.ports import InDoubt, SignedIn, Target

    target = Target("scripted", "http://127.0.0.1:9", {"username": "x"}, {"password": "ZZSECRET-portal-password-1"})
    signed = portal.sign_in(target, now=timezone.now())
    assert isinstance(signed, SignedIn)
    portal.script("submit", {"drop": "after"})
    for _ in range(2):
        answer = portal.submit(
            target, ability="appointments.create", values=VALUES, session=signed.session, now=timezone.now()
        )
        if not isinstance(answer, InDoubt):
            break
    assert len(portal.rows("appointments")) == 2


def test_who_touched_a_patient_is_answered_with_every_call_of_the_portal_about_them(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    patient, other = (parse_type_id("patient", props.patient(connected.house, name)["id"]) for name in ("Ana", "Ben"))
    reads, sends = len(portal.log("read:appointments")), len(portal.log("submit"))
    portal.script("submit", {"drop": "after"})
    with connected.house.entered() as scope:
        write = services.begin_write(
            scope=scope, connection_id=connected.id, ability="appointments.create", values=VALUES,
            key=new_uuid().hex, now=timezone.now(), patient_id=patient,
        )  # fmt: skip
    assert connected.settle(write).state == "confirmed"

    def touched(whom: UUID) -> list[str]:
        address = f"/v1/audit-events?patient_id={type_id('patient', whom)}&limit=100"
        rows = connected.house.auditor.get(address).json()["data"]
        return [one["action"] for one in rows if one["action"].startswith("connector_write.")]

    actions = touched(patient)
    assert actions.count("connector_write.submit") == len(portal.log("submit")) - sends == 1
    looks = actions.count("connector_write.look_up") + actions.count("connector_write.read_back")
    assert looks == len(portal.log("read:appointments")) - reads >= 2
    assert touched(other) == [], "the control: of somebody else it says nothing"


def test_what_never_arrived_is_proved_absent_twice_and_sent_once_more(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("submit", {"drop": "before"})
    before = len(portal.log("read:appointments"))
    write = connected.settle(connected.write())
    assert (write.state, len(portal.rows("appointments"))) == ("confirmed", 1)
    assert states(connected, write) == [
        "armed", "submitted", "in_doubt", "absent", "intended", "armed", "submitted", "confirmed",
    ]  # fmt: skip
    assert len(portal.log("read:appointments")) >= before + 4


def test_three_times_lost_it_is_put_before_a_person(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("submit", *[{"drop": "before"}] * 5)
    write = connected.settle(connected.write(), seconds=30)
    assert (write.state, write.sends) == ("absent", 3)
    assert len(portal.log("submit")) == 3
    assert "write_absent" in connected.open_items()


def test_the_portal_says_done_and_does_nothing(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("submit", {"ignore": True})
    write = connected.settle(connected.write())
    assert write.state == "absent", "a claim of success is no proof"
    assert len(portal.log("submit")) == 1, "and it is not sent again: it may only be slow to show"
    assert connected.open_items() == ["write_absent"]


def test_the_list_shows_it_late(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("submit", {"late": 1.5})
    write = connected.settle(connected.write())
    assert (write.state, len(portal.log("submit"))) == ("confirmed", 1)


def test_the_portal_refuses_with_its_own_words(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("submit", {"refuse": "ZZPHI-Ana has no such hour", "fields": {"start_local": "taken"}})
    write = connected.settle(connected.write())
    assert (write.state, write.differs) == ("refused", ["start_local"])
    seen = connected.admin.get(path(connected, write)).json()
    assert seen["message"]["message"] == "ZZPHI-Ana has no such hour"
    assert "ZZPHI" not in str(connected.list("writes"))
    assert connected.admin.get("/v1/events?type=connector.write_failed").json()["data"]


def test_what_exists_already_is_confirmed_without_sending(connected: Connected, portal: ScriptedPortal) -> None:
    portal.put("appointments", "a1", **VALUES)
    connected.start()
    write = connected.settle(connected.write())
    assert (write.state, write.reason, write.remote_id) == ("confirmed", "existed", "a1")
    assert portal.log("submit") == []


def test_what_stands_there_differently_conflicts_and_is_not_overwritten(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.put("appointments", "a1", **(VALUES | {"duration_minutes": 30}))
    connected.start()
    write = connected.settle(connected.write())
    assert (write.state, write.differs) == ("conflicting", ["duration_minutes"])
    assert portal.log("submit") == []
    seen = connected.admin.get(path(connected, write)).json()
    assert (seen["values"]["duration_minutes"], seen["found"]["duration_minutes"]) == (60, 30)
    assert connected.open_items() == ["write_conflicting"]


def test_the_portal_made_something_else_of_it(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("submit", {"as": {"duration_minutes": 45}})
    write = connected.settle(connected.write())
    assert (write.state, write.differs) == ("conflicting", ["duration_minutes"])


def test_what_a_person_has_moved_before_it_was_looked_for_conflicts_and_is_not_called_absent(
    connected: Connected, portal: ScriptedPortal
) -> None:
    """The portal named the record that it made; the list of its day has it no more, its own page does."""
    connected.start()
    portal.script("submit", {"names": True, "as": {"start_local": "2027-02-21T09:00"}})
    write = connected.settle(connected.write())
    [made] = portal.rows("appointments")
    assert (write.state, write.remote_id, write.differs) == ("conflicting", made, ["start_local"])
    assert len(portal.log("submit")) == 1
    # The control: where the record that was named is nowhere, it is absent, and a person looks.
    portal.script("submit", {"names": "r99", "ignore": True})
    write = connected.settle(connected.write(start_local="2026-12-02T15:00:00"))
    assert (write.state, len(portal.log("submit"))) == ("absent", 2)


def change(connected: Connected, seen: dict[str, Any], **values: Any) -> Write:
    with connected.house.entered() as scope:
        return services.begin_write(
            scope=scope, connection_id=connected.id, ability="appointments.update",
            values=values, remote_id="a1",
            seen=seen, key=new_uuid().hex, now=timezone.now(),
        )  # fmt: skip


def test_a_record_that_a_person_changed_meanwhile_conflicts(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.put("appointments", "a1", **VALUES)
    connected.start()
    portal.put("appointments", "a1", **(VALUES | {"duration_minutes": 90}))
    write = connected.settle(change(connected, VALUES, duration_minutes=30))
    assert (write.state, portal.log("submit")) == ("conflicting", [])
    assert portal.rows("appointments")["a1"]["duration_minutes"] == 90

    fresh = VALUES | {"duration_minutes": 90}
    write = connected.settle(change(connected, fresh, duration_minutes=30))
    assert write.state == "confirmed", "the control: based on what is there, it is written"
    assert portal.rows("appointments")["a1"]["duration_minutes"] == 30


def mirrored(connected: Connected) -> dict[str, Any]:
    with connected.house.entered() as scope:
        copy = queries.mirrored(scope=scope, connection_id=connected.id, kind="appointments", remote_id="a1")
    assert copy is not None
    return dict(copy.values)


def test_a_second_change_goes_by_what_the_first_one_made(connected: Connected, portal: ScriptedPortal) -> None:
    tomorrow = timezone.now().date() + timedelta(days=1)
    portal.put("appointments", "a1", **(VALUES | {"start_local": f"{tomorrow}T09:00:00"}))
    connected.start()
    connected.sync("appointments")
    stale = {"a1": dict(portal.rows("appointments")["a1"])}
    assert connected.settle(change(connected, mirrored(connected), duration_minutes=30)).state == "confirmed"
    assert mirrored(connected)["duration_minutes"] == 30, "without another reading"
    assert connected.settle(change(connected, mirrored(connected), duration_minutes=45)).state == "confirmed"
    assert portal.rows("appointments")["a1"]["duration_minutes"] == 45

    portal.script("read:appointments", {"rows": stale, "at": (timezone.now() - timedelta(minutes=1)).isoformat()})
    connected.sync("appointments", near=True)
    assert mirrored(connected)["duration_minutes"] == 45, "a page that is older changes nothing"
    portal.script("read:appointments", {"rows": stale})
    assert connected.sync("appointments", near=True)["changed"] == 1, "the control: a later page does"
    assert mirrored(connected)["duration_minutes"] == 60


def addendum(connected: Connected, text: str, *, under: str = "n1") -> Write:
    with connected.house.entered() as scope:
        return services.begin_write(
            scope=scope, connection_id=connected.id, ability="notes.addendum", values={"body": text},
            remote_id=under, key=new_uuid().hex, now=timezone.now(),
        )  # fmt: skip


def test_what_is_made_under_a_record_is_found_among_those_under_it(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.put("addenda", "x1", body="ZZPHI No change.", under="n2")
    connected.start()
    write = connected.settle(addendum(connected, "ZZPHI  No change.\n"))
    assert (write.state, write.reason, write.parent_id) == ("confirmed", "", "n1")
    made = {id: row for id, row in portal.rows("addenda").items() if row["under"] == "n1"}
    assert list(made) == [write.remote_id]
    assert len(portal.rows("addenda")) == 2, "the same words under another record are another one's"


def test_two_under_one_record_may_say_the_same_and_a_lost_one_is_no_third(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    first = connected.settle(addendum(connected, "No change."))
    portal.script("submit", {"drop": "after"})
    second = connected.settle(addendum(connected, "No change."))
    assert (first.state, second.state, second.known_before) == ("confirmed", "confirmed", [first.remote_id])
    assert first.remote_id != second.remote_id
    assert len(portal.rows("addenda")) == len(portal.log("submit")) == 2


def test_one_under_a_record_that_never_arrived_is_sent_again_beside_its_twin(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    connected.settle(addendum(connected, "No change."))
    portal.script("submit", {"drop": "before"})
    again = connected.settle(addendum(connected, "No change."), seconds=20)
    assert (again.state, again.sends, len(portal.rows("addenda"))) == ("confirmed", 2, 2)


def test_a_locked_record_is_refused_before_anything_leaves(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("submit", {"trouble": "withheld_locked"})
    write = connected.settle(connected.write())
    assert (write.state, write.reason, write.sends) == ("refused", "withheld_locked", 0)


def test_a_session_that_ends_between_form_and_send_is_renewed_and_looked_up_again(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("submit", {"trouble": "session_expired"})
    write = connected.settle(connected.write())
    assert (write.state, len(portal.rows("appointments"))) == ("confirmed", 1)
    assert states(connected, write) == ["armed", "submitted", "intended", "armed", "submitted", "confirmed"]
    assert len(portal.log("sign_in")) == 2


def test_one_key_twenty_times_at_once_is_one_row_and_one_record(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    answers = at_once(*[lambda: connected.write(key="one-key-for-all")] * 20)
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    assert len({write.id for write in answers}) == 1
    write = connected.settle(answers[0])
    assert (write.state, len(portal.rows("appointments")), len(portal.log("submit"))) == ("confirmed", 1, 1)
    with pytest.raises(WriteKeyReused):
        connected.write(key="one-key-for-all", duration_minutes=30)


def test_the_control_twenty_keys_for_twenty_hours_are_twenty_records(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    hours = [f"2026-03-{day:02}T09:00:00" for day in range(1, 21)]
    writes = at_once(*[(lambda hour=hour: connected.write(start_local=hour)) for hour in hours])
    for write in writes:
        connected.settle(write)
    assert len(portal.rows("appointments")) == 20


def test_another_write_of_the_same_thing_waits_for_the_first(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    first = connected.write()
    with pytest.raises(WriteUnderWay):
        connected.write(duration_minutes=45)
    connected.settle(first)
    assert connected.settle(connected.write(duration_minutes=45)).state == "conflicting"


def test_two_workers_at_one_write_send_it_once(connected: Connected, portal: ScriptedPortal) -> None:
    from rapport.rooms.exchange.jobs.writing import write as carry

    connected.start()
    portal.seconds = 0.1
    row = connected.write()
    at_once(*[lambda: carry(scope=connected.house.scope, write_id=row.id)] * 4)
    connected.settle(row)
    assert len(portal.log("submit")) == len(portal.rows("appointments")) == 1


def test_what_cannot_be_undone_waits_for_whoever_may_do_it_here(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    write = connected.write("claims.submit", control_number="RA7")
    connected.work()
    assert (portal.log("submit"), connected.open_items()) == ([], ["write_to_approve"])
    approve = f"{path(connected, write)}/approve"
    assert connected.house.scheduler.post(approve).status_code == 403
    assert connected.house.person("nobody", Role.AUDITOR).post(approve).status_code == 403
    answer = connected.house.biller.post(approve)
    assert (answer.status_code, answer.json()["approved_at"] is not None) == (202, True)
    assert connected.house.biller.post(approve).status_code == 409
    assert connected.settle(write).state == "confirmed"
    assert connected.open_items() == []
    trail = connected.house.auditor.get("/v1/audit-events?action=connector_write.approve").json()["data"]
    assert [event["target"]["id"] for event in trail if event["outcome"] == "allow"] == [
        type_id("connector_write", write.id)
    ]


def test_what_a_person_drops_is_never_sent(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    write = connected.write("claims.submit", control_number="RA7")
    answer = connected.house.biller.post(f"{path(connected, write)}/settle", {"outcome": "dropped"})
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    connected.work()
    assert portal.log("submit") == []


def test_in_doubt_for_long_a_person_settles_it_and_nothing_is_repeated(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("submit", {"drop": "after"})
    write = connected.write()
    from rapport.rooms.exchange.jobs.writing import write as carry

    carry(scope=connected.house.scope, write_id=write.id)
    scheduler = connected.house.scheduler
    wrong = scheduler.post(f"{path(connected, write)}/settle", {"outcome": "dropped"})
    assert wrong.status_code == 409, "it may have happened"
    answer = scheduler.post(f"{path(connected, write)}/settle", {"outcome": "happened", "remote_id": "a9"})
    assert (answer.json()["state"], answer.json()["remote_id"]) == ("confirmed", "a9")
    connected.work()
    assert len(portal.log("submit")) == 1


def test_a_portal_that_cannot_be_read_leaves_it_in_doubt(connected: Connected, portal: ScriptedPortal) -> None:
    from datetime import timedelta

    connected.start()
    portal.script("submit", {"drop": "after"})
    write = connected.write()
    portal.script("read:appointments", {}, *[{"trouble": "incomplete"}] * 3)
    for _ in range(4):
        connected.work()
        with connected.house.entered() as scope:
            Write.objects.visible_to(scope).filter(id=write.id, state="in_doubt").update(retry_at=None)
    with connected.house.entered():
        write.refresh_from_db()
    assert write.state == "in_doubt", "what is not proved to be whole proves nothing"
    with connected.house.entered() as scope:
        late = timezone.now() + timedelta(minutes=6)
        services.ask_about_old_doubts(scope=scope, connection_id=connected.id, now=late)
    assert "write_in_doubt" in connected.open_items()
    assert len(portal.log("submit")) == 1


def test_what_the_portal_forbids_or_has_changed_is_not_begun(
    connected: Connected, portal: ScriptedPortal
) -> None:
    with portal.state() as state:
        state["permitted"] = {"notes.create": False}
    connected.start()
    with pytest.raises(NotPermittedThere):
        connected.write("notes.create", service_on="2026-03-02")
    portal.script("submit", {"trouble": "meaning_guard"})
    assert connected.settle(connected.write()).reason == "meaning_guard"
    with pytest.raises(ConnectorDrift):
        connected.write(start_local="2026-03-03T09:00:00")


def test_what_it_says_is_shown_to_those_who_may_see_such_records(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    write = connected.write()
    shown = connected.house.scheduler.get(path(connected, write)).json()
    assert shown["values"] == VALUES
    connected.house.person("scheduler")
    key = connected.house.key("scheduler", Permission.CONNECTIONS_READ)
    assert key.get(path(connected, write)).json()["values"] is None


def test_the_journal_is_frozen_to_everybody(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    write = connected.settle(connected.write())
    for forged in ({"values_sealed": b"x"}, {"ability": "x"}, {"key": "x"}, {"parent_id": "x"}):
        with pytest.raises(DatabaseError), transaction.atomic(), connected.house.entered() as scope:
            Write.objects.visible_to(scope).filter(id=write.id).update(**forged)
    with pytest.raises(DatabaseError), connected.house.entered() as scope:
        Write.objects.visible_to(scope).filter(id=write.id).delete()
