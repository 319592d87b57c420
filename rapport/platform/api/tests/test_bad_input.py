"""Bodies and parameters that mean harm (security S-043, S-048)."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import quote

import pytest

import rapport.interfaces.rest.v1  # noqa: F401 - makes the routes
from rapport.kernel.ids import PREFIXES, new_uuid, type_id
from rapport.platform.api.router import ROUTES, RouteInfo
from rapport.rooms.roster import examples
from tests.support.cast import House

ATTACKS = (
    "id;select pg_sleep(3)--",
    "(case when (select 1)=1 then id else name end)",
    "name,pg_sleep(3)",
    "1 OR 1=1",
    "__class__",
    "password",
    "user__password",
    "patient__practice__secret",
    "%(practice)s",
    "{value}",
    "\x00",
    "' || pg_sleep(3) || '",
    "\u00b2",  # a digit to Python's isdigit, and no number
    "\u0662",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
)
NAMES = (
    "sort", "order", "fields", "expand", "cursor", "q", "limit", "filter[id][op]",
    "practice_id", "status[regex]", "id);select pg_sleep(3)--",
)  # fmt: skip

LISTS = [route for route in ROUTES if route.list_spec or route.kind == "list"]


def address(path: str) -> str:
    """Fill the parameters of a path with ids of nobody."""
    return "/v1" + re.sub(
        r"\{(\w+?)(_id)?\}",
        lambda found: type_id(found[1], new_uuid()) if found[1] in PREFIXES else "x",
        path,
    )


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.path)
def test_no_parameter_of_any_list_reaches_the_database_as_text(
    route: RouteInfo, willow: House
) -> None:
    who = willow.auditor if "audit" in route.path else willow.admin
    filters = list(route.list_spec.filters) if route.list_spec else list(route.parameters)
    names = [*NAMES, *filters, *(f"{name}[in]" for name in filters)]
    started = time.monotonic()
    for name in names:
        for attack in ATTACKS:
            answer = who.get(f"{address(route.path)}?{quote(name)}={quote(attack)}")
            assert answer.status_code in (200, 400, 403, 404), (name, attack, answer.content)
            if answer.status_code == 200:
                # A free-text filter may look for anything; it finds nothing, and any day is a day.
                assert name.partition("[")[0] in filters
                assert answer.json()["data"] == [] or attack[:4] in ("0001", "9999")
            else:
                assert attack not in answer.content.decode()
    assert time.monotonic() - started < len(names) * len(ATTACKS) * 0.1


def test_an_unknown_sort_key_is_named_as_such(willow: House) -> None:
    for attack in ATTACKS:
        answer = willow.admin.get(f"/v1/patients?sort={quote(attack)}")
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown-sort-key")


BODY = json.dumps(examples.NEW_PATIENT)


@pytest.mark.parametrize(
    "body",
    [
        '{"sex":"male","sex":"female"}',
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        BODY[:-1] + ',"x":1e400}',
        BODY[:-1] + ',"x":NaN}',
        BODY[:-1] + ',"x":-Infinity}',
        BODY[:-1] + ',"x":9223372036854775808}',
        BODY.replace("Ana", "A\\u0000na"),
        BODY.replace("Ana", "\\ud800"),
        BODY.replace("Ana", "A\x00na"),
        BODY + "{}",
        BODY[:-1],
        "null",
        '"text"',
        "[]",
        "",
        "\ufeff" + BODY,
    ],
    ids=lambda body: body[:24] + "…" + body[-12:],
)
def test_a_body_that_readers_disagree_about_is_refused(willow: House, body: str) -> None:
    answer = willow.scheduler.post("/v1/patients", raw=body.encode())

    assert answer.status_code in (400, 422), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert willow.scheduler.get("/v1/patients").json()["data"] == []


@pytest.mark.parametrize("limit", [True, 1.5, "2", -1, 2**53])
def test_a_number_of_the_wrong_kind_is_refused_with_its_pointer(
    willow: House, limit: object
) -> None:
    answer = willow.scheduler.post("/v1/patients/search", {"name": "riv", "limit": limit})

    assert answer.status_code in (400, 422)


def test_bytes_that_are_not_utf_8_or_too_many_are_refused(willow: House) -> None:
    latin = willow.scheduler.post("/v1/patients", raw=b'{"name":"\xe9"}')
    large = willow.scheduler.post("/v1/patients", raw=b'{"a":"' + b"x" * 2_000_000 + b'"}')
    form = willow.scheduler.post("/v1/patients", raw=b"a=1", content_type="text/plain")

    assert (latin.status_code, large.status_code, form.status_code) == (400, 413, 415)


@pytest.mark.parametrize(
    ("path", "body", "pointer", "words"),
    [
        ("/v1/payments", {"method": "cash"}, "", "card_id goes with method card"),
        ("/v1/write-offs", {"basis_points": 100}, "", "give an amount, or basis points"),
        ("/v1/payments", {"amount": {"amount": 25.5, "currency": "USD"}}, "/amount/amount", "valid integer"),
        ("/v1/patients", {"address": {"state": "ZZ"}}, "/address/state", "two-letter state code"),
    ],
)
def test_a_refusal_says_what_would_be_right_and_repeats_nothing(
    path: str, body: dict[str, Any], pointer: str, words: str, willow: House
) -> None:
    route = next(r for r in ROUTES if (r.method, r.path) == ("POST", path.removeprefix("/v1")))
    given = _merged(route.request_example, body | {"reference": "K9-secret"} if "payments" in path else body)
    who = willow.biller if path != "/v1/patients" else willow.scheduler

    answer = who.post(path, given)

    assert answer.status_code == 422, answer.content
    said = {one["pointer"]: one.get("detail", "") for one in answer.json()["errors"]}
    assert words in said[pointer], said
    assert b"K9-secret" not in answer.content
    assert b"ZZ" not in answer.content


def _merged(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return whole | {
        name: _merged(whole[name], value) if isinstance(value, dict) and name in whole else value
        for name, value in part.items()
    }
