"""
What another practice has is as good as not there (S-001 to S-003, M4, M5).

Exhaustive by construction: every route whose address or body names an object, every role and a
program of the other practice, with the ids that objects really have. A route with a kind of
object that the stage lacks fails the run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from rapport.interfaces.rest.v1 import api
from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import ROLE_PERMISSIONS, Role
from rapport.platform.api.openapi import build
from rapport.platform.api.router import ROUTES, RouteInfo
from tests.security import stage as st
from tests.security.stage import Stage
from tests.support.cast import Api

DOCUMENT = build(api)
NAMING = [i for i in ROUTES if i.needs and st.kinds_in(i)]
"""Routes with an id in their address."""
REFERRING = [
    i for i in ROUTES
    if i.needs and i.request_example is not None and not st.kinds_in(i)
    and re.search(r'"[a-z]{2,8}_[0-9a-z]{26}"', json.dumps(i.request_example))
]  # fmt: skip
"""Routes with ids in their body only."""


def name(info: RouteInfo) -> str:
    return f"{info.method} {info.path}"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with st.set_up() as made:
        yield made


def said(answer: Any) -> tuple[int, Any]:
    """Return what an answer tells, without the ids of the request itself."""
    try:
        body = answer.json()
    except ValueError:
        body = answer.content
    if isinstance(body, dict):
        body = {k: v for k, v in body.items() if k not in ("request_id", "instance")}
    return answer.status_code, body


def ask(actor: Api, info: RouteInfo, target: Stage | None, stage: Stage) -> Any:
    """Call a route with Willow's ids, or with nobody's when there is no target."""
    body = None
    if info.method != "GET":
        body = st.with_ids(info.request_example or {}, target, [])
    return actor.call(
        info.method, st.address(info, target), body,
        if_match=st.tag(info, stage), idempotency_key=new_uuid().hex,
    )  # fmt: skip


def test_s001_s002_nothing_of_another_practice_is_seen_or_changed_by_anybody_on_any_route(
    stage: Stage,
) -> None:
    before = st.state_of(stage.willow)
    told = []
    for actor in st.actors(stage.aspen):
        for info in (*NAMING, *REFERRING):
            real, missing = ask(actor, info, stage, stage), ask(actor, info, None, stage)
            if said(real) != said(missing) or real.status_code < 400:
                told.append((actor.who, name(info), said(real), said(missing)))
    assert not told, told[:5]
    assert st.state_of(stage.willow) == before


def test_every_try_of_one_who_might_is_in_both_trails(stage: Stage) -> None:
    admin = stage.aspen.person(Role.PRACTICE_ADMINISTRATOR.value, Role.PRACTICE_ADMINISTRATOR)
    noted: dict[str, set[str]] = {}
    for info in NAMING:
        kind = st.kinds_in(info)[-1]
        if info.needs not in ROLE_PERMISSIONS[Role.PRACTICE_ADMINISTRATOR] or kind in st.OTHER_PLACES:
            continue
        answer = ask(admin, info, stage, stage)
        if answer.status_code != 404:
            continue
        noted.setdefault(kind, set()).add(answer["Request-Id"])
    assert len(noted) >= 12, sorted(noted)
    for house in (stage.willow, stage.aspen):
        rows: list[Any] = []
        page = "/v1/audit-events?outcome=deny&limit=100"
        while page:
            answer = house.auditor.get(page)
            rows += answer.json()["data"]
            found = re.search(r'<([^>]+)>; rel="next"', answer["Link"])
            page = found.group(1) if found else ""
        ids = {row["request_id"]: row for row in rows}
        for kind, requests in noted.items():
            for request in requests:
                assert request in ids, (house.practice.name, kind)
                assert ids[request]["reason"] == "other_practice", (kind, ids[request])


def test_the_control_willows_own_people_do_read_each_of_these_objects(stage: Stage) -> None:
    people = [*st.actors(stage.willow), stage.billing.maya, stage.willow.admin]
    unread = []
    for info in NAMING:
        if info.method != "GET":
            continue
        answers = [ask(person, info, stage, stage).status_code for person in people]
        if 200 not in answers:
            unread.append((name(info), answers))
    assert not unread, unread


def test_s003_a_body_that_names_what_is_elsewhere_says_which_field(stage: Stage) -> None:
    admin = stage.aspen.person("everything", *Role)
    for info in REFERRING:
        answer = ask(admin, info, stage, stage)
        # What is named in the path is sought before the body is read.
        assert answer.status_code == (404 if "{" in info.path else 422), (name(info), answer.content)
        if answer.status_code == 422:
            codes = {error["code"] for error in answer.json()["errors"]}
            assert codes & {"reference-not-found", "not-a-reference"}, (name(info), answer.content)


def undocumented(schema: Any, value: Any, place: str) -> Iterator[str]:
    """Yield the places of members of an answer that its schema does not name."""
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for part in ("anyOf", "oneOf", "allOf"):
        if part in schema:
            found = [list(undocumented(one, value, place)) for one in schema[part]]
            if all(found):
                yield from min(found, key=len)
            return
    if isinstance(value, dict):
        known = schema.get("properties")
        if known is None:
            if schema.get("type") not in (None, "object"):
                yield place
            return  # an object of free names, such as a note's sections
        for member, inner in value.items():
            if member in known:
                yield from undocumented(known[member], inner, f"{place}/{member}")
            elif not schema.get("additionalProperties"):
                yield f"{place}/{member}"
    elif isinstance(value, list):
        if schema.get("type") not in (None, "array"):
            yield place
        for number, inner in enumerate(value):
            yield from undocumented(schema.get("items", {}), inner, f"{place}/{number}")


def test_m5_no_answer_has_a_member_that_is_not_documented(stage: Stage) -> None:
    strange, seen = [], set()
    for person in (*st.actors(stage.willow), stage.billing.maya):
        for info in ROUTES:
            if info.method != "GET" or info.needs is None:
                continue
            answer = ask(person, info, stage, stage)
            if answer.status_code != 200 or "json" not in answer["Content-Type"]:
                continue
            seen.add(name(info))
            said_to_be = DOCUMENT["paths"]["/v1" + info.path]["get"]["responses"]["200"]["content"]
            schema = said_to_be["application/json"]["schema"]
            strange += [(name(info), place) for place in undocumented(schema, answer.json(), "")]
    assert not strange, strange[:10]
    assert len(seen) > 40, "the control: most reads did answer"


def test_the_control_a_planted_member_is_found() -> None:
    schema = DOCUMENT["paths"]["/v1/me"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert list(undocumented(schema, {"object": "me", "password_hash": "x"}, "")) == ["/password_hash"]
