"""What a connected practice's people write through the same calls as everybody: it lands in the portal, once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from tests.connect.stage import Stage, rows, until
from tests.support.cast import House

pytestmark = [needs_chromium, pytest.mark.long]
NEW = {
    "name": {"first": "Noor", "last": "Szymanska"}, "birth_on": "1988-02-29", "sex": "female", "email": "noor@example.org",
    "phones": [{"use": "mobile", "number": "(503) 555-0177"}],
    "address": {"line1": "7 Birch Lane", "city": "Portland", "state": "OR", "postal_code": "97205"},
    "external_ids": [{"system": "urn:example:crm", "value": "noor-1"}],
}  # fmt: skip


def ask(http: httpx.Client, method: str, path: str, body: Any, *, wait: bool = True, key: str = "") -> httpx.Response:
    """Ask for a change of what is there, or for something new; again where the portal's pace does not let it go now."""
    head = {"Idempotency-Key": key or new_uuid().hex} | ({"Prefer": "wait"} if wait else {})
    if method == "PATCH" or path.endswith("/cancel"):
        head["If-Match"] = http.get(path.removesuffix("/cancel")).headers["ETag"]

    def once() -> httpx.Response | None:
        answer = http.request(method, path, json=body, headers=head, timeout=60)
        return answer if answer.status_code != 429 else None

    return until("the portal's pace", once, every=2)


def there(stage: Stage) -> list[dict[str, Any]]:
    """Return the new patient as the portal has them, as often as it does."""
    return [one for one in stage.portal.rows("patient") if one["last"] == "Szymanska"]


def tried(stage: Stage, action: str) -> int:
    """Return how often the portal was asked to write so."""
    return len(stage.portal.rows(f"audit?action={action}"))


def a_note(stage: Stage, moss: House, desk: httpx.Client, status: str) -> dict[str, Any]:
    """Return a note that stands so, once the notes are read after the people whom they are about."""
    admin = stage.server.client(moss.admin.token)
    [connection] = admin.get("/v1/connections").json()["data"]

    def look() -> dict[str, Any] | None:
        return next((one for one in rows(desk, "clinical-notes") if one["status"] == status), None)

    def ask_again() -> dict[str, Any] | None:
        head = {"Idempotency-Key": new_uuid().hex}
        admin.post(f"/v1/connections/{connection['id']}/refresh", json={"what": ["notes"]}, headers=head)
        return look()

    return look() or until(f"a note that is {status}", ask_again, seconds=120, every=5)


def test_a_patient_is_added_in_the_portal_once(stage: Stage, desk: httpx.Client) -> None:
    assert there(stage) == [], "the control: there was none"
    clinician = next(one for one in rows(desk, "clinicians") if one["source"]["remote_id"] == "2")
    body, key = NEW | {"clinician_ids": [clinician["id"]]}, new_uuid().hex

    first = ask(desk, "POST", "/v1/patients", body, key=key)
    again = ask(desk, "POST", "/v1/patients", body, key=key)
    other = ask(desk, "POST", "/v1/patients", {**body, "external_ids": []})

    [row] = there(stage)
    assert (row["first"], row["birth_on"], row["sex"], row["email"]) == ("Noor", "1988-02-29", "F", "noor@example.org")
    assert (row["phone"], row["line1"], row["clinician_id"]) == ("503-555-0177", "7 Birch Lane", 2)
    assert first.status_code == 201, first.text
    made = first.json()
    assert made["source"]["remote_id"] == str(row["id"])
    assert {"system": "urn:example:crm", "value": "noor-1"} in made["external_ids"]
    assert [one["display_name"] for one in made["clinicians"]] == [clinician["display_name"]]
    assert again.status_code in (201, 202)
    assert (other.status_code, other.json()["id"]) == (201, made["id"]), "somebody of that name and birthday is there"
    assert tried(stage, "patient.create") == 1


