"""The shipped definition against the sandbox portal itself: both looks, both languages, and a look that it has never seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rapport.connectors.portals import calibration, gym, loader
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.calibrate import calibrate
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.tests.recorded import (
    AT,
    LISTS,
    NAME,
    Portal,
    answered,
    as_exchanges,
    definition,
    read_live,
    trouble,
    whole,
)
from rapport.rooms.exchange.ports import Reason, Verdict

GIVEN = {"policies": {"patient_id": "10"}, "appointment": {"remote_id": "5"}, "claim": {"remote_id": "2"}, "addenda": {"remote_id": "2"}}
CALLS = (*LISTS, "policies", "claim_files", "working_hours", "exports", "appointment", "claim", "addenda")
LOOKS = (("A", "en"), ("B", "en"), ("A", "de"), ("B", "de"))


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    running = Portal(tmp_path_factory.mktemp("portal"))
    yield running
    running.kill()


@pytest.fixture
def browser(portal: Portal) -> httpx.Client:
    portal.order("PUT", "settings", {"look": "A", "language": "en"})
    portal.order("PUT", "trouble", [])
    return portal.signed_in()


def look(portal: Portal, name: str, language: str) -> None:
    portal.order("PUT", "settings", {"look": name, "language": language})


@pytest.mark.parametrize("call", CALLS)
def test_both_looks_and_both_languages_read_alike(portal: Portal, browser: httpx.Client, call: str) -> None:
    seen = []
    for name, language in LOOKS:
        look(portal, name, language)
        got = whole(read_live(browser, call, given=GIVEN.get(call)))
        assert got.verdict is Verdict.SAME, got.findings
        seen.append([(row.remote_id, row.values, row.absent) for row in got.rows])
    assert seen[1:] == seen[:1] * 3


def test_rows_are_the_portals_own(portal: Portal, browser: httpx.Client) -> None:
    """Field by field against the portal's table: no other way of reading is in between."""
    kept = {str(row["id"]): row for row in portal.order("GET", "patient")["data"]}
    got = whole(read_live(browser, "patients"))
    assert {row.remote_id for row in got.rows} == kept.keys()
    for row in got.rows:
        own = kept[row.remote_id]
        expected = (own["last"], own["first"], own["birth_on"], {"F": "female", "M": "male"}[own["sex"]], own["status"].lower(), str(own["clinician_id"]), own["email"])
        assert tuple(row.values[name] for name in ("last_name", "first_name", "birth_on", "sex", "status", "clinician", "email")) == expected
        assert row.values["phone"] == "+1" + own["phone"].replace("-", "")
    claims = {str(row["id"]): row for row in portal.order("GET", "claim")["data"]}
    for row in whole(read_live(browser, "claims")).rows:
        assert (row.values["charge"], row.values["paid"]) == (claims[row.remote_id]["charge_cents"], claims[row.remote_id]["paid_cents"])


def test_the_look_may_change_in_the_middle_of_a_list(portal: Portal, browser: httpx.Client) -> None:
    quiet = whole(read_live(browser, "appointments"))
    portal.order("PUT", "trouble", [{"fault": "look", "on": "/calendar", "value": "B", "after": 1, "times": 1}])
    mixed = whole(read_live(browser, "appointments"))
    assert [row.values for row in mixed.rows] == [row.values for row in quiet.rows]


@pytest.mark.parametrize(
    ("fault", "value", "reason"),
    [
        ("no_next", "", Reason.INCOMPLETE), ("no_rows", "", Reason.INCOMPLETE), ("wrong_total", "1", Reason.INCOMPLETE),
        ("double_rows", "", Reason.INCOMPLETE), ("repeat_page", "", Reason.INCOMPLETE), ("rename_column", "status", Reason.DRIFT_BREAKING),
        ("drop_column", "birth_on", Reason.DRIFT_BREAKING), ("swap_heads", "email,phone", Reason.DRIFT_SUSPECT), ("swap_days", "", Reason.DRIFT_SUSPECT),
        ("date_format", "%d.%m.%Y", Reason.DRIFT_SUSPECT), ("unknown_code", "3", Reason.DRIFT_SUSPECT), ("blank_column", "email", Reason.DRIFT_SUSPECT),
    ],
)  # fmt: skip
def test_what_goes_wrong_at_the_portal_is_refused(
    portal: Portal, browser: httpx.Client, fault: str, value: str, reason: Reason
) -> None:
    portal.order("PUT", "trouble", [{"fault": fault, "on": "/patients", "value": value, "times": 0}])
    assert trouble(read_live(browser, "patients")).reason is reason


