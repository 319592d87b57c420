"""A session lives, turns its cookie, and ends as portals end them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from rapport.sandbox.portal.tests.support import Portal, csrf, said, tree


def test_cookies_turn_and_the_one_before_works_for_a_moment(portal: Portal) -> None:
    browser = portal.signed_in()
    first = browser.cookies["fernbrook"]
    time.sleep(1.1)
    browser.get("/home")
    assert browser.cookies["fernbrook"] != first

    late = portal.browser()
    late.cookies.set("fernbrook", first)
    assert late.get("/home").url.path == "/home"


def test_eight_calls_at_once_with_a_cookie_that_turns_each_time_all_get_in(portal: Portal) -> None:
    portal.set(rotate="each")
    cookie = portal.signed_in().cookies["fernbrook"]

    def call(number: int) -> str:
        browser = portal.browser()
        browser.cookies.set("fernbrook", cookie)
        return browser.get("/home").url.path

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(8))) == {"/home"}
    assert len(portal.rows("session")) == 1


def test_a_pinned_session_ends_with_another_browser(portal: Portal) -> None:
    browser = portal.signed_in()
    assert browser.get("/home", headers={"User-Agent": "Other/2"}).url.path == "/home"
    portal.set(pin_user_agent=1)
    assert browser.get("/home").url.path == "/home"
    assert browser.get("/home", headers={"User-Agent": "Other/2"}).url.path == "/login"
    assert browser.get("/home").url.path == "/login"


def test_a_session_ends_without_use(portal: Portal) -> None:
    portal.set(session_seconds=3)
    browser = portal.signed_in()
    for _ in range(2):
        time.sleep(1.8)
        assert browser.get("/home").url.path == "/home"
    time.sleep(3.2)
    assert browser.get("/home").url.path == "/login"


def test_a_second_sign_in_closes_the_first_where_only_one_may_be(portal: Portal) -> None:
    first = portal.signed_in()
    portal.signed_in()
    assert first.get("/home").url.path == "/home"

    portal.set(one_session=1)
    second = portal.signed_in()
    closed = first.get("/home")

    assert second.get("/home").url.path == "/home"
    assert closed.url.params["reason"] == "elsewhere"
    assert "another device" in said(closed)
    assert portal.rows("request?path=/home")[-1]["login"] == "nick"


def test_signing_out_ends_the_session_for_whoever_has_the_cookie(portal: Portal) -> None:
    browser = portal.signed_in()
    kept = browser.cookies["fernbrook"]
    browser.post("/logout")
    other = portal.browser()
    other.cookies.set("fernbrook", kept)

    assert other.get("/home").url.path == "/login"
    assert other.get("/data/me").json() == {"logged_in": False}


def test_what_a_role_may_not_see_and_an_ended_session_can_look_the_same(portal: Portal) -> None:
    dana = portal.signed_in("dora")
    assert dana.get("/notes").status_code == 403
    assert portal.browser().get("/notes").url.path == "/login"

    portal.set(shared_403=1)
    forbidden, ended = dana.get("/notes"), portal.browser().get("/notes")

    assert forbidden.status_code == ended.status_code == 403
    assert "do not have permission" in ended.text
    assert portal.browser().get("/data/notes").status_code == 403


PAGES = ("/patients", "/calendar", "/notes", "/staff", "/billing/claims", "/accounts", "/users", "/exports", "/patients/3/insurance")
MAY = {"nick": PAGES, "dora": ("/patients", "/calendar", "/staff", "/patients/3/insurance"),
       "tess": ("/patients", "/calendar", "/notes", "/staff"),
       "abe": ("/patients", "/billing/claims", "/accounts", "/exports", "/patients/3/insurance"),
       "uma": ("/staff", "/users", "/exports")}  # fmt: skip


@pytest.mark.parametrize("login", sorted(MAY))
def test_each_role_sees_its_pages_and_no_other(portal: Portal, login: str) -> None:
    browser = portal.signed_in(login)
    seen = {path for path in PAGES if browser.get(path).status_code == 200}
    assert seen == set(MAY[login])
    linked = set(tree(browser.get("/home")).xpath("//nav/a/@href"))
    assert linked & set(PAGES) == {path for path in MAY[login] if not path.endswith("insurance")}


def test_a_role_that_is_changed_counts_from_the_next_page_on(portal: Portal) -> None:
    browser = portal.signed_in("tess")
    assert browser.get("/accounts").status_code == 403
    portal.order("PATCH", "user/tess", {"role": "accounts"})
    assert (browser.get("/accounts").status_code, browser.get("/notes").status_code) == (200, 403)


def test_a_form_needs_a_token_of_its_own_session_from_form_header_or_cookie(portal: Portal) -> None:
    browser, other = portal.signed_in(), portal.signed_in("dora")
    one, two = (csrf(browser.get("/appointments/new")) for _ in range(2))
    assert one != two

    def post(token: str, **head: str) -> int:
        return browser.post("/appointments/new", data={"csrf": token}, headers=head).status_code

    assert [post(one), post(two), post("", **{"X-CSRF-Token": browser.cookies["fernbrook_csrf"]})] == [200, 200, 200]
    assert [post(""), post(csrf(other.get("/appointments/new")))] == [400, 400]


def test_what_it_keeps_outlives_a_kill(own_portal: Portal) -> None:
    browser = own_portal.signed_in()
    cookie = browser.cookies["fernbrook"]
    own_portal.set(look="B")
    own_portal.kill()
    own_portal.start()

    again = own_portal.browser()
    again.cookies.set("fernbrook", cookie)
    page = again.get("/home")

    assert page.url.path == "/home"
    assert "Clients" in page.text
    assert httpx.get(own_portal.ready["url"], trust_env=False).status_code == 302
