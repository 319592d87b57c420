"""Whoever signs in is asked what a portal asks, and what does not open a session says why."""

from __future__ import annotations

import base64
import re
import time
from urllib.parse import urlsplit

import httpx
import lxml.html
import pytest

from rapport.sandbox.portal import saml
from rapport.sandbox.portal.tests.support import Portal, csrf, give_code, said, tree


def test_robins_code_opens_one_session_and_none_after_it_in_its_window(portal: Portal) -> None:
    code = portal.code("robin")
    first, second = portal.browser(), portal.browser()
    pages = [portal.password(browser, "robin") for browser in (first, second)]
    assert first.get("/patients").url.path == "/login"

    answers = [give_code(browser, page, code) for browser, page in zip((first, second), pages, strict=True)]

    assert [answer.url.path for answer in answers] == ["/home", "/login/code"]
    assert "used already" in said(answers[1])
    assert [(row["kind"], row["good"], row["why"]) for row in portal.rows("attempt?login=robin")][-2:] == [
        ("code", 1, ""), ("code", 0, "used_code")]  # fmt: skip


def test_five_wrong_passwords_lock_the_right_one_out_and_say_for_how_long(portal: Portal) -> None:
    portal.set(lock_seconds=3)
    answers = [portal.password(portal.browser(), "nick", "wrong") for _ in range(5)]
    right = portal.password(portal.browser(), "nick")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert "Sign in failed" in said(answers[0])
    assert (answers[4].headers["Retry-After"], right.status_code) == ("3", 429)
    assert "locked" in said(right)
    time.sleep(3.1)
    assert portal.password(portal.browser(), "nick").url.path == "/home"


def test_wrong_passwords_can_be_slow_and_401(portal: Portal) -> None:
    portal.set(wrong_delay_seconds=0.2, wrong_status=401)
    took = []
    for _ in range(3):
        began = time.monotonic()
        assert portal.password(portal.browser(), "nick", "wrong").status_code == 401
        took.append(time.monotonic() - began)

    assert took[0] >= 0.2
    assert took[2] >= 0.8


def test_no_other_code_is_sent_while_one_is_alive(portal: Portal) -> None:
    browser = portal.browser()
    page = portal.password(browser, "dana")
    browser.post("/login/code", data={"csrf": csrf(page), "resend": "1"})
    again = portal.password(portal.browser(), "dana")

    assert len(portal.rows("code?login=dana")) == 1
    assert "•••-0142" in page.text
    assert again.url.path == "/login/code"
    assert give_code(browser, page, portal.code("dana")).url.path == "/home"
    portal.password(portal.browser(), "dana")
    assert len(portal.rows("code?login=dana")) == 2


def test_an_old_code_is_not_good_and_does_not_silence_a_new_one(portal: Portal) -> None:
    old = portal.order("POST", "code", {"login": "dana", "way": "sms", "seconds_ago": 400})
    browser = portal.browser()
    page = portal.password(browser, "dana")

    assert len(portal.rows("code?login=dana")) == 2
    assert "not valid" in said(give_code(browser, page, old["code"]))
    assert give_code(browser, page, portal.code("dana")).url.path == "/home"


def test_an_older_message_is_there_while_the_new_one_is_on_its_way(portal: Portal) -> None:
    old = portal.order("POST", "code", {"login": "dana", "way": "sms", "seconds_ago": 400})
    portal.set(code_late_seconds=2)
    asked_at = time.time()
    portal.password(portal.browser(), "dana")
    messages = portal.order("GET", "inbox/dana")["data"]
    assert [old["code"] in message["text"] for message in messages] == [True]

    deadline = time.monotonic() + 5
    while len(messages) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
        messages = portal.order("GET", "inbox/dana")["data"]
    assert messages[-1]["arrived_at"] >= asked_at
    assert portal.code("dana") in messages[-1]["text"]


def test_the_first_button_of_the_code_page_is_not_the_one_that_is_meant(portal: Portal) -> None:
    page = portal.password(portal.browser(), "carol")
    buttons = [one.text_content() for one in tree(page).xpath("//main//button[@type='submit']")]
    assert buttons == ["Send another code", "Verify"]


