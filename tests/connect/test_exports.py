"""The portal's exports, ordered by the worker, fetched, offered by signed link, and compared with the lists they are of."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.kernel.ids import new_uuid
from rapport.rooms.exchange.models import ExportOrder
from tests.connect.stage import Linked, Stage, until

pytestmark = [needs_chromium, pytest.mark.long]

KINDS = ("appointments", "patients", "payments")


def export(linked: Linked, kind: str, *states: str) -> dict[str, Any] | None:
    """Return the last export of a list, once it stands so."""
    return next((one for one in linked.call("GET")["exports"] if one["kind"] == kind and one["state"] in states), None)


def compared(linked: Linked, kind: str) -> dict[str, Any]:
    """Wait until a list has an export, was read again behind it, and the two were compared."""
    until(f"an export of {kind}", lambda: export(linked, kind, "fetched", "agrees", "differs"), seconds=90)
    assert linked.refresh(kind)["state"] == "published"
    return until("them to be compared", lambda: export(linked, kind, "agrees", "differs"), seconds=60)


def a_day_later(linked: Linked, kind: str) -> None:
    """Let a day go by since it was ordered."""
    with linked.stage.house.entered() as scope:
        for one in ExportOrder.objects.visible_to(scope).filter(connection_id=linked.uuid, kind=kind):
            one.asked_at -= timedelta(hours=25)
            one.save(update_fields=["asked_at"])
    until("the next one", lambda: export(linked, kind, "ordered", "preparing", "fetched"), seconds=60)


def test_exports_are_ordered_once_fetched_and_agree_with_the_lists(stage: Stage, robin: Linked) -> None:
    found = {kind: compared(robin, kind) for kind in KINDS}

    assert {one["state"] for one in found.values()} == {"agrees"}, found
    there = stage.portal.rows("export?login=robin")
    assert sorted(one["kind"] for one in there) == sorted(KINDS), "once each"
    assert found["patients"]["rows"] == len(stage.portal.rows("patient"))
    asked = next(one for one in there if one["kind"] == "patients")
    kept = next(one for one in robin.listed("artefacts", ability="exports.file") if one["id"] == found["patients"]["artefact_id"])
    assert kept["sha256"] == sha256(asked["content"].encode("utf-8-sig")).hexdigest()
    made = stage.call("POST", f"/v1/connections/{robin.id}/artefacts/{kept['id']}/links", {}, status=201)
    with httpx.Client(base_url=str(stage.http.base_url)) as nobody:
        given = nobody.get(f"/v1/document-links/{made['url'].rpartition('/')[2]}")
    assert len(list(csv.reader(io.StringIO(given.content.decode("utf-8-sig"))))) == 1 + found["patients"]["rows"]


def test_only_what_stands_in_two_exports_against_a_list_that_stood_still_is_told(stage: Stage, robin: Linked) -> None:
    compared(robin, "patients")
    stage.trouble({"fault": "other_value", "on": "/exports", "method": "POST", "value": "phone:7", "times": 0})
    a_day_later(robin, "patients")
    # Somebody works while the export is made: theirs is no difference.
    stage.portal.order("PATCH", "patient/8", {"phone": f"503-555-{new_uuid().int % 10000:04}"})
    first = compared(robin, "patients")
    assert (first["state"], first["differing"], robin.open_matters()) == ("differs", 1, [])

    a_day_later(robin, "patients")
    compared(robin, "patients")

    assert robin.open_matters() == ["export_differs"]
    report = robin.listed("drift-reports", capability="patients.read")[0]
    said = [(one["place"], one["note"]) for one in report["findings"]]
    assert (report["verdict"], said) == ("suspect", [("patients.phone", "export")])
    assert report["findings"][0]["seen"].startswith("another value in 1 of ")
    assert "503" not in str(report["findings"])
    assert robin.call("GET")["state"] == "healthy"

    stage.trouble()
    a_day_later(robin, "patients")
    assert compared(robin, "patients")["state"] == "agrees", "the control"
    assert robin.open_matters() == []
