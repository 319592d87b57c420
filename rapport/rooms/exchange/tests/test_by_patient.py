"""Lists that a portal shows for one patient at a time, what is read after what, and files that come by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.jobs.syncing import probe
from rapport.rooms.exchange.models import Artefact, Mirror, PartRead, Shadow
from rapport.rooms.exchange.ports import Ability
from rapport.rooms.exchange.services import parts
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


@pytest.fixture
def portal(portal: ScriptedPortal) -> ScriptedPortal:
    """The portal, with a list of policies that has to be asked for by patient."""
    portal.further = (Ability("policies.read", "read", "calibrated", needs=("patient_id",)),)
    portal.put("policies", "1", patient="7", member_id="CHP000007")
    portal.put("policies", "2", patient="8", member_id="EXM000008")
    return portal


def copies(connected: Connected, *, gone: bool = False) -> dict[str, str]:
    """Return policy -> patient, of those that are there, or that are gone."""
    with connected.house.entered() as scope:
        rows = Shadow.objects.visible_to(scope).filter(
            connection_id=connected.id, kind="policies", gone_at__isnull=not gone
        )
        return {row.remote_id: str(queries.read_shadow(shadow=row)["patient"]) for row in rows}


def asked(portal: ScriptedPortal) -> list[str]:
    return [one["given"]["patient_id"] for one in portal.log("read:policies")]


def test_a_list_by_patient_is_asked_for_each_patient_and_is_whole_with_the_last(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    run = connected.sync("policies")

    assert (run["pieces"], run["checkpoint"], run["rows"], run["state"]) == (2, 2, 2, "published")
    assert set(asked(portal)) == {"7", "8"}
    assert copies(connected) == {"1": "7", "2": "8"}


def test_one_that_is_missed_twice_is_gone_and_its_neighbours_stay(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    connected.sync("policies")
    portal.drop("policies", "1")

    connected.sync("policies")
    assert copies(connected) == {"1": "7", "2": "8"}, "the control: once is not enough"
    connected.sync("policies")

    assert (copies(connected), copies(connected, gone=True)) == ({"2": "8"}, {"1": "7"})


def test_what_belongs_to_a_patient_who_is_gone_goes_too(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    connected.sync("policies")
    portal.drop("patients", "8")
    for kind in ("patients", "patients", "policies", "policies"):
        connected.sync(kind)

    assert (copies(connected), copies(connected, gone=True)) == ({"1": "7"}, {"2": "8"})
    assert asked(portal)[-2:] == ["7", "7"], "of whom there is no row nothing is asked"


def test_nothing_is_read_before_what_it_speaks_of(connected: Connected, portal: ScriptedPortal) -> None:
    portal.script("read:patients", *[{"trouble": "busy", "retry_after": 1}] * 3)
    connected.start()
    assert portal.log("read:policies") == []
    with connected.house.entered() as scope:
        row = connected.row()
        assert services.kinds_of(row)[-1] == "policies"
        due = services.due_kinds(
            scope=scope, connection=row, now=timezone.now() + timedelta(minutes=5), zone=scope.time_zone
        )
    assert "patients" in {kind for kind, _ in due}
    assert not {"policies", "claims"} & {kind for kind, _ in due}

    while not connected.list("runs", kind="patients", state="published"):
        connected.sync("patients")
    connected.sync("policies")
    assert copies(connected) == {"1": "7", "2": "8"}, "the control: then it is"


def test_a_practice_without_patients_has_no_policies_and_that_is_known(connected: Connected, portal: ScriptedPortal) -> None:
    for id in ("7", "8"):
        portal.drop("patients", id)
    connected.start()

    run = connected.sync("policies")

    assert (run["pieces"], run["rows"], run["state"]) == (0, 0, "published")
    assert portal.log("read:policies") == []


def test_another_patients_row_in_a_list_that_was_asked_for_one_is_not_believed(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    connected.sync("policies")
    portal.script("read:policies", {"rows": {"2": {"patient": "8", "member_id": "EXM000008"}}})

    run = connected.sync("policies")

    assert (run["state"], run["reason"]) == ("quarantined", "other_patient")
    assert (copies(connected), connected.open_items()) == ({"1": "7", "2": "8"}, ["other_patient"])


def test_that_the_portals_user_may_not_read_it_is_found_by_reading_and_needs_nobody(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.unasked = ("policies.read",)
    portal.script("read:policies", {"trouble": "not_permitted"})
    connected.start()

    assert (len(portal.log("read:policies")), connected.open_items()) == (1, [])
    assert connected.row().permitted["policies.read"] is False
    connected.sync("claims")
    assert connected.list("runs", kind="claims", state="published"), "claims do not wait for what cannot be read"

    probe(scope=connected.house.scope, connection_id=connected.id)
    connected.work()
    assert copies(connected) == {"1": "7", "2": "8"}, "the control: the right was given meanwhile"


def files(connected: Connected) -> list[dict[str, Any]]:
    return connected.list("artefacts")


def test_a_file_comes_when_its_record_is_read_and_once(connected: Connected, portal: ScriptedPortal) -> None:
    portal.put("claims", "31", patient="7", service_on="2026-03-02", status="submitted")
    connected.start()
    for _ in range(2):
        connected.sync("claims")
        connected.work()

    [kept] = files(connected)
    assert (kept["ability"], kept["remote_id"], kept["document_id"] is not None) == ("claims.file", "31", True)
    assert len(portal.log("fetch")) == 1

    portal.put("claims", "31", patient="7", service_on="2026-03-02", status="paid")
    connected.sync("claims")
    connected.work()
    assert len(portal.log("fetch")) == 2, "what changed is asked for again"
    assert files(connected) == [kept], "and the same bytes are kept once"


def test_the_same_bytes_under_another_name_are_one_document(connected: Connected, portal: ScriptedPortal) -> None:
    for id in ("31", "32"):
        portal.put("claims", id, patient="7", service_on="2026-03-02", status="submitted")
    portal.same_bytes = True
    connected.start()
    for _ in range(2):
        connected.sync("claims")
        connected.work()

    assert sorted(one["remote_id"] for one in files(connected)) == ["31", "32"]
    assert len({one["document_id"] for one in files(connected)}) == 1


def test_a_file_that_does_not_come_is_asked_for_less_and_less(connected: Connected, portal: ScriptedPortal) -> None:
    portal.put("claims", "31", patient="7", service_on="2026-03-02", status="submitted")
    portal.script("fetch", {"trouble": "incomplete"})
    connected.start()
    connected.sync("claims")
    connected.work()

    [wanted] = files(connected)
    assert (wanted["document_id"], wanted["reason"]) == (None, "incomplete")
    with connected.house.entered() as scope:
        now = timezone.now()
        row = Artefact.objects.visible_to(scope).get()

        def due(**later: int) -> int:
            at = now + timedelta(**later)
            return len(queries.wanted_artefacts(scope=scope, connection_id=connected.id, now=at))

        assert (row.tries, due(seconds=5), due(minutes=1)) == (1, 0, 1)


def many(connected: Connected, portal: ScriptedPortal, count: int = 40) -> None:
    """Have so many patients, and the list of each read once."""
    for number in range(100, 100 + count - 2):
        portal.put("patients", str(number), first_name="Kim", last_name=f"Lee {number}", birth_on="1990-01-01")
    connected.start()
    connected.sync("policies")
    assert len(set(asked(portal))) == count


def test_after_the_first_time_only_those_are_read_whose_patient_is_new_or_changed(
    connected: Connected, portal: ScriptedPortal
) -> None:
    many(connected, portal)
    before = len(asked(portal))

    connected.sync("policies", near=True)
    assert len(asked(portal)) - before == 1, "and the one that was not read for longest"
    portal.put("patients", "8", first_name="Ben", last_name="Okafor-Lee", birth_on="1985-01-30")
    portal.put("patients", "900", first_name="Neu", last_name="Hier", birth_on="1999-09-09")
    portal.put("policies", "3", patient="900", member_id="EXM000900")
    connected.sync("patients")
    connected.work()

    assert set(asked(portal)[before + 1 :][:2]) == {"8", "900"}, "at once, and before the others"
    assert copies(connected) == {"1": "7", "2": "8", "3": "900"}
    connected.sync("policies")
    assert len(asked(portal)[before:]) > 40, "the control: who asks for all of them gets all of them"


def test_in_a_day_every_list_is_read_again_a_few_at_a_time(connected: Connected, portal: ScriptedPortal) -> None:
    many(connected, portal)
    before, row = len(asked(portal)), connected.row()
    with connected.house.entered() as scope:  # nobody was changed for long
        Shadow.objects.visible_to(scope).update(changed_at=F("changed_at") - timedelta(days=9))
    for _ in range(24 * 8):
        with connected.house.entered() as scope:
            Mirror.objects.visible_to(scope).filter(kind="policies").update(
                tried_at=timezone.now() - timedelta(seconds=450)
            )
            PartRead.objects.visible_to(scope).update(read_at=F("read_at") - timedelta(seconds=450))
            due = parts.due(scope=scope, connection=row, kind="policies", near=True, now=timezone.now())
            assert len(due) == 1, "40 patients: one each seven and a half minutes"
            parts.note(scope=scope, connection=row, kind="policies", part=due[0], at=timezone.now())
            oldest = parts.oldest(scope=scope, connection=row, kind="policies")
        assert oldest is not None
    assert timezone.now() - oldest < timedelta(days=1)
    assert len(asked(portal)) == before


def test_a_record_that_was_missed_is_looked_for_again_soon(connected: Connected, portal: ScriptedPortal) -> None:
    many(connected, portal)
    portal.drop("policies", "2")
    portal.put("patients", "8", first_name="Ben", last_name="Okafor-Lee", birth_on="1985-01-30")
    connected.sync("patients")
    connected.work()
    assert copies(connected) == {"1": "7", "2": "8"}, "the control: once is not enough"

    connected.sync("policies", near=True)

    assert (copies(connected), copies(connected, gone=True)) == ({"1": "7"}, {"2": "8"})


def test_such_a_kind_is_as_fresh_as_its_oldest_list_and_promises_no_more(
    connected: Connected, portal: ScriptedPortal
) -> None:
    many(connected, portal)
    connected.sync("policies", near=True)
    with connected.house.entered() as scope:
        mirror = Mirror.objects.visible_to(scope).get(kind="policies")
        oldest = parts.oldest(scope=scope, connection=connected.row(), kind="policies")
        due = services.due_kinds(
            scope=scope, connection=connected.row(), now=timezone.now() + timedelta(hours=20), zone=scope.time_zone
        )
    assert mirror.fresh_at == oldest
    assert ("policies", True) in due, "a few of them, however old the first reading is"
    can = {one["name"]: one["target_seconds"] for one in connected.read("/capabilities")["data"]}
    assert (can["policies.read"], can["claims.read"]) == (108000, 900)
