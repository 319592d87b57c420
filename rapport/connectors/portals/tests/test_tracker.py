"""The shipped definition of Roundup, an application that none of us wrote, on its own recordings: nothing runs and nothing is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rapport.connectors.portals import cassette, forms, gym, loader
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.calibrate import calibrate
from rapport.connectors.portals.cassette import Exchange
from rapport.connectors.portals.kit import drafting
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.reading import Reading
from rapport.connectors.portals.tests.recorded import AT, trouble, whole
from rapport.rooms.exchange.ports import Reason, Trouble

ROUNDUP = loader.load("roundup").definition
CASSETTES = loader.FOLDER / "roundup" / "cassettes"


def recorded(name: str) -> list[Exchange]:
    return cassette.load((CASSETTES / f"{name}.jsonl").read_bytes())


def page(one: Exchange) -> Answer:
    return one.answer("http://portal.test" + one.request.removeprefix("GET "))


def listed(name: str) -> list[Exchange]:
    """The pages of a list with rows: one that was recorded with nothing in it is not among them."""
    return [one for one in recorded(name) if "filter" not in one.request]


def read(name: str, exchanges: list[Exchange], **named: Any) -> Any:
    return gym.replay(ROUNDUP, name, exchanges, given={}, at=AT, **named)


@pytest.mark.parametrize(("name", "rows", "pages"), [("clinicians", 117, 3), ("issues", 64, 2)])
def test_its_lists_read_whole_from_pages_that_were_made_for_people_alone(name: str, rows: int, pages: int) -> None:
    found = whole(read(name, listed(name)))
    assert (len(found.rows), len(found.pages), found.complete, found.verdict) == (rows, pages, "count", "same")
    assert len({row.remote_id for row in found.rows}) == rows
    assert trouble(read(name, listed(name)[:-1])).reason is Reason.INCOMPLETE


@pytest.mark.parametrize("name", ["clinicians", "issues"])
def test_nothing_that_happens_to_its_pages_gives_wrong_rows(name: str) -> None:
    first = whole(read(name, listed(name)))
    reader = gym.reader_of(ROUNDUP, name, given={}, baseline={"shape": first.shape, "coverage": first.coverage}, calibration=None, at=AT)
    bouts = gym.run(listed(name), reader, truth={row.remote_id: dict(row.values) for row in first.rows})
    assert len(bouts) >= 35
    assert gym.silent(bouts) == []
    shown = {one.mutation: one.outcome for one in bouts}
    assert {shown["columns turned round"], shown["column added in front"]} == {"right"}
    assert {shown["no rows, no words for it"], shown["count gone"]} == {"refused"}


def test_an_empty_list_is_told_by_what_stands_beside_it_and_people_are_never_nobody() -> None:
    """Its empty page has a table without rows and no count: so has a page that lost them."""
    empty = page(next(one for one in recorded("issues") if "filter" in one.request))
    reading = Reading(ROUNDUP, "issues", given={})
    reading.start()
    reading.take(empty, at=AT)
    assert whole(reading.finish()).complete == "empty_marker"

    bare = Reading(ROUNDUP, "clinicians", given={})
    bare.start()
    bare.take(Answer(200, "http://portal.test/user", b"<html><body><table class=list><tr><th>Username</th></tr></table>", {}), at=AT)
    assert trouble(bare.finish()).reason is Reason.INCOMPLETE


def test_its_form_goes_as_it_was_made_and_not_for_who_may_not_send_it() -> None:
    values = {"title": "Call back", "priority": "urgent"}
    new_issue, new_user = map(page, recorded("forms"))
    sent = forms.filled(ROUNDUP.writes["issue_create"], new_issue, values=values, place="issue_create")
    assert isinstance(sent, Outgoing), sent
    assert (sent.method, sent.url, sent.multipart) == ("POST", "http://portal.test/issue", True)
    typed = dict(sent.form)
    assert (typed["title"], typed["@action"], typed["@csrf"]) == ("Call back", "new", "[@csrf]")
    assert typed["priority"] == next(one.get("value") for one in new_issue.tree.iter("option") if one.text == "urgent")

    person = {"external_id": "ana.r", "first_name": "Ana", "last_name": "Rivera", "email": "ana@example.org"}
    refused = forms.filled(ROUNDUP.writes["clinician_create"], new_user, values=person, place="clinician_create")
    assert isinstance(refused, Trouble), refused
    assert refused.reason is Reason.NOT_PERMITTED
    # The control: the same page without that rule is a form that has changed.
    blind = msgspec.structs.replace(ROUNDUP.writes["clinician_create"], not_permitted=None)
    lost = forms.filled(blind, new_user, values=person, place="clinician_create")
    assert isinstance(lost, Trouble), lost
    assert lost.reason is Reason.DRIFT_BREAKING


def test_what_the_definition_says_stays_where_it_holds() -> None:
    proposal = calibrate(ROUNDUP, {"issues": [page(one) for one in listed("issues")], "issues.empty": [page(recorded("issues")[-1])], "clinicians": [page(one) for one in listed("clinicians")]})
    assert proposal.questions == {}
    assert sorted(proposal.overlay["calibrated"]) == ["clinicians", "issues"]
    assert {place.rpartition(".")[2] for place in proposal.overlay["set"]} == {"labels", "column"}


def test_a_draft_finds_count_end_and_names_on_pages_without_a_single_id(tmp_path: Path) -> None:
    entry = Exchange("GET /index", 200, {"content-type": "text/html", "set-cookie": "sid=[cookie]"}, b"<html><form>User <input name=user> <input type=password name=pw> <input type=submit value=Login></form></html>")
    (tmp_path / "recording.jsonl").write_bytes(cassette.dump([entry, *recorded("clinicians"), *recorded("issues")]))
    told = drafting.draft(str(tmp_path), name="other", product="Other", lists={"clinicians": "/user"}, out=tmp_path / "definition.json")
    made = json.loads((tmp_path / "definition.json").read_bytes())["calls"]["clinicians"]

    assert made["count"]["pick"] == {"element": {"tag": "tr", "has_class": "navigation"}, "number": "last"}
    assert made["page"]["next"]["labels"] == {"en": ["next >>"]}
    assert made["fields"]["last_name"]["cuts"] == [{"at": " ", "take": -1}]
    assert "external_id" not in made["fields"], "a number of a telephone is nobody's id"
    assert "'Username'" in told.data["questions"]["calls.clinicians.remote_id"]
    # Nothing was recorded with nothing in it, and nothing is made up for it.
    assert "calls.clinicians.empty" in told.data["questions"]
