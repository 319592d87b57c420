"""Signing in at the sandbox portal with a real browser, and being told why when it does not go on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.tests.live import Stage, changed, needs_chromium, now, waiting
from rapport.rooms.exchange.ports import OWNERS, Factor, Got, Owner, Reason, SignedIn, Trouble

pytestmark = [needs_chromium, pytest.mark.long]


def refused(found: object) -> Trouble:
    assert isinstance(found, Trouble), found
    return found


def test_a_password_alone_signs_in_and_the_oracle_is_false_before_and_after(stage: Stage) -> None:
    found = stage.driver.sign_in(stage.target("nick"), now=now())
    assert isinstance(found, SignedIn), found
    alive = stage.driver.who(stage.target("nick"), session=found.session, now=now())
    assert isinstance(alive, SignedIn), alive
    stage.driver.sign_out(stage.target("nick"), session=alive.session, now=now())
    ended = stage.driver.who(stage.target("nick"), session=alive.session, now=now())

    assert found.subject == alive.subject == "Nick Plain"
    assert found.idle_seconds == 900
    assert refused(ended).reason is Reason.SESSION_EXPIRED
    assert stage.requests("POST", "/logout")


def test_an_oracle_that_holds_for_everybody_signs_nobody_in(stage: Stage, tmp_path: Path) -> None:
    def lie(content: dict[str, Any]) -> None:
        content["session"]["oracle"] = {
            "call": {"path": "/login"}, "true_when": {"has": {"tag": "h1"}}, "subject": {"element": {"tag": "h1"}},
        }  # fmt: skip

    driver = PortalDriver(local=True, folder=changed(tmp_path, lie))
    found = refused(driver.sign_in(stage.target("nick"), now=now()))

    assert found.reason is Reason.CONNECTOR_OUTDATED
    assert not stage.requests("POST", "/login")


def test_a_computed_code_signs_in_and_everything_after_it_is_read_without_a_browser(stage: Stage) -> None:
    began = time.monotonic()
    session = stage.sign_in("robin")
    took = time.monotonic() - began
    got = stage.read("patients.read", session, login="robin")

    assert isinstance(got, Got), got
    assert len({row.remote_id for row in got.rows}) == len(stage.rows("patient")) == 132
    assert len(stage.requests("POST", "/login")) == 2  # password, code
    agents = {one["user_agent"] for one in stage.requests() if one["login"]}
    assert len(agents) == 1
    assert took < 10 + 4  # a code near the end of its window waits for the next


def test_a_wrong_password_is_tried_once_and_is_for_the_practice_to_mend(stage: Stage) -> None:
    found = refused(stage.driver.sign_in(stage.target("nick", password="not-it"), now=now()))

    assert found.reason is Reason.CREDENTIALS_REJECTED
    assert OWNERS[found.reason] is Owner.PRACTICE
    assert len(stage.requests("POST", "/login")) == 1
    assert "not-it" not in repr(found)
    stage.sign_in("nick")


def test_a_sign_in_page_that_comes_back_without_a_word_is_not_filled_in_again(stage: Stage, tmp_path: Path) -> None:
    def speechless(content: dict[str, Any]) -> None:
        content["login"]["rejected"] = [{"when": {"status": [418]}}]

    driver = PortalDriver(local=True, folder=changed(tmp_path, speechless))
    found = refused(driver.sign_in(stage.target("nick", password="not-it"), now=now()))

    assert found.reason is Reason.CREDENTIALS_REJECTED
    assert len(stage.requests("POST", "/login")) == 1


def test_a_locked_account_is_not_a_wrong_password(stage: Stage) -> None:
    for _ in range(5):
        stage.portal.password(stage.portal.browser(), "nick", "wrong")
    before = len(stage.requests("POST", "/login"))
    found = refused(stage.driver.sign_in(stage.target("nick"), now=now()))

    assert found.reason is Reason.ACCOUNT_LOCKED
    assert len(stage.requests("POST", "/login")) - before == 1


@pytest.mark.parametrize(("said", "reason"), [
    ("password_expired", Reason.PASSWORD_EXPIRED), ("terms", Reason.TERMS_PENDING), ("new_device", Reason.NEW_DEVICE),
])  # fmt: skip
def test_what_the_portal_wants_of_a_person_has_its_own_reason_and_a_picture(
    stage: Stage, said: str, reason: Reason
) -> None:
    stage.portal.order("PATCH", "user/nick", {"notice": said})
    found = refused(stage.driver.sign_in(stage.target("nick"), now=now()))

    assert found.reason is reason
    assert found.picture is not None
    assert found.picture.startswith(b"\x89PNG")
    assert OWNERS[found.reason] is Owner.PRACTICE


@pytest.mark.parametrize(("fault", "reason"), [
    ("maintenance", Reason.MAINTENANCE), ("captcha", Reason.BLOCKED_BY_PORTAL),
])  # fmt: skip
def test_a_portal_that_is_closed_or_wants_to_see_a_person_is_sent_no_password(
    stage: Stage, fault: str, reason: Reason
) -> None:
    stage.trouble({"fault": fault, "on": "/login", "times": 0})
    found = refused(stage.driver.sign_in(stage.target("nick"), now=now()))

    assert found.reason is reason
    assert not stage.requests("POST", "/login")


def test_a_portal_that_is_not_there_is_down(stage: Stage) -> None:
    stage.portal.kill()
    found = refused(stage.driver.sign_in(stage.target("nick"), now=now()))

    assert found.reason is Reason.PORTAL_DOWN


def test_a_code_that_a_person_has_is_asked_for_and_another_process_goes_on_with_it(stage: Stage) -> None:
    challenge = waiting(stage.driver.sign_in(stage.target("dana"), now=now()))
    assert challenge.factor is Factor.SMS
    assert challenge.masked_destination == "•••-0142"
    assert (challenge.expires_at - challenge.issued_at).total_seconds() == 300
    assert challenge.resume not in repr(challenge).encode()
    time.sleep(1.2)  # the cookie has turned meanwhile

    later = PortalDriver(local=True)
    found = later.answer(
        replace(stage.target("dana"), secrets={}), resume=challenge.resume, code=stage.code("dana"), now=now()
    )

    assert isinstance(found, SignedIn), found
    assert found.subject == "Dana Desk"
    assert len(stage.requests("POST", "/login")) == 2


def test_a_new_code_is_asked_for_once_and_the_old_one_is_good_while_no_other_was_sent(stage: Stage) -> None:
    challenge = waiting(stage.driver.sign_in(stage.target("dana"), now=now()))
    for _ in range(3):
        challenge = waiting(stage.driver.answer(stage.target("dana"), resume=challenge.resume, code=None, now=now()))
    assert len(stage.requests("POST", "/login/code")) == 1
    assert len(stage.rows("code")) == 1

    found = stage.driver.answer(stage.target("dana"), resume=challenge.resume, code=stage.code("dana"), now=now())

    assert isinstance(found, SignedIn), found


def test_a_wrong_code_and_one_that_comes_too_late_are_told_apart(stage: Stage) -> None:
    challenge = waiting(stage.driver.sign_in(stage.target("carol"), now=now()))
    assert (challenge.factor, challenge.masked_destination) == (Factor.EMAIL, "c•••@example.org")
    right = stage.code("carol")
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    denied = stage.driver.answer(stage.target("carol"), resume=challenge.resume, code=wrong, now=now())
    stage.portal.order("DELETE", "session")
    forgotten = stage.driver.answer(stage.target("carol"), resume=challenge.resume, code=right, now=now())
    late = stage.driver.answer(stage.target("carol"), resume=challenge.resume, code=right, now=challenge.expires_at)

    assert refused(denied).reason is Reason.SECOND_FACTOR_DENIED
    assert refused(forgotten).reason is refused(late).reason is Reason.SECOND_FACTOR_EXPIRED
    assert len(stage.requests("POST", "/login/code")) == 1


@pytest.mark.slow
def test_a_computed_code_is_not_given_in_the_last_seconds_of_its_window(stage: Stage) -> None:
    time.sleep((26.6 - time.time()) % 30)
    stage.sign_in("robin")
    given = [one["at"] % 30 for one in stage.requests("POST", "/login/code")]

    assert len(given) == 1
    assert given[0] < 27


@pytest.mark.parametrize("look", ["B"])
def test_another_look_of_the_portal_is_signed_in_to_by_what_its_controls_mean(stage: Stage, look: str) -> None:
    stage.set(look=look, language="de")
    stage.sign_in("robin")
    assert len(stage.requests("POST", "/login")) == 2
