"""What needs a script is used with a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from rapport.sandbox.portal.tests.support import Portal

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="the system has no Chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, portal: Portal) -> Iterator[Page]:
    context = chromium.new_context(base_url=portal.ready["url"])
    yield context.new_page()
    context.close()


def sign_in(page: Page, portal: Portal, login: str) -> None:
    """Fill the page in as a person does."""
    page.goto("/login")
    page.get_by_label("Practice code").fill("FERN")
    page.get_by_label("User name").fill(login)
    page.get_by_label("Password").fill(portal.ready["users"][login]["password"])
    page.get_by_role("button", name="Sign in").click()


def test_the_single_page_keeps_its_token_in_local_storage_and_no_cookie(page: Page, portal: Portal) -> None:
    page.goto("/app")
    page.get_by_label("User name").fill("dana")
    page.get_by_label("Password").fill(portal.ready["users"]["dana"]["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Verification code").fill("")
    page.wait_for_selector("#code_asks:not([hidden])")
    assert page.locator("#destination").inner_text() == "•••-0142"
    page.get_by_label("Verification code").fill(portal.code("dana"))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#appointment tbody tr")

    kept = json.loads(page.evaluate("localStorage.fernbrook_session"))
    assert set(kept) == {"login", "uid", "token"}
    assert page.context.cookies() == []
    assert page.locator("#patient tbody tr").count() == 25
    portal.order("DELETE", "session")
    page.reload()
    page.wait_for_selector("#app_login:not([hidden])")
    assert page.evaluate("localStorage.fernbrook_session") is None


def test_the_grid_page_shows_what_it_read_and_hides_what_is_hidden(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "nick")
    page.goto("/grid/patients")
    page.wait_for_selector("#patients tbody tr")
    assert page.locator("#count").inner_text() == "25 / 133"
    page.get_by_role("button", name="Next").click()
    page.wait_for_function("document.querySelectorAll('#patients tbody tr').length === 50")
    assert not page.locator("th[data-column=status_code]").is_visible()
    versions = {row["path"].partition("v=")[2] for row in portal.rows("request?method=GET") if "/data/patients" in row["path"]}
    assert len(versions) == 3


def test_the_push_page_goes_on_by_itself(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "pia")
    page.wait_for_url("**/login/push")
    portal.order("PUT", "push/pia", {"answer": "approve"})
    page.wait_for_url("**/home")
    assert page.locator("#who").inner_text() == "Signed in as Pia Push"


def test_sam_signs_in_over_his_provider_and_the_form_that_sends_itself(page: Page, portal: Portal) -> None:
    portal.set(sso_answer="form_post")
    page.goto("/login")
    page.get_by_role("link", name="Fernbrook ID").click()
    page.get_by_label("User name").fill("sam")
    page.get_by_label("Password").fill(portal.ready["users"]["sam"]["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Verification code").fill(portal.code("sam"))
    page.get_by_role("button", name="Verify").click()
    page.wait_for_url("**/home")

    cookies = {(cookie["name"], cookie["domain"]) for cookie in page.context.cookies()}
    assert cookies == {("fernbrook", "127.0.0.1"), ("fernbrook_csrf", "127.0.0.1"), ("fernbrook_id", "localhost")}


def test_a_sign_in_by_script_says_what_is_wrong_and_goes_on_when_it_is_right(page: Page, portal: Portal) -> None:
    portal.set(login_by="script")
    page.goto("/login")
    page.get_by_label("Practice code").fill("FERN")
    page.get_by_label("User name").fill("nick")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#script_problem[data-problem=failed]")
    page.get_by_label("Password").fill(portal.ready["users"]["nick"]["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/home")
