"""A portal that is not there: who signs in comes back soon, one at a time, and what gave nothing is no try."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from rapport.rooms.exchange import services
from rapport.rooms.exchange.jobs import duties
from rapport.rooms.exchange.models import Breaker, Connection, SignIn
from rapport.rooms.exchange.ports import Reason, Trouble
from rapport.rooms.exchange.services import breakers
from tests.support.connected import Connected, at_once
from tests.support.portal import ScriptedPortal

DOWN = {"trouble": "portal_down", "gave_nothing": True}


def interval_ends(connected: Connected) -> None:
    with connected.house.entered() as scope:
        Breaker.objects.visible_to(scope).filter(kind="transport", opened_at__isnull=False).update(probe_at=timezone.now())


def wait_ends(connected: Connected) -> None:
    with connected.house.entered():
        Connection.objects.filter(id=connected.id).update(sign_in_not_before=None)


def waits_for(connected: Connected) -> float:
    until = connected.row().sign_in_not_before
    return (until - timezone.now()).total_seconds() if until else 0.0


def outcomes(connected: Connected) -> list[str]:
    with connected.house.entered() as scope:
        rows = SignIn.objects.visible_to(scope).filter(connection_id=connected.id).order_by("began_at")
        return list(rows.values_list("outcome", flat=True))


def test_the_probe_of_a_portal_that_was_down_signs_in_where_the_session_ended_meanwhile(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.script("read:patients", *[{"trouble": "portal_down"}] * 3)
    for _ in range(3):
        connected.sync("patients")
    assert connected.read()["state"] == "degraded", "the control: the breaker is open"
    portal.end_sessions()
    before = len(portal.log("sign_in"))
    connected.sync("patients")
    assert len(portal.log("sign_in")) == before, "the control: nobody signs in before the interval is over"

    interval_ends(connected)
    assert connected.sync("patients")["state"] == "published"

    assert connected.read()["state"] == "healthy"
    assert len(portal.log("sign_in")) == before + 1


def test_the_wait_grows_from_seconds_to_minutes_and_begins_anew_after_a_sign_in(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    waits = []
    for _ in range(7):
        portal.end_sessions()
        portal.script("sign_in", DOWN)
        connected.sync("patients")
        waits.append(waits_for(connected))
        wait_ends(connected)
        interval_ends(connected)
    for wait, longest in zip(waits, (15, 30, 60, 120, 240, 300, 300), strict=True):
        assert longest * 0.75 < wait <= longest
    assert connected.sync("patients")["state"] == "published"

    portal.end_sessions()
    portal.script("sign_in", DOWN)
    connected.sync("patients")
    assert waits_for(connected) <= 15


@pytest.mark.parametrize("trouble", ["account_locked", "busy"])
def test_the_control_a_portal_that_refuses_to_talk_is_left_alone_for_long(
    connected: Connected, portal: ScriptedPortal, trouble: str
) -> None:
    connected.start()
    portal.end_sessions()
    portal.script("sign_in", {"trouble": trouble})
    connected.sync("patients")
    assert waits_for(connected) > 290


def test_what_gave_nothing_is_no_try_and_what_gave_something_is(connected: Connected, portal: ScriptedPortal) -> None:
    portal.limits["logins_per_hour"] = 3
    connected.start()
    for _ in range(4):
        portal.end_sessions()
        portal.script("sign_in", DOWN)
        connected.sync("patients")
        wait_ends(connected)
        interval_ends(connected)
    assert outcomes(connected) == ["signed_in", *["not_begun"] * 4]
    assert connected.sync("patients")["state"] == "published", "four are more than an hour allows, and none was one"

    # The control: a password had been typed when the portal went away, so it counts, and that was the third.
    portal.end_sessions()
    portal.script("sign_in", {"trouble": "portal_down"})
    connected.sync("patients")
    wait_ends(connected)
    interval_ends(connected)
    assert connected.sync("patients")["reason"] == "busy"
    assert outcomes(connected)[-1] == "portal_down"


def tended(connected: Connected) -> None:
    with connected.house.entered() as scope:
        duties.tend_one(scope, Connection.objects.get(id=connected.id), now=timezone.now())
    connected.work()


def test_who_links_while_the_portal_is_down_is_signed_in_when_it_is_back(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.link()
    portal.script("sign_in", DOWN)
    connected.secrets()
    connected.work()
    assert (connected.read()["state"], outcomes(connected)) == ("linking", ["not_begun"])
    tended(connected)
    assert outcomes(connected) == ["not_begun"], "the control: not before the wait is over"

    wait_ends(connected)
    tended(connected)
    assert (connected.read()["state"], outcomes(connected)) == ("healthy", ["not_begun", "signed_in"])


def test_what_a_person_acted_on_is_still_tried_when_nobody_was_there_at_first(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    portal.end_sessions()
    portal.script("sign_in", {"trouble": "terms_pending"}, DOWN)
    connected.sync("patients")
    wait_ends(connected)
    tended(connected)
    assert (connected.read()["state"], len(outcomes(connected))) == ("attention", 2), "the control: nobody has acted"

    assert connected.admin.post(f"{connected.path}/sign-in").status_code == 202
    connected.work()
    assert outcomes(connected)[2:] == ["not_begun"]
    wait_ends(connected)
    tended(connected)
    assert (connected.read()["state"], outcomes(connected)[3:]) == ("healthy", ["signed_in"])


def test_of_many_that_need_a_session_one_asks_whether_the_portal_is_back(
    connected: Connected, portal: ScriptedPortal
) -> None:
    from rapport.rooms.exchange.jobs.syncing import sync

    connected.start()
    portal.end_sessions()
    portal.script("sign_in", *[DOWN] * 5)
    before = len(portal.log("sign_in"))
    at_once(
        *(
            (lambda kind=kind: sync(scope=connected.house.scope, connection_id=connected.id, kind=kind, near=False))
            for kind in ("appointments", "claims", "clinicians", "notes", "patients")
        )
    )
    assert len(portal.log("sign_in")) == before + 1
    assert {connected.list("runs", kind=kind)[0]["reason"] for kind in ("claims", "notes", "patients")} == {"portal_down"}


def test_those_on_their_way_when_it_opened_do_not_lengthen_the_interval(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    now = timezone.now()

    def fails(at: datetime) -> Breaker:
        with connected.house.entered() as scope:
            breakers.count_failure(
                scope=scope, connection=Connection.objects.get(id=connected.id), reason="portal_down", now=at, at_once=False
            )
            row: Breaker = Breaker.objects.visible_to(scope).get(kind="transport", connection_id=connected.id)
            return row

    for _ in range(3):
        fails(now)
    late = fails(now + timedelta(seconds=5))
    assert late.probe_at == now + timedelta(seconds=30)
    probe = fails(now + timedelta(seconds=31))
    assert probe.probe_at == now + timedelta(seconds=31 + 60), "the control: the probe does"
    for _ in range(9):
        probe = fails(now + timedelta(seconds=40))
    assert probe.probe_at == now + timedelta(seconds=40 + 300), "and no longer than five minutes"


def meets_a_page_that_breaks_off(connected: Connected, *, at: datetime) -> None:
    with connected.house.entered() as scope:
        services.meet(
            scope=scope, connection=Connection.objects.get(id=connected.id), capability="notes.read",
            trouble=Trouble(Reason.CUT_SHORT), now=at,
        )  # fmt: skip


def test_a_page_that_breaks_off_is_read_again_and_asks_nobody(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.script("read:notes", *[{"trouble": "cut_short"}] * 4)
    for _ in range(4):
        assert connected.sync("notes")["reason"] == "cut_short"
    assert (connected.read()["state"], connected.open_items()) == ("healthy", []), "four at once are one trouble"
    assert connected.sync("notes")["state"] == "published"


def test_one_that_breaks_off_each_time_is_drift_and_somebody_is_asked(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    now = timezone.now()
    for minute in range(2):
        meets_a_page_that_breaks_off(connected, at=now + timedelta(minutes=minute, seconds=1))
    assert connected.read()["state"] == "healthy", "the control: twice are not enough"
    meets_a_page_that_breaks_off(connected, at=now + timedelta(minutes=3))
    assert connected.read()["state"] == "degraded"
    assert connected.open_items() == ["drift_breaking"]


def test_the_control_one_that_came_whole_in_between_begins_the_count_anew(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.start()
    now = timezone.now()
    for minute in range(2):
        meets_a_page_that_breaks_off(connected, at=now + timedelta(minutes=minute, seconds=1))
    assert connected.sync("notes")["state"] == "published"
    meets_a_page_that_breaks_off(connected, at=now + timedelta(minutes=3))
    assert (connected.read()["state"], connected.open_items()) == ("healthy", [])
