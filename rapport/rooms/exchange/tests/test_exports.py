"""Exports: ordered once a day, fetched, and compared with the list. Only what two say, of records that stood still, is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.jobs.duties import tend_one
from rapport.rooms.exchange.models import DriftReport, ExportOrder, Mirror, Shadow
from rapport.rooms.exchange.ports import Ability
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


@pytest.fixture
def portal(portal: ScriptedPortal) -> ScriptedPortal:
    """The portal, with exports of its patients."""
    portal.further = (
        Ability("exports.read", "read", "calibrated"),
        Ability("exports.create", "write", "calibrated", key=("kind",), settle_seconds=0, makes_another=True),
        Ability("exports.file", "file", "calibrated", sheets=("patients",)),
    )
    portal.put("exports", "1", kind="patients")
    return portal


def export(connected: Connected, **state: Any) -> dict[str, Any]:
    [one] = connected.read()["exports"]
    assert {name: one[name] for name in state} == state
    found: dict[str, Any] = one
    return found


def look(connected: Connected) -> None:
    """Let workers do all that is due now, and what follows from it."""
    for _ in range(4):
        with connected.house.entered() as scope:
            tend_one(scope, connected.row(), now=timezone.now())
        connected.work()


def a_day_later(connected: Connected) -> None:
    """Let the last export be a day old."""
    with connected.house.entered() as scope:
        for one in ExportOrder.objects.visible_to(scope):
            one.asked_at -= timedelta(hours=25)
            one.save(update_fields=["asked_at"])


def ordered(connected: Connected) -> None:
    """Have one ordered and fetched, and the list read whole behind it."""
    look(connected)
    connected.sync("patients")
    look(connected)


def test_an_export_is_ordered_fetched_kept_and_agrees_with_its_list(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    look(connected)
    one = export(connected, kind="patients", state="fetched")
    sent = portal.log("submit")
    assert [(call["ability"], call["values"]["kind"]) for call in sent] == [("exports.create", "patients")]
    assert len(portal.rows("exports")) == 2, "one more, though there was one with its key"

    connected.sync("patients")
    look(connected)

    one = export(connected, state="agrees", rows=2, differing=0, unsettled=0)
    kept = next(row for row in connected.list("artefacts", ability="exports.file") if row["id"] == one["artefact_id"])
    assert kept["sha256"]
    assert connected.open_items() == []
    look(connected)
    assert len(portal.log("submit")) == 1, "the control: the next is not due"
    a_day_later(connected)
    ordered(connected)
    assert len(portal.log("submit")) == 2


def test_what_two_exports_in_a_row_have_otherwise_is_told_in_counts_and_names_of_fields(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.sheet("patients", "7", last_name="ZZPHI-Vera")
    ordered(connected)
    export(connected, state="differs", differing=1)
    assert connected.open_items() == [], "once may be a snapshot of an hour that nobody saw"

    a_day_later(connected)
    ordered(connected)

    assert connected.open_items() == ["export_differs"]
    report = connected.list("drift-reports")[0]
    assert (report["capability"], report["verdict"], report["reason"]) == ("patients.read", "suspect", "export_differs")
    assert [(one["place"], one["seen"]) for one in report["findings"]] == [
        ("patients.last_name", "another value in 1 of 2 records")
    ]
    assert "ZZPHI" not in str(report)
    connected.sync("patients")
    assert connected.list("runs", kind="patients")[0]["state"] == "published", "the mirror goes on with the list"

    portal.sheet("patients", "7")
    a_day_later(connected)
    ordered(connected)
    export(connected, state="agrees")
    assert connected.open_items() == [], "and it goes away by itself"


def test_a_record_that_only_one_of_them_has_is_told_too(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.sheet("patients", "9", first_name="Noor", last_name="Amari", birth_on="2001-01-01")
    portal.sheet("patients", "8", gone=True)
    for _ in range(2):
        ordered(connected)
        a_day_later(connected)

    seen = {one["place"]: [] for one in connected.list("drift-reports")[0]["findings"]}
    for one in connected.list("drift-reports")[0]["findings"]:
        seen[one["place"]].append(one["seen"])
    assert seen == {"patients": ["without 1 of 3 records", "1 records that the list does not have"]}


@pytest.mark.parametrize("which", ["older", "newer"])
def test_what_changed_while_it_was_made_is_no_difference(connected: Connected, portal: ScriptedPortal, which: str) -> None:
    connected.start()
    for _ in range(3):
        look(connected)
        if which == "older":  # the export was made before somebody changed it, the list read after
            portal.sheet("patients", "7", **portal.rows("patients")["7"])
            portal.put("patients", "7", **portal.rows("patients")["7"] | {"last_name": f"Rivera {timezone.now():%f}"})
        else:  # the list was read before, the export made after
            portal.put("patients", "7", **portal.rows("patients")["7"] | {"last_name": f"Rivera {timezone.now():%f}"})
        connected.sync("patients")
        look(connected)
        export(connected, state="agrees", unsettled=1)
        a_day_later(connected)

    assert connected.open_items() == []
    with connected.house.entered() as scope:
        assert not DriftReport.objects.visible_to(scope).exists()


def test_another_value_in_the_list_is_another_difference(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.sheet("patients", "7", last_name="Vera")
    ordered(connected)
    portal.put("patients", "7", **portal.rows("patients")["7"] | {"last_name": "Rivera-Vera"})
    connected.sync("patients")
    a_day_later(connected)
    ordered(connected)

    export(connected, state="differs", differing=1)
    assert connected.open_items() == []


def test_an_export_that_cannot_be_read_is_kept_and_said(connected: Connected, portal: ScriptedPortal) -> None:
    portal.script("rows_in", {"trouble": "drift_breaking", "findings": [
        {"place": "patients_sheet.last_name", "seen": "no such column", "expected": "Name"},
    ]})  # fmt: skip
    connected.start()
    ordered(connected)

    one = export(connected, state="unreadable", reason="drift_breaking")
    assert one["artefact_id"] in [row["id"] for row in connected.list("artefacts")]
    assert connected.open_items() == ["export_unreadable"]
    assert connected.read()["state"] == "healthy"


def test_one_that_is_being_prepared_is_waited_for_and_slows_nothing_down(connected: Connected, portal: ScriptedPortal) -> None:
    portal.put("exports", "1", kind="appointments")
    portal.script("fetch", *[{"trouble": "not_ready", "retry_after": 5}] * 2)
    connected.start()
    look(connected)

    export(connected, state="preparing")
    with connected.house.entered() as scope:
        silent = services.silent_for(scope=scope, connection_id=connected.id, now=timezone.now())
        assert silent == 0, "the portal did not ask for fewer requests"
        [wanted] = [
            row for row in queries.wanted_artefacts(scope=scope, connection_id=connected.id, now=timezone.now() + timedelta(minutes=1))
            if row.remote_id != "1"
        ]  # fmt: skip
    assert (wanted.reason, wanted.tries) == ("not_ready", 1)


@pytest.mark.parametrize("why", ["never", "quiet", "may not order", "may not see", "silence"])
def test_when_none_is_ordered(connected: Connected, portal: ScriptedPortal, why: str) -> None:
    connected.link(exports_every_hours=0 if why == "never" else 24)
    connected.secrets()
    if why.startswith("may not"):
        with portal.state() as state:
            state["permitted"] = {"exports.create" if why == "may not order" else "exports.read": False}
    connected.work()
    now = timezone.now()
    with connected.house.entered() as scope:
        row = connected.row()
        if why == "quiet":
            local = now.astimezone(scope.time_zone)
            row.quiet_from, row.quiet_to = f"{local - timedelta(hours=1):%H:%M}", f"{local + timedelta(hours=1):%H:%M}"
        if why == "silence":
            services.note_answer(
                scope=scope, connection_id=row.id, seconds=0.1, busy=True, retry_after_seconds=60, now=now
            )  # fmt: skip
        services.tend_exports(scope=scope, connection=row, now=now, zone=scope.time_zone)
        assert not ExportOrder.objects.visible_to(scope).exists()

        row.exports_every_hours, row.quiet_from, row.permitted = 24, "", {}
        row.save()
        services.tend_exports(scope=scope, connection=row, now=now + timedelta(minutes=5), zone=scope.time_zone)
        assert ExportOrder.objects.visible_to(scope).exists(), "the control: then it is"


def test_what_the_portal_refuses_is_tried_again_on_schedule(connected: Connected, portal: ScriptedPortal) -> None:
    portal.script("submit", {"refuse": "Exports are closed at the end of the month."})
    connected.start()
    look(connected)
    export(connected, state="failed", reason="refused")
    look(connected)
    assert len(portal.log("submit")) == 1

    a_day_later(connected)
    ordered(connected)
    export(connected, state="agrees")


def test_one_that_never_comes_does_not_stand_in_the_way_of_the_next(connected: Connected, portal: ScriptedPortal) -> None:
    portal.script("fetch", *[{"trouble": "not_ready", "retry_after": 5}] * 2)
    connected.start()
    look(connected)
    a_day_later(connected)
    look(connected)
    assert export(connected)["state"] in ("ordered", "preparing", "fetched")
    with connected.house.entered() as scope:
        first = ExportOrder.objects.visible_to(scope).earliest("asked_at")
    assert (first.state, first.reason) == ("failed", "not_ready")


def test_since_when_a_copy_is_as_it_is(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()

    def since() -> datetime:
        with connected.house.entered() as scope:
            return Shadow.objects.visible_to(scope).get(kind="patients", remote_id="7").changed_at

    first = since()
    connected.sync("patients")
    assert since() == first
    portal.put("patients", "7", first_name="Ana", last_name="Vera", birth_on="1990-04-12")
    connected.sync("patients")
    assert since() > first
    with connected.house.entered() as scope:
        assert Mirror.objects.visible_to(scope).filter(kind="patients", whole_at__isnull=False).exists()
