"""Every route, whichever room it comes from (M1 to M4, S-001, S-002, S-068)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import get_resolver, path
from ninja import NinjaAPI

from rapport.interfaces.rest.v1 import _problem as on_problem
from rapport.interfaces.rest.v1 import api, nobody_may
from rapport.kernel.ids import PREFIXES, new_uuid, type_id
from rapport.kernel.problems import Problem
from rapport.platform.access.permissions import ROLE_PERMISSIONS, Permission, Role
from rapport.platform.api.edge import PATH_KINDS
from rapport.platform.api.gate import Gate
from rapport.platform.api.openapi import build
from rapport.platform.api.router import ROUTES, RouteInfo
from tests.security import matrix
from tests.support.cast import Api, House

ROLES, MATRIX = matrix.read()
BESIDE = {
    "v1/openapi.json", "healthz", "readyz", "metrics", ".well-known/webhook-keys.json", "telehealth/join",
    "v1/docs/<slug:page>", "docs", "docs/<slug:page>", "problems/<slug:code>", "static/<path:name>", "",
}  # fmt: skip
"""Addresses beside the API. They hold nothing of anybody, and are open."""

DOCUMENT = build(api)


def name(info: RouteInfo) -> str:
    return f"{info.method} {info.path}"


def address(info: RouteInfo) -> str:
    """Return the route's address with ids that nobody has."""
    filled = info.path
    while "{" in filled:
        word = filled[filled.index("{") + 1 : filled.index("}")]
        kind = PATH_KINDS.get(word)
        id = type_id(kind, new_uuid()) if kind in PREFIXES else "nothing-that-exists"
        filled = filled.replace("{" + word + "}", id)
    return f"/v1{filled}"


def test_m1_the_document_the_resolver_and_the_routes_are_the_same_set() -> None:
    declared = {(info.method, "/v1" + info.path) for info in ROUTES}
    written = {
        (method.upper(), path) for path, verbs in DOCUMENT["paths"].items() for method in verbs
    }
    assert declared == written
    assert len(declared) == len(ROUTES), "a route is declared twice"
    resolver = next(p for p in get_resolver().url_patterns if str(p.pattern) == "v1/")
    assert len(resolver.url_patterns) >= len({info.path for info in ROUTES})


def test_m1_every_route_and_every_role_has_been_looked_at() -> None:
    routes = {(info.method, info.path): info for info in ROUTES}
    assert sorted(ROLES) == sorted(Role), "a role that is in no column of matrix.txt, or no longer there"
    assert set(MATRIX) == set(routes), sorted(set(MATRIX) ^ set(routes))
    for route, info in routes.items():
        held: frozenset[str] | str = matrix.OPEN
        if info.needs is not None:
            held = frozenset(role.value for role in Role if info.needs in ROLE_PERMISSIONS[role])
        assert MATRIX[route] == held, (route, MATRIX[route], held)


def test_m1_the_control_a_route_without_its_line_or_a_mark_too_few_is_seen() -> None:
    head, row, *_ = [line for line in matrix.FILE.read_text().splitlines() if line[0] != "#"]
    assert set(matrix.read(f"{head}\n{row}")[1]) != set(MATRIX)
    for damaged in (f"{head}\n{row[:-2]}", f"{head} newcomer\n{row}", f"{head}\n{row}\n{row}"):
        with pytest.raises(ValueError, match=row.split()[1]):
            matrix.read(damaged)


def test_m1_nothing_is_served_beside_the_api_but_what_is_named_here() -> None:
    assert {str(one.pattern) for one in get_resolver().url_patterns} == BESIDE | {"v1/"}


@pytest.mark.parametrize("info", ROUTES, ids=name)
def test_m1_a_route_says_what_it_needs_and_explains_itself(info: RouteInfo) -> None:
    assert info.summary
    assert len(info.description) > 40, "say what it does, and what each answer means"
    assert info.problems
    operation = DOCUMENT["paths"]["/v1" + info.path][info.method.lower()]
    assert operation["operationId"]
    if info.shape is not None:
        assert info.example, "an answer is shown"


def test_every_operation_has_a_name_of_its_own() -> None:
    ids = [verb["operationId"] for verbs in DOCUMENT["paths"].values() for verb in verbs.values()]
    assert len(ids) == len(set(ids)), sorted({i for i in ids if ids.count(i) > 1})


forgotten = NinjaAPI(auth=list(api.auth or ()), urls_namespace="forgotten")
forgotten.add_exception_handler(Problem, on_problem)


@forgotten.get("/gate")
def without_a_gate(request: HttpRequest) -> str:
    return "shown"


@forgotten.get("/open", auth=None)
def the_control(request: HttpRequest) -> str:
    return "shown"


urlpatterns = [path("v1/", forgotten.urls)]
"""The routes of the test below, on which somebody forgot the gate."""


