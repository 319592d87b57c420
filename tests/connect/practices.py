"""A practice whose system of record is a portal, and a native one with the same people, visits, policies and notes."""

from __future__ import annotations

from typing import Any

import httpx
from django.utils import timezone

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.platform.access.permissions import Role
from rapport.rooms.coding import services as coding
from tests.connect.sides import Side
from tests.connect.stage import PORTAL_ZONE, Stage, until
from tests.support import props
from tests.support.cast import House, found
from tests.support.sandbox_portal import Portal

CLINICIANS = (1, 2, 3)
RANKS = {1: "primary", 2: "secondary", "1": "primary", "2": "secondary"}
TYPES = {"Progress Note": "progress", "Intake": "intake"}
CONTENT = {
    "progress": {
        "subjective": "Slept better.", "objective": "Calm.", "assessment": "Improving.", "plan": "Goes on weekly.",
    },
    "intake": {
        "presenting_problem": "Worries.", "history": "None told.", "mental_status": "Oriented.", "risk": "None voiced.",
        "assessment": "Anxious.", "plan": "Weekly.", "subjective": "Worries.", "objective": "Calm.",
    },
}  # fmt: skip
DIAGNOSES = [{"code": "F41.1"}]


def keeps(house: House) -> None:
    """Codes and places, which both practices keep here."""
    coding.load_icd10(now=timezone.now())
    props.location(house, "Main office")
    for code, cents in (("90837", 18000), ("90834", 15000)):
        props.service_code(house, code, rate={"amount": cents})


def people(stage: Stage, house: House) -> dict[str, httpx.Client]:
    """Return those who need no clinician's entry of the roster."""
    return {
        "desk": stage.server.client(house.person("desk", Role.SCHEDULER, Role.CLINICAL_ADMINISTRATOR).token),
        "scheduler": stage.server.client(house.scheduler.token),
        "biller": stage.server.client(house.biller.token),
        "admin": stage.server.client(house.admin.token),
        "nobody": httpx.Client(base_url=str(stage.http.base_url), timeout=30, trust_env=False),
    }


def learn(stage: Stage, side: Side) -> Side:
    """Learn what codes, places and payers are called; let the clinicians in."""
    side.learn("location", "locations", "name")
    side.learn("service-code", "service-codes", "code")
    side.learn("payer", "payers", "name", "biller")
    for number in CLINICIANS:
        id = parse_type_id("clinician", side.id_of(f"clinician {number}"))
        api = side.house.person(f"clinician{number}", Role.CLINICIAN, clinician_id=id)
        side.people[f"clinician {number}"] = stage.server.client(api.token)
    return side


# The connected one


def connected_practice(stage: Stage, portal: Portal) -> Side:
    """Link a practice to the portal, and wait until all of it is here."""
    house = found("Reed", PORTAL_ZONE)
    keeps(house)
    side = Side("connected", house, people(stage, house))
    head = {"Idempotency-Key": new_uuid().hex}
    made = side.people["admin"].post("/v1/connections", headers=head, json={
        "definition": "sandbox-portal", "base_url": portal.ready["url"],
        "identity": {"practice_code": portal.ready["practice_code"], "username": "nick"},
        "consent": {"contract_permits_automation": True, "statement": "Our agreement lets us do this."},
        "system_of_record": True,
    })  # fmt: skip
    path = f"/v1/connections/{made.json()['id']}"
    side.people["admin"].post(
        f"{path}/secrets", headers={"Idempotency-Key": new_uuid().hex},
        json={"password": portal.ready["users"]["nick"]["password"]},
    ).raise_for_status()  # fmt: skip

    def read_now(kind: str) -> None:
        side.people["admin"].post(
            f"{path}/refresh", json={"what": [kind]}, headers={"Idempotency-Key": new_uuid().hex}
        )

    side.read_now = read_now
    signed = {str(row["id"]) for row in portal.rows("note") if row["status"] == "Signed"}
    for kind, (what, table) in WHAT.items():
        there = len(portal.rows(table))
        until(f"all of the portal's {what}", lambda: len(side.rows(what)) == there, seconds=200, every=1)  # noqa: B023 - used at once
        side.meaning |= {one["id"]: f"{kind} {one['source']['remote_id']}" for one in side.rows(what)}

    def have_papers() -> bool:
        rows = [one for one in side.rows("clinical-notes") if one["document"]]
        return {one["source"]["remote_id"] for one in rows} >= signed

    until("the papers of signed notes", have_papers, seconds=200, every=1)
    return learn(stage, side)


WHAT = {
    "patient": ("patients", "patient"), "clinician": ("clinicians", "clinician"), "visit": ("appointments", "appointment"),
    "note": ("clinical-notes", "note"), "policy": ("insurance-policies", "policy"),
}  # fmt: skip
"""Kind -> the call that lists it, and the portal's table."""


# The native one


