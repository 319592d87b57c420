"""Problems as answers: RFC 9457, without a value of the request and without a person's data."""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja.errors import ValidationError

from rapport.kernel.problems import (
    FieldError,
    Invalid,
    MalformedJson,
    Problem,
    UnknownField,
    UnknownParameter,
)

_encoder = msgspec.json.Encoder()

CONTENT_TYPE = "application/problem+json"


def problem_body(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return the members of the answer."""
    body: dict[str, Any] = {
        "type": f"{settings.RAPPORT.link_base}/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail or problem.title,
        "instance": f"urn:request:{request_id}",
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = [
            {"pointer": error.pointer, "code": error.code}
            | ({"detail": error.detail} if error.detail else {})
            for error in problem.errors
        ]
    return body | {k: v for k, v in problem.data.items() if not k.startswith("_")}


def as_response(problem: Problem, request_id: str) -> HttpResponse:
    """Return the problem as an HTTP answer."""
    response = HttpResponse(
        _encoder.encode(problem_body(problem, request_id)),
        status=problem.status,
        content_type=CONTENT_TYPE,
    )
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="rapport"'
    for name, value in problem.headers.items():
        response[name] = value
    return response


_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown-field",
    "string_too_short": "too-short",
    "string_too_long": "too-long",
    "string_pattern_mismatch": "malformed",
    "literal_error": "not-allowed",
    "enum": "not-allowed",
    "greater_than_equal": "too-small",
    "greater_than": "too-small",
    "less_than_equal": "too-large",
    "less_than": "too-large",
    "too_short": "too-few",
    "too_long": "too-many",
    "refused": "value-error",
}
"""pydantic's words for faults -> ours."""


def from_validation(error: ValidationError) -> Problem:
    """Turn ninja's validation error into a problem that lists every faulty field."""
    faults: list[FieldError] = []
    unknown_only = True
    for item in error.errors:
        where = [str(part) for part in item["loc"]]
        if where and where[0] == "query":
            return UnknownParameter("A query parameter is missing or not of its type.")
        pointer = "".join("/" + p.replace("~", "~0").replace("/", "~1") for p in where[2:])
        code = _CODES.get(item["type"], item["type"].replace("_", "-"))
        if code == "unknown-field":
            # The name of an unknown field is the caller's text: it goes back in the pointer only.
            faults.append(FieldError(pointer[:200], code, "Remove this field."))
        else:
            unknown_only = False
            detail = str(item.get("msg", "")) if item["type"] in _SAFE_MESSAGES else ""
            faults.append(FieldError(pointer[:200], code, detail))
    number = f"{len(faults)} field{'s are' if len(faults) != 1 else ' is'} not valid."
    if faults and unknown_only:
        return UnknownField(number, errors=tuple(faults), reason="unknown_field")
    return Invalid(number, errors=tuple(faults), reason="validation")


_SAFE_MESSAGES = _CODES.keys() - {"extra_forbidden"} | {"int_type", "bool_type", "string_type", "list_type", "dict_type"}
"""Faults whose message speaks of the rule and never of the value: pydantic's own, and those of `shapes.refused`."""


def invalid(pointer: str, code: str, detail: str = "") -> Invalid:
    """Return the problem of one faulty field."""
    return Invalid("1 field is not valid.", errors=(FieldError(pointer, code, detail),))


def bad_json(request: HttpRequest) -> MalformedJson:
    """Return the problem of a body that is not JSON."""
    return MalformedJson("Send a JSON object with Content-Type application/json.")