@pytest.mark.parametrize(("answer", "notice"), [("approve", ""), ("deny", "push_denied"), ("expire", "push_expired")])
def test_pias_phone_decides(portal: Portal, answer: str, notice: str) -> None:
    browser = portal.browser()
    assert portal.password(browser, "pia").url.path == "/login/push"
    assert browser.get("/login/push/state").json() == {"state": "waiting"}
    assert browser.get("/patients").url.path == "/login"

    portal.order("PUT", "push/pia", {"answer": answer})
    page = browser.get("/login/push")

    assert page.url.path == ("/login/push" if notice else "/home")
    assert tree(page).xpath("//*[@id='notice']/@data-notice") == ([notice] if notice else [])
    assert browser.get("/patients").url.path == ("/login" if notice else "/patients")


def test_a_push_that_nobody_answers_expires(portal: Portal) -> None:
    portal.set(push_seconds=0)
    browser = portal.browser()
    assert "in time" in said(portal.password(browser, "pia"))


def sso(portal: Portal, browser: httpx.Client) -> httpx.Response:
    """Sign sam in as a person would, and return the page he lands on."""
    page = browser.get("/login/sso")
    if page.url.path == "/id/signin":
        page = browser.post(page.url, data={"user": "sam", "password": portal.ready["users"]["sam"]["password"]})
        assert page.url.path == "/id/verify"
        page = give_code(browser, page, portal.code("sam"))
    return page


def test_sam_goes_over_two_hosts_with_one_mail_and_the_second_time_without_a_word(portal: Portal) -> None:
    browser = portal.browser()
    hosts = {urlsplit(portal.ready[name]).hostname for name in ("url", "idp_url")}
    assert len(hosts) == 2
    assert sso(portal, browser).url.path == "/home"
    assert len(portal.rows("code?login=sam")) == 1

    portal.order("DELETE", "session")
    assert browser.get("/home").url.path == "/login"
    again = browser.get("/login/sso")

    assert again.url.path == "/home"
    assert len(portal.rows("code?login=sam")) == 1
    portal.order("DELETE", "idp_session")
    portal.order("DELETE", "session")
    assert browser.get("/login/sso").url.path == "/id/signin"


def test_the_provider_can_send_people_back_by_a_form(portal: Portal) -> None:
    portal.set(sso_answer="form_post")
    browser = portal.browser()
    page = sso(portal, browser)
    form = tree(page).xpath("//form[@id='send_back']")[0]

    assert browser.post(form.action, data=dict(form.fields)).url.path == "/home"
    assert browser.post(form.action, data=dict(form.fields)).url.path != "/home"


def test_the_portal_takes_no_password_of_sams_and_the_provider_none_of_nicks(portal: Portal) -> None:
    assert "Fernbrook ID" in said(portal.password(portal.browser(), "sam"))
    browser = portal.browser()
    page = browser.get("/login/sso")
    refused = browser.post(page.url, data={"user": "nick", "password": portal.ready["users"]["nick"]["password"]})
    assert "failed" in said(refused)
    assert browser.get(f"{portal.ready['idp_url']}/id/authorize?redirect_uri=http://elsewhere.example/").status_code == 400


@pytest.mark.parametrize("notice", ["password_expired", "terms", "new_device"])
def test_a_notice_stands_between_nick_and_the_portal_until_a_person_answers_it(portal: Portal, notice: str) -> None:
    portal.order("PATCH", "user/nick", {"notice": notice})
    browser = portal.browser()
    page = portal.password(browser, "nick")

    assert tree(page).xpath("//*[@id='notice']/@data-notice") == [notice]
    assert browser.get("/patients").url.path == "/login"
    assert portal.rows("audit") == []

    answered = browser.post("/login/notice", data={"csrf": csrf(page), "new_password": "another one"})

    assert answered.url.path == ("/login/notice" if notice == "new_device" else "/home")
    assert [row["action"] for row in portal.rows("audit")] == [f"notice.{notice}"]


