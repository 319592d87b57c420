"""A lane answers what the views answer, writes the audit row they write, and leaves the rest to them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from rapport.config.wsgi import application
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.api import fast, lanes
from rapport.platform.identity.models import ApiKey, Membership
from tests.support import props
from tests.support.cast import Api, House, found

VIEWS = WSGIHandler()


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes
    by_lane: bool

    @property
    def said(self) -> tuple[int, Any, Any]:
        """Everything that does not differ from call to call."""
        body = json.loads(self.body)
        for name in ("request_id", "instance", "next_cursor"):
            if body.get(name):
                body[name] = "…"
        kept = {
            name: re.sub(r"cursor=[^>]+", "cursor=…", value)
            for name, value in self.headers.items()
            if name not in ("Request-Id", "RateLimit", "Content-Length")
        }
        return self.status, body, kept


def get(through: Callable[..., Any], path: str, api: Api, **headers: str) -> Reply:
    """GET an address through an application, as a server calls it."""
    path, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "HTTP_USER_AGENT": "lanes",
        "HTTP_AUTHORIZATION": f"Bearer {api.token}", **headers,
    }  # fmt: skip
    started: list[Any] = []
    body = b"".join(through(environ, lambda status, headers: started.append((status, headers))))
    status, sent = started[0]
    return Reply(int(status.split()[0]), dict(sent), body, fast.SPENT in environ and "Content-Length" in dict(sent))


@dataclass
class Stage:
    """A practice with something to read, and everybody who might."""

    house: House
    people: dict[str, Api] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def last_event(self) -> dict[str, Any]:
        """The latest audit row, less what is new each time."""
        columns = (
            "practice_id, actor_type, actor_id, roles, session_id, amr, action, outcome, reason,"
            " patient_ids, target_type, target_id, target_version, fields, changed, count, ip, user_agent"
        )
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM audit_auditevent ORDER BY occurred_at DESC LIMIT 1")
            row = dict(zip(columns.split(", "), cursor.fetchone(), strict=True))
        return {n: sorted(v) if isinstance(v, list) else v for n, v in row.items()}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    house = found("Willow", "America/Los_Angeles")
    maya, noor = props.clinician(house, "Maya"), props.clinician(house, "Noor")
    patients = [
        props.patient(house, name, clinician_ids=[(maya if place % 2 else noor)["id"]])
        for place, name in enumerate(("Ana", "Ben", "Cem", "Dua", "Eve"))
    ]
    code, place = props.service_code(house), props.location(house)
    monday = datetime.fromisoformat("2026-03-02T17:00:00+00:00")
    everybody = house.person("everybody", *Role, clinician_id=props.uuid_of("clinician", maya))
    for hour in range(3):
        visit = props.made(
            everybody.post(
                "/v1/appointments",
                {
                    "patient_id": patients[1]["id"], "clinician_id": maya["id"], "service_code": code["id"],
                    "location_id": place["id"], "start_at": (monday + timedelta(hours=hour)).isoformat(),
                },
            )
        )  # fmt: skip
    note = props.made(
        everybody.post("/v1/clinical-notes", {"type": "progress", "appointment_id": visit["id"], "content": {"plan": "x", "subjective": "y"}})
    )
    other = found("Aspen", "America/New_York")
    stage = Stage(house)
    stage.people = {
        role.value: house.person(role.value, role, clinician_id=props.uuid_of("clinician", noor) if "clinician" in role.value else None)
        for role in Role
    }
    stage.people |= {
        "everybody": everybody,
        "key": house.key("everybody", Permission.PATIENTS_READ, Permission.NOTES_READ, Permission.NOTES_READ_METADATA, Permission.APPOINTMENTS_READ),
        "key without": house.key("everybody", Permission.NOTES_READ),
        "key of elsewhere": house.key("everybody", *Permission),
        "stranger": other.person("stranger", *Role),
        "nobody": Api("rat_" + "x" * 43),
    }  # fmt: skip
    with house.entered():
        newest = max(ApiKey.objects.filter(practice_id=house.id), key=lambda key: key.created_at)
        newest.ip_allowlist = ["10.1.2.0/24"]
        newest.save()
    week = urlencode({"clinician_id": maya["id"], "start_at[gte]": monday.isoformat(), "start_at[lt]": (monday + timedelta(days=7)).isoformat()})
    stage.paths = {
        "patient": f"/v1/patients/{patients[0]['id']}",
        "note": f"/v1/clinical-notes/{note['id']}",
        "patients": "/v1/patients?limit=2",
        "patients, all": "/v1/patients",
        "week": f"/v1/appointments?{week}&limit=2",
        "week, long": f"/v1/appointments?{week}",
    }
    for api in stage.people.values():
        get(VIEWS, "/v1/me", api)  # a lane charges whom it has met
    return stage


CALLERS = [*(role.value for role in Role), "everybody", "key", "key without", "key of elsewhere", "stranger", "nobody"]
PATHS = ["patient", "note", "patients", "patients, all", "week", "week, long"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("caller", CALLERS)
def test_whoever_asks_gets_the_same_answer_and_leaves_the_same_trail(stage: Stage, caller: str, path: str) -> None:
    api, address = stage.people[caller], stage.paths[path]

    slow = get(VIEWS, address, api)
    slow_event = stage.last_event()
    fast_ = get(application, address, api)
    fast_event = stage.last_event()

    assert fast_.said == slow.said
    assert fast_event == slow_event
    # Of a draft a lane reads only its author's.
    assert fast_.by_lane == (slow.status == 200 and (path != "note" or caller in ("everybody", "key")))


def test_a_walk_may_change_between_lane_and_views_at_any_page(stage: Stage) -> None:
    api = stage.people["everybody"]
    for path in ("patients", "week"):
        seen = []
        for first in (application, VIEWS):
            ways, cursor, ids = [first, VIEWS, application], "", []
            for way in ways:
                reply = get(way, stage.paths[path] + cursor, api)
                assert reply.status == 200, reply.body
                page = json.loads(reply.body)
                ids += [one["id"] for one in page["data"]]
                if not page["next_cursor"]:
                    break
                cursor = f"&cursor={quote(page['next_cursor'])}"
            seen.append(ids)
        assert seen[0] == seen[1]
        assert len(seen[0]) == len(set(seen[0])) >= 3


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=x", "sort=name", "status=active", "limit=2&limit=2", "limit=²"]
)
def test_what_a_lane_does_not_know_the_views_answer(stage: Stage, query: str) -> None:
    api, address = stage.people["scheduler"], f"/v1/patients?{query}"

    slow, whole = get(VIEWS, address, api), get(application, address, api)

    assert not whole.by_lane
    assert whole.said == slow.said


@pytest.mark.parametrize(
    "headers",
    [{"HTTP_IF_NONE_MATCH": '"1"'}, {"HTTP_API_VERSION": "1999-01-01"}, {"HTTP_CLIENT_REQUEST_ID": "a-1"}, {"HTTP_HOST": "evil.example"}],
)
def test_what_a_lane_does_not_carry_the_views_do(stage: Stage, headers: dict[str, str]) -> None:
    api, address = stage.people["scheduler"], stage.paths["patient"]

    assert get(application, address, api, **headers).said == get(VIEWS, address, api, **headers).said


def test_a_call_that_a_lane_leaves_is_counted_once(stage: Stage) -> None:
    def left(reply: Reply) -> int:
        return int(reply.headers["RateLimit"].split(";r=")[1].split(";")[0])

    api = stage.people["scheduler"]
    missing = stage.paths["patient"][:-4] + "0000"
    before = left(get(application, stage.paths["patient"], api))

    assert get(application, missing, api).status == 404
    assert left(get(application, missing, api)) == before - 2


def test_a_right_that_is_taken_away_is_gone_at_the_next_call(stage: Stage) -> None:
    house = stage.house
    api = house.person("leaving", Role.SCHEDULER)
    get(VIEWS, "/v1/me", api)
    assert get(application, stage.paths["patient"], api).by_lane
    with house.entered():
        Membership.objects.filter(id=house.members["leaving"].id).update(roles=["auditor"])

    assert get(application, stage.paths["patient"], api).status == 403


def test_where_the_functions_are_another_versions_the_views_answer(stage: Stage) -> None:
    api, address = stage.people["scheduler"], stage.paths["patient"]
    lane = next(lane for lane in lanes.LANES if lane.name == "patient")
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT oid::regprocedure::text FROM pg_proc WHERE proname = %s", [lane.function])
        (name,) = cursor.fetchone()
        cursor.execute(f"DROP FUNCTION {name}")
        try:
            reply = get(application, address, api)
            assert (reply.status, reply.by_lane) == (200, False)
        finally:
            lanes.install(cursor)
            fast._gone.clear()
    assert get(application, address, api).by_lane


def test_a_lane_that_cannot_note_its_reading_reads_nothing(stage: Stage) -> None:
    api, address = stage.people["scheduler"], stage.paths["patient"]
    with connections["owner"].cursor() as cursor:
        cursor.execute("REVOKE INSERT ON audit_auditevent FROM rapport_app")
        try:
            reply = get(application, address, api)
        finally:
            cursor.execute("GRANT INSERT ON audit_auditevent TO rapport_app")
            fast._gone.clear()

    assert (reply.status, json.loads(reply.body)["code"]) == (503, "audit-unavailable")


def test_every_lane_has_a_route_of_its_path_action_and_permission() -> None:
    from rapport.platform.api.router import ROUTES

    routes = {f"{info.method} {info.path}": info for info in ROUTES}
    for lane in lanes.LANES:
        info = routes[lane.route]
        assert (lane.action, lane.kind) == (info.action, info.kind)
        assert info.needs in lane.needs
