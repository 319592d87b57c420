"""
A page's own script writes other telephone numbers into its cells. No reading over HTTP sees that; the look in a browser does.

Robin's connection is looked at because the definition has changed since the last look, as a worker does by itself.
"""

from __future__ import annotations

from typing import Any

import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.rooms.exchange.models import Connection
from tests.connect.expected import expected
from tests.connect.stage import Linked, Stage, until

pytestmark = [needs_chromium, pytest.mark.long]


def looks_again(stage: Stage, connection: Linked) -> None:
    """Let a worker find that the definition is another than at the last look, and wait until it has looked."""
    with stage.house.entered() as scope:
        rows = Connection.objects.visible_to(scope).filter(id=connection.uuid)
        rows.update(looked_revision=-1, look_at=rows.get().created_at)

    def over() -> bool:
        with stage.house.entered() as scope:
            row = Connection.objects.visible_to(scope).get(id=connection.uuid)
            return row.looked_revision > 0 and row.look_at is not None and row.look_at > row.created_at

    until("a look to begin", over, seconds=60)


def reports(connection: Linked) -> list[dict[str, Any]]:
    return [one for one in connection.listed("drift-reports") if any(found["note"] == "canary" for found in one["findings"])]


def test_what_a_browser_shows_otherwise_is_suspect_with_digests_of_both_until_it_is_the_same_again(
    stage: Stage, robin: Linked
) -> None:
    signed_in = len(stage.attempts("robin", "password"))
    stage.trouble({"fault": "script_value", "value": "phone:7", "on": "/patients", "times": 0})
    before = robin.refresh("patients")
    assert (before["state"], before["verdict"]) == ("published", "same"), "the control: readings see nothing of it"
    assert reports(robin) == []

    looks_again(stage, robin)
    [report] = until("the difference to be told", lambda: reports(robin), seconds=90)

    assert (report["capability"], report["verdict"]) == ("patients.read", "suspect")
    [finding] = report["findings"]
    assert finding["place"] == "patients.phone"
    shown, brought = finding["seen"].split(",")[0].split(" "), finding["expected"].split(" ")
    assert (shown[0], brought[0]) == ("browser", "http")
    assert len(shown[1]) == len(brought[1]) == 16
    assert shown[1] != brought[1]
    phone = next(row["phone"] for row in stage.portal.rows("patient") if row["id"] == 7)
    assert phone not in str(report)
    assert phone[::-1] not in str(report)
    assert robin.open_matters() == ["drift_suspect"]
    stage.portal.order("PATCH", "patient/8", {"phone": "503-555-0188"})
    assert robin.refresh("patients")["state"] == "refused", "what the list says is not believed meanwhile"
    assert robin.mirrored("patients")["8"]["phone"] != "+15035550188"
    assert robin.refresh("clinicians")["state"] == "published", "and the others go on"

    stage.trouble()
    looks_again(stage, robin)
    until("the matter to go away", lambda: robin.open_matters() == [], seconds=90)
    assert robin.refresh("patients")["state"] == "published"
    assert robin.mirrored("patients") == expected(stage.portal.rows, "patients")
    assert len(reports(robin)) == 1
    assert len(stage.attempts("robin", "password")) == signed_in, "it went on with the session that there was"
