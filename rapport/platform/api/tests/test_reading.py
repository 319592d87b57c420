"""What every read and every save promise a client: HEAD, entity tags, conditional answers."""

from __future__ import annotations

import re

import pytest

import rapport.interfaces.rest.v1  # noqa: F401 - makes the routes
from rapport.kernel.ids import PREFIXES, new_uuid, type_id
from rapport.platform.access.permissions import Role
from rapport.platform.api.router import ROUTES, RouteInfo
from tests.support import props
from tests.support.cast import House

READS = [info for info in ROUTES if info.method == "GET" and info.needs]


def address(path: str) -> str:
    """Fill the parameters of a path with ids of nobody."""
    return "/v1" + re.sub(
        r"\{(\w+?)(_id)?\}",
        lambda found: type_id(found[1], new_uuid()) if found[1] in PREFIXES else "x",
        path,
    )


@pytest.mark.parametrize("info", READS, ids=lambda info: info.path)
def test_head_answers_as_get_does_and_says_nothing(willow: House, info: RouteInfo) -> None:
    everything, path = willow.person("everything", *Role), address(info.path)

    whole, head = everything.get(path), everything.call("HEAD", path)

    assert head.status_code == whole.status_code
    assert head["Content-Type"] == whole["Content-Type"]
    assert head.content == b""


def test_head_of_what_is_there_has_its_tag_and_what_does_not_exist_is_not_found(willow: House) -> None:
    patient = props.patient(willow)
    path = f"/v1/patients/{patient['id']}"

    head = willow.scheduler.call("HEAD", path)

    assert (head.status_code, head["ETag"]) == (200, willow.scheduler.get(path)["ETag"])
    assert willow.scheduler.call("HEAD", path, if_none_match=head["ETag"]).status_code == 304
    refused = willow.scheduler.call("DELETE", path)
    assert (refused.status_code, set(refused["Allow"].split(", "))) == (405, {"GET", "HEAD", "PATCH"})


@pytest.mark.parametrize("tag", ['"1-zzzzzzz"', '"9-0000000"', "nonsense", '"x", "y"', 'W/"1-zzzzzzz"'])
def test_whatever_the_wrong_tag_the_answer_carries_the_present_one(willow: House, tag: str) -> None:
    patient = props.patient(willow)
    path = f"/v1/patients/{patient['id']}"

    refused = willow.scheduler.patch(path, {"email": "new@example.org"}, if_match=tag)

    assert (refused.status_code, refused.json()["code"]) == (412, "precondition-failed")
    assert refused["ETag"] == willow.scheduler.get(path)["ETag"]
    again = willow.scheduler.patch(path, {"email": "new@example.org"}, if_match=refused["ETag"])
    assert again.status_code == 200, "the control: with that tag the same save is made"


def test_what_was_not_changed_is_answered_without_a_body(willow: House) -> None:
    patient = props.patient(willow)
    path = f"/v1/patients/{patient['id']}"

    answer = willow.scheduler.get(path, if_none_match=willow.scheduler.get(path)["ETag"])

    assert (answer.status_code, answer.content, "Content-Type" in answer) == (304, b"", False)
