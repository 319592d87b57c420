"""Signing in: a code that a person gives, a password that is wrong, and a consent that is taken back."""

from __future__ import annotations

import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.rooms.exchange.models import PortalSession, Secret
from tests.connect.stage import Linked, Stage, until

pytestmark = [needs_chromium, pytest.mark.long]


@pytest.fixture(scope="module")
def dora(stage: Stage) -> Linked:
    return stage.link("dora")


def test_a_code_by_text_is_asked_of_a_person_and_typed_by_the_worker(stage: Stage) -> None:
    dana = stage.link("dana")
    dana.give()
    dana.wait_for("attention")
    asked = dana.listed("challenges", state="open")[0]
    assert (asked["factor"], asked["masked_destination"]) == ("sms", "•••-0142")
    assert dana.open_matters() == ["second_factor_needed"]

    dana.call("POST", f"/challenges/{asked['id']}/answer", {"code": stage.portal.code("dana")}, status=202)
    dana.wait_for("healthy")

    assert dana.listed("challenges")[0]["state"] == "passed"
    assert dana.open_matters() == []
    assert [one["good"] for one in stage.attempts("dana")] == [1, 1], "one password and one code, none wrong"
    dana.call("POST", "/suspend", {}, status=202)


def test_a_wrong_password_is_tried_once_and_the_right_one_mends_the_same_connection(stage: Stage, dora: Linked) -> None:
    dora.give(password="not the one")
    dora.wait_for("attention")

    assert dora.open_matters() == ["credentials_rejected"]
    assert dora.call("POST", "/sign-in", {}, status=409)["code"] == "secret-missing"
    assert dora.call("POST", "/secrets", {"password": "not the one"}, status=409)["code"] == "secret-rejected"
    assert [one["good"] for one in stage.attempts("dora")] == [0]

    dora.give()
    dora.wait_for("healthy")
    assert dora.open_matters() == []
    assert [one["good"] for one in stage.attempts("dora")] == [0, 1], "the control: a right one is sent"


def test_a_consent_that_is_taken_back_ends_the_session_there_and_erases_what_was_secret(stage: Stage, dora: Linked) -> None:
    def sessions() -> set[str]:
        return {one["state"] for one in stage.portal.rows("session?login=dora")}

    def secret() -> tuple[int, bool]:
        with stage.house.entered() as scope:
            kept = Secret.objects.visible_to(scope).filter(connection_id=dora.uuid).count()
            rows = PortalSession.objects.visible_to(scope).filter(connection_id=dora.uuid, sealed__isnull=False)
            return kept, rows.exists()

    assert secret() == (1, True), "the control: they were there"
    lived = sessions()

    dora.call("POST", "/withdraw", {}, status=202)

    until("the session to be over at the portal", lambda: sessions() != lived)
    until("the session to be erased", lambda: secret() == (0, False))
    assert dora.is_in("withdrawn")
    dora.call("POST", "/secrets", {"password": "again"}, status=409)
