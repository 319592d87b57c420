"""A practice that is linked to Roundup over the API: server, worker, tracker and browser, each a program of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.connectors.portals.tests.tracker import NotInstalled, Tracker, installed
from tests.connect.stage import Linked, Stage, until

pytestmark = [pytest.mark.long, needs_chromium]


@dataclass
class Practice:
    """Fern, whose people are in a tracker."""

    tracker: Tracker
    stage: Stage
    linked: Linked

    def people(self) -> dict[str, tuple[str, str]]:
        """Return the practice's clinicians as its API has them: user name -> first and last name."""
        rows: list[dict[str, Any]] = []
        page = self.stage.call("GET", "/v1/clinicians?limit=100")
        rows += page["data"]
        while page["has_more"]:
            page = self.stage.call("GET", f"/v1/clinicians?limit=100&cursor={page['next_cursor']}")
            rows += page["data"]
        return {one["source"]["remote_id"]: (one["first_name"], one["last_name"]) for one in rows if one["source"]["system"] == "roundup"}

    def own(self) -> dict[str, tuple[str, str]]:
        """Return them as the tracker has them, but for users who have no name."""
        names = {f"user{one['id']}": one["realname"].rpartition(" ") for one in self.tracker.rows("user") if one["realname"]}
        return {id: (first, last) for id, (first, _, last) in names.items()}


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    home: Path = tmp_path_factory.mktemp("fern")
    try:
        python = installed(home / "venv")
    except NotInstalled as problem:
        pytest.skip(f"Roundup comes from the package registry, which gave none: {problem}")
    tracker = Tracker(python, home / "tracker")
    try:
        stage = Stage(home)
    except BaseException:
        tracker.kill()
        raise
    try:
        linked = stage.link("rapport", definition="roundup", base_url=tracker.url, identity={"username": "rapport"}, system_of_record=True)
        linked.call("POST", "/secrets", {"password": tracker.users["rapport"]}, status=202)
        linked.wait_for("healthy", seconds=60)
        until("the first whole readings", lambda: all(linked.runs(kind, "published") for kind in ("clinicians", "issues")), seconds=60)
        yield Practice(tracker, stage, linked)
    finally:
        stage.stop()
        tracker.kill()


def test_people_of_the_tracker_are_the_practices_clinicians(practice: Practice) -> None:
    assert len(practice.own()) == 115
    assert practice.people() == practice.own()


def test_a_session_that_ended_is_renewed_without_anybody_and_the_change_shows(practice: Practice) -> None:
    practice.tracker.change("UPDATE _user SET _realname = 'Renata Newname' WHERE _username = 'keeper'")
    practice.tracker.forget_sessions()
    run = practice.linked.refresh("clinicians")

    # Of one person the whole name, the first and the last.
    assert (run["state"], run["changed"], run["created"], run["gone"]) == ("published", 3, 0, 0)
    assert practice.people() == practice.own()
    assert practice.linked.open_matters() == []


def test_a_write_is_confirmed_by_reading_it_back_and_made_once(practice: Practice) -> None:
    done = practice.linked.settled(practice.linked.write("issues.create", title="Call the referring doctor", priority="urgent"))

    own = [f"issue{one['id']}" for one in practice.tracker.rows("issue") if one["title"] == "Call the referring doctor"]
    assert (done.state, own) == ("confirmed", [done.remote_id])
    works = {one["name"]: one["works"] for one in practice.linked.call("GET", "/capabilities")["data"]}
    assert (works["issues.create"], works["clinicians.create"]) == (True, False), "this user may not make users"
