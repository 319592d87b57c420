"""
A portal writes names with characters that nobody sees, and some from right to left: Dana at the front desk finds them all.

What is kept as the name is clean; how the portal has it is kept beside it, and sealed.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.kernel.ids import new_uuid
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Shadow
from tests.connect.expected import expected
from tests.connect.stage import Linked, Stage
from tests.support.cast import House

pytestmark = [needs_chromium, pytest.mark.long]
NAMES = {"Zoé": "Ünlü", "נועה": "כהן", "ليلى": "حداد"}


@pytest.fixture(scope="module")
def nick(stage: Stage, moss: House, desk: httpx.Client) -> Iterator[Linked]:
    """Moss's connection, once the portal has three more people and writes all names in its odd way."""
    with stage.server.client(moss.admin.token) as http:
        [connection] = http.get("/v1/connections").json()["data"]
        made = Linked(stage, "nick", connection["id"], of=http)
        for first, last in NAMES.items():
            stage.portal.order("POST", "patient", {
                "first": first, "last": last, "birth_on": "1991-04-03", "status": "Active", "sex": "F", "clinician_id": 1, "phone": "503-555-0101"})
        yield made


def search(http: httpx.Client, name: str) -> list[tuple[str, str]]:
    answer = http.post("/v1/patients/search", json={"name": name})
    assert answer.status_code == 200, answer.text
    return [(one["name"]["first"], one["name"]["last"]) for one in answer.json()["data"]]


def test_names_are_clean_found_with_and_without_what_nobody_sees_and_kept_sealed_as_they_were(
    stage: Stage, moss: House, desk: httpx.Client, nick: Linked
) -> None:
    stage.portal.order("PUT", "settings", {"zero_width": "1"})
    run = nick.refresh("patients")

    assert run["state"] == "published"
    there = expected(stage.portal.rows, "patients")
    with moss.entered() as scope:
        shadows = {one.remote_id: one for one in Shadow.objects.visible_to(scope).filter(connection_id=nick.uuid, kind="patients", gone_at__isnull=True)}
        kept = {id: queries.read_shadow(shadow=one) for id, one in shadows.items()}
        raw = {id: queries.read_raw(shadow=one) for id, one in shadows.items()}
        sealed = b"".join(bytes(one.raw_sealed or b"") + bytes(one.values_sealed) for one in shadows.values())
    assert kept == there, "canonical values are clean"

    odd = {"Zoé": ["Ünlü", "Ü\u200bnl\u00fc", "zo\u200bé\u00a0ünlü"], "נועה": ["כהן", "\u200fכהן\u200f", "כ\u200bהן"], "ليلى": ["حداد", "\u200fحداد, ليلى\u200f"]}
    for first, ways in odd.items():
        for typed in ways:
            assert (first, NAMES[first]) in search(desk, typed), typed
    assert search(desk, "Nobo\u200bdy Here") == [], "the control: what nobody is called finds nobody"

    [id] = [id for id, one in there.items() if one["last_name"] == "כהן"]
    assert raw[id] == {"first_name": "\u200fכ\u200bהן,\u00a0נועה\u200f", "last_name": "\u200fכ\u200bהן,\u00a0נועה\u200f"}
    for name in NAMES:
        assert name.encode() not in sealed
    assert "\u200b".encode() not in sealed


def test_the_control_a_portal_that_writes_plainly_again_leaves_nothing_odd_behind_and_tells_nobody(
    stage: Stage, moss: House, desk: httpx.Client, nick: Linked
) -> None:
    run = nick.refresh("patients")

    assert (run["state"], run["created"], run["changed"], run["gone"]) == ("published", 0, 0, 0)
    with moss.entered() as scope:
        odd = Shadow.objects.visible_to(scope).filter(connection_id=nick.uuid, kind="patients", raw_sealed__isnull=False)
        assert list(odd) == []
    assert ("נועה", "כהן") in search(desk, "\u200fכהן")


def test_the_control_of_what_was_typed_here_both_ways_are_looked_for(stage: Stage) -> None:
    head = {"Idempotency-Key": new_uuid().hex}
    made = stage.http.post("/v1/patients", headers=head, json={
        "name": {"first": "Mi\u200bra", "last": "Odd"}, "birth_on": "1980-02-03", "sex": "female", "status": "active"})
    assert made.status_code == 201, made.text
    assert search(stage.http, "mi\u200bra"), "as it was typed"
