"""Patients are registered and changed by whoever may, and never over somebody else's change."""

from __future__ import annotations

from rapport.sandbox.portal.tests.support import Portal, cells, facts, fields, said, tree

ZOE = {"first": "Zoë", "last": "Zeller", "birth_on": "1988-02-29", "email": "zoe@example.org", "payer": "Cascade Health Plan",
       "member_id": "CHP777777", "sex": "F", "clinician": "2"}  # fmt: skip


def test_zoe_is_registered_and_twice_by_whoever_sends_it_twice(portal: Portal) -> None:
    browser = portal.signed_in("dora")
    form = fields(browser.get("/patients/new")) | ZOE
    first, second = (browser.post("/patients/new", data=form) for _ in range(2))

    assert tree(first).xpath("//*[@id='saved']/@data-id") == [first.url.path.rpartition("/")[2]]
    assert (facts(first)["birth_on"], facts(first)["status"]) == ("02/29/1988", "Active")
    assert first.url.path != second.url.path
    assert [row["clinician_id"] for row in portal.rows("patient?last=Zeller")] == [2, 2]
    assert cells(browser.get(f"{first.url.path}/insurance"), "member_id") == ["CHP777777"]


def test_what_is_missing_or_impossible_is_marked_and_nothing_is_kept(portal: Portal) -> None:
    browser = portal.signed_in("dora")
    count = len(portal.rows("patient"))
    form = fields(browser.get("/patients/new"))
    answer = browser.post("/patients/new", data=form | ZOE | {"last": "", "birth_on": "1989-02-29"})

    assert (answer.status_code, tree(answer).xpath("//*[@data-field]/@data-field")) == (200, ["last", "birth_on"])
    assert fields(answer)["first"] == "Zoë"
    assert len(portal.rows("patient")) == count


def test_a_patient_is_not_changed_over_somebody_elses_change(portal: Portal) -> None:
    browser = portal.signed_in("dora")
    old = fields(browser.get("/patients/5/edit"))
    portal.order("PATCH", "patient/5", {"phone": "503-555-9999"})
    late = browser.post("/patients/5/edit", data=old | {"email": "new@example.org"})
    kept = browser.post("/patients/5/edit", data=fields(browser.get("/patients/5/edit")) | {"email": "newer@example.org"})

    assert "Somebody changed this" in said(late)
    assert (facts(kept)["email"], facts(kept)["phone"]) == ("newer@example.org", "503-555-9999")
    assert [row["outcome"] for row in portal.rows("audit")] == ["refused", "kept"]


def test_who_may_not_register_does_not(portal: Portal) -> None:
    browser = portal.signed_in("tess")
    assert {browser.get(path).status_code for path in ("/patients/new", "/patients/5/edit")} == {403}
    assert not tree(browser.get("/patients/5")).xpath("//a[contains(@href, 'edit')]")
