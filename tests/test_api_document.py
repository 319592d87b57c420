"""The API's own document: a program that is made from it sends what is taken, and reads what comes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rapport.config.urls import api
from rapport.platform.api.openapi import encoded
from rapport.platform.api.shapes import Input

DOCUMENT: dict[str, Any] = json.loads(encoded(api))
OPERATIONS = [
    pytest.param(operation, id=f"{verb.upper()} {path}")
    for path, verbs in DOCUMENT["paths"].items()
    for verb, operation in verbs.items()
]


def _faults(media: dict[str, Any]) -> list[str]:
    """Return what an example has that its schema does not allow."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **media["schema"],
        "components": DOCUMENT["components"],
    }
    return [
        f"{fault.json_path}: {fault.message}"
        for fault in Draft202012Validator(schema).iter_errors(media["example"])
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_example_is_what_its_schema_says(operation: dict[str, Any]) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    answers = operation["responses"].values()
    examples = [
        media for one in (*bodies, *answers) for media in one.get("content", {}).values() if media.get("example") is not None
    ]  # fmt: skip

    assert not [fault for media in examples for fault in _faults(media)]


def test_an_example_with_a_field_too_many_or_of_another_kind_is_seen() -> None:
    body = DOCUMENT["paths"]["/v1/patients"]["post"]["requestBody"]["content"]["application/json"]
    assert not _faults(body)
    assert _faults(body | {"example": body["example"] | {"shoe_size": 7}})
    assert _faults(body | {"example": body["example"] | {"birth_on": 7}})


def _below(shape: type) -> list[type]:
    return [one for sub in shape.__subclasses__() for one in (sub, *_below(sub))]


def test_no_two_bodies_and_no_two_answers_have_the_same_name() -> None:
    """The document knows shapes by name: of two with one name it would show one in both places."""
    names = [shape.__name__ for shape in _below(Input) if shape.__module__.startswith("rapport.")]
    assert sorted(names) == sorted(set(names))
    # msgspec gives shapes that share a name the names of their modules too.
    assert not [
        name
        for name in DOCUMENT["components"]["schemas"]
        if not re.fullmatch(r"[A-Z]\w*", name) or "rapport" in name
    ]


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    wanted = set(re.findall(r'"\$ref": "([^"]*)"', text))
    assert wanted
    assert not wanted - {
        f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]
    }
