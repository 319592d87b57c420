"""
A patient who is not on one's caseload is as good as not there (S-004, S-007, S-009).

Exhaustive by construction over the routes and the roles that see a caseload only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rapport.kernel.ids import new_uuid, type_id
from rapport.platform.access.permissions import CASELOAD_ROLES
from rapport.platform.api.router import ROUTES
from tests.security import stage as st
from tests.security.stage import Stage
from tests.security.test_foreign_objects import NAMING, ask, name, said
from tests.support import props
from tests.support.cast import Api

OF_A_PATIENT = {
    "patient", "insurance_policy", "appointment", "clinical_note", "document", "document_link",
    "claim", "remittance", "payment", "ledger_entry", "telehealth_session", "event",
    "authorization", "eligibility_check", "estimate",
}  # fmt: skip
"""Kinds of which each object is about one patient."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with st.set_up() as made:
        yield made


@pytest.fixture(scope="module")
def strangers(stage: Stage) -> list[Api]:
    """People of Willow who have a caseload, on which none of the stage's patients is."""
    other = props.clinician(stage.willow, first="Noor", npi="1245319599")
    id = props.uuid_of("clinician", other)
    return [
        stage.willow.person(f"stranger-{role}", role, clinician_id=id) for role in sorted(CASELOAD_ROLES)
    ]


def test_s004_a_stranger_finds_nothing_of_a_patient_on_any_route(
    stage: Stage, strangers: list[Api]
) -> None:
    before = st.state_of(stage.willow)
    told = []
    for actor in strangers:
        for info in NAMING:
            if not OF_A_PATIENT & set(st.kinds_in(info)):
                continue
            real, missing = ask(actor, info, stage, stage), ask(actor, info, None, stage)
            if said(real) != said(missing) or real.status_code < 400:
                told.append((actor.who, name(info), said(real), said(missing)))
    assert not told, told[:5]
    after = st.state_of(stage.willow)
    assert after == before


def test_s009_no_list_and_no_search_shows_a_stranger_what_is_not_on_the_caseload(
    stage: Stage, strangers: list[Api]
) -> None:
    hidden = {kind: stage.own(kind) for kind in OF_A_PATIENT}
    shown = []
    for actor in strangers:
        for info in ROUTES:
            if info.method != "GET" or OF_A_PATIENT & set(st.kinds_in(info)) or info.needs is None:
                continue
            text = actor.get(f"/v1{_filled(info.path, stage)}").content.decode()
            shown += [(actor.who, name(info), kind) for kind, id in hidden.items() if id in text]
        found = actor.post("/v1/patients/search", {"name": "Rivera"})
        shown += [(actor.who, "search", "patient")] * (hidden["patient"] in found.content.decode())
    assert not shown, shown


def _filled(path: str, stage: Stage) -> str:
    for word, kind in st.PARAMETERS.items():
        if "{" + word + "}" in path:
            path = path.replace("{" + word + "}", stage.own(kind))
    return path


def test_the_control_who_treats_the_patient_finds_them_in_lists(stage: Stage) -> None:
    maya = stage.billing.maya
    for kind, path in (
        ("patient", "/v1/patients"), ("appointment", "/v1/appointments"),
        ("clinical_note", "/v1/clinical-notes"),
    ):  # fmt: skip
        assert stage.own(kind) in maya.get(path).content.decode(), kind
    events = stage.willow.admin.get("/v1/events?limit=100").content.decode()
    assert stage.own("event") in events


def test_the_trail_says_why_a_stranger_saw_nothing(stage: Stage, strangers: list[Api]) -> None:
    answer: Any = strangers[0].get(f"/v1/patients/{stage.own('patient')}")
    rows = stage.willow.auditor.get("/v1/audit-events?action=patient.read&outcome=deny&limit=100").json()["data"]
    assert {row["reason"] for row in rows if row["request_id"] == answer["Request-Id"]} == {"no_relationship"}


def test_s007_a_link_is_reached_through_its_own_document_only(stage: Stage) -> None:
    """Both are hers, and both are there: only the pair is wrong."""
    maya, link = stage.billing.maya, stage.own("document_link")
    visit = stage.billing.visit(days_ago=8, hour=2)
    signed = stage.billing.note(visit)
    other = signed["document"]["id"]
    assert other != stage.own("document")
    assert maya.get(f"/v1/documents/{other}").status_code == 200

    assert maya.delete(f"/v1/documents/{other}/links/{link}").status_code == 404
    nobodys = type_id("document", new_uuid())
    assert maya.delete(f"/v1/documents/{nobodys}/links/{link}").status_code == 404

    own = props.made(maya.post(f"/v1/documents/{other}/links", {}))
    assert maya.delete(f"/v1/documents/{other}/links/{own['id']}").status_code == 204, "the control"
