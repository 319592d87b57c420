"""R-50: of two who change the same thing at once, one does and the other is told; nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from rapport.interfaces.rest import v1  # noqa: F401 - declares the routes
from rapport.platform.access.permissions import Role
from rapport.platform.api.router import ROUTES
from tests.security import stage as st
from tests.security.stage import Stage
from tests.support import props
from tests.support.cast import Api

EDITS: dict[str, tuple[Any, Any]] = {
    "/memberships/{membership_id}": ({"roles": ["auditor"]}, {"roles": ["auditor", "scheduler"]}),
    "/practices/{practice_id}": ({"phone": "5035550101"}, {"phone": "5035550102"}),
    "/webhook-endpoints/{webhook_endpoint_id}": (
        {"event_types": ["claim.paid"]}, {"event_types": ["claim.denied"]},
    ),
    "/clinical-notes/{clinical_note_id}": ({"content": {"plan": "One."}}, {"content": {"plan": "Two."}}),
    "/channels/{channel_id}": ({"name": "One"}, {"name": "Two"}),
    "/service-codes/{service_code_id}": ({"label": "One"}, {"label": "Two"}),
    "/payers/{payer_id}": ({"name": "One"}, {"name": "Two"}),
    "/insurance-policies/{insurance_policy_id}": ({"group_number": "1"}, {"group_number": "2"}),
    "/patients/{patient_id}": ({"email": "one@example.org"}, {"email": "two@example.org"}),
    "/clinicians/{clinician_id}": ({"credentials": "LCSW"}, {"credentials": "PsyD"}),
    "/locations/{location_id}": ({"name": "One"}, {"name": "Two"}),
    "/appointments/{appointment_id}": ({"duration_minutes": 30}, {"duration_minutes": 45}),
    "/authorizations/{authorization_id}": ({"allowed": 20}, {"allowed": 30}),
    "/card-processors/{card_processor_id}": (
        {"settings": {"base_url": "http://127.0.0.1:1001"}}, {"settings": {"base_url": "http://127.0.0.1:1002"}},
    ),
    "/claim-work-items/{work_item_id}": ({"due_on": "2031-02-03"}, {"due_on": "2031-02-04"}),
    "/coverage-settings": ({"check_days_before": 3}, {"check_days_before": 4}),
    "/credential-spans/{credential_span_id}": ({"ends_on": "2041-02-03"}, {"ends_on": "2041-02-04"}),
    "/payers/{payer_id}/claim-profile": ({"filing_limit_days": 121}, {"filing_limit_days": 122}),
    "/groups/{group_id}": ({"label": "One"}, {"label": "Two"}),
    "/payment-plans/{payment_plan_id}": ({"note": "One"}, {"note": "Two"}),
    "/posting-policy": ({"appeal_days": 61}, {"appeal_days": 62}),
}  # fmt: skip
"""Route -> what each of the two sends. Both change something: what changes nothing makes no new version."""
PATCHES = sorted(info.path for info in ROUTES if info.method == "PATCH" and info.match)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with st.set_up() as made:
        yield made


def subject(stage: Stage, route: str) -> tuple[str, Api]:
    """Return the address of something to edit, and who may."""
    house, billing = stage.willow, stage.billing
    maya, everything = billing.maya, house.person("everything", *Role)
    if "clinical-notes" in route:
        visit = billing.visit(days_ago=33)
        note = billing.note(visit, sign=False)
        return f"/v1/clinical-notes/{note['id']}", maya
    if "appointments" in route:
        body = {
            "patient_id": billing.things["patient"]["id"], "clinician_id": billing.things["clinician"]["id"],
            "service_code": "90837", "location_id": billing.things["location"]["id"],
            "start_at": "2031-02-03T18:00:00Z",
        }  # fmt: skip
        return f"/v1/appointments/{props.made(everything.post('/v1/appointments', body))['id']}", everything
    if "memberships" in route:
        house.person("edited", Role.SCHEDULER)
        members = everything.get("/v1/memberships?limit=100").json()["data"]
        id = next(m["id"] for m in members if props.uuid_of("membership", m) == house.members["edited"].id)
        return f"/v1/memberships/{id}", everything
    info = next(one for one in ROUTES if (one.method, one.path) == ("PATCH", route))
    return st.address(info, stage), everything


def test_every_route_that_asks_for_if_match_is_here() -> None:
    assert sorted(EDITS) == PATCHES


@pytest.mark.parametrize("route", PATCHES)
def test_r50_of_two_editors_at_once_one_saves_and_the_other_learns_what_is_now(
    stage: Stage, route: str
) -> None:
    path, person = subject(stage, route)
    read = person.get(path)
    assert read.status_code == 200, read.content
    gate, answers = threading.Barrier(2), [None, None]

    def edit(place: int) -> None:
        gate.wait()
        answers[place] = Api(person.token).patch(path, EDITS[route][place], if_match=read["ETag"])  # type: ignore[call-overload]
        connection.close()

    editors = [threading.Thread(target=edit, args=(place,)) for place in (0, 1)]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()

    winner, loser = sorted(answers, key=lambda answer: answer.status_code)  # type: ignore[attr-defined]
    assert (winner.status_code, loser.status_code) == (200, 412), (winner.content, loser.content)
    now = person.get(path)
    assert loser["ETag"] == now["ETag"] != read["ETag"]
    (field,) = EDITS[route][0]
    won = EDITS[route][answers.index(winner)][field]
    body = now.json()
    shown = body[field] if field in body else body["values"][field]["value"]
    assert shown == won or shown.items() >= won.items(), (shown, won)
    bare = person.patch(path, EDITS[route][0])
    assert bare.status_code == 428, "the control: without If-Match nothing is overwritten blindly"


def test_the_control_one_after_the_other_both_save(stage: Stage) -> None:
    path, person = subject(stage, "/patients/{patient_id}")
    for body in EDITS["/patients/{patient_id}"]:
        assert person.patch(path, body, if_match=person.get(path)["ETag"]).status_code == 200
