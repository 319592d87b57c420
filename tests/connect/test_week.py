"""One scripted week over the public API, native and connected: the same values, field by field."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.platform.access.permissions import Role
from rapport.platform.identity import services as identity
from tests.connect.practices import (
    CONTENT,
    DIAGNOSES,
    act,
    connected_practice,
    enter,
    native_practice,
)
from tests.connect.sides import DIFFERS, LEFT_OUT, Side, compared, differing, stands_for
from tests.connect.stage import Stage, until
from tests.connect.week import Week
from tests.support import props
from tests.support.cast import found
from tests.support.sandbox_portal import Portal

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs" / "connect.md"
PATIENTS = 24
MOST_LEAVES = 200


@dataclass
class Played:
    """The week, as both sides have played it."""

    native: Side
    connected: Side
    portal: Portal


@pytest.fixture(scope="module")
def played(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A portal of its own, so that nobody else's work is in it; the week before last but one, so that all of it has begun."""
    portal = Portal(tmp_path_factory.mktemp("week") / "portal", patients=PATIENTS, today=stage.portal.today)
    try:
        today = date.fromisoformat(portal.today)
        monday = today - timedelta(days=21 + today.weekday())
        other = found("Thorn", "America/Los_Angeles")
        props.service_code(other)
        whose, clinician = props.patient(other), props.clinician(other)
        visit = props.made(other.scheduler.post("/v1/appointments", {
            "patient_id": whose["id"], "clinician_id": clinician["id"], "service_code": "90837", "telehealth": True,
            "start_local": f"{monday}T09:00:00", "time_zone": "America/Los_Angeles",
        }))  # fmt: skip
        foreign = {"patient": whose["id"], "appointment": visit["id"]}
        native = native_practice(stage, portal)
        Week(native, monday, foreign, noted_here).play()
        connected = connected_practice(stage, portal)
        Week(connected, monday, foreign, NotedThere(portal)).play()
        yield Played(native, connected, portal)
    finally:
        portal.kill()


def noted_here(side: Side, visit: str) -> str:
    """Write and sign a note as the visit's clinician. :return: its id"""
    row = side.send("desk", "GET", f"/v1/appointments/{side.id_of(visit)}").json()
    author = side.meaning[row["clinician_id"]]
    made = enter(side, author, "clinical-notes", f"note of {visit}", {
        "appointment_id": row["id"], "type": "progress", "diagnoses": DIAGNOSES, "content": CONTENT["progress"],
    })  # fmt: skip
    act(side, author, "clinical-notes", f"note of {visit}", "sign")
    return str(made["id"])


@dataclass
class NotedThere:
    """A note is written and signed in the portal, as its clinicians do."""

    portal: Portal

    def __call__(self, side: Side, visit: str) -> str:
        row = side.send("desk", "GET", f"/v1/appointments/{side.id_of(visit)}").json()
        there = self.portal.rows(f"appointment?id={row['source']['remote_id']}")[0]
        number = self.portal.order("POST", "note", {
            "patient_id": there["patient_id"], "clinician_id": there["clinician_id"], "appointment_id": there["id"],
            "type": "Progress Note", "service_on": there["start_at"][:10], "status": "Signed", "signed_by": "Their clinician",
            "signed_at": f"{there['start_at'][:10]}T18:30", "body": "Talked through.",
            "created_at": there["created_at"], "updated_at": there["updated_at"],
        })["id"]  # fmt: skip

        def seen() -> str:
            rows = [one for one in side.rows("clinical-notes") if one["source"]["remote_id"] == str(number)]
            if not rows or not rows[0]["document"]:
                side.read_now("notes")
                return ""
            return str(rows[0]["id"])

        return until("the note and its paper", seen, seconds=120, every=2)


@needs_chromium
@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_week_gives_the_same_values_native_and_connected(played: Played) -> None:
    assert [step for step, _ in played.native.told] == [step for step, _ in played.connected.told]
    assert len(played.native.told) > 140, "the control: a week is more than a few calls"

    wrong = compared(played.native, played.connected)

    assert wrong == [], "\n".join(wrong)


@needs_chromium
@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_control_a_changed_value_is_told_wherever_it_stands(played: Played) -> None:
    """Each value of each answer is changed once: it is told, unless it is of those that are left out."""
    flipped = 0
    for step, told in played.connected.told:
        paths = list(leaves(told))
        if len(paths) > MOST_LEAVES:
            continue  # a long list has rows like those of a short one, and takes as long as all others together
        was = played.connected.plain(told)
        for path in paths:
            changed = deepcopy(told)
            *way, last = path
            place = changed
            for name in way:
                place = place[name]
            place[last] = "something else"
            found = list(differing(was, played.connected.plain(changed)))
            assert bool(found) != is_left_out(told, path), (step, path)
            flipped += bool(found)
    assert flipped > 3000, "and that were many"