def native_practice(stage: Stage, portal: Portal) -> Side:
    """Found a practice and enter over the API what the portal has, in the order in which it has it."""
    house = found("Sedge", PORTAL_ZONE)
    keeps(house)
    side = Side("native", house, people(stage, house))
    for row in portal.rows("clinician"):
        enter(side, "admin", "clinicians", f"clinician {row['id']}", {
            "first_name": row["first"], "last_name": row["last"], "credentials": row["credentials"], "npi": row["npi"],
            "external_ids": [{"system": "sandbox-portal", "value": str(row["id"])}],
        })  # fmt: skip
    for row in portal.rows("patient"):
        enter(side, "desk", "patients", f"patient {row['id']}", patient_of(side, row))
    insure(side, portal)
    learn(stage, side)
    visits = {row["id"]: row for row in portal.rows("appointment")}
    for row in sorted(visits.values(), key=lambda one: (one["start_at"], one["id"])):
        enter(side, "desk", "appointments", f"visit {row['id']}", visit_of(side, row))
        if row["status"] == "Completed":
            act(side, "desk", "appointments", f"visit {row['id']}", "complete")
    for row in portal.rows("note"):
        write_note(side, row)
    for row in portal.rows("patient"):
        if row["status"] == "Inactive":
            id = side.id_of(f"patient {row['id']}")
            tag = side.send("desk", "GET", f"/v1/patients/{id}").headers["ETag"]
            changed = side.send("desk", "PATCH", f"/v1/patients/{id}", {"status": "inactive"}, If_Match=tag)
            assert changed.status_code == 200, changed.text
    return side


def enter(side: Side, who: str, what: str, means: str, body: dict[str, Any]) -> dict[str, Any]:
    """Enter something, and keep what its id means."""
    answer = side.send(who, "POST", f"/v1/{what}", body)
    assert answer.status_code == 201, (means, answer.text)
    made: dict[str, Any] = answer.json()
    side.meaning[made["id"]] = means
    return made


def act(side: Side, who: str, what: str, means: str, deed: str, body: Any = None) -> httpx.Response:
    """Do something to a thing as it is now."""
    path = f"/v1/{what}/{side.id_of(means)}"
    tag = side.send(who, "GET", path).headers["ETag"]
    answer = side.send(who, "POST", f"{path}/{deed}", body or {}, If_Match=tag)
    assert answer.status_code in (200, 201), (means, deed, answer.text)
    return answer


def patient_of(side: Side, row: dict[str, Any]) -> dict[str, Any]:
    """Return a portal's patient as one is added here."""
    return {
        "name": {"first": row["first"], "last": row["last"]}, "birth_on": row["birth_on"],
        "sex": {"F": "female", "M": "male"}[row["sex"]], "email": row["email"],
        "phones": [{"use": "mobile", "number": row["phone"]}], "external_ids": [{"system": "sandbox-portal", "value": str(row["id"])}],
        "clinician_ids": [side.id_of(f"clinician {row['clinician_id']}")],
    }  # fmt: skip


def visit_of(side: Side, row: dict[str, Any]) -> dict[str, Any]:
    """Return a portal's appointment as one is booked here."""
    far = row["place"] == "Telehealth"
    place: dict[str, Any] = {"telehealth": True} if far else {"location_id": side.id_of(f"location {row['place']}")}
    return place | {
        "patient_id": side.id_of(f"patient {row['patient_id']}"), "clinician_id": side.id_of(f"clinician {row['clinician_id']}"),
        "service_code": row["code"], "start_local": f"{row['start_at']}:00", "time_zone": PORTAL_ZONE,
        "duration_minutes": row["minutes"],
    }  # fmt: skip


def insure(side: Side, portal: Portal) -> None:
    """Enter the policies, and the payers that they name."""
    payers: dict[str, str] = {}
    for row in portal.rows("policy"):
        if row["payer"] not in payers:
            made = side.send("admin", "POST", "/v1/payers", {"name": row["payer"], "payer_id_code": row["payer_id"]})
            assert made.status_code == 201, made.text
            payers[row["payer"]] = made.json()["id"]
        enter(side, "desk", "insurance-policies", f"policy {row['id']}", {
            "patient_id": side.id_of(f"patient {row['patient_id']}"), "payer_id": payers[row["payer"]],
            "rank": RANKS[row["rank"]], "member_id": row["member_id"], "relationship": "self",
            "group_number": row["group_number"], "copay": {"amount": row["copay_cents"]},
            "starts_on": row["valid_from"], "ends_on": row["valid_to"] or None,
        })  # fmt: skip


def write_note(side: Side, row: dict[str, Any]) -> None:
    """Write a note about a visit as its clinician, and sign it where it is signed."""
    author, means, type = f"clinician {row['clinician_id']}", f"note {row['id']}", TYPES[row["type"]]
    enter(side, author, "clinical-notes", means, {
        "appointment_id": side.id_of(f"visit {row['appointment_id']}"), "type": type, "diagnoses": DIAGNOSES,
        "content": CONTENT[type],
    })  # fmt: skip
    if row["status"] == "Signed":
        act(side, author, "clinical-notes", means, "sign")

