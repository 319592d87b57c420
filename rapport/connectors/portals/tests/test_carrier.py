"""What carries a session is found by whoever records a portal, without being told: three portals, and what is not to be taken for it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.kit import capture, carrier, recording
from rapport.connectors.portals.kit.capture import Captured
from rapport.connectors.portals.kit.carrier import Sent, find, recipe
from rapport.connectors.portals.tests.live import Stage, needs_chromium

STORED = {"session": json.dumps({"login": "ana", "uid": 7, "token": "tok-5551-long"}), "theme": "dark", "plain": "abcdefgh-1"}


def basic(text: str) -> str:
    return "Session " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(("value", "key", "made"), [
    ("abcdefgh-1", "plain", {"prefix": "", "pieces": ["$local.plain"]}),
    ("Bearer abcdefgh-1", "plain", {"prefix": "Bearer ", "pieces": ["$local.plain"]}),
    ("Bearer tok-5551-long", "session", {"prefix": "Bearer ", "pieces": ["$local.session.token"]}),
    (basic("ana:7:tok-5551-long"), "session", {
        "prefix": "Session ", "pieces": ["$local.session.login", "$local.session.uid", "$local.session.token"], "join": ":", "base64": True}),
])  # fmt: skip
def test_a_header_is_told_by_what_it_is_equal_to(value: str, key: str, made: dict[str, object]) -> None:
    found = recipe(value, [STORED])
    assert found is not None
    assert (found.key, dict(found.recipe)) == (key, made)


@pytest.mark.parametrize("value", ["dark", "Bearer abcdefgh-2", "Bearer tok-5551", basic("ana:7:other-token"), basic("ana:7")])
def test_the_control_what_is_only_like_it_is_not_it(value: str) -> None:
    assert recipe(value, [STORED]) is None


def test_a_page_that_anybody_is_shown_tells_nothing() -> None:
    page = Answer(200, "/", b"<html><body>Welcome</body></html>", {"content-type": "text/html"})
    sent = Sent("GET", "/", {"cookie": "sid=1", "user-agent": "B"}, b"", page)
    assert find([sent], [], ask=lambda one: page) is None


def test_two_cookies_of_which_one_is_needed_and_a_header_from_nowhere() -> None:
    page = Answer(200, "/", b"<html><body>Ana</body></html>", {"content-type": "text/html"})
    gone = Answer(302, "/", b"", {"location": "/login"})

    def ask(one: Sent) -> Answer:
        return page if "sid=1" in one.headers.get("cookie", "") and one.headers.get("x-app") == "v" else gone

    found = find([Sent("GET", "/", {"cookie": "lang=en; sid=1", "x-app": "v", "user-agent": "B"}, b"", page)], [], ask=ask)
    assert found is not None
    assert (found.cookies, found.unknown, found.user_agent) == (("sid",), ("X-App",), False)


def walked(stage: Stage, start: str, *walk: str, **typed: str) -> Captured:
    password = stage.portal.ready["users"]["nick"]["password"]
    return capture.walk(f"{stage.portal.ready['url']}{start}", walk, base_url=f"{stage.portal.ready['url']}/", typed=typed, password=password)


@needs_chromium
@pytest.mark.long
def test_a_token_in_the_local_storage_is_found_and_is_in_no_recording(stage: Stage, tmp_path: Path) -> None:
    found = walked(stage, "/app", "/app", login="nick")

    assert found.carrier is not None
    assert found.carrier.words() == "Authorization from localStorage fernbrook_session"
    assert dict(found.carrier.headers["Authorization"].recipe) == {
        "prefix": "Session ", "pieces": ["$local.fernbrook_session.login", "$local.fernbrook_session.uid", "$local.fernbrook_session.token"],
        "join": ":", "base64": True,
    }  # fmt: skip
    made = recording.record(
        found.seen, tmp_path / "out", base_url=f"{stage.portal.ready['url']}/", secrets=found.kept, marked=[], keep=[], plain=[], definition=None, carrier=found.carrier
    )
    assert not made.failed, made.lines
    assert "A session is carried by: Authorization from localStorage fernbrook_session." in made.lines
    kept = b"".join(file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file())
    tokens = [json.loads(one["fernbrook_session"])["token"] for one in found.storage]
    assert tokens
    assert b'"words": "Authorization from localStorage fernbrook_session"' in kept
    assert not [token for token in tokens if token.encode() in kept]


@needs_chromium
@pytest.mark.long
@pytest.mark.parametrize(("pinned", "words"), [("1", "cookie fernbrook + User-Agent"), ("0", "cookie fernbrook")], ids=["pinned", "the control: not pinned"])
def test_a_portal_that_holds_a_session_to_its_browser_is_told_from_one_that_does_not(stage: Stage, pinned: str, words: str) -> None:
    stage.set(pin_user_agent=pinned)
    found = walked(stage, "/login", "/patients", practice="FERN", user="nick")

    assert found.carrier is not None
    assert found.carrier.words() == words
    assert carrier.OTHER_AGENT in {one["user_agent"] for one in stage.requests("GET", "/patients")}