def test_m2_a_route_without_a_gate_refuses_everybody(willow: House) -> None:
    people = [Api(None), willow.key("admin", *Permission)] if willow.admin else []
    people += [willow.person(role.value, role) for role in Role]
    with override_settings(ROOT_URLCONF=__name__):
        for person in people:
            answer = person.get("/v1/gate")
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), person.who
            assert person.get("/v1/open").content == b'"shown"', "the control: the route itself works"


def test_m2_every_route_has_a_gate_of_its_own() -> None:
    assert list(api.auth or ()) == [nobody_may], "what a route without one gets"
    for _, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                assert [type(gate) for gate in operation.auth_callbacks] == [Gate]


def test_every_permission_is_held_by_some_role_and_asked_for_by_some_route() -> None:
    asked = {info.needs for info in ROUTES if info.needs}
    held = frozenset().union(*ROLE_PERMISSIONS.values())
    assert asked <= held, asked - held
    assert set(ROLE_PERMISSIONS) == set(Role)


def every_problem(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from every_problem(subclass)


def test_every_problem_has_its_own_code() -> None:
    codes: dict[str, type[Problem]] = {}
    for problem in every_problem():
        other = codes.setdefault(problem.code, problem)
        # Rooms that mean the same thing say the same thing; the same name for two things is a defect.
        assert other.status == problem.status, (problem, other)


@pytest.mark.parametrize("info", [i for i in ROUTES if i.needs], ids=name)
def test_m3_without_a_credential_every_route_answers_401(info: RouteInfo) -> None:
    answer = Client().generic(info.method, address(info), b"{}", content_type="application/json")

    assert answer.status_code == 401, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Request-Id"].startswith("req_")


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_m4_each_role_is_refused_what_it_does_not_hold_and_finds_nothing_of_nobody(
    willow: House, role: Role
) -> None:
    person = willow.person("somebody", role)
    for info in ROUTES:
        if info.needs is None:
            continue
        body: Any = info.request_example if info.request_example is not None else {}
        answer = person.call(
            info.method, address(info), None if info.method == "GET" else body,
            if_match='"1-0000000"', idempotency_key=new_uuid().hex,
        )
        if role.value not in MATRIX[info.method, info.path]:
            assert answer.status_code == 403, (name(info), answer.status_code, answer.content)
            assert answer["Content-Type"] == "application/problem+json"
        else:
            assert answer.status_code < 500, (name(info), answer.content)


@pytest.mark.parametrize(
    "info", [i for i in ROUTES if i.method == "POST" and i.needs and not i.request_example], ids=name
)
def test_a_call_that_needs_no_words_takes_none(willow: House, info: RouteInfo) -> None:
    answer = willow.person("everything", *Role).call(
        "POST", address(info), if_match='"1-0000000"', idempotency_key=new_uuid().hex
    )
    assert answer.status_code != 422 or info.content_types[0] != "application/json", answer.content


PLANTED = {
    "practice_id": "prac_01h455vb4pex5vsknk084sn02q", "created_at": "2026-01-01T00:00:00Z", "locked": True,
    "balance_cents": 0, "is_staff": True, "owner_id": "usr_01h455vb4pex5vsknk084sn02q", "signed_at": "2026-01-01",
}  # fmt: skip


NAMED_LATER = {("/clinical-notes/{clinical_note_id}", field) for field in ("locked", "signed_at")}
"""Fields that a note refuses once it is found, so that a locked one can say so (S-006, S-070)."""


@pytest.mark.parametrize(
    "info",
    [i for i in ROUTES if i.method in ("POST", "PATCH", "PUT") and i.request_example is not None and i.needs],
    ids=name,
)
def test_s068_a_field_that_nobody_asked_for_is_named_and_never_dropped(willow: House, info: RouteInfo) -> None:
    assert info.needs is not None
    role = next(r for r, held in ROLE_PERMISSIONS.items() if info.needs in held)
    person = willow.person("somebody", role)
    for field, value in PLANTED.items():
        if field in info.request_example or (info.path, field) in NAMED_LATER:
            continue
        answer = person.call(
            info.method, address(info), dict(info.request_example) | {field: value},
            if_match='"1-0000000"', idempotency_key=new_uuid().hex,
        )
        # Before anything is looked up: 422 although nobody has the ids of the address.
        assert answer.status_code == 422, (field, answer.status_code, answer.content)
        errors = {(error["pointer"], error["code"]) for error in answer.json()["errors"]}
        assert errors & {(f"/{field}", "unknown-field"), (f"/{field}", "read-only-field")}, (field, errors)
    plain = person.call(
        info.method, address(info), dict(info.request_example),
        if_match='"1-0000000"', idempotency_key=new_uuid().hex,
    )  # fmt: skip
    named = {error["code"] for error in plain.json().get("errors", ())} if plain.content else set()
    assert "unknown-field" not in named, "the control: without it the body's fields are all known"
