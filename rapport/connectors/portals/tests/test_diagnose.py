"""
A portal changes, and Mia, who maintains its definition, asks what fell: with recordings, and nobody's data in them.

Three changes are told apart: words that can be put right, a way of writing days that can, and a column that
nothing can bring back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.cassette import scan
from rapport.connectors.portals.kit import diagnosing, files, recording, rerun
from rapport.connectors.portals.kit.outcome import Outcome
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.reading import Reading
from rapport.connectors.portals.tests.live import Stage, now
from rapport.connectors.portals.tests.recorded import answered, definition
from rapport.rooms.exchange.ports import Got, Trouble, Verdict

NAME = "sandbox-portal"
pytestmark = pytest.mark.long


@dataclass
class Mia:
    """She records a list, replays it, and asks what has changed."""

    home: Path
    stage: Stage

    def records(self, name: str) -> str:
        """Open each page of the patients, as they are today."""
        browser = self.stage.portal.signed_in("nick")
        seen: list[recording.Seen] = []
        reading = Reading(definition(), "patients", given={})
        outgoing: Outgoing | None = reading.start()
        while outgoing is not None:
            answer = answered(browser.request(outgoing.method, outgoing.url, follow_redirects=False))
            one = recording.seen(outgoing.method, answer.url, "", "", answer.status, answer.headers, answer.body, base_url=self.url)
            assert one is not None
            seen.append(one)
            outgoing = reading.take(answer, at=now())
        made = recording.record(
            seen, self.home / name, base_url=self.url, secrets={}, marked=self.people(), keep=[], plain=[], definition=definition()
        )
        assert not made.failed, made.lines
        return str(self.home / name)

    @property
    def url(self) -> str:
        return str(self.stage.portal.ready["url"])

    def people(self) -> list[str]:
        """Everything that is somebody's."""
        rows = self.stage.rows("patient")
        return [one for row in rows for one in (f"{row['last']}, {row['first']}", row["email"], row["phone"], row["birth_on"]) if one]

    def diagnoses(self, recorded: str) -> Outcome:
        return diagnosing.diagnose(
            "patients", before=self.home / "shapes" / "patients.shape.json", after=None, recording=recorded, definition=NAME,
            out=self.home / "share.json", patch=self.home / "patch.json",
        )  # fmt: skip

    def replays(self, recorded: str, *, patched: bool) -> Outcome:
        return rerun.replay(
            NAME, recorded, rows=None, save=False, shapes=None, overlay=self.home / "patch.json" if patched else None
        )

    def reads(self, *, patched: bool) -> Got | Trouble:
        """Read the portal itself, as a practice with that calibration does."""
        target = self.stage.target()
        overlay = files.read_json(self.home / "patch.json") if patched else {}
        return self.stage.driver.read(
            replace(target, secrets={}, calibration={**target.calibration, **overlay}), ability="patients.read", given={},
            session=self.stage.session(), baseline=None, now=now(),
        )  # fmt: skip


@pytest.fixture
def mia(stage: Stage, tmp_path: Path) -> Mia:
    made = Mia(tmp_path / "desk", stage)
    before = made.records("before")
    kept = rerun.replay(NAME, before, rows=None, save=False, shapes=made.home / "shapes")
    assert not kept.failed, kept.lines
    return made


def values(found: Got | Trouble) -> list[Any]:
    assert isinstance(found, Got), found
    return [(row.remote_id, dict(row.values), dict(row.absent)) for row in found.rows]


def assert_nobody_is_in(mia: Mia, outcome: Outcome) -> None:
    bundle = (mia.home / "share.json").read_bytes()
    assert scan(bundle, mia.people()) == []
    assert scan("\n".join(outcome.lines).encode(), mia.people()) == []
    assert scan(bundle + mia.people()[0].encode(), mia.people()), "the control: the scan finds somebody"


@pytest.mark.parametrize(("script", "place", "was", "now_"), [
    ({"fault": "rename_label", "value": "status=Standing"}, "calls.patients.fields.status.labels", "Status", "Standing"),
    ({"fault": "date_format", "value": "%d/%m/%Y"}, "calls.patients.fields.birth_on.formats", ["%m/%d/%Y"], ["%d/%m/%Y"]),
], ids=["label renamed", "days the other way round"])  # fmt: skip
def test_what_can_be_mended_is_named_and_its_patch_reads_the_same_values_again(
    mia: Mia, script: dict[str, Any], place: str, was: Any, now_: Any
) -> None:
    right = values(mia.reads(patched=False))
    mia.stage.trouble(script | {"on": "/patients", "times": 0})
    recorded = mia.records("after")

    outcome = mia.diagnoses(recorded)

    assert outcome.failed, "something fell"
    shared = json.loads((mia.home / "share.json").read_bytes())
    assert [(one["place"], one["was"], one["now"]) for one in shared["fell"]] == [(place, was, now_)]
    assert [one["place"] for one in shared["patch"]] == [place]
    assert shared["unmended"] == []
    assert shared["tried"] == {"read": True, "verdict": "same", "rows": 132}
    both = (shared["before"]["columns"], shared["before"]["written"]), (shared["after"]["columns"], shared["after"]["written"])
    assert both[0] != both[1], "both shapes, and they differ"
    assert_nobody_is_in(mia, outcome)

    replayed = mia.replays(recorded, patched=True)
    assert not replayed.failed, replayed.lines
    assert replayed.data["calls"]["patients"]["verdict"] == Verdict.SAME
    assert values(mia.reads(patched=True)) == right

    unpatched = mia.replays(recorded, patched=False)
    assert unpatched.data["calls"]["patients"].get("verdict") != Verdict.SAME, "the control: without the patch it is not as it was"


def test_a_column_that_is_gone_is_said_to_be_gone_and_nothing_is_suggested(mia: Mia) -> None:
    mia.stage.trouble(
        {"fault": "drop_column", "value": "status", "on": "/patients", "times": 0},
        {"fault": "extra_column", "on": "/patients", "times": 0},
    )  # fmt: skip

    outcome = mia.diagnoses(mia.records("after"))

    shared = json.loads((mia.home / "share.json").read_bytes())
    assert [(one["place"], one["was"], one["now"]) for one in shared["fell"]] == [("calls.patients.fields.status.column", "status", None)]
    assert (shared["patch"], shared["tried"]) == ([], {})
    assert [one["place"] for one in shared["unmended"]] == ["calls.patients.fields.status"]
    assert "status" in [one["name"] for one in shared["before"]["columns"]]
    assert "status" not in [one["name"] for one in shared["after"]["columns"]]
    assert not (mia.home / "patch.json").exists()
    assert any(line.startswith("no patch: calls.patients.fields.status: ") for line in outcome.lines)
    assert_nobody_is_in(mia, outcome)


@pytest.mark.parametrize("script", [
    {"fault": "rename_label", "value": "status=Phone"},
    {"fault": "swap_heads", "value": "birth_on,phone"},
], ids=["words of another field", "heads exchanged"])  # fmt: skip
def test_the_control_a_patch_that_would_read_something_else_is_not_suggested(mia: Mia, script: dict[str, Any]) -> None:
    mia.stage.trouble(script | {"on": "/patients", "times": 0})

    outcome = mia.diagnoses(mia.records("after"))

    assert outcome.failed
    assert outcome.data["patch"] == []
    assert outcome.data["unmended"]


def test_nothing_has_changed_is_said_too(mia: Mia) -> None:
    outcome = mia.diagnoses(mia.records("after"))

    assert not outcome.failed
    assert (outcome.data["fell"], outcome.data["patch"], outcome.data["unmended"]) == ([], [], [])


