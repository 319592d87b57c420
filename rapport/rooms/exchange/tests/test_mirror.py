"""The mirror: provenance, changes, tombstones after two whole readings, and what is never believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.outbox.models import OutboxEvent
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.jobs.duties import tend, tend_one
from rapport.rooms.exchange.models import Mirror, Shadow, SyncRun
from rapport.rooms.exchange.problems import Uncalibrated
from rapport.rooms.exchange.rules.changes import Change, Held, Origin
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal


class Taker:
    """A recipient that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Change] = []
        self.holds: set[str] = set()
        self.breaks = False

    def __call__(
        self, *, scope: Scope, origin: Origin, changes: Sequence[Change], now: datetime
    ) -> Sequence[Held]:
        if self.breaks:
            raise RuntimeError("the room cannot")
        self.told += changes
        return [Held(one.remote_id, "ambiguous") for one in changes if one.remote_id in self.holds]

    def news(self) -> list[tuple[str, str]]:
        found, self.told = [(one.what, one.remote_id) for one in self.told], []
        return found


@pytest.fixture
def taker() -> Iterator[Taker]:
    made = Taker()
    services.register_recipient(kind="patients", recipient=made)
    yield made
    services.register_recipient(kind="patients", recipient=None)


def shadow(connected: Connected, remote_id: str, kind: str = "patients") -> Shadow:
    with connected.house.entered() as scope:
        found: Shadow = Shadow.objects.visible_to(scope).get(
            connection_id=connected.id, kind=kind, remote_id=remote_id
        )
        return found


def values(connected: Connected, remote_id: str) -> dict[str, Any]:
    with connected.house.entered() as scope:
        found = queries.mirrored(scope=scope, connection_id=connected.id, kind="patients", remote_id=remote_id)
    assert found is not None
    return dict(found.values)


def all_of_it(connected: Connected) -> list[Any]:
    with connected.house.entered(), database.cursor() as cursor:
        cursor.execute(
            "SELECT t::text FROM exchange_shadow t WHERE practice_id = %s ORDER BY id", [connected.house.id]
        )
        return cursor.fetchall()


def test_every_copy_says_where_it_comes_from(connected: Connected, portal: ScriptedPortal, taker: Taker) -> None:
    connected.start()
    assert taker.news() == [("created", "7"), ("created", "8")]
    kept = shadow(connected, "7")
    assert (kept.page_signature, kept.epoch, kept.tier, kept.revision) == ("GET /patients", 1, "http", 1)
    assert len(kept.page_sha256) == 64
    run = next(run for run in connected.list("runs", kind="patients"))
    assert (run["proof"], run["verdict"], run["rows"], run["created"]) == ("count", "same", 2, 2)
    assert values(connected, "7")["first_name"] == "ZZPHI-Ana"


def test_a_change_is_told_once_with_what_was_before(
    connected: Connected, portal: ScriptedPortal, taker: Taker
) -> None:
    connected.start()
    taker.news()
    connected.sync("patients")
    assert taker.news() == [], "the control: nothing has changed"
    portal.put("patients", "8", first_name="Benjamin", last_name="Okafor", birth_on="1985-01-30")
    run = connected.sync("patients")
    (told,) = taker.told
    assert (told.what, told.before and told.before["first_name"], told.values["first_name"]) == (
        "changed", "Ben", "Benjamin",
    )  # fmt: skip
    assert run["changed"] == 1
    connected.sync("patients")
    assert len(taker.told) == 1


def test_gone_is_what_two_whole_readings_miss(
    connected: Connected, portal: ScriptedPortal, taker: Taker
) -> None:
    connected.start()
    taker.news()
    portal.drop("patients", "8")
    assert connected.sync("patients")["gone"] == 0
    assert shadow(connected, "8").gone_at is None
    assert connected.sync("patients")["gone"] == 1
    assert taker.news() == [("gone", "8")]
    connected.sync("patients")
    assert taker.news() == [], "told once"
    portal.put("patients", "8", first_name="Ben", last_name="Okafor")
    connected.sync("patients")
    assert taker.news() == [("created", "8")], "and it comes back"


