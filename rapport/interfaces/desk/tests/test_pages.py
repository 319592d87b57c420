"""The pages anybody may read."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from rapport.interfaces.desk.pages import PAGES, problems


@pytest.mark.parametrize("path", ["/", "/docs", "/telehealth/join", *(f"/docs/{page}" for page in sorted(PAGES)), "/v1/docs/idempotency"])
def test_a_page_is_shown_without_a_script_of_its_own(path: str) -> None:
    answer = Client().get(path)

    assert answer.status_code == 200
    assert not re.search(rb"<script(?! src)|\son\w+=|<style", answer.content)
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_every_problem_has_its_page_and_no_other_code_has_one() -> None:
    codes = sorted(problems())

    assert len(codes) > 30
    for code in codes:
        assert Client().get(f"/problems/{code}").status_code == 200, code
    assert Client().get("/problems/no-such-code").status_code == 404


@pytest.mark.parametrize("name", ["../pages.py", "..%2fpages.py", "desk.css/../../pages.py", "nothing.css", ".git/config"])
def test_nothing_but_the_listed_files_is_served(name: str) -> None:
    assert Client().get("/static/desk.css")["Content-Type"] == "text/css"
    assert Client().get(f"/static/{name}").status_code == 404


def test_without_a_visit_the_first_page_says_how_to_play_one() -> None:
    assert b"./run visit" in Client().get("/").content


def test_a_problem_names_the_calls_that_answer_it() -> None:
    taken, everywhere = Client().get("/problems/slot-taken").content, Client().get("/problems/internal").content

    assert b"<code>/v1/appointments</code>" in taken
    assert b"/v1/patients" not in taken
    assert b"Every call can answer this." in everywhere


def test_a_page_that_is_not_there_looks_like_ours_and_leads_back() -> None:
    answer = Client().get("/no-such-page")

    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b'href="/docs"' in answer.content
    assert Client().get("/v1/no-such-call")["Content-Type"] == "application/problem+json"


def test_every_page_can_be_used_by_keyboard() -> None:
    css = Client().get("/static/desk.css").content.decode()

    for path in ("/", "/docs", "/problems/slot-taken"):
        page = Client().get(path).content.decode()
        assert page.index('href="#main"') < page.index("<header"), "the first stop leads past the links"
        assert 'id="main"' in page
        assert page.count("<pre") == page.count('<pre tabindex="0"'), "what scrolls can be reached"
    assert "outline:none" not in css.replace(" ", "")
