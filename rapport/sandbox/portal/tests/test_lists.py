"""Lists are read to their end, say how many they are, and look different in each look while they are the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rapport.sandbox.portal.tests.support import (
    Portal,
    cells,
    codes,
    columns,
    facts,
    ids,
    tree,
    words,
)

LISTS = {
    "/patients": "patient", "/calendar": "appointment", "/notes": "note", "/staff": "clinician", "/billing/claims": "claim",
    "/billing/eras": "era", "/billing/payments": "payment", "/accounts": "patient",
}  # fmt: skip


def read_all(browser: Any, path: str) -> list[int]:
    """Follow the links to the next page and return every row's number."""
    seen, following = [], path
    while following:
        page = browser.get(following)
        seen += ids(page)
        link = tree(page).xpath("//a[@rel='next']/@href")
        following = path.partition("?")[0] + link[0] if link else ""
    return seen


@pytest.mark.parametrize("path", sorted(LISTS))
def test_a_list_is_read_page_by_page_to_its_count(portal: Portal, path: str) -> None:
    browser = portal.signed_in()
    kept = [row["id"] for row in portal.rows(LISTS[path])]
    seen = read_all(browser, path)

    assert sorted(seen) == kept
    assert len(set(seen)) == len(seen)
    assert f'data-total="{len(kept)}"' in browser.get(path).text


def test_pages_can_be_larger_and_a_list_that_is_empty_says_so(portal: Portal) -> None:
    browser = portal.signed_in()
    assert len(ids(browser.get("/patients?per=100"))) == len(ids(browser.get("/patients?per=5000"))) == 100
    assert tree(browser.get("/calendar?from=2031-01-01")).xpath("//*[@id='empty']")
    assert not tree(browser.get("/calendar")).xpath("//*[@id='empty']")


def test_the_looks_and_the_other_language_show_the_same_people(portal: Portal) -> None:
    browser = portal.signed_in()
    seen = {"A": browser.get("/patients")}
    for name in ("B", "C"):
        portal.set(look=name)
        seen[name] = browser.get("/patients")
    portal.set(look="A", language="de")
    seen["de"] = browser.get("/patients")

    a = seen["A"]
    for page in seen.values():
        assert ids(page) == ids(a)
        assert sorted(columns(page)) == sorted(columns(a))
        assert codes(page, "status") == codes(a, "status")
        assert cells(page, "email") == cells(a, "email")
    assert len({tuple(columns(seen[name])) for name in "ABC"}) == 3
    assert [cells(seen[name], "status")[0] for name in seen] == ["Active", "Current", "Open", "Aktiv"]
    assert [cells(seen[name], "birth_on")[0] for name in seen] == ["02/02/1951", "1951-02-02", "02 Feb 1951", "02.02.1951"]
    assert "Geburtsdatum" in words(seen["de"])


def test_money_has_a_badge_in_its_cell_and_a_column_can_be_hidden(portal: Portal) -> None:
    browser = portal.signed_in()
    claims = browser.get("/billing/claims")
    kept = {row["id"]: row for row in portal.rows("claim")}
    for id, text in zip(ids(claims), cells(claims, "paid"), strict=True):
        cents = kept[id]["paid_cents"]
        assert text.startswith(f"${cents // 100}.{cents % 100:02}")
    denied = next(id for id in ids(claims) if kept[id]["status"] == "Denied")
    assert "UNDERPAID $0.00 / $" in cells(claims, "paid")[ids(claims).index(denied)]
    hidden = tree(browser.get("/patients")).xpath("//th[@hidden]/@data-column")
    assert hidden == ["chart"]


def test_ages_and_names_can_have_spaces_that_nobody_sees(portal: Portal) -> None:
    browser = portal.signed_in()
    assert cells(browser.get("/patients"), "age")[0] == "75 years"
    portal.set(zero_width=1)
    page = browser.get("/patients")
    assert cells(page, "age")[0] == "75\u200by"
    assert ",\u00a0" in cells(page, "name")[0]
    assert "حداد" in browser.get("/patients/17").text
    assert 17 in ids(browser.get("/patients?name=حداد"))


def test_a_phantom_is_counted_and_can_be_a_row(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.set(phantom_row=1)
    assert 'data-total="133"' in browser.get("/patients").text
    assert len(read_all(browser, "/patients")) == 132
    portal.set(phantom_row="shown")
    assert not tree(browser.get("/patients")).xpath("//tr[@class='new']")
    assert tree(browser.get("/patients?page=6")).xpath("//tr[@class='new']")


def test_heads_can_be_without_their_marks(portal: Portal) -> None:
    browser = portal.signed_in()
    portal.set(column_marks=0)
    page = browser.get("/patients")
    assert columns(page) == []
    assert words(page)[:3] == ["ID", "Name", "Date of birth"]


def test_patients_by_name_make_room_for_a_new_one_before_those_already_read(portal: Portal) -> None:
    portal.set(patient_order="name")
    browser = portal.signed_in()
    before = ids(browser.get("/patients?page=2"))
    made = portal.order("POST", "patient", {"first": "Aaron", "last": "Aaberg", "middle": "", "status": "Active", "sex": "M",
                                            "birth_on": "1990-01-01", "payer": "", "clinician_id": 1})  # fmt: skip
    assert ids(browser.get("/patients"))[0] == made["id"]
    assert ids(browser.get("/patients?page=2"))[1:] == before[:-1]
    portal.order("DELETE", f"patient/{made['id']}")


def test_days_and_people_narrow_the_calendar(portal: Portal) -> None:
    browser = portal.signed_in()
    shown = read_all(browser, "/calendar?from=2026-11-16&to=2026-11-18")
    kept = [row["id"] for row in portal.rows("appointment") if "2026-11-16" <= row["start_at"] < "2026-11-18"]
    assert sorted(shown) == sorted(kept) != []
    assert set(codes(browser.get("/calendar?patient=7"), "patient")) == {"7"}


def test_a_patient_has_a_page_and_policies(portal: Portal) -> None:
    browser = portal.signed_in()
    page = browser.get("/patients/10")
    kept = portal.rows("patient?id=10")[0]
    policies = browser.get("/patients/10/insurance")

    assert facts(page)["email"] == kept["email"]
    assert facts(page)["birth_on"] == "11/11/1960"
    assert cells(policies, "member_id") == [row["member_id"] for row in portal.rows("policy?patient_id=10")]
    assert cells(policies, "copay")[0] == "$25.00"
    assert browser.get("/patients/9999").status_code == 404


def test_every_page_ties_its_labels_to_its_fields_and_heads_its_tables(portal: Portal) -> None:
    browser = portal.signed_in()
    paths = [*LISTS, "/login", "/appointments/new", "/appointments/3/edit", "/appointments/3/cancel", "/notes/1", "/notes/3",
             "/billing/claims/5", "/exports", "/users"]  # fmt: skip
    for path in paths:
        page = tree(browser.get(path))
        for control in page.xpath("//main//input[not(@type='hidden')] | //main//select | //main//textarea"):
            assert page.xpath(f"//label[@for='{control.get('id')}']"), (path, control.get("name"))
        assert len(page.xpath("//@id")) == len(set(page.xpath("//@id"))), path
        assert all(re.search(r"\w", one.text_content()) for one in page.xpath("//button")), path
        assert all(table.xpath("./thead//th[@scope='col']") for table in page.xpath("//table")), path