@pytest.mark.parametrize(
    ("fault", "value", "verdict"),
    [
        ("rename_label", "status=Standing", Verdict.HEALED), ("reorder_columns", "reverse", Verdict.SAME), ("swap_columns", "email,phone", Verdict.SAME),
        ("unknown_code", "131", Verdict.ADDITIVE),
    ],
)  # fmt: skip
def test_what_is_harmless_is_not(portal: Portal, browser: httpx.Client, fault: str, value: str, verdict: Verdict) -> None:
    quiet = whole(read_live(browser, "patients"))
    portal.order("PUT", "trouble", [{"fault": fault, "on": "/patients", "value": value, "times": 0}])
    got = whole(read_live(browser, "patients"))
    assert got.verdict is verdict
    same = [one.values == other.values for one, other in zip(got.rows, quiet.rows, strict=True)]
    assert same.count(False) == (1 if fault == "unknown_code" else 0)


@pytest.mark.parametrize("shown", ["1", "shown"])
def test_a_row_for_something_new_is_no_row_and_only_where_it_is_seen(portal: Portal, browser: httpx.Client, shown: str) -> None:
    portal.order("PUT", "settings", {"phantom_row": shown})
    try:
        result = read_live(browser, "patients")
    finally:
        portal.order("PUT", "settings", {"phantom_row": "0"})
    if shown == "shown":
        assert len(whole(result).rows) == 132
    else:
        assert trouble(result).reason is Reason.INCOMPLETE


def test_characters_that_nobody_sees_change_nothing(portal: Portal, browser: httpx.Client) -> None:
    quiet = whole(read_live(browser, "patients"))
    portal.order("PUT", "settings", {"zero_width": "1"})
    try:
        assert [row.values for row in whole(read_live(browser, "patients")).rows] == [row.values for row in quiet.rows]
    finally:
        portal.order("PUT", "settings", {"zero_width": "0"})


def opened(browser: httpx.Client, path: str, empty: str = "") -> list[Answer]:
    """The pages as a person opens them: the first, and on by the link."""
    found = []
    address = path + empty
    while address:
        answer = answered(browser.get(address))
        found.append(answer)
        links = [one.get("href") for one in answer.tree.iter("a") if one.get("rel") == "next"]
        address = f"{path}{links[0]}" if links else ""
    return found


PAGES = {"patients": "/patients", "appointments": "/calendar", "notes": "/notes", "billing_items": "/billing/claims", "eras": "/billing/eras", "clinicians": "/staff"}
ALIKE = {"patients": "patients", "appointments": "appointments", "notes": "notes", "billing_items": "claims", "eras": "eras", "clinicians": "clinicians"}


def look_c(portal: Portal, browser: httpx.Client, *calls: str) -> dict[str, Any]:
    """Return the pages of lists in a look that no definition has words for, with an empty one of each."""
    look(portal, "C", "en")
    pages: dict[str, Any] = {call: opened(browser, PAGES[call]) for call in calls}
    portal.order("POST", "trouble", [{"fault": "empty_list", "on": PAGES[call], "times": 1} for call in calls])
    return pages | {f"{call}.empty": opened(browser, PAGES[call]) for call in calls}


