"""Each trouble shows on the page it was ordered for, as its words say, and then ends."""

from __future__ import annotations

import time

import httpx
import pytest

from rapport.sandbox.portal.tests.support import (
    Portal,
    cells,
    codes,
    columns,
    facts,
    ids,
    said,
    tree,
    words,
)
from rapport.sandbox.portal.trouble import FAULTS


def page_of(portal: Portal, fault: str, value: str = "", path: str = "/patients") -> tuple[httpx.Response, httpx.Response]:
    """Return a page as it is, and with one trouble."""
    browser = portal.signed_in()
    fine = browser.get(path)
    portal.trouble(fault, path, value=value)
    return fine, browser.get(path)


def test_a_label_changes_and_its_mark_stays(portal: Portal) -> None:
    fine, page = page_of(portal, "rename_label", "status=Standing")
    assert columns(page) == columns(fine)
    assert "Standing" in words(page)
    assert "Status" not in words(page)


def test_a_column_has_another_mark_and_other_words(portal: Portal) -> None:
    _, page = page_of(portal, "rename_column", "email")
    assert "email" not in columns(page)
    assert "email_2" in columns(page)


def test_a_column_is_gone_and_one_is_new(portal: Portal) -> None:
    fine, page = page_of(portal, "drop_column", "status")
    assert set(columns(fine)) - set(columns(page)) == {"status"}
    fine, page = page_of(portal, "extra_column")
    assert set(columns(page)) - set(columns(fine)) == {"referral"}
    assert cells(page, "email") == cells(fine, "email")


def test_columns_stand_in_another_order_with_what_is_theirs(portal: Portal) -> None:
    for fault, value in (("reorder_columns", "reverse"), ("reorder_columns", "7"), ("swap_columns", "email,phone")):
        fine, page = page_of(portal, fault, value)
        assert columns(page) != columns(fine)
        assert all(cells(page, name) == cells(fine, name) for name in columns(fine))


def test_heads_are_swapped_and_contents_are_not(portal: Portal) -> None:
    fine, page = page_of(portal, "swap_heads", "email,phone")
    assert cells(page, "email") == cells(fine, "phone")


def test_days_are_written_otherwise(portal: Portal) -> None:
    _, page = page_of(portal, "swap_days")
    assert cells(page, "birth_on")[12] == "14/02/1963"
    _, page = page_of(portal, "date_format", "%d.%m.%Y")
    assert cells(page, "birth_on")[12] == "14.02.1963"


def test_a_code_nobody_knows_is_in_some_rows(portal: Portal) -> None:
    fine, page = page_of(portal, "unknown_code", "5")
    changed = [id for id, code in zip(ids(page), codes(page, "status"), strict=True) if code == "9"]
    assert changed == [5, 10, 15, 20, 25]
    assert "9" not in codes(fine, "status")


def test_one_value_is_another_and_a_column_is_empty(portal: Portal) -> None:
    fine, page = page_of(portal, "other_value", "phone:7")
    differ = [place for place, (one, other) in enumerate(zip(cells(fine, "phone"), cells(page, "phone"), strict=True)) if one != other]
    assert [ids(page)[place] for place in differ] == [7]
    _, page = page_of(portal, "blank_column", "email")
    assert set(cells(page, "email")) == {""}


