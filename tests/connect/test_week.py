"""One scripted week over the public API, native and connected: the same values, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from tests.connect.practices import (
    CONTENT,
    DIAGNOSES,
    act,
    connected_practice,
    enter,
    native_practice,
)
from tests.connect.sides import Side, compared
from tests.connect.stage import Stage, until
from tests.connect.week import Week
from tests.support import props
from tests.support.cast import found
from tests.support.sandbox_portal import Portal

DOCS = Path(__file__).resolve().parents[2] / "docs" / "connect.md"
PATIENTS = 24


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
        native, connected = native_practice(stage, portal), connected_practice(stage, portal)
        for side, write in ((native, noted_here), (connected, NotedThere(portal))):
            Week(side, monday, foreign, write).play()
        import pickle; pickle.dump([(s.told, s.meaning) for s in (native, connected)], open("/tmp/w3/told.pickle","wb"))
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
    assert len(played.native.told) > 150, "the control: a week is more than a few calls"

    wrong = compared(played.native, played.connected)

    assert wrong == [], "\n".join(wrong)
