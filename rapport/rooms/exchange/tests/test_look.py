"""Once a day a page is read in both ways: what differs in both is not believed, and what a person changed meanwhile is no news."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rapport.rooms.exchange import queries
from rapport.rooms.exchange.jobs.duties import tend_one
from rapport.rooms.exchange.jobs.looking import look
from rapport.rooms.exchange.models import Connection
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal

OTHER = {"browser": {"7": {"birth_on": "1909-09-09"}}}


@pytest.fixture(autouse=True)
def _read(connected: Connected) -> None:
    connected.start()


def row(connected: Connected, **changes: Any) -> Connection:
    with connected.house.entered() as scope:
        rows = Connection.objects.visible_to(scope).filter(id=connected.id)
        if changes:
            rows.update(**changes)
        return rows.get()


def tended(connected: Connected, now: datetime | None = None) -> None:
    """Do what is due, as workers do."""
    with connected.house.entered() as scope:
        tend_one(scope, row(connected), now=now or timezone.now())
    connected.work()


def looked(connected: Connected) -> Any:
    return look(scope=connected.house.scope, connection_id=connected.id)


def kept(connected: Connected) -> str:
    with connected.house.entered() as scope:
        found = queries.mirrored(scope=scope, connection_id=connected.id, kind="patients", remote_id="7")
    assert found is not None
    return str(found.values["last_name"])


def test_a_watched_value_that_a_browser_shows_otherwise_is_suspect_with_digests_of_both(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.script("look", OTHER, OTHER)

    assert looked(connected) == {"different": ["patients.read"]}

    [report] = connected.list("drift-reports")
    assert (report["capability"], report["verdict"], report["reason"]) == ("patients.read", "suspect", "drift_suspect")
    [finding] = report["findings"]
    assert finding["place"] == "patients.birth_on"
    (way, digest), (other, second) = finding["seen"].split(",")[0].split(" "), finding["expected"].split(" ")
    assert (way, other) == ("browser", "http")
    assert digest != second
    assert len(digest) == len(second) == 16
    assert not [day for day in ("1909", "1990") if day in finding["seen"] + finding["expected"]]
    assert connected.open_items() == ["drift_suspect"]
    portal.put("patients", "7", first_name="Ana", last_name="Changed", birth_on="1990-04-12")
    assert connected.sync("patients")["state"] == "refused", "nothing more of that list is believed"
    assert kept(connected) == "Rivera"
    assert connected.sync("appointments")["state"] == "published", "and the others go on"

    looked(connected)
    assert len(connected.list("drift-reports")) == 1, "the same difference is told once"


def test_the_control_both_the_same_says_nothing_and_comes_again_in_a_day(connected: Connected, portal: ScriptedPortal) -> None:
    assert looked(connected) == {"different": []}

    assert connected.list("drift-reports") == []
    assert connected.open_items() == []
    at = row(connected).look_at
    assert at is not None
    assert timedelta(hours=23) < at - timezone.now() < timedelta(hours=25)


@pytest.mark.parametrize("how", [
    {"http": {"7": {"birth_on": "1990-04-11"}}},
    {"again": {"7": {"birth_on": "1990-04-13"}}},
    {"browser": {"7": {"last_name": "Riviera"}}},
], ids=["changed before the browser came", "changed after it", "a field that is not watched"])  # fmt: skip
def test_the_control_what_a_person_changes_meanwhile_and_what_nobody_watches_is_no_difference(
    connected: Connected, portal: ScriptedPortal, how: dict[str, Any]
) -> None:
    portal.script("look", how)

    assert looked(connected) == {"different": []}


def test_a_difference_that_is_gone_lets_the_list_be_read_again_and_so_does_a_person_who_accepts_it(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.script("look", OTHER)
    looked(connected)
    assert looked(connected) == {"different": []}
    assert connected.open_items() == []
    assert connected.sync("patients")["state"] == "published"

    portal.script("look", OTHER)
    looked(connected)
    [item] = connected.list("attention", **{"resolved_at[exists]": "false"})
    answer = connected.admin.post(f"{connected.path}/attention/{item['id']}/resolve", {"outcome": "accepted"})
    assert answer.status_code == 200, answer.content
    assert connected.sync("patients")["state"] == "published"


def test_it_is_looked_once_a_day_after_the_first_hour_and_when_the_definition_is_another(
    connected: Connected, portal: ScriptedPortal
) -> None:
    def times() -> int:
        return len(portal.log("look"))

    tended(connected)
    assert times() == 0, "a new connection reads first"
    tended(connected, timezone.now() + timedelta(hours=2))
    assert times() == 1
    tended(connected, timezone.now() + timedelta(hours=3))
    assert times() == 1, "the control: once is enough for a day"
    portal.limits["revision"] = 2
    tended(connected)
    assert times() == 2
    tended(connected)
    assert times() == 2
    row(connected, look_at=timezone.now(), quiet_from="00:00", quiet_to="23:59")
    tended(connected)
    assert times() == 2, "in quiet hours nothing is looked at"
    row(connected, quiet_from="", quiet_to="")
    tended(connected)
    assert times() == 3


def test_a_look_that_does_not_work_is_tried_again_in_an_hour_and_without_a_browser_nobody_is_asked(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.script("look", {"trouble": "busy"})
    assert looked(connected) == {"reason": "busy"}
    at = row(connected).look_at
    assert at is not None
    assert at - timezone.now() < timedelta(hours=1)
    portal.able = False
    assert looked(connected) is None
    assert len(portal.log("look")) == 1
    assert connected.open_items() == []
