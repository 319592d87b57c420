"""The shipped definition of a web application that none of us wrote, against that application, with a real browser. Its own tables are the truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from rapport.connectors.portals import canary, loader
from rapport.connectors.portals.sessions import Session
from rapport.connectors.portals.tests.live import needs_chromium, now
from rapport.connectors.portals.tests.tracker import NotInstalled, Tracker, Visit, installed
from rapport.rooms.exchange.ports import Got, GotFile, Reason, Refused, SignedIn, Submitted, Trouble

pytestmark = [pytest.mark.long, needs_chromium]

LETTER = {"title": "Letter to Dr. Nowhere, with \"quotes\" & <signs>", "priority": "urgent", "assigned_to": "rapport"}
COLLEAGUE = {"external_id": "mary.newby", "first_name": "Mary Ann", "last_name": "Newby", "email": "mary@fernbrook.example", "phone": "(415) 555-0999"}


@dataclass
class AtRequest:
    """A pace that lets something happen right before a request leaves."""

    number: int
    happens: Callable[[], None]
    seen: int = 0

    def before(self) -> None:
        self.seen += 1
        if self.seen == self.number:
            self.happens()

    def after(self, *, seconds: float, busy: bool, retry_after_seconds: int | None = None) -> None:
        pass


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return installed(tmp_path_factory.mktemp("roundup") / "venv")
    except NotInstalled as problem:
        pytest.skip(f"Roundup comes from the package registry, which gave none: {problem}")


@pytest.fixture(scope="module")
def tracker(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    running = Tracker(python, tmp_path_factory.mktemp("tracker") / "home")
    yield running
    running.kill()


@pytest.fixture(scope="module")
def sessions(tracker: Tracker) -> dict[str, bytes]:
    """Each user signed in once: how it is done is tested by what it is used for."""
    return {user: Visit(tracker).sign_in(user) for user in tracker.users}


@pytest.fixture
def visit(tracker: Tracker) -> Visit:
    return Visit(tracker)


def got(found: Got | Trouble) -> Got:
    assert isinstance(found, Got), found
    return found


def refused(found: object, reason: Reason) -> Trouble:
    assert isinstance(found, Trouble), found
    assert found.reason is reason
    return found


def send(visit: Visit, ability: str, values: dict[str, Any], session: bytes) -> object:
    target = replace(visit.target(), secrets={})
    return visit.driver.submit(target, ability=ability, values=values, session=session, now=now())


def test_people_are_read_whole_and_as_the_tracker_has_them(visit: Visit, sessions: dict[str, bytes]) -> None:
    read = got(visit.read("clinicians.read", sessions["rapport"]))
    own = {f"user{one['id']}": one for one in visit.tracker.rows("user")}

    assert (read.complete, len(read.pages), len(own)) == ("count", 3, 117)
    assert {row.remote_id for row in read.rows} == own.keys()
    for row in read.rows:
        values, kept = row.values, own[row.remote_id]
        assert values["external_id"] == kept["username"]
        name = " ".join(one for one in (values["first_name"], values["last_name"]) if one)
        assert name == (kept["realname"] or "")
        assert (values["organization"] or None, values["phone"] or None) == (kept["organisation"], kept["phone"] or None)
    two = next(row.values for row in read.rows if row.values["name"] == "Ada Marie Albrook")
    assert (two["first_name"], two["last_name"]) == ("Ada Marie", "Albrook")


def test_issues_are_read_whole_and_a_list_with_nothing_in_it_is_proven_empty(visit: Visit, sessions: dict[str, bytes]) -> None:
    read = got(visit.read("issues.read", sessions["rapport"]))
    assert {(row.remote_id, row.values["number"], row.values["title"]) for row in read.rows} == {
        (f"issue{one['id']}", str(one["id"]), one["title"]) for one in visit.tracker.rows("issue")
    }
    assert read.complete == "count"

    ids = [one["id"] for one in visit.tracker.rows("issue")]
    try:
        visit.tracker.change("UPDATE _issue SET __retired__ = id")
        none = got(visit.read("issues.read", sessions["rapport"]))
    finally:
        visit.tracker.change("UPDATE _issue SET __retired__ = 0")
    assert (none.rows, none.complete) == ((), "empty_marker")
    assert len(ids) == 64


def test_who_may_do_what_is_found_without_changing_anything(visit: Visit, sessions: dict[str, bytes]) -> None:
    before = visit.tracker.rows("issue"), visit.tracker.rows("user")
    found = {user: visit.driver.probe(visit.target(user), session=session, now=now()) for user, session in sessions.items()}
    assert found == {
        "rapport": {"clinicians.read": True, "clinicians.create": False, "issues.read": True, "issues.create": True},
        "keeper": {"clinicians.read": True, "clinicians.create": True, "issues.read": True, "issues.create": True},
        "guest": {"clinicians.read": False, "clinicians.create": False, "issues.read": True, "issues.create": False},
    }
    assert (visit.tracker.rows("issue"), visit.tracker.rows("user")) == before
    refused(visit.read("clinicians.read", sessions["guest"]), Reason.NOT_PERMITTED)


def test_a_wrong_password_is_told_as_such_and_a_stranger_is_nobody(visit: Visit, sessions: dict[str, bytes]) -> None:
    refused(visit.driver.sign_in(visit.target(password="not this one"), now=now()), Reason.CREDENTIALS_REJECTED)
    base = visit.tracker.url.rstrip("/")
    stranger = Session(base_url=base, user_agent="Browser/1").to_bytes()
    refused(visit.driver.who(visit.target(), session=stranger, now=now()), Reason.SESSION_EXPIRED)
    known = visit.driver.who(visit.target(), session=sessions["rapport"], now=now())
    assert isinstance(known, SignedIn), known


def test_an_issue_is_looked_up_written_once_and_read_back(visit: Visit, sessions: dict[str, bytes]) -> None:
    session = sessions["rapport"]

    def there() -> list[Any]:
        return [row for row in got(visit.read("issues.read", session)).rows if row.values["title"] == LETTER["title"]]

    assert there() == []
    done = send(visit, "issues.create", LETTER, session)
    assert isinstance(done, Submitted), done
    rows = there()
    assert [row.remote_id for row in rows] == [done.remote_id]
    assert {name: rows[0].values[name] for name in LETTER} == LETTER
    own = [one for one in visit.tracker.rows("issue") if one["title"] == LETTER["title"]]
    me = next(one["id"] for one in visit.tracker.rows("user") if one["username"] == "rapport")
    assert [(f"issue{one['id']}", one["creator"], one["assignedto"]) for one in own] == [(done.remote_id, me, me)]


def test_what_is_refused_keeps_nothing_and_says_why(visit: Visit, sessions: dict[str, bytes]) -> None:
    before = visit.tracker.rows("issue")
    no_title = send(visit, "issues.create", LETTER | {"title": ""}, sessions["rapport"])
    no_choice = send(visit, "issues.create", LETTER | {"priority": "soon"}, sessions["rapport"])

    assert isinstance(no_title, Refused), no_title
    assert "title" in no_title.message
    assert isinstance(no_choice, Refused), no_choice
    assert list(no_choice.fields) == ["priority"]
    refused(send(visit, "issues.create", LETTER, sessions["guest"]), Reason.NOT_PERMITTED)
    assert visit.tracker.rows("issue") == before


def test_a_person_is_made_by_who_may_and_by_nobody_else(visit: Visit, sessions: dict[str, bytes]) -> None:
    refused(send(visit, "clinicians.create", COLLEAGUE, sessions["rapport"]), Reason.NOT_PERMITTED)
    done = send(visit, "clinicians.create", COLLEAGUE, sessions["keeper"])
    assert isinstance(done, Submitted), done
    again = send(visit, "clinicians.create", COLLEAGUE, sessions["keeper"])
    assert isinstance(again, Refused), again
    assert "already" in again.message

    row = next(row for row in got(visit.read("clinicians.read", sessions["rapport"])).rows if row.remote_id == done.remote_id)
    assert {name: row.values[name] for name in ("external_id", "first_name", "last_name", "phone")} == {
        name: COLLEAGUE[name] for name in ("external_id", "first_name", "last_name", "phone")
    }
    own = [one for one in visit.tracker.rows("user") if one["username"] == "mary.newby"]
    assert [(one["realname"], one["address"], one["roles"]) for one in own] == [("Mary Ann Newby", "mary@fernbrook.example", "User")]
    visit.tracker.change("DELETE FROM _user WHERE _username = 'mary.newby'")


def test_a_session_that_ends_in_the_middle_of_a_list_gives_no_rows_of_a_strangers_view(visit: Visit) -> None:
    """The tracker shows issues to strangers too: what is read after the end would look like a list."""
    public = httpx.get(f"{visit.tracker.url}issue?@sort=id", trust_env=False)
    assert "Letter 000" in public.text

    session = visit.sign_in()
    broken = replace(visit, pace=AtRequest(2, visit.tracker.forget_sessions))
    refused(broken.read("issues.read", session), Reason.SESSION_EXPIRED)

    # The ladder of the room: sign in again with what is left of the session, and read anew.
    again = visit.driver.sign_in(visit.target(), now=now(), earlier=session)
    assert isinstance(again, SignedIn), again
    assert got(visit.read("issues.read", again.session)).complete == "count"


def test_an_export_is_a_members_and_not_a_strangers(visit: Visit) -> None:
    session = visit.sign_in()

    def fetched() -> GotFile | Trouble:
        return visit.driver.fetch(visit.target(), ability="issues.file", remote_id="", session=session, now=now())

    file = fetched()
    assert isinstance(file, GotFile), file
    assert file.content.count(b"Letter 0") == 64
    visit.tracker.forget_sessions()
    refused(fetched(), Reason.SESSION_EXPIRED)


def test_a_known_record_holds_a_list_back_when_it_is_not_itself(visit: Visit) -> None:
    session = visit.sign_in()
    row = next(row for row in got(visit.read("clinicians.read", session)).rows if row.values["external_id"] == "keeper")
    fields = ("external_id", "last_name", "first_name")
    known = {"remote_id": row.remote_id, "salt": "s", "digests": {name: canary.digest(row.values[name], salt="s") for name in fields}}
    watching = replace(visit, calibration={"canary": {"clinicians": known}})
    assert got(watching.read("clinicians.read", session)).verdict == "same"
    visit.tracker.change("UPDATE _user SET _realname = 'Connector Keeper' WHERE _username = 'keeper'")
    refused(watching.read("clinicians.read", session), Reason.DRIFT_SUSPECT)
    visit.tracker.change("UPDATE _user SET _realname = 'Keeper Connector' WHERE _username = 'keeper'")


def kit(tracker: Tracker, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a step of the authoring kit as an author does."""
    secrets = home / "secrets.json"
    secrets.write_text(json.dumps({"password": tracker.users["rapport"]}))
    secrets.chmod(0o600)
    line = [sys.executable, "-W", "ignore", "-m", "rapport", "connect", *arguments, "--definition", "roundup", "--url", tracker.url, "--user", "rapport", "--secrets", "secrets.json", "--json"]
    return subprocess.run(line, cwd=home, env=os.environ | {"PYTHONPATH": str(loader.FOLDER.parents[3])}, capture_output=True, text=True, check=False)