def test_what_was_made_from_here_and_removed_before_a_list_had_it_is_gone_after_two(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    day = (timezone.now() + timedelta(days=5)).date()
    made, kept = (connected.settle(connected.write(start_local=f"{day}T{hour}:00:00")) for hour in ("09", "11"))
    portal.drop("appointments", made.remote_id)
    runs = [connected.sync("appointments") for _ in range(2)]
    assert [run["gone"] for run in runs] == [0, 1]
    with connected.house.entered() as scope:
        there = Shadow.objects.visible_to(scope).filter(kind="appointments", gone_at__isnull=True)
        assert [row.remote_id for row in there] == [kept.remote_id], "the control: the other one stays"


def test_a_record_seen_in_between_is_not_gone(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    ben = portal.rows("patients")["8"]
    portal.drop("patients", "8")
    connected.sync("patients")
    portal.put("patients", "8", **ben)
    connected.sync("patients")
    portal.drop("patients", "8")
    assert connected.sync("patients")["gone"] == 0
    assert shadow(connected, "8").gone_at is None


@pytest.mark.parametrize(
    ("how", "state"),
    [
        ({"trouble": "incomplete"}, "refused"),
        ({"complete": ""}, "quarantined"),
        ({"trouble": "portal_down"}, "refused"),
        ({"trouble": "session_taken"}, "refused"),
        ({"verdict": "suspect", "rows": {"9": {"first_name": "Wrong"}}}, "quarantined"),
        ({"verdict": "breaking"}, "quarantined"),
        ({"trouble": "drift_breaking"}, "refused"),
        ({"trouble": "meaning_guard"}, "refused"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_believed_leaves_the_mirror_as_it_was(
    connected: Connected, portal: ScriptedPortal, taker: Taker, how: dict[str, Any], state: str
) -> None:
    connected.start()
    taker.news()
    portal.drop("patients", "7")
    portal.put("patients", "8", first_name="Other")
    before = all_of_it(connected)
    portal.script("read:patients", how, how, how)
    assert connected.sync("patients")["state"] == state
    for _ in range(2):
        assert connected.sync("patients")["state"] != "published"
    assert all_of_it(connected) == before
    assert taker.news() == []


def test_the_control_the_same_rows_believed_do_change_it(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    before = all_of_it(connected)
    portal.put("patients", "8", first_name="Other")
    assert connected.sync("patients")["state"] == "published"
    assert all_of_it(connected) != before


def test_a_cut_short_list_never_removes_anything(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.drop("patients", "7")
    for _ in range(4):
        portal.script("read:patients", {"trouble": "incomplete"})
        connected.sync("patients")
    assert (shadow(connected, "7").misses, shadow(connected, "7").gone_at) == (0, None)


def test_additive_and_healed_are_published_and_reported_once(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    finding = {"place": "patients.status", "seen": "State", "expected": "Status"}
    healed = {"verdict": "healed", "fingerprint": "f2", "findings": [finding], "shape": {"columns": ["State"]}}
    portal.script("read:patients", healed, healed, {"verdict": "additive", "fingerprint": "f3"})
    assert connected.sync("patients")["verdict"] == "healed"
    assert connected.sync("patients")["state"] == "published"
    assert connected.open_items() == ["drift_healed"]
    assert len(connected.list("drift-reports")) == 1, "exactly one"
    report = connected.list("drift-reports")[0]
    assert (report["shape_before"], report["shape_after"]) == ({"columns": ["patients"]}, {"columns": ["State"]})
    assert connected.sync("patients")["state"] == "published"
    assert [one["verdict"] for one in connected.list("drift-reports")] == ["additive", "healed"]


def test_a_suspect_page_that_a_person_accepts_is_the_new_one(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("read:patients", {"verdict": "suspect", "fingerprint": "f2"})
    connected.sync("patients")
    item = next(one for one in connected.list("attention") if one["matter"] == "drift_suspect")
    assert item["owner"] == "us"
    connected.admin.post(f"{connected.path}/attention/{item['id']}/resolve", {"outcome": "accepted"})
    with connected.house.entered() as scope:
        mirror = Mirror.objects.visible_to(scope).get(connection_id=connected.id, kind="patients")
        assert mirror.shape == {}, "the next reading has nothing to differ from"
    portal.script("read:patients", {"fingerprint": "f2", "shape": {"columns": ["new"]}})
    assert connected.sync("patients")["state"] == "published"
    with connected.house.entered():
        mirror.refresh_from_db()
    assert (mirror.shape, mirror.fingerprint) == ({"columns": ["new"]}, "f2")


def claims(portal: ScriptedPortal, *charges: int) -> None:
    for number, charge in enumerate(charges):
        portal.put("claims", str(number), charge=charge, status="open")


def test_columns_that_change_places_are_told_by_what_every_copy_had(connected: Connected, portal: ScriptedPortal) -> None:
    claims(portal, 100, 200, 300, 400, 500, 600)
    connected.start()
    before = all_of_it(connected)
    claims(portal, 100, 200, 300, 4, 5, 6)

    run = connected.sync("claims")

    assert (run["state"], run["reason"]) == ("quarantined", "drift_suspect")
    assert all_of_it(connected) == before
    [finding] = connected.list("drift-reports", capability="claims.read")[0]["findings"]
    assert (finding["place"], finding["seen"]) == ("claims.charge", "another value in 3 of 6 known records")
    item = next(one for one in connected.list("attention") if one["matter"] == "drift_suspect")
    connected.admin.post(f"{connected.path}/attention/{item['id']}/resolve", {"outcome": "accepted"})
    assert connected.sync("claims")["state"] == "published", "a person said that it is right"


def test_the_control_few_changes_and_changes_that_are_usual_are_believed(connected: Connected, portal: ScriptedPortal) -> None:
    claims(portal, 100, 200, 300, 400, 500, 600)
    connected.start()
    claims(portal, 100, 200, 300, 400, 5, 6)
    assert connected.sync("claims")["changed"] == 2
    for number in range(6):
        portal.put("claims", str(number), charge=portal.rows("claims")[str(number)]["charge"], status="paid")
    assert connected.sync("claims")["changed"] == 6, "the state of a claim is watched by nobody"


def test_a_value_that_was_not_shown_is_kept_and_an_empty_one_is_empty(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.put("patients", "7", first_name="Ana", email="ana@example.org", phone="1")
    connected.start()
    portal.put("patients", "7", first_name="Ana", phone=None)
    portal.script("read:patients", {"absent": {"email": "unreadable"}})
    connected.sync("patients")
    kept = values(connected, "7")
    assert (kept["email"], kept["phone"]) == ("ana@example.org", None)
    assert shadow(connected, "7").absent == {"email": "unreadable"}


def test_what_a_room_holds_is_offered_again(connected: Connected, portal: ScriptedPortal, taker: Taker) -> None:
    taker.holds = {"7"}
    connected.start()
    assert ("created", "7") in taker.news()
    assert connected.list("runs", kind="patients")[0]["held"] == 1
    taker.holds = set()
    connected.sync("patients")
    assert taker.news() == [("changed", "7")]
    connected.sync("patients")
    assert taker.news() == []


def test_a_room_that_breaks_keeps_the_whole_piece_out(
    connected: Connected, portal: ScriptedPortal, taker: Taker
) -> None:
    connected.start()
    portal.put("patients", "9", first_name="Cleo")
    before, taker.breaks = all_of_it(connected), True
    with pytest.raises(RuntimeError):
        connected.sync("patients")
    assert all_of_it(connected) == before
    taker.breaks = False
    taker.news()
    connected.sync("patients")
    assert taker.news() == [("created", "9")]


def test_a_worker_that_takes_over_begins_behind_the_last_piece(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    today = connected.house.scope.day_of(timezone.now())
    portal.put("appointments", "a1", start_local=f"{today - timedelta(days=60)}T09:00:00", patient="7")
    portal.put("appointments", "a2", start_local=f"{today + timedelta(days=80)}T09:00:00", patient="7")
    before = len(portal.log("read:appointments"))
    with connected.house.entered() as scope:
        running = services.begin_run(
            scope=scope, connection_id=connected.id, kind="appointments", near=False, today=today,
            now=timezone.now(),
        )  # fmt: skip
        assert running is not None
        SyncRun.objects.visible_to(scope).filter(id=running.run_id).update(checkpoint=2)
    run = connected.sync("appointments")
    assert (run["pieces"], run["checkpoint"], run["state"]) == (6, 6, "published")
    assert len(portal.log("read:appointments")) == before + 4, "two pieces were there already"


def test_days_outside_the_window_are_not_missed(connected: Connected, portal: ScriptedPortal) -> None:
    today = connected.house.scope.day_of(timezone.now())
    portal.put("appointments", "far", start_local=f"{today + timedelta(days=40)}T09:00:00", patient="7")
    portal.put("appointments", "soon", start_local=f"{today}T09:00:00", patient="7")
    connected.start()
    portal.drop("appointments", "soon")
    for _ in range(3):
        connected.sync("appointments", near=True)
    assert shadow(connected, "far", "appointments").gone_at is None
    assert shadow(connected, "soon", "appointments").gone_at is not None, "the control: one inside is"


def test_what_is_late_is_told_once_and_what_is_due_is_read(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    tend()
    with connected.house.entered() as scope:
        late = OutboxEvent.objects.filter(practice_id=scope.practice_id, type="connector.freshness_missed")
        assert late.count() == 0, "the control: all is fresh"
        at = timezone.now() + timedelta(seconds=70)
        tend_one(scope, connected.row(), now=at)
        tend_one(scope, connected.row(), now=at + timedelta(seconds=5))
        assert [event.changed for event in late] == [["appointments"]]
    before = len(portal.log("read:appointments"))
    connected.work()
    assert len(portal.log("read:appointments")) == before + 1, "the near days, now"
    part = next(one for one in connected.read("/capabilities")["data"] if one["name"] == "appointments.read")
    assert (part["target_seconds"], part["late_since"]) == (60, None)


def test_in_quiet_hours_nothing_is_read_by_itself(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    with connected.house.entered() as scope:
        row = connected.row()
        row.quiet_from, row.quiet_to = "00:00", "23:59"
        at = timezone.now() + timedelta(hours=1)
        due = services.due_kinds(scope=scope, connection=row, now=at, zone=scope.time_zone)
        row.quiet_from = ""
        awake = services.due_kinds(scope=scope, connection=row, now=at, zone=scope.time_zone)
    assert due == []
    assert len(awake) == 5, "the control"


def test_a_run_is_told_as_an_event_without_a_persons_data(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    events = connected.admin.get("/v1/events?type=connector.sync_completed&limit=100").json()["data"]
    assert sorted(event["changed"][0] for event in events) == [
        "appointments", "claims", "clinicians", "notes", "patients",
    ]  # fmt: skip
    assert "ZZPHI" not in str(events)
    with connected.house.entered() as scope:
        done = SyncRun.objects.visible_to(scope).filter(connection_id=connected.id)
        services.clear_away(scope=scope, connection_id=connected.id, now=timezone.now() + timedelta(days=30))
        assert done.count() == 5, "the last of each kind stays"


def test_files_are_kept_by_their_digest_and_given_out_by_link(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    taken: list[tuple[str, bytes]] = []

    def take(**told: Any) -> None:
        taken.append((told["remote_id"], told["data"]))

    services.register_file_recipient(ability="claims.file", recipient=take)
    try:
        biller = connected.house.biller
        ask = {"ability": "claims.file", "remote_id": "55"}
        for _ in range(2):
            assert biller.post(f"{connected.path}/artefacts", ask).status_code == 202
            connected.work()
        kept = connected.list("artefacts")
        assert len(kept) == 1, "the same bytes once"
        assert taken == [("55", b"%PDF-1.4 55 ")]
        portal.script("fetch", {"content": "corrected"})
        biller.post(f"{connected.path}/artefacts", ask)
        connected.work()
        assert len(connected.list("artefacts")) == 2, "and other bytes beside them"
    finally:
        services.register_file_recipient(ability="claims.file", recipient=None)
    assert connected.house.scheduler.post(f"{connected.path}/artefacts", ask).status_code == 403


def test_a_portal_that_stays_down_is_not_asked_all_the_time(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    start = timezone.now()
    with connected.house.entered() as scope:
        Mirror.objects.visible_to(scope).filter(connection_id=connected.id).update(
            fresh_at=start - timedelta(hours=1), whole_at=start - timedelta(hours=1)
        )
        row = connected.row()

        def due(seconds: float) -> list[str]:
            at = start + timedelta(seconds=seconds)
            found = services.due_kinds(scope=scope, connection=row, now=at, zone=scope.time_zone)
            return [kind for kind, _ in found]

        assert due(5) == [], "each was tried a moment ago"
        assert due(31) == ["appointments"]
        assert len(due(120)) == 5, "the control: then all are due again"
    portal.script("read:patients", *[{"trouble": "portal_down"}] * 3)
    for _ in range(3):
        connected.sync("patients")
    with connected.house.entered() as scope:
        assert due(120) != [], "the breaker's interval is over by then"
        assert due(20) == [], "before it, nothing is due"


def test_calibrating_is_kept_and_lets_an_uncalibrated_ability_write(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    with pytest.raises(Uncalibrated):
        connected.write("patients.create", first_name="Cleo")
    with connected.house.entered() as scope:
        services.calibrate(
            scope=scope, connection_id=connected.id, calibration={"labels": {"Name": ["Client"]}},
            now=timezone.now(),
        )  # fmt: skip
    assert connected.write("patients.create", first_name="Cleo").state == "intended"
