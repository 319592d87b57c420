"""The OpenAPI 3.1 document, made from what the routes declare."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec
from ninja import NinjaAPI

from rapport.kernel.problems import Problem

from . import uploads
from .limits import WEIGHTS
from .middleware import API_VERSION
from .router import ROUTES, RouteInfo

_TEMPLATE = "#/components/schemas/{name}"
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code"],
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def _header(name: str, description: str, *, required: bool, pattern: str = "") -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if pattern:
        schema["pattern"] = pattern
    return {
        "in": "header", "name": name, "required": required, "description": description,
        "schema": schema,
    }  # fmt: skip


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "in": "query", "name": name, "required": False, "description": description,
        "schema": schema,
    }  # fmt: skip


_FILTER_SCHEMAS: dict[str, dict[str, Any]] = {
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "bool": {"type": "string", "enum": ["true", "false"]},
}


def _parameters(info: RouteInfo) -> list[dict[str, Any]]:
    found = []
    if info.match:
        found.append(_header("If-Match", "The ETag you read. Another one: 412.", required=True))
    if info.key != "none":
        found.append(
            _header(
                "Idempotency-Key",
                "Makes a retry safe: the same key and request give the first answer again.",
                required=info.key == "required",
                pattern="^[A-Za-z0-9_-]{16,128}$",
            )
        )
    for name, description in info.parameters.items():
        found.append(_query(name, description, {"type": "string"}))
    if info.list_spec is None:
        return found
    spec = info.list_spec
    sorts = [sign + name for name in spec.sorts for sign in ("", "-")]
    found += [
        _query("limit", "Members of a page.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 25}),
        _query("cursor", "Where to go on: `next_cursor` of the page before.", {"type": "string"}),
        _query("sort", "Order; a leading `-` turns it round.", {"type": "string", "enum": sorts, "default": spec.default_sort}),
    ]
    for name, known in spec.filters.items():
        kind, _, detail = known.type.partition(":")
        schema = _FILTER_SCHEMAS.get(kind, {"type": "string"})
        if kind == "enum":
            schema = {"type": "string", "enum": detail.split("|")}
        for operator in known.operators:
            shown = name if operator == "eq" else f"{name}[{operator}]"
            plain = {"type": "string"} if operator == "in" else schema
            if operator == "exists":
                plain = _FILTER_SCHEMAS["bool"]
            found.append(_query(shown, f"Only members whose `{name}` is {operator} this.", plain))
    return found


def _page_schema(inner: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["object", "data", "has_more", "next_cursor", "prev_cursor"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": inner},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": ["string", "null"]},
            "prev_cursor": {"type": "null"},
        },
    }


def _shapes(routes: Iterable[RouteInfo]) -> list[Any]:
    """Return what routes answer, each once. Two of the same name get longer ones from msgspec: the tests refuse that."""
    found: dict[Any, None] = {}
    for info in routes:
        if info.shape is not None:
            found[info.shape] = None
        if info.accepted is not None:
            found[info.accepted[0]] = None
    return list(found)


def _responses(info: RouteInfo, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    headers = {"Request-Id": {"schema": {"type": "string"}}, "Api-Version": {"schema": {"type": "string"}}}
    good: dict[str, Any] = {"description": info.summary + ".", "headers": headers}
    if info.shape is not None:
        schema = schemas[info.shape]
        if info.list_spec is not None or info.kind in ("list", "search"):
            schema = _page_schema(schema)
        good["content"] = {"application/json": {"schema": schema, "example": info.example}}
    for media, description in info.other_types.items():
        good.setdefault("content", {})[media] = {
            "schema": {"type": "string", "format": "binary", "description": description}
        }
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in info.problems:
        by_status.setdefault(problem.status, []).append(problem)
    responses: dict[str, Any] = {str(info.status): good}
    if info.method == "POST" and info.status == 201:
        responses["200"] = good | {"description": "It was there already; this is it."}
    if info.accepted is not None:
        shape, example = info.accepted
        responses["202"] = {
            "description": "Of a connected practice: as it was asked for, on its way to the system in "
            "which its records are kept. `Prefer: wait` waits 20 seconds for it.",
            "headers": headers,
            "content": {"application/json": {"schema": schemas[shape], "example": example}},
        }
    for status, problems in sorted(by_status.items()):
        codes = sorted({problem.code for problem in problems})
        responses[str(status)] = {
            "description": "; ".join(f"`{p.code}`: {p.title}" for p in problems),
            "headers": headers,
            "content": {
                "application/problem+json": {
                    "schema": {
                        "allOf": [
                            {"$ref": "#/components/schemas/Problem"},
                            {"properties": {"code": {"x-open-enum": codes}}},
                        ]
                    }
                }
            },
        }
    return responses


def _file_schema(media: str) -> dict[str, Any]:
    whole = {"type": "string", "format": "binary"}
    if media != uploads.FORM:
        return whole
    return {"type": "object", "required": ["file"], "properties": {"file": whole}}


def build(api: NinjaAPI) -> dict[str, Any]:
    """Return the document. ninja contributes paths and request bodies; the rest is ours."""
    document: dict[str, Any] = copy.deepcopy(dict(api.get_openapi_schema(path_prefix="/v1/")))
    document["openapi"] = "3.1.0"
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    shapes = _shapes(ROUTES)
    references, definitions = msgspec.json.schema_components(shapes, ref_template=_TEMPLATE)
    schemas.update(definitions)
    schemas["Problem"] = _PROBLEM
    by_shape: dict[Any, dict[str, Any]] = dict(zip(shapes, references, strict=True))
    names: set[str] = set()
    for verbs in document["paths"].values():
        verbs.pop("head", None)  # every GET has it, and it says nothing of its own
    for info in ROUTES:
        name = info.action.replace(".", "_") or f"{info.method.lower()}_{info.tag.lower()}"
        if name in names:  # the same deed at two addresses
            name = f"{name}_of_{info.path.split('/')[1].replace('-', '_')}_{info.method.lower()}"
        names.add(name)
        operation = document["paths"]["/v1" + info.path][info.method.lower()]
        operation.update(
            {
                "operationId": name,
                "summary": info.summary,
                "description": info.description,
                "responses": _responses(info, by_shape),
                "x-permission": info.needs.value if info.needs else None,
                "x-audit-action": info.action or None,
                "x-weight": WEIGHTS[info.kind],
                "security": [{"bearer": []}] if info.needs else [],
            }
        )
        operation["parameters"] = [
            p for p in operation.get("parameters", []) if p.get("in") == "path"
        ] + _parameters(info)
        if info.request_example is not None and "requestBody" in operation:
            for media in operation["requestBody"]["content"].values():
                media["example"] = info.request_example
        elif info.content_types[0] != "application/json":
            operation["requestBody"] = {
                "required": True,
                "content": {media: {"schema": _file_schema(media)} for media in info.content_types},
            }
    document["info"] = {
        "title": "Rapport",
        "version": API_VERSION,
        "description": "The practice platform for behavioural health. Conventions: /docs.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return document


@lru_cache(maxsize=1)
def encoded(api: NinjaAPI) -> bytes:
    """Return the document as bytes; made once per process."""
    return msgspec.json.encode(build(api))
