"""The lists without names agree with the pages, whatever order their columns are in."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rapport.sandbox.portal.tests.support import Portal, cells, codes, ids


def named(browser: httpx.Client, kind: str, **given: Any) -> list[dict[str, Any]]:
    """Read a grid by its own metadata, as whoever calls it has to."""
    columns = [one["name"] for one in browser.get(f"/data/{kind}/columns.json?v=abc").json()["columns"]]
    page = browser.get(f"/data/{kind}", params={"limit": 1000, "v": "xyz"} | given).json()
    return [dict(zip(columns, row, strict=True)) for row in page["rows"]]


def test_the_grid_says_what_the_page_says(portal: Portal) -> None:
    browser = portal.signed_in()
    page = browser.get("/patients")
    rows = named(browser, "patients")

    assert len(rows) == 132
    assert [row["id"] for row in rows[:25]] == ids(page)
    assert [row["email"] for row in rows[:25]] == cells(page, "email")
    assert [row["status_code"] for row in rows[:25]] == codes(page, "status")
    assert [row["clinician_id"] for row in rows[:25]] == codes(page, "clinician")


def test_there_is_one_more_to_count_for_who_may_enter_it(portal: Portal) -> None:
    for login, count in (("nick", 133), ("dora", 133), ("tess", 132), ("abe", 132)):
        assert portal.signed_in(login).get("/data/patients?limit=1").json()["count"] == count


def test_columns_drift_in_the_metadata_and_the_rows_together(portal: Portal) -> None:
    browser = portal.signed_in()
    fine = named(browser, "patients")
    first = browser.get("/data/patients?limit=1").json()["rows"][0]
    portal.trouble("reorder_columns", "/data/patients", value="3", times=0)

    assert browser.get("/data/patients?limit=1").json()["rows"][0] != first
    assert named(browser, "patients") == fine


@pytest.mark.parametrize("kind", ["appointments", "notes", "staff", "claims", "eras", "payments", "accounts", "users"])
def test_every_list_is_there_and_pages_by_offset(portal: Portal, kind: str) -> None:
    browser = portal.signed_in()
    rows = named(browser, kind)
    assert rows
    assert named(browser, kind, limit=1, offset=1) == rows[1:2]


def test_text_follows_the_language_and_codes_do_not(portal: Portal) -> None:
    browser = portal.signed_in()
    english = named(browser, "patients")
    portal.set(language="de")
    german = named(browser, "patients")
    assert {row["status"] for row in german} == {"Aktiv", "Inaktiv"}
    assert [row["status_code"] for row in german] == [row["status_code"] for row in english]


def test_without_session_or_right_the_grid_answers_as_pages_do(portal: Portal) -> None:
    assert portal.browser().get("/data/patients").url.path == "/login"
    assert portal.signed_in("uma").get("/data/patients").status_code == 403
    assert portal.browser().get("/data/me").json() == {"logged_in": False}
    assert portal.signed_in("uma").get("/data/me").json() == {"logged_in": True, "user": "uma", "name": "Uma Users", "role": "admin"}
    assert portal.signed_in().get("/data/secrets").status_code == 404
