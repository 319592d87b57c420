"""A draft is written on, a signed note is added to and never changed, and its PDF is a PDF."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from rapport.sandbox.portal.tests.support import Portal, facts, fields, said, tree


def notes(portal: Portal, status: str) -> list[dict[str, Any]]:
    """Return the notes of a status as the portal keeps them."""
    return portal.rows(f"note?status={status}")


def test_a_signed_note_is_a_pdf_with_the_same_bytes_each_time(portal: Portal) -> None:
    note = notes(portal, "Signed")[0]
    browser = portal.signed_in()
    page = browser.get(f"/notes/{note['id']}")
    first = browser.get(tree(page).xpath("//a[@id='pdf']/@href")[0])
    portal.set(look="B", language="de")
    again = browser.get(f"/notes/{note['id']}.pdf")

    assert first.headers["Content-Type"] == "application/pdf"
    assert first.content == again.content
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(first.content)).pages)
    assert note["body"][:20] in text
    assert note["signed_by"] in text
    assert facts(page)["status"] == "Signed"


def test_a_draft_has_no_pdf_and_can_be_written_on(portal: Portal) -> None:
    note = notes(portal, "Draft")[0]
    browser, path = portal.signed_in(), f"/notes/{note['id']}"
    assert browser.get(f"{path}.pdf").status_code == 404
    old = fields(browser.get(path))

    saved = browser.post(path, data=old | {"body": "Slept better."})
    late = browser.post(path, data=old | {"body": "Something else."})
    empty = browser.post(path, data=fields(browser.get(path)) | {"body": ""})

    assert tree(saved).xpath("//*[@id='saved']")
    assert "Somebody changed this" in said(late)
    assert tree(empty).xpath("//*[@data-field='body']")
    assert portal.rows(f"note?id={note['id']}")[0]["body"] == "Slept better."


def test_text_for_a_locked_note_is_refused_and_an_addendum_is_kept(portal: Portal) -> None:
    note = notes(portal, "Signed")[1]
    browser, path = portal.signed_in(), f"/notes/{note['id']}"
    before = browser.get(f"{path}.pdf").content
    page = browser.get(path)
    token = fields(page)["csrf"]

    refused = browser.post(path, data={"csrf": token, "body": "Changed.", "version": str(note["version"])})
    added = browser.post(f"{path}/addenda", data=fields(page) | {"addendum": "The phone number was wrong."})

    assert tree(page).xpath("//*[@id='locked']")
    assert "signed and locked" in said(refused)
    assert portal.rows(f"note?id={note['id']}")[0]["body"] == note["body"]
    assert "The phone number was wrong." in added.text
    assert [row["body"] for row in portal.rows(f"addendum?note_id={note['id']}")] == ["The phone number was wrong."]
    assert browser.get(f"{path}.pdf").content != before
    assert [(row["action"], row["outcome"]) for row in portal.rows("audit")] == [("note.change", "refused"), ("note.addendum", "kept")]


@pytest.mark.parametrize("login", ["dora", "abe", "uma"])
def test_who_may_not_read_notes_gets_none(portal: Portal, login: str) -> None:
    browser = portal.signed_in(login)
    assert {browser.get(path).status_code for path in ("/notes", "/notes/1", "/notes/1.pdf", "/data/notes")} == {403}


def test_a_note_is_begun_for_a_visit_once_and_signed_for_good(portal: Portal) -> None:
    noted = {row["appointment_id"] for row in portal.rows("note")}
    visit = next(row["id"] for row in portal.rows("appointment") if row["id"] not in noted)
    browser = portal.signed_in("tess")
    form = fields(browser.get(f"/notes/new?appointment={visit}"))
    begun = browser.post("/notes/new", data=form | {"type": "Intake"})
    again = browser.post("/notes/new", data=form)
    path = begun.url.path
    unwritten = browser.post(f"{path}/sign", data=fields(begun))
    written = browser.post(path, data=fields(begun) | {"body": "First talk."})
    late = browser.post(f"{path}/sign", data=fields(begun))
    signed = browser.post(f"{path}/sign", data=fields(written))

    assert (form["appointment"], facts(begun)["status"]) == (str(visit), "Draft")
    assert "There is a note" in said(again)
    assert tree(unwritten).xpath("//*[@data-field='body']")
    assert "Somebody changed this" in said(late)
    assert (facts(signed)["status"], facts(signed)["type"]) == ("Signed", "Intake")
    assert portal.rows(f"note?appointment_id={visit}")[0]["signed_by"] == "Tess Therapist"
    assert browser.get(f"{path}.pdf").status_code == 200