def test_it_is_calibrated_and_assessed_by_the_kit_alone(tracker: Tracker, tmp_path: Path) -> None:
    issues = "/issue?@columns=id,title,status,priority,creator,assignedto&@sort=id&@pagesize=50"
    done = kit(
        tracker, tmp_path, "calibrate", "--page", "clinicians=/user?@template=index&@sort=id&@pagesize=50",
        "--page", f"issues={issues}", "--empty", f"issues={issues}&@filter=title&title=zzzz", "--out", "calibration.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "calibration.json").read_text())["calibrated"] == ["clinicians", "issues"]

    told = json.loads(kit(tracker, tmp_path, "assess", "--calibration", "calibration.json").stdout)
    assert (told["level"], told["role"]["may_not"]) == ("silver", ["clinicians.create"])
    with closing(httpx.Client(trust_env=False)) as stranger:
        assert stranger.get(tracker.url.replace("/practice/", "/")).status_code == 404, "the portal has its host not to itself"


def test_a_template_that_the_definition_has_never_seen_is_fitted_without_code(python: Path, tmp_path: Path) -> None:
    """Roundup's `responsive` template: other markup, other classes, and no issues at all."""
    other = Tracker(python, tmp_path / "home", template="responsive")
    try:
        page = "clinicians=/user?@template=index&@sort=id&@pagesize=50"
        done = kit(other, tmp_path, "calibrate", "--page", page, "--out", "calibration.json")
        assert done.returncode == 0, done.stdout + done.stderr
        visit = Visit(other, calibration=json.loads((tmp_path / "calibration.json").read_text()))
        session = visit.sign_in()
        read = got(visit.read("clinicians.read", session))
        assert {(row.values["external_id"], row.values["name"]) for row in read.rows} == {(one["username"], one["realname"]) for one in other.rows("user")}
        assert read.complete == "count"
        # What that tracker does not have is refused, and not empty.
        refused(visit.read("issues.read", session), Reason.DRIFT_BREAKING)
    finally:
        other.kill()