@needs_chromium
@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_is_left_out_is_there_and_what_differs_by_design_does_differ(played: Played) -> None:
    """A line that no answer needs is struck from the lists."""
    met: set[str] = set()
    differ: set[str] = set()
    for (_, mine), (_, theirs) in zip(played.native.told, played.connected.told, strict=True):
        for rule, one, other in ruled(mine, theirs):
            met.add(rule)
            if one != other:
                differ.add(rule)

    assert set(LEFT_OUT) <= met
    assert set(DIFFERS) <= differ


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value that holds no others."""
    if isinstance(value, dict | list) and value:
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, (*at, name))
    elif at:
        yield at


def is_left_out(told: Any, path: tuple[Any, ...]) -> bool:
    """Tell whether a value is of a field, or in one, that is not compared."""
    of, place = "", told
    for name in path:
        if isinstance(place, dict):
            of = object_of(place, of)
            if rule_of(of, name) in DIFFERS or (stands_for(of, name) and place[name] is not None):
                return True
        place = place[name]
    return False


def object_of(value: dict[str, Any], of: str) -> str:
    """Return what an answer, or a part of it, is about."""
    said = value.get("object")
    return said if isinstance(said, str) and said != "list" else of


def rule_of(of: str, name: str) -> str:
    """Return the line of the two lists that a field comes under. Empty: it is compared."""
    lines = (f"{of}.{name}", f"*.{name}")
    return next((line for line in lines if line in LEFT_OUT or line in DIFFERS), "")


def ruled(one: Any, other: Any, of: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield what comes under a line of the lists: the line, and the two values."""
    if isinstance(one, dict) and isinstance(other, dict):
        of = object_of(one, of)
        for name in sorted(set(one) & set(other)):
            rule = rule_of(of, name)
            if rule and one[name] is not None:
                yield rule, one[name], other[name]
            else:
                yield from ruled(one[name], other[name], of)
    elif isinstance(one, list) and isinstance(other, list):
        for mine, theirs in zip(one, other, strict=False):
            yield from ruled(mine, theirs, of)


@needs_chromium
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("script", "visit"), [("five_calls.sh", "visit a"), ("five_calls.py", "visit h")])
def test_the_five_calls_run_unchanged_over_both(played: Played, stage: Stage, script: str, visit: str) -> None:
    answers = {}
    for side in (played.native, played.connected):
        answers[side.name] = run(stage, side, script, visit)
        assert answers[side.name][-1]["status"] == 201, answers[side.name][-1]

    native, connected = answers["native"], answers["connected"]
    assert [(one["call"], one["status"]) for one in native] == [(one["call"], one["status"]) for one in connected]
    assert {one["call"]: one["status"] for one in native} == {
        "password": 401, "code": 201, "roster": 200, "free": 200, "booking": 201, "notes": 200, "paper": 201, "claim": 201,
    } if script.endswith("sh") else {
        "password": 401, "me": 200, "roster": 200, "free": 200, "booking": 201, "notes": 200, "paper": 201, "claim": 201,
    }  # fmt: skip
    for mine, theirs in zip(native, connected, strict=True):
        assert shape(mine["body"]) == shape(theirs["body"]), mine["call"]
    by_call = {one["call"]: (played.native.plain(one["body"]), played.connected.plain(other["body"]))
               for one, other in zip(native, connected, strict=True)}  # fmt: skip
    for call in ("roster", "free", "booking", "notes"):
        assert list(differing(*by_call[call])) == [], call
    mine, theirs = by_call["claim"]
    # What a claim lacks is judged by whoever sends it: here the native one lacks the patient's address.
    assert (mine["state"], theirs["state"]) == ("draft", "validated")
    for field in ("patient_id", "clinician_id", "payer_id", "policy_id", "service_from_on", "service_to_on", "charge", "paid"):
        assert mine[field] == theirs[field], field
    assert [line["appointment_id"] for line in mine["lines"]] == [line["appointment_id"] for line in theirs["lines"]] == [visit]
    made = played.portal.rows(f"claim?id={connected[-1]['body']['source']['remote_id']}")
    assert [one["status"] for one in made] == ["Ready"], "the control: the portal has it, and has sent it to nobody"


def run(stage: Stage, side: Side, script: str, visit: str) -> list[dict[str, Any]]:
    """Run a script as somebody of a practice who may do all of it."""
    with side.house.entered() as scope:
        who = identity.bootstrap_user(
            scope=scope, login=f"{script.replace('_', '.')}@{side.name}.example", display_name="Ona Owner", now=timezone.now(),
            roles=(Role.CLINICAL_ADMINISTRATOR, Role.SCHEDULER, Role.PRACTICE_BILLER),
        )  # fmt: skip
    command = ["bash"] if script.endswith(".sh") else [sys.executable]
    done = subprocess.run(
        [*command, str(HERE / script), f"{stage.server.url}/v1", who.user.login, who.password, who.totp_secret, side.id_of(visit)],
        env=os.environ | {"PYTHON": sys.executable, "PYTHONPATH": str(HERE.parents[1])}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def shape(value: Any) -> Any:
    """Return the names of an answer's fields, all the way down; of a list, of its first."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items() if isinstance(one, dict) or name == "data"} | {"": sorted(value)}
    return [shape(one) for one in value[:1]] if isinstance(value, list) else None


def test_the_docs_have_what_differs_word_for_word() -> None:
    part = DOCS.read_text().partition("## The same as a native practice, but for")[2].partition("\n## ")[0]

    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", part, re.MULTILINE)

    assert dict(rows) == DIFFERS