def test_who_has_the_same_name_and_birthday_and_something_else_is_not_written_over(
    stage: Stage, desk: httpx.Client
) -> None:
    answer = ask(desk, "POST", "/v1/patients", NEW | {"email": "other@example.org", "external_ids": []})

    assert (answer.status_code, answer.json()["code"]) == (409, "refused-at-source")
    assert [one["email"] for one in there(stage)] == ["noor@example.org"]
    # The control: with another day of birth it is somebody else.
    twin = ask(desk, "POST", "/v1/patients", NEW | {"birth_on": "1988-03-01", "external_ids": []}, wait=False)
    assert (twin.status_code, twin.json()["id"], twin.json()["write"]["state"]) == (202, None, "intended")
    until("the other one to be there", lambda: len(there(stage)) == 2)
    until("and here", lambda: len([one for one in rows(desk, "patients") if one["name"]["last"] == "Szymanska"]) == 2)


def test_a_change_goes_there_and_what_it_has_no_place_for_is_named(stage: Stage, desk: httpx.Client) -> None:
    noor = next(one for one in rows(desk, "patients") if one["birth_on"] == "1988-02-29" and one["name"]["last"] == "Szymanska")
    path, known = f"/v1/patients/{noor['id']}", tried(stage, "patient.change")

    nowhere = ask(desk, "PATCH", path, {"pronouns": "she/her", "email": "n@example.org"})
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "field-not-at-source")
    assert [one["pointer"] for one in nowhere.json()["errors"]] == ["/pronouns"]
    none = ask(desk, "PATCH", path, {"status": "deceased"})
    assert (none.status_code, none.json()["code"]) == (409, "refused-at-source")
    assert [one["pointer"] for one in none.json()["errors"]] == ["/status"]
    assert tried(stage, "patient.change") == known, "neither left the house"

    moved = ask(desk, "PATCH", path, {
        "email": None, "phones": [{"number": "5035550199"}],
        "address": {"line1": "9 Elm Street", "city": "Salem", "state": "OR", "postal_code": "97301"},
    })  # fmt: skip

    assert moved.status_code == 200, moved.text
    assert (moved.json()["email"], moved.json()["phones"]) == (None, [{"use": "mobile", "number": "+15035550199"}])
    assert moved.json()["address"]["line1"] == "9 Elm Street"
    [row] = [one for one in there(stage) if one["birth_on"] == "1988-02-29"]
    assert (row["email"], row["phone"], row["line1"], row["city"]) == ("", "503-555-0199", "9 Elm Street", "Salem")
    assert (row["sex"], row["clinician_id"]) == ("F", 2), "the rest is as it was"
    assert tried(stage, "patient.change") == known + 1
    same = ask(desk, "PATCH", path, {"phones": [{"number": "+15035550199"}]})
    assert (same.status_code, tried(stage, "patient.change")) == (200, known + 1)


def test_an_addendum_is_made_under_its_note_and_two_may_say_the_same(
    stage: Stage, moss: House, desk: httpx.Client
) -> None:
    note = a_note(stage, moss, desk, "signed")
    path, remote = f"/v1/clinical-notes/{note['id']}/addenda", int(note["source"]["remote_id"])

    def added() -> list[str]:
        return [one["body"] for one in stage.portal.rows("addendum") if one["note_id"] == remote]

    before, key, text = added(), new_uuid().hex, "The patient called.\nNothing  new…"
    first = ask(desk, "POST", path, {"text": text}, key=key)
    again = ask(desk, "POST", path, {"text": text}, key=key)
    assert first.status_code == 201, first.text
    assert again.status_code in (201, 202)
    assert [one.split() for one in added()[len(before):]] == [text.split()], "one key, one addendum"
    assert first.json()["addenda_count"] == len(before) + 1
    assert first.json()["source"]["remote_id"] == str(remote)

    # Another one in the same words, of which the answer is lost: looked for, and not taken for the first.
    stage.trouble({"fault": "drop_reply", "on": f"/notes/{remote}/addenda", "method": "POST"})
    second = ask(desk, "POST", path, {"text": text}, wait=False)
    assert second.status_code == 202, second.text
    until("the second", lambda: desk.get(f"/v1/clinical-notes/{note['id']}").json()["addenda_count"] == len(before) + 2)
    assert len(added()) == len(before) + 2
    assert tried(stage, "note.addendum") == 2