def test_a_list_ends_too_early_is_empty_or_counts_wrong(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.trouble("no_next", "/patients", value="3", times=0)
    ends = [bool(tree(browser.get(f"/patients?page={page}")).xpath("//a[@rel='next']")) for page in (2, 3, 4)]
    assert ends == [True, False, True]
    for fault, marked, total in (("no_rows", 0, "132"), ("empty_list", 1, "0")):
        _, page = page_of(portal, fault)
        assert (ids(page), len(tree(page).xpath("//*[@id='empty']"))) == ([], marked)
        assert f'data-total="{total}"' in page.text
    _, page = page_of(portal, "wrong_total", "-2")
    assert 'data-total="130"' in page.text


def test_rows_come_twice_and_pages_again(portal: Portal) -> None:
    _, page = page_of(portal, "double_rows")
    assert ids(page)[:4] == [1, 1, 2, 2]
    browser = portal.signed_in()
    portal.trouble("repeat_page", "/patients")
    assert ids(browser.get("/patients?page=3"))[0] == 1


def test_one_page_comes_in_another_look_or_language_and_the_next_does_not(portal: Portal) -> None:
    fine, page = page_of(portal, "look", "B")
    assert columns(page) != columns(fine)
    fine, page = page_of(portal, "language", "de")
    assert "Geburtsdatum" in words(page)
    assert codes(page, "status") == codes(fine, "status")


def test_pages_that_stand_in_for_others(portal: Portal) -> None:
    browser = portal.signed_in()
    for fault, path, status in (("login_page", "/data/patients", 200), ("maintenance", "/patients", 503), ("captcha", "/login", 200)):
        portal.trouble(fault, path, value="503" if fault == "maintenance" else "")
        page = browser.get(path)
        assert (page.status_code, page.headers["Content-Type"][:9]) == (status, "text/html")
        found = tree(page).xpath("//*[@id='notice']/@data-notice") or tree(page).xpath("//form/@id")
        assert found == [{"login_page": "form_login"}.get(fault, fault)]
    portal.trouble("truncate", "/patients")
    assert "</html>" not in browser.get("/patients").text


def test_the_server_is_slow_or_has_enough(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.trouble("status", "/patients", value="429:7")
    answer = browser.get("/patients")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    portal.trouble("slow", "/patients", value="0.4")
    began = time.monotonic()
    browser.get("/patients")
    assert time.monotonic() - began >= 0.4


def test_a_session_ends_in_the_middle(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.trouble("expire", "/patients", after=2)
    assert [browser.get(f"/patients?page={page}").url.path for page in (1, 2, 3)] == ["/patients", "/patients", "/login"]


def buttons(page: httpx.Response) -> dict[str, str]:
    """Return what each submit button of a page says, in order."""
    return {one.get("id"): one.text_content() for one in tree(page).xpath("//main//form//button")}


def test_buttons_are_renamed_swapped_and_moved(portal: Portal) -> None:
    browser = portal.browser()
    fine = portal.password(browser, "carol")
    pages = {}
    for fault, value in (("rename_button", "verify=Go on"), ("swap_buttons", "verify,resend"), ("move_buttons", "")):
        portal.trouble(fault, "/login/code", value=value)
        pages[fault] = browser.get("/login/code")

    assert buttons(fine) == {"resend": "Send another code", "verify": "Verify"}
    assert buttons(pages["rename_button"]) == {"resend": "Send another code", "verify": "Go on"}
    assert buttons(pages["swap_buttons"]) == {"resend": "Verify", "verify": "Send another code"}
    assert list(buttons(pages["move_buttons"])) == ["verify", "resend"]


def test_fields_are_labelled_otherwise_and_forms_still_take_what_is_sent(portal: Portal) -> None:
    browser = portal.browser()
    portal.trouble("swap_inputs", "/login", value="user,password")
    page = tree(browser.get("/login"))
    assert page.xpath("//label[@for='password']")[0].text_content() == "User name"
    portal.trouble("rename_input", "/login", value="password=Secret word")
    assert "Secret word" in browser.get("/login").text
    portal.trouble("rename_names", "/login")
    form = tree(browser.get("/login")).xpath("//form")[0]
    assert set(form.fields) == {"x7_practice", "x7_user", "x7_password"}
    given = {"x7_practice": "FERN", "x7_user": "nick", "x7_password": portal.ready["users"]["nick"]["password"]}
    assert browser.post("/login", data=given).url.path == "/home"


def test_trouble_can_be_for_browsers_only_and_for_pages_of_one_record(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.trouble("other_value", "/patients", value="phone", times=0, browser=True)
    plain = browser.get("/patients")
    shown = browser.get("/patients", headers={"Sec-Fetch-Mode": "navigate"})
    assert cells(plain, "phone") != cells(shown, "phone")
    portal.trouble("drop_column", "/notes/", value="status")
    assert "status" not in facts(browser.get("/notes/1"))
    assert "status" in facts(browser.get("/notes/1"))


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"drop_request", "drop_reply"}))
def test_each_trouble_is_over_when_it_was_played(portal: Portal, fault: str) -> None:
    browser = portal.signed_in()
    fine = browser.get("/patients")
    portal.trouble(fault, "/patients", value="0" if fault == "slow" else "")
    browser.get("/patients")
    if fault == "expire":
        browser = portal.signed_in()
    after = browser.get("/patients")

    assert (columns(after), ids(after), said(after)) == (columns(fine), ids(fine), "")
    assert portal.order("GET", "trouble")["data"] == []
    assert fault in {row["faults"] for row in portal.rows("request?method=GET")}
