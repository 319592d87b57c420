"""Calls without a browser at the sandbox portal: what an answer means, and what a session may be sent with."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import httpx
import msgspec
import pytest

from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.sessions import NoSession, Session, opened
from rapport.connectors.portals.tests.live import Stage, now
from rapport.connectors.portals.transport import (
    HostNotAllowed,
    Hosts,
    PortalTransport,
    WrongUserAgent,
)
from rapport.platform.net.addresses import UrlNotAllowed
from rapport.platform.net.lookup import BlockedAddress
from rapport.rooms.exchange.ports import Got, Reason, SignedIn, Trouble, Verdict


def trouble(found: object) -> Trouble:
    assert isinstance(found, Trouble), found
    return found


def got(found: object) -> Got:
    assert isinstance(found, Got), found
    return found


def test_no_right_and_no_session_look_the_same_and_are_told_apart_by_asking_once(stage: Stage) -> None:
    stage.set(shared_403="1")
    session = stage.session("dana")
    forbidden = trouble(stage.read("notes.read", session, login="dana"))
    asked = len(stage.requests("GET", "/home"))
    alive = stage.driver.who(stage.target("dana"), session=forbidden.session or b"", now=now())
    stage.portal.order("DELETE", "session")
    ended = trouble(stage.read("notes.read", session, login="dana"))

    assert forbidden.reason is Reason.NOT_PERMITTED
    assert isinstance(alive, SignedIn), alive
    assert ended.reason is Reason.SESSION_EXPIRED
    assert ended.session is None
    assert asked <= 2  # the sign-in's own and one
    assert len(stage.requests("POST", "/login")) == 2  # nobody was signed in again


def test_a_session_is_never_sent_under_another_name(stage: Stage) -> None:
    stage.set(pin_user_agent="1")
    session = stage.session("nick", agent="Browser/1")
    first = got(stage.read("patients.read", session))
    agents = {one["user_agent"] for one in stage.requests() if one["login"]}
    kept = opened(session, base_url=stage.portal.ready["url"])
    transport = PortalTransport(Hosts(kept.base_url, ["$base"], local=True), user_agent=kept.user_agent)
    with httpx.Client(transport=transport) as careless, pytest.raises(WrongUserAgent):
        careless.get(f"{kept.base_url}/patients")
    # The control: at this portal another name ends the session.
    other = msgspec.structs.replace(opened(first.session, base_url=kept.base_url), user_agent="Other/2").to_bytes()

    assert agents == {"Browser/1"}
    assert trouble(stage.read("patients.read", other)).reason is Reason.SESSION_EXPIRED
    assert trouble(stage.read("patients.read", first.session)).reason is Reason.SESSION_EXPIRED


def test_cookies_that_turn_with_each_answer_are_carried_on(stage: Stage) -> None:
    session = stage.session("nick")
    time.sleep(1.1)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda _: stage.read("clinicians.read" if _ % 2 else "patients.read", session), range(8)))
    lists = [one for one in together if isinstance(one, Got)]
    newest = lists[-1].session
    time.sleep(1.1)
    after = got(stage.read("patients.read", newest))

    assert [one for one in together if isinstance(one, Trouble) and one.reason is Reason.SESSION_EXPIRED] == []
    assert opened(after.session, base_url=stage.portal.ready["url"]).cookies != opened(session, base_url=stage.portal.ready["url"]).cookies
    # The control: the first cookie is no longer taken.
    stage.portal.order("DELETE", "request")
    time.sleep(10.2)
    assert trouble(stage.read("patients.read", session)).reason is Reason.SESSION_EXPIRED


@dataclass
class OneAtATime:
    """Turns as the room keeps them, in one process."""

    session: bytes
    lock: Lock = field(default_factory=Lock)

    def take(self) -> bytes:
        self.lock.acquire()
        return self.session

    def give(self, session: bytes | None) -> None:
        self.session = session or self.session
        self.lock.release()


def test_calls_at_once_take_turns_for_each_request_and_the_last_cookie_is_the_portals_own(stage: Stage) -> None:
    stage.set(rotate="each")
    first = stage.session("nick")
    turn = OneAtATime(first)
    target = replace(stage.target("nick"), secrets={}, turn=turn)

    def read(place: int) -> Got | Trouble:
        ability = ("patients.read", "clinicians.read")[place % 2]
        # All begin with the same bytes, as leases taken at one instant have them.
        return stage.driver.read(target, ability=ability, given={}, session=first, baseline=None, now=now())

    with ThreadPoolExecutor(8) as pool:
        lists = [got(one) for one in pool.map(read, range(8))]

    newest = stage.rows("session")[0]["token"]
    kept = {one.name: one.value for one in opened(turn.session, base_url=stage.portal.ready["url"]).cookies}
    assert kept["fernbrook"] == newest
    asked = [one for one in stage.requests("GET") if one["path"].startswith(("/patients", "/staff"))]
    assert len(asked) > len(lists), "lists of several pages, so that requests of one lie between those of another"
    # The control: what each call ended with is the newest of one of them only.
    ends = [opened(one.session, base_url=stage.portal.ready["url"]).cookies for one in lists]
    assert sum(any(cookie.value == newest for cookie in end) for end in ends) == 1


def test_a_page_that_asks_to_sign_in_is_no_list_whatever_its_status(stage: Stage) -> None:
    session = stage.session("nick")
    stage.trouble({"fault": "login_page", "on": "/patients"})
    found = trouble(stage.read("patients.read", session))

    assert found.reason is Reason.SESSION_EXPIRED
    assert found.findings[0].seen == "status 200, html"


@pytest.mark.parametrize(("script", "reason", "asked"), [
    ({"fault": "status", "value": "503", "times": 0}, Reason.PORTAL_DOWN, 1),
    ({"fault": "status", "value": "418", "times": 0}, Reason.DRIFT_BREAKING, 1),
    ({"fault": "status", "value": "429", "times": 0}, Reason.BUSY, 1),
    ({"fault": "drop_request", "times": 0}, Reason.PORTAL_DOWN, 3),
    ({"fault": "maintenance", "times": 0}, Reason.MAINTENANCE, 1),
    ({"fault": "captcha", "times": 0}, Reason.BLOCKED_BY_PORTAL, 1),
])  # fmt: skip
def test_each_way_of_not_answering_has_its_own_reason(
    stage: Stage, script: dict[str, Any], reason: Reason, asked: int
) -> None:
    session = stage.session("nick")
    stage.trouble(script | {"on": "/patients"})
    found = trouble(stage.read("patients.read", session))

    assert found.reason is reason
    assert len(stage.requests("GET", "/patients")) == asked
    assert found.session is not None
    assert (found.retry_after_seconds is not None) == (reason is Reason.BUSY)


def test_a_read_outlives_a_connection_that_broke_twice_and_shows_each_row_once(stage: Stage) -> None:
    session = stage.session("nick")
    stage.trouble({"fault": "drop_reply", "on": "/patients", "after": 1, "times": 2})
    found = got(stage.read("patients.read", session))

    assert sorted(int(row.remote_id) for row in found.rows) == list(range(1, 133))
    assert found.complete == "count"


def test_a_list_that_lost_its_way_on_is_refused_by_name_of_the_proof(stage: Stage) -> None:
    session = stage.session("nick")
    whole = got(stage.read("patients.read", session))
    stage.trouble({"fault": "no_next", "on": "/patients"})
    found = trouble(stage.read("patients.read", session))

    assert len(whole.rows) == 132
    assert found.reason is Reason.INCOMPLETE
    assert found.findings[0].note == "completeness"


def test_a_lost_column_names_itself_and_gives_no_null(stage: Stage) -> None:
    session = stage.session("nick")
    stage.trouble({"fault": "drop_column", "value": "status", "on": "/patients", "times": 0})
    found = trouble(stage.read("patients.read", session))
    others = got(stage.read("appointments.read", session))

    assert found.reason is Reason.DRIFT_BREAKING
    assert any("status" in one.place for one in found.findings)
    assert others.verdict is Verdict.SAME


def test_an_empty_list_is_believed_with_its_mark_alone(stage: Stage) -> None:
    session = stage.session("nick")
    empty = got(stage.read("appointments.read", session, from_on="2031-01-01"))
    stage.trouble({"fault": "no_rows", "on": "/calendar"})
    found = trouble(stage.read("appointments.read", session))

    assert (len(empty.rows), empty.complete) == (0, "empty_marker")
    assert found.reason is Reason.INCOMPLETE


def test_what_this_user_may_is_found_by_asking_for_one_row_of_each(stage: Stage) -> None:
    found = stage.driver.probe(stage.target("carol"), session=stage.session("carol"), now=now())
    assert not isinstance(found, Trouble), found
    assert found["patients.read"] is found["notes.read"] is True
    assert found["patients.create"] is found["appointments.create"] is False
    stage.portal.order("PATCH", "user/carol", {"role": "desk"})
    after = stage.driver.probe(stage.target("carol"), session=stage.session("carol"), now=now())

    assert not isinstance(after, Trouble), after
    assert after["notes.read"] is False
    assert after["patients.read"] is after["patients.create"] is after["appointments.create"] is True
    assert stage.requests("POST", "/patients") == [], "a form is looked at, and not sent"


def test_a_session_goes_to_its_own_portal_only(stage: Stage) -> None:
    session = stage.session("nick")
    elsewhere = replace(stage.target("nick"), base_url="http://127.0.0.1:9")
    kept = opened(session, base_url=stage.portal.ready["url"])

    assert trouble(stage.driver.who(elsewhere, session=session, now=now())).reason is Reason.SESSION_EXPIRED
    with pytest.raises(NoSession):
        opened(session, base_url="http://127.0.0.1:9")
    hosts = Hosts(kept.base_url, ["$base"], local=True)
    with httpx.Client(transport=PortalTransport(hosts, user_agent="x"), headers={"User-Agent": "x"}) as client:
        with pytest.raises(HostNotAllowed):
            client.get("http://127.0.0.1:9/")


def test_a_portal_on_this_machine_is_for_the_demo_and_tests(stage: Stage) -> None:
    found = PortalDriver().who(stage.target("nick"), session=stage.session("nick"), now=now())

    assert trouble(found).reason is Reason.HOST_NOT_ALLOWED
    for url in ("http://portal.example.org", "https://10.0.0.5", "https://portal.example.org:8443"):
        with pytest.raises(UrlNotAllowed):
            Hosts(url, ["$base"], local=False)
    # A name that leads inside is found out when it is connected to.
    inside = PortalTransport(Hosts("https://portal.example.org", ["$base"], local=False), user_agent="x", resolve=lambda *_: ["10.0.0.5"])
    with httpx.Client(transport=inside, headers={"User-Agent": "x"}) as client, pytest.raises(BlockedAddress):
        client.get("https://portal.example.org/")


def test_a_sessions_bytes_say_nothing_when_they_are_shown(stage: Stage) -> None:
    session = stage.session("nick")
    kept = opened(session, base_url=stage.portal.ready["url"])
    secret = kept.cookies[0].value

    assert secret not in repr(kept)
    assert secret not in repr(kept.cookies)
    for broken in (session[:-20], b"{}", secret.encode()):
        with pytest.raises(NoSession) as told:
            opened(broken, base_url=kept.base_url)
        assert secret not in repr(told.value.__cause__) + str(told.value)
    assert isinstance(kept, Session)


class Counting:
    """A pace that lets everything through and writes down what it was asked and told."""

    def __init__(self) -> None:
        self.before_count, self.told = 0, list[tuple[bool, int | None]]()

    def before(self) -> None:
        self.before_count += 1

    def after(self, *, seconds: float, busy: bool, retry_after_seconds: int | None = None) -> None:
        assert seconds >= 0
        self.told.append((busy, retry_after_seconds))


def test_every_request_waits_for_the_pace_and_says_how_the_portal_took_it(stage: Stage) -> None:
    session, pace = stage.session("nick"), Counting()
    target = replace(stage.target(), secrets={}, pace=pace)
    stage.portal.order("DELETE", "request")
    stage.trouble({"fault": "status", "value": "429:7", "on": "/staff"}, {"fault": "drop_request", "on": "/patients"})
    for ability in ("clinicians.read", "patients.read"):
        stage.driver.read(target, ability=ability, given={}, session=session, baseline=None, now=now())

    assert pace.before_count == len(pace.told) == len(stage.requests())
    assert pace.told[0] == (True, 7)
    assert set(pace.told[1:]) == {(False, None)}