def test_a_draft_takes_no_addendum(stage: Stage, moss: House, desk: httpx.Client) -> None:
    draft = a_note(stage, moss, desk, "draft")
    known = tried(stage, "note.addendum")

    answer = ask(desk, "POST", f"/v1/clinical-notes/{draft['id']}/addenda", {"text": "Too early."})

    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")
    assert tried(stage, "note.addendum") == known


def test_a_claim_leaves_from_the_portal_once_somebody_has_approved_it(
    stage: Stage, moss: House, desk: httpx.Client
) -> None:
    http = stage.server.client(moss.person("biller", Role.PRACTICE_BILLER).token)
    until("the claims", lambda: any(one["state"] == "validated" for one in rows(http, "claims")), seconds=150)
    claim = next(one for one in rows(http, "claims") if one["state"] == "validated")
    path, remote = f"/v1/claims/{claim['id']}", claim["source"]["remote_id"]

    def sent() -> int:
        return len(stage.portal.rows(f"audit?action=claim.submit&record={remote}"))

    asked = http.post(f"{path}/submit", json={}, headers={
        "Idempotency-Key": new_uuid().hex, "If-Match": http.get(path).headers["ETag"],
    })  # fmt: skip
    assert (asked.status_code, asked.json()["state"], asked.json()["write"]["state"]) == (202, "validated", "intended")
    admin = stage.server.client(moss.admin.token)
    [connection] = admin.get("/v1/connections").json()["data"]
    matters = f"/v1/connections/{connection['id']}/attention?resolved_at[exists]=false"
    assert "write_to_approve" in [one["matter"] for one in admin.get(matters).json()["data"]]
    assert sent() == 0, "the control: it waits"

    approved = http.post(
        f"/v1/connections/{connection['id']}/writes/{asked.json()['write']['id']}/approve", json={},
        headers={"Idempotency-Key": new_uuid().hex},
    )  # fmt: skip
    assert approved.status_code == 202, approved.text
    until("the claim to be submitted", lambda: http.get(path).json()["state"] == "submitted")
    assert sent() == 1
    assert stage.portal.rows(f"claim?id={remote}")[0]["submissions"] == 1


def test_who_waits_for_a_cancellation_sees_it_done(stage: Stage, desk: httpx.Client) -> None:
    booked = [one for one in rows(desk, "appointments") if one["status"] == "booked"]
    for visit in (next(one for one in booked if one["telehealth"]), next(one for one in booked if not one["telehealth"])):
        answer = ask(desk, "POST", f"/v1/appointments/{visit['id']}/cancel", {"reason": "illness"})

        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled"), answer.text
        [row] = [one for one in stage.portal.rows("appointment") if str(one["id"]) == visit["source"]["remote_id"]]
        assert row["status"] == "Cancelled"


def test_what_is_read_again_unchanged_is_younger_and_no_other_version(stage: Stage, desk: httpx.Client) -> None:
    patient = rows(desk, "patients")[0]
    path = f"/v1/patients/{patient['id']}"

    def younger() -> dict[str, Any] | None:
        seen: dict[str, Any] = desk.get(path).json()
        return seen if seen["source"]["as_of"] > patient["source"]["as_of"] else None

    now = until("the next reading of the roster", younger, seconds=240)

    assert (now["version"], now["updated_at"]) == (patient["version"], patient["updated_at"])
    listed = next(one for one in rows(desk, "patients") if one["id"] == patient["id"])
    assert listed["source"]["as_of"] >= now["source"]["as_of"]
