"""Appointments are booked, changed and cancelled; what cannot be says why, and a lost connection tells nobody."""

from __future__ import annotations

import time

import httpx
import pytest

from rapport.sandbox.portal.tests.support import Portal, csrf, facts, fields, ids, said, tree

FORM = {"patient": "7", "clinician": "2", "start": "2027-01-04T10:00", "minutes": "50", "code": "90837", "place": "Telehealth"}


@pytest.fixture
def fresh(portal: Portal) -> Portal:
    """The portal without what an earlier test booked."""
    for row in portal.rows("appointment"):
        if row["start_at"] > "2027":
            portal.order("DELETE", f"appointment/{row['id']}")
    return portal


def booked(portal: Portal) -> list[int]:
    """Return the appointments of the new year, as the portal keeps them."""
    return [row["id"] for row in portal.rows("appointment") if row["start_at"] > "2027"]


def post(browser: httpx.Client, path: str, **given: str) -> httpx.Response:
    """Open a form, fill it in and send it."""
    return browser.post(path, data=fields(browser.get(path)) | given)


def test_a_booking_is_kept_and_one_that_cannot_be_says_why(fresh: Portal) -> None:
    browser = fresh.signed_in()
    saved = post(browser, "/appointments/new", **FORM)
    taken = post(browser, "/appointments/new", **FORM)
    nobody = post(browser, "/appointments/new", **FORM | {"patient": "9999", "start": ""})

    assert tree(saved).xpath("//*[@id='saved']/@data-id") == [saved.url.path.rpartition("/")[2]]
    assert facts(saved)["start"] == "01/04/2027 10:00 AM"
    assert (taken.status_code, nobody.status_code) == (200, 200)
    assert "already has an appointment" in taken.text
    assert tree(nobody).xpath("//*[@data-field]/@data-field") == ["patient", "start"]
    assert fields(nobody)["code"] == "90837"
    assert ids(browser.get("/calendar?from=2027-01-01")) == booked(fresh) == [int(saved.url.path.rpartition("/")[2])]
    assert [(row["action"], row["outcome"]) for row in fresh.rows("audit")] == [
        ("appointment.create", "kept"), ("appointment.create", "refused"), ("appointment.create", "refused")]  # fmt: skip


def test_the_same_form_twice_is_two_appointments_where_that_may_be(fresh: Portal) -> None:
    fresh.set(allow_overlap=1)
    browser = fresh.signed_in()
    for _ in range(2):
        post(browser, "/appointments/new", **FORM)
    assert len(booked(fresh)) == 2


@pytest.mark.parametrize(("fault", "kept"), [("drop_reply", 1), ("drop_request", 0)])
def test_a_lost_connection_keeps_the_booking_or_does_not(fresh: Portal, fault: str, kept: int) -> None:
    browser = fresh.signed_in()
    token = csrf(browser.get("/appointments/new"))
    fresh.trouble(fault, "/appointments", method="POST")

    with pytest.raises(httpx.TransportError):
        browser.post("/appointments/new", data=FORM | {"csrf": token})

    assert len(booked(fresh)) == kept
    dropped = [row for row in fresh.rows("request?method=POST&path=/appointments/new") if row["faults"] == fault]
    assert [row["status"] for row in dropped] == [302 * kept]
    assert browser.get("/home").url.path == "/home"


@pytest.mark.parametrize("fault", ["ignore_write", "refuse_write"])
def test_a_form_that_looks_kept_or_says_it_is_not_keeps_nothing(fresh: Portal, fault: str) -> None:
    browser = fresh.signed_in()
    fresh.trouble(fault, "/appointments/new", method="POST", value="The calendar is closed.")
    answer = post(browser, "/appointments/new", **FORM)

    assert answer.status_code == 200
    assert bool(tree(answer).xpath("//*[@id='saved']")) == (fault == "ignore_write")
    assert ("calendar is closed" in said(answer)) == (fault == "refuse_write")
    assert booked(fresh) == []
    assert [row["outcome"] for row in fresh.rows("audit")] == [{"ignore_write": "ignored", "refuse_write": "refused"}[fault]]


def test_the_calendar_can_be_late(fresh: Portal) -> None:
    fresh.set(late_seconds=4)
    browser = fresh.signed_in()
    saved = post(browser, "/appointments/new", **FORM)
    number = int(saved.url.path.rpartition("/")[2])

    assert ids(browser.get("/calendar?from=2027-01-01")) == []
    assert facts(browser.get(f"/appointments/{number}"))["status"] == "Scheduled"
    deadline = time.monotonic() + 12
    while time.monotonic() < deadline and not ids(browser.get("/calendar?from=2027-01-01")):
        time.sleep(0.2)
    assert ids(browser.get("/calendar?from=2027-01-01")) == [number]


def test_a_change_is_refused_when_somebody_changed_it_meanwhile(fresh: Portal) -> None:
    browser = fresh.signed_in()
    number = int(post(browser, "/appointments/new", **FORM).url.path.rpartition("/")[2])
    path = f"/appointments/{number}/edit"
    old = fields(browser.get(path))
    changed = post(browser, path, start="2027-01-05T11:00", status="Checked in")
    late = browser.post(path, data=old | {"minutes": "25"})

    assert facts(changed)["version"] == "2"
    assert (late.status_code, "Somebody changed this" in said(late)) == (200, True)
    kept = fresh.rows(f"appointment?id={number}")[0]
    assert (kept["start_at"], kept["minutes"], kept["status"]) == ("2027-01-05T11:00", 50, "Checked in")
    fresh.order("PATCH", f"appointment/{number}", {"status": "Scheduled"})
    assert fields(browser.get(path))["version"] == "3"


def test_a_visit_is_cancelled_once(fresh: Portal) -> None:
    browser = fresh.signed_in()
    number = int(post(browser, "/appointments/new", **FORM).url.path.rpartition("/")[2])
    cancelled = post(browser, f"/appointments/{number}/cancel", reason="Ill")
    again = post(browser, f"/appointments/{number}/cancel", reason="Ill")

    assert (facts(cancelled)["status"], facts(cancelled)["reason"]) == ("Cancelled", "Ill")
    assert "was cancelled" in said(again)
    post(browser, "/appointments/new", **FORM)
    assert len(booked(fresh)) == 2


def test_what_has_a_signed_note_is_locked(fresh: Portal) -> None:
    browser = fresh.signed_in()
    number = fresh.rows("note?status=Signed")[0]["appointment_id"]
    assert not tree(browser.get(f"/appointments/{number}")).xpath("//a[contains(@href, 'edit')]")
    assert "signed note" in said(post(browser, f"/appointments/{number}/edit", minutes="25"))
    assert "signed note" in said(post(browser, f"/appointments/{number}/cancel", reason="x"))
    assert fresh.rows(f"appointment?id={number}")[0]["version"] == 1


def test_a_form_of_one_look_is_taken_in_another(fresh: Portal) -> None:
    browser = fresh.signed_in()
    fresh.set(look="B")
    form = fields(browser.get("/appointments/new"))
    assert "f_patient" in form
    fresh.set(look="C")
    saved = browser.post("/appointments/new", data=form | {f"f_{name}": value for name, value in FORM.items()})
    assert tree(saved).xpath("//*[@id='saved']")


def test_who_may_not_book_does_not(fresh: Portal) -> None:
    browser = fresh.signed_in("tess")
    token = str(tree(browser.get("/home")).xpath("//meta[@name='csrf']/@content")[0])
    assert browser.get("/appointments/new").status_code == 403
    assert browser.post("/appointments/new", data=FORM | {"csrf": token}).status_code == 403
    assert booked(fresh) == []