def test_the_uncalibrated_definition_is_fitted_to_a_look_without_code(portal: Portal, browser: httpx.Client) -> None:
    """TherapyNotes' definition knows help pages only."""
    therapynotes = definition("therapynotes")
    truth = {call: whole(read_live(browser, ALIKE[call])) for call in PAGES}
    assert not calibration.is_calibrated(therapynotes, {}, call="patients")
    proposal = calibrate(therapynotes, look_c(portal, browser, *PAGES))
    assert proposal.questions == {}
    assert set(proposal.overlay["calibrated"]) == set(PAGES), proposal.checked
    assert all(one.because for one in proposal.evidence)
    fitted = calibration.apply(therapynotes, proposal.overlay)
    assert calibration.is_calibrated(therapynotes, proposal.overlay, call="patients")
    for call, ours in ALIKE.items():
        got = {row.remote_id: row.values for row in whole(read_live(browser, call, of=fitted)).rows}
        own = {row.remote_id: row.values for row in truth[call].rows}
        assert got.keys() == own.keys()
        for field in fitted.calls[call].fields:
            if field in definition().calls[ours].fields and field not in ("clinician", "location"):
                assert {id: row.get(field) for id, row in got.items()} == {id: row.get(field) for id, row in own.items()}, (call, field)


def test_words_that_nobody_knows_are_a_question_which_a_person_answers(portal: Portal, browser: httpx.Client) -> None:
    portal.order("PUT", "settings", {"column_marks": "0"})
    try:
        portal.order("PUT", "trouble", [{"fault": "rename_label", "on": "/billing/eras", "value": value, "times": 0} for value in ("trace=Ribbon", "amount=Heap", "status=Mood")])
        pages = look_c(portal, browser, "eras")
        asked = calibrate(definition("therapynotes"), pages)
        assert {"calls.eras.fields.trace", "calls.eras.fields.amount"} <= set(asked.questions)
        assert "calls.eras.fields.status" in asked.unbound
        assert asked.overlay["calibrated"] == []
        wrong = calibrate(definition("therapynotes"), pages, answers={"calls.eras.fields.amount": "Ribbon"})
        assert "cannot be read as money" in wrong.questions["calls.eras.fields.amount"]
        answers = {"calls.eras.fields.trace": "Ribbon", "calls.eras.fields.amount": "Heap", "calls.eras.fields.status": "Mood"}
        proposal = calibrate(definition("therapynotes"), pages, answers=answers)
        assert proposal.questions == {}
        fitted = calibration.apply(definition("therapynotes"), proposal.overlay)
        got = whole(read_live(browser, "eras", of=fitted))
    finally:
        portal.order("PUT", "settings", {"column_marks": "1"})
    own = {str(row["id"]): row for row in portal.order("GET", "era")["data"]}
    assert {row.remote_id: row.values["amount"] for row in got.rows} == {id: row["amount_cents"] for id, row in own.items()}


def test_what_was_calibrated_for_one_look_is_not_taken_for_another(portal: Portal, browser: httpx.Client) -> None:
    """The control: what calibrating proposed for one look does not read another."""
    proposal = calibrate(definition("therapynotes"), look_c(portal, browser, "patients"))
    fitted = calibration.apply(definition("therapynotes"), proposal.overlay)
    look(portal, "B", "en")
    result = read_live(browser, "patients", of=fitted)
    assert trouble(result).reason is Reason.DRIFT_SUSPECT


def test_recorded_without_data_the_portal_reads_alike(portal: Portal, browser: httpx.Client) -> None:
    pages: list[tuple[Outgoing, Answer]] = []
    live = whole(read_live(browser, "notes", pages=pages))
    again = whole(gym.replay(definition(NAME), "notes", as_exchanges(pages), given={}, at=AT))
    assert [row.values for row in again.rows] == [row.values for row in live.rows]


def test_the_room_is_told_which_lists_are_whole_by_themselves_and_where_a_change_is_proved() -> None:
    told = {one.name: one for one in loader.manifest(loader.shipped()["sandbox-portal"]).abilities}

    assert told["patients.read"].needs == ()
    assert told["policies.read"].needs == ("patient_id",)
    assert told["appointment.read"].needs == ("remote_id",)
    assert told["appointments.create"].read_back == "appointments.read"
    assert told["appointments.cancel"].read_back == "appointment.read"
    assert told["claims.submit"].read_back == "claim.read"