def test_the_names_of_the_users_can_stand_on_the_page_before_anybody_signed_in(portal: Portal) -> None:
    assert "Nick Plain" not in portal.browser().get("/login").text
    portal.set(welcome_names=1)
    page = portal.browser().get("/login")
    assert "Nick Plain" in page.text
    assert not tree(page).xpath("//*[@id='who']")


def test_a_script_is_told_in_json_and_a_wrong_password_is_still_200(portal: Portal) -> None:
    head = {"Accept": "application/json"}
    right = {"practice": "FERN", "user": "nick", "password": portal.ready["users"]["nick"]["password"]}
    wrong = portal.browser().post("/login", data=right | {"password": "wrong"}, headers=head)
    good = portal.browser().post("/login", data=right, headers=head)

    assert (wrong.status_code, wrong.json()["success"], wrong.json()["problem"]) == (200, False, "failed")
    assert good.json() == {"success": True, "next": "/home"}
    portal.set(lock_after=1)
    locked = portal.browser().post("/login", data=right | {"password": "wrong"}, headers=head)
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "900")


def saml_form(portal: Portal, browser: httpx.Client) -> lxml.html.FormElement:
    """Sign sam in at the provider, and return the form that would send its signed answer to the portal."""
    portal.set(sso_protocol="saml")
    form: lxml.html.FormElement = tree(sso(portal, browser)).xpath("//form[@id='send_back']")[0]
    return form


def test_the_provider_can_answer_by_saml_and_an_answer_is_taken_once(portal: Portal) -> None:
    browser = portal.browser()
    form = saml_form(portal, browser)
    told = dict(form.fields)

    assert form.action == f"{portal.ready['url']}/login/saml"
    landed = browser.post(form.action, data=told)
    assert landed.url.path == "/home"
    assert "Sam Single" in landed.text
    assert browser.post(form.action, data=told).url.path != "/home", "an answer opens one session"
    portal.order("DELETE", "session")
    again = tree(browser.get("/login/sso")).xpath("//form[@id='send_back']")
    assert again, "the provider still knows the browser: no password and no code"


def forged(xml: str, change: str) -> str:
    """Return an answer that somebody tampered with."""
    signed = re.search(r"<saml:Assertion.*</saml:Assertion>", xml, re.DOTALL)
    assert signed is not None
    if change == "another person":
        return xml.replace(">sam<", ">robin<")
    bare = re.sub(r"<ds:Signature.*</ds:Signature>", "", signed[0], flags=re.DOTALL)
    if change == "no signature":
        return xml.replace(signed[0], bare)
    beside = re.sub(r' ID="_[0-9a-f]+"', ' ID="_beside"', bare, count=1).replace(">sam<", ">robin<")
    return xml.replace(signed[0], beside + signed[0])


@pytest.mark.parametrize("change", ["another person", "no signature", "another one beside it"])
def test_an_answer_that_was_tampered_with_opens_nobody_elses_session(portal: Portal, change: str) -> None:
    browser = portal.browser()
    form = saml_form(portal, browser)
    xml = forged(base64.b64decode(form.fields["SAMLResponse"]).decode(), change)

    landed = browser.post(form.action, data={"SAMLResponse": base64.b64encode(xml.encode()).decode()})

    assert "Robin" not in landed.text
    assert ("Sam Single" in landed.text) == (change == "another one beside it"), "what is signed counts, and nothing else"


def test_an_answer_to_a_question_that_the_portal_did_not_ask_opens_nothing(portal: Portal) -> None:
    browser = portal.browser()
    form = saml_form(portal, browser)
    asked = saml.request_url(f"{portal.ready['idp_url']}/id/saml", id="_mine", back=form.action, relay="")
    unasked = tree(browser.get(asked)).xpath("//form[@id='send_back']")[0]

    assert "failed" in said(browser.post(unasked.action, data=dict(unasked.fields)))
    assert browser.post(form.action, data=dict(form.fields)).url.path == "/home", "the control: one that it did ask"
    elsewhere = saml.request_url(f"{portal.ready['idp_url']}/id/saml", id="_x", back="http://elsewhere.example/", relay="")
    assert browser.get(elsewhere).status_code == 400
