"""The pages anybody may read."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from rapport.interfaces.desk.pages import PAGES, problems


@pytest.mark.parametrize("path", ["/", "/docs", "/telehealth/join", *(f"/docs/{page}" for page in PAGES), "/v1/docs/idempotency"])
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
