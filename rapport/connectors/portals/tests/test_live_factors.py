"""Factors that are answered elsewhere: a push on somebody's phone, and a service that signs people in for the portal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.tests.live import (
    SINGLE,
    Stage,
    changed,
    needs_chromium,
    now,
    waiting,
)
from rapport.rooms.exchange.ports import Challenge, Factor, Reason, SignedIn, Trouble

pytestmark = [needs_chromium, pytest.mark.long]


@pytest.fixture
def single(stage: Stage) -> Stage:
    return Stage(stage.portal, stage.driver, SINGLE)


def look(stage: Stage, challenge: Challenge) -> SignedIn | Challenge | Trouble:
    return stage.driver.answer(stage.target("pia"), resume=challenge.resume, code=None, now=now())


def test_a_push_is_waited_for_without_a_browser_and_then_goes_on(stage: Stage) -> None:
    challenge = waiting(stage.driver.sign_in(stage.target("pia"), now=now()))
    began = time.monotonic()
    again = waiting(look(stage, challenge))
    took = time.monotonic() - began
    stage.portal.order("PUT", "push/pia", {"answer": "approve"})
    found = look(stage, again)

    assert challenge.factor is Factor.PUSH
    assert took < 0.5
    assert isinstance(found, SignedIn), found
    assert found.subject == "Pia Push"


def test_a_push_that_was_denied_and_one_that_ran_out_are_told_apart_and_not_tried_again(stage: Stage) -> None:
    reasons = []
    for answer in ("deny", "expire"):
        challenge = waiting(stage.driver.sign_in(stage.target("pia"), now=now()))
        stage.portal.order("PUT", "push/pia", {"answer": answer})
        found = look(stage, challenge)
        assert isinstance(found, Trouble), found
        reasons.append(found.reason)

    assert reasons == [Reason.SECOND_FACTOR_DENIED, Reason.SECOND_FACTOR_EXPIRED]
    assert len(stage.requests("POST", "/login")) == 2


def test_single_sign_on_goes_over_two_hosts_and_presses_verify_and_not_send_another(single: Stage) -> None:
    challenge = waiting(single.driver.sign_in(single.target("sam"), now=now()))
    found = single.driver.answer(single.target("sam"), resume=challenge.resume, code=single.code("sam"), now=now())

    assert challenge.factor is Factor.EMAIL
    assert isinstance(found, SignedIn), found
    assert found.subject == "Sam Single"
    assert len(single.rows("code")) == 1
    assert {one["host"] for one in single.requests("POST")} == {"idp"}


def test_an_ended_session_is_renewed_by_the_living_one_of_the_service_without_password_and_code(single: Stage) -> None:
    challenge = waiting(single.driver.sign_in(single.target("sam"), now=now()))
    first = single.driver.answer(single.target("sam"), resume=challenge.resume, code=single.code("sam"), now=now())
    assert isinstance(first, SignedIn), first
    single.portal.order("DELETE", "session")
    single.portal.order("DELETE", "request")
    nothing = single.target("sam", password="not-needed")
    began = time.monotonic()
    again = single.driver.sign_in(nothing, now=now(), earlier=first.session)
    took = time.monotonic() - began

    assert isinstance(again, SignedIn), again
    assert again.subject == first.subject
    assert took < 5
    assert single.requests("POST") == []
    assert len(single.rows("code")) == 1
    # The control: without the session before, the service asks for the password.
    asked = single.driver.sign_in(nothing, now=now())
    assert isinstance(asked, Trouble)
    assert asked.reason is Reason.CREDENTIALS_REJECTED


def test_a_provider_that_answers_by_saml_signs_in_the_same_way_and_spares_the_next_time_everything(single: Stage) -> None:
    single.set(sso_protocol="saml")
    challenge = waiting(single.driver.sign_in(single.target("sam"), now=now()))
    first = single.driver.answer(single.target("sam"), resume=challenge.resume, code=single.code("sam"), now=now())
    assert isinstance(first, SignedIn), first
    single.portal.order("DELETE", "session")
    single.portal.order("DELETE", "request")
    again = single.driver.sign_in(single.target("sam", password="not-needed"), now=now(), earlier=first.session)

    assert isinstance(again, SignedIn), again
    assert again.subject == first.subject == "Sam Single"
    assert [(one["host"], one["path"]) for one in single.requests("POST")] == [("portal", "/login/saml")], "a signed answer, no password, no code"
    assert [one["path"].partition("?")[0] for one in single.requests("GET", "/id/")] == ["/id/saml"]
    assert len(single.rows("code")) == 1


def test_a_portal_that_leads_to_a_host_nobody_named_is_left(stage: Stage, tmp_path: Path) -> None:
    def forget(content: dict[str, Any]) -> None:
        content["hosts"] = ["$base"]

    narrow = Stage(stage.portal, PortalDriver(local=True, folder=changed(tmp_path, forget, SINGLE)), SINGLE)
    found = narrow.driver.sign_in(narrow.target("sam"), now=now())

    assert isinstance(found, Trouble), found
    assert found.reason is Reason.HOST_NOT_ALLOWED
    assert "localhost" in found.detail
    assert {one["host"] for one in stage.requests()} == {"portal"}
