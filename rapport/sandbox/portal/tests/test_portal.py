"""The portal behaves as portals do, and goes wrong when it is told to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rapport.sandbox.portal.tests.support import Portal, columns, csrf, give_code, ids
from rapport.sandbox.portal.trouble import FAULTS


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    running = Portal(tmp_path / "portal")
    yield running
    running.kill()


def test_password_and_code_lead_home_and_a_code_works_once(portal: Portal) -> None:
    code = portal.code("robin")
    for wanted in ("/home", "/login/code"):
        browser = portal.browser()
        asked = portal.password(browser, "robin")
        assert asked.url.path == "/login/code"
        assert browser.get("/patients").url.path == "/login"
        assert give_code(browser, browser.get("/login/code"), code).url.path == wanted


def test_five_wrong_passwords_lock_the_right_one_out(portal: Portal) -> None:
    answers = [portal.password(portal.browser(), "nick", "wrong").status_code for _ in range(5)]
    right = portal.password(portal.browser(), "nick")

    assert answers == [200, 200, 200, 200, 429]
    assert (right.status_code, "locked" in right.text) == (429, True)


def test_no_other_code_is_sent_while_one_is_alive(portal: Portal) -> None:
    browser = portal.browser()
    page = portal.password(browser, "dana")
    browser.post("/login/code", data={"csrf": csrf(page), "resend": "1"})

    assert len(portal.order("GET", "code")["data"]) == 1
    assert "•••-0142" in page.text
    assert give_code(browser, page, portal.code("dana")).url.path == "/home"


def test_a_list_is_read_page_by_page_to_its_count(portal: Portal) -> None:
    browser, seen, path = portal.signed_in(), [], "/patients"
    while path:
        page = browser.get(path)
        seen += ids(page)
        path = "/patients" + page.text.partition('rel="next" href="')[2].partition('"')[0]
        path = path if "page=" in path else ""

    assert seen == list(range(1, 133))
    assert 'data-total="132"' in page.text
    assert 'id="empty"' in browser.get("/calendar?from=2031-01-01").text


def test_the_two_looks_and_the_other_language_show_the_same_people(portal: Portal) -> None:
    browser = portal.signed_in()
    a = browser.get("/patients")
    portal.order("PUT", "settings", {"look": "B"})
    b = browser.get("/patients")
    portal.order("PUT", "settings", {"language": "de"})
    german = browser.get("/patients")

    assert ids(a) == ids(b) == ids(german)
    assert sorted(columns(a)) == sorted(columns(b))
    assert columns(a) != columns(b)
    assert "Active" in a.text
    assert "Current" in b.text
    assert "Aktiv" in german.text
    assert a.text.count('data-code="01"') == german.text.count('data-code="01"') > 0


def test_what_a_role_may_not_see_and_an_ended_session_can_look_the_same(portal: Portal) -> None:
    dana = portal.signed_in("dana")
    assert dana.get("/notes").status_code == 403
    assert portal.browser().get("/notes").url.path == "/login"

    portal.order("PUT", "settings", {"shared_403": "1"})
    forbidden, ended = dana.get("/notes"), portal.browser().get("/notes")

    assert forbidden.status_code == ended.status_code == 403
    assert "do not have permission" in ended.text


def test_cookies_turn_and_a_pinned_session_ends_with_another_browser(portal: Portal) -> None:
    browser = portal.signed_in()
    first = browser.cookies["fernbrook"]
    time.sleep(1.1)
    browser.get("/home")
    assert browser.cookies["fernbrook"] != first

    portal.order("PUT", "settings", {"pin_user_agent": "1"})
    assert browser.get("/home", headers={"User-Agent": "Other/2"}).url.path == "/login"
    assert browser.get("/home").url.path == "/login"


def test_a_booking_is_kept_and_one_that_cannot_be_says_why(portal: Portal) -> None:
    browser = portal.signed_in()
    form = {"csrf": csrf(browser.get("/appointments/new")), "patient": "7", "clinician": "2",
            "start": "2027-01-04T10:00", "minutes": "50", "code": "90837", "place": "Telehealth"}  # fmt: skip

    saved = browser.post("/appointments/new", data=form)
    taken = browser.post("/appointments/new", data=form)
    nobody = browser.post("/appointments/new", data=form | {"patient": "9999"})
    forged = browser.post("/appointments/new", data=form | {"csrf": "x"})

    assert 'id="saved"' in saved.text
    assert "already has an appointment" in taken.text
    assert 'data-field="patient"' in nobody.text
    assert forged.status_code == 400
    assert ids(browser.get("/calendar?from=2027-01-01")) == [int(saved.url.path.rpartition("/")[2])]


@pytest.mark.parametrize(("fault", "kept"), [("drop_reply", 1), ("drop_request", 0)])
def test_a_lost_connection_keeps_the_booking_or_does_not(portal: Portal, fault: str, kept: int) -> None:
    browser = portal.signed_in()
    token = csrf(browser.get("/appointments/new"))
    portal.order("PUT", "trouble", [{"fault": fault, "on": "/appointments", "method": "POST"}])

    with pytest.raises(httpx.TransportError):
        browser.post("/appointments/new", data={
            "csrf": token, "patient": "7", "clinician": "2", "start": "2027-01-04T10:00", "minutes": "50"})  # fmt: skip

    assert len(ids(browser.get("/calendar?from=2027-01-01"))) == kept


def test_each_trouble_shows_on_the_page_it_was_ordered_for_and_then_ends(portal: Portal) -> None:
    browser = portal.signed_in()
    fine = browser.get("/patients").text
    values = {"status": "503", "drop_column": "status", "rename_column": "email", "swap_heads": "email,phone", "unknown_status": "5", "slow": "0.2"}  # fmt: skip
    for fault in sorted(set(FAULTS) - {"drop_reply", "drop_request", "ignore_write", "expire"}):
        portal.order("PUT", "trouble", [{"fault": fault, "on": "/patients", "value": values.get(fault, "")}])
        began = time.monotonic()
        troubled = browser.get("/patients").text
        slow = time.monotonic() - began >= 0.2
        assert troubled != fine or (fault == "slow" and slow), fault
        assert browser.get("/patients").text == fine, fault


def test_what_it_keeps_outlives_a_kill(portal: Portal) -> None:
    browser = portal.signed_in()
    cookie = browser.cookies["fernbrook"]
    portal.kill()
    portal.start()

    again = portal.browser()
    again.cookies.set("fernbrook", cookie)

    assert again.get("/home").url.path == "/home"


def test_orders_need_the_key_and_make_sense(portal: Portal) -> None:
    url = portal.ready["url"]
    assert httpx.get(f"{url}/_sandbox/user", trust_env=False).status_code == 401
    head = {"Authorization": f"Bearer {portal.ready['control_key']}"}
    for path, body in (("settings", {"colour": "1"}), ("trouble", [{"fault": "rain", "on": "/"}])):
        answer = httpx.put(f"{url}/_sandbox/{path}", json=body, headers=head, trust_env=False)
        assert answer.status_code == 422
