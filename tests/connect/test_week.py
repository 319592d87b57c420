"""One scripted week over the public API, native and connected: the same values, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from tests.connect.stage import PATIENTS, PORTAL_ZONE, Stage, until
from tests.support import props
from tests.support.cast import House, found

pytestmark = [needs_chromium, pytest.mark.long, pytest.mark.timeout(400)]

ALONE = frozenset({"id", "policy_id", "version", "created_at", "updated_at", "write", "url"})
"""What no two practices share: ids, counters, instants of making, secret ways into a telehealth session."""
BY_DESIGN = {
    "source": "names the system, its id and its age",
    "ended_reason": "a portal's word for it is not one of ours: a cancelled visit is read without it",
    "ended_by": "as the reason",
    "relationship": "a portal's list of policies does not say how the patient and the subscriber are related",
}
"""Fields that differ between the two, and why. `docs/connect.md` has them too."""


RANKS = {1: "primary", 2: "secondary", "Primary": "primary", "Secondary": "secondary"}


@dataclass
class Side:
    """One of the two practices, and what its ids mean."""

    name: str
    http: httpx.Client
    meaning: dict[str, str] = field(default_factory=dict)
    """Id -> what it is in both: `patient 7`, `clinician 2`, `visit b`"""
    told: list[tuple[str, Any]] = field(default_factory=list)
    """What was asked, and what was answered, in words that mean the same on both sides"""
    read_now: Callable[[], object] = lambda: None
    """Have what is at the source read now, where a write took longer than a call waits"""
    visits: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Visit -> id and ETag"""

    def id_of(self, what: str) -> str:
        """Return the id that something has here."""
        return next(id for id, said in self.meaning.items() if said == what)

    def ask(self, step: str, method: str, path: str, body: Any = None, **head: str) -> httpx.Response:
        """Ask, and keep what was answered."""
        more = {"Idempotency-Key": new_uuid().hex, "Prefer": "wait"} if method != "GET" else {}
        answer = self.http.request(method, path, json=body, headers=more | head)
        if answer.status_code == 202:
            # It took longer than a call waits. What it then came to is looked at.
            visit, version = path.rpartition("/")[0], answer.json()["version"]
            until(f"{step} to be done", lambda: self.later(visit)["version"] > version, seconds=90, every=3)
            answer = self.http.get(visit)
        self.told.append((step, {"status": answer.status_code, "body": self.plain(answer.json())}))
        return answer

    def later(self, path: str) -> dict[str, Any]:
        """Have the source read, and return what is here by now."""
        self.read_now()
        found_: dict[str, Any] = self.http.get(path).json()
        return found_

    def plain(self, value: Any) -> Any:
        """Return an answer with ids in words, and without what no two practices share."""
        if isinstance(value, dict):
            left_out = ALONE | set(BY_DESIGN) | {"request_id", "next_cursor", "prev_cursor", "instance"}
            return {name: self.plain(one) for name, one in value.items() if name not in left_out}
        if isinstance(value, list):
            return [self.plain(one) for one in value]
        return self.meaning.get(value, value) if isinstance(value, str) else value

    def rows(self, what: str) -> list[dict[str, Any]]:
        """Return every row of a list."""
        all_, address = [], f"/v1/{what}?limit=100"
        while address:
            answer = self.http.get(address)
            assert answer.status_code == 200, answer.text
            all_ += answer.json()["data"]
            address = answer.links.get("next", {}).get("url", "")
        return all_


def keeps(house: House) -> None:
    """Codes and places, which both practices keep here."""
    props.location(house, "Main office")
    for code in ("90837", "90834"):
        props.service_code(house, code)


def client(stage: Stage, house: House) -> httpx.Client:
    return stage.server.client(house.person("desk", Role.SCHEDULER, Role.CLINICAL_ADMINISTRATOR).token)


@pytest.fixture(scope="module")
def connected(stage: Stage) -> Side:
    """Its system of record is the portal."""
    house = found("Reed", PORTAL_ZONE)
    keeps(house)
    with stage.server.client(house.admin.token) as http:
        made = http.post("/v1/connections", headers={"Idempotency-Key": new_uuid().hex}, json={
            "definition": "sandbox-portal", "base_url": stage.portal.ready["url"],
            "identity": {"practice_code": stage.portal.ready["practice_code"], "username": "nick"},
            "consent": {"contract_permits_automation": True, "statement": "Our agreement lets us do this."},
            "system_of_record": True,
        })  # fmt: skip
        http.post(
            f"/v1/connections/{made.json()['id']}/secrets", headers={"Idempotency-Key": new_uuid().hex},
            json={"password": stage.portal.ready["users"]["nick"]["password"]},
        ).raise_for_status()  # fmt: skip
    admin = stage.server.client(house.admin.token)
    side = Side("connected", client(stage, house), read_now=lambda: admin.post(
        f"/v1/connections/{made.json()['id']}/refresh", json={"what": ["appointments"]},
        headers={"Idempotency-Key": new_uuid().hex},
    ))  # fmt: skip
    until("the roster", lambda: len(side.rows("patients")) == PATIENTS, seconds=90)
    for kind in ("patient", "clinician"):
        for one in side.rows(f"{kind}s"):
            side.meaning[one["id"]] = f"{kind} {one['source']['remote_id']}"
    members = {one["member_id"] for one in in_force(stage)}
    until("the policies", lambda: members <= {one["member_id"] for one in side.rows("insurance-policies")}, seconds=150)
    return named(side)


def in_force(stage: Stage) -> list[dict[str, Any]]:
    """Return the portal's policies by which somebody is insured now."""
    today = stage.portal.today
    return [
        row for row in stage.portal.rows("policy")
        if row["status"] == "Active" and row["valid_from"] <= today and (row["valid_to"] or today) >= today
    ]  # fmt: skip


@pytest.fixture(scope="module")
def native(stage: Stage) -> Side:
    """It keeps its records here: the same people, entered over the API."""
    house = found("Sedge", PORTAL_ZONE)
    keeps(house)
    side = Side("native", client(stage, house))
    with stage.server.client(house.admin.token) as admin:
        for row in stage.portal.rows("clinician"):
            made = admin.post("/v1/clinicians", headers={"Idempotency-Key": new_uuid().hex}, json={
                "first_name": row["first"], "last_name": row["last"], "credentials": row["credentials"], "npi": row["npi"],
                "external_ids": [{"system": "sandbox-portal", "value": str(row["id"])}],
            })  # fmt: skip
            assert made.status_code == 201, made.text
            side.meaning[made.json()["id"]] = f"clinician {row['id']}"
    for row in stage.portal.rows("patient"):
        made = side.http.post("/v1/patients", headers={"Idempotency-Key": new_uuid().hex}, json=patient_of(side, row))
        assert made.status_code == 201, made.text
        side.meaning[made.json()["id"]] = f"patient {row['id']}"
        if row["status"] == "Inactive":
            side.http.patch(
                f"/v1/patients/{made.json()['id']}", json={"status": "inactive"},
                headers={"Idempotency-Key": new_uuid().hex, "If-Match": made.headers["ETag"]},
            ).raise_for_status()  # fmt: skip
    insure(stage, side, house)
    return named(side)


def insure(stage: Stage, side: Side, house: House) -> None:
    """Enter the policies, and the payers that they name."""
    payers: dict[str, str] = {}
    with stage.server.client(house.admin.token) as admin:
        for row in in_force(stage):
            if row["payer"] not in payers:
                made = admin.post("/v1/payers", headers={"Idempotency-Key": new_uuid().hex}, json={
                    "name": row["payer"], "payer_id_code": row["payer_id"], "claim_filing_indicator": "CI",
                })  # fmt: skip
                assert made.status_code == 201, made.text
                payers[row["payer"]] = made.json()["id"]
            made = side.http.post("/v1/insurance-policies", headers={"Idempotency-Key": new_uuid().hex}, json={
                "patient_id": side.id_of(f"patient {row['patient_id']}"), "payer_id": payers[row["payer"]],
                "rank": RANKS.get(row["rank"], row["rank"]), "member_id": row["member_id"], "relationship": "self",
                "starts_on": row["valid_from"],
            })  # fmt: skip
            assert made.status_code == 201, made.text


def patient_of(side: Side, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": {"first": row["first"], "last": row["last"]}, "birth_on": row["birth_on"],
        "sex": {"F": "female", "M": "male"}[row["sex"]], "email": row["email"],
        "phones": [{"use": "mobile", "number": row["phone"]}], "external_ids": [{"system": "sandbox-portal", "value": str(row["id"])}],
        "clinician_ids": [side.id_of(f"clinician {row['clinician_id']}")],
    }  # fmt: skip


def named(side: Side) -> Side:
    """Learn what codes and places are called."""
    for kind, name in (("location", "name"), ("service-code", "code")):
        side.meaning |= {one["id"]: f"{kind} {one[name]}" for one in side.rows(f"{kind}s")}
    return side


def days(stage: Stage) -> Iterator[date]:
    """Five days, Monday to Friday, on which the portal has nothing yet."""
    today = date.fromisoformat(stage.portal.today)
    monday = today + timedelta(days=70 - today.weekday())
    yield from (monday + timedelta(days=n) for n in range(5))


def play(side: Side, week: list[date]) -> None:
    """Play the week: what a front desk asks for, and looks at, from Monday to Friday."""
    first, after = week[0], week[-1] + timedelta(days=1)
    side.ask("roster", "GET", "/v1/patients?limit=100&sort=last_name")
    side.ask("clinicians", "GET", "/v1/clinicians?limit=100&sort=last_name")
    for number, day in enumerate(week):
        for turn in range(3):
            visit = f"visit {number}.{turn}"
            book(side, visit, day, hour=9 + 2 * turn, patient=1 + 3 * number + turn, clinician=1 + turn, far=turn == 1)
        step = f"day {number}"
        taken = wanted(side, day, 9, 2 + number, 1, far=False)
        side.ask(f"{step}: a slot that is taken", "POST", "/v1/appointments", taken)
        side.ask(f"{step}: a code that there is not", "POST", "/v1/appointments", taken | {"service_code": "99999"})
        side.ask(f"{step}: no time", "POST", "/v1/appointments", {k: v for k, v in taken.items() if k != "start_local"})
        act(side, f"visit {number}.0", "reschedule", {"start_local": f"{day}T15:00:00", "time_zone": PORTAL_ZONE})
        if number % 2:
            act(side, f"visit {number}.1", "cancel", {"reason": "illness", "initiated_by": "patient"})
        who = side.id_of(f"patient {1 + 3 * number}")
        side.ask(f"{step}: a patient", "GET", f"/v1/patients/{who}")
        side.ask(f"{step}: a patient's visits", "GET", f"/v1/appointments?patient_id={who}&start_at[gte]={first}T00:00:00Z")
    for clinician in (1, 2, 3):
        id = side.id_of(f"clinician {clinician}")
        side.ask(
            f"week of clinician {clinician}", "GET",
            f"/v1/appointments?clinician_id={id}&start_at[gte]={first}T00:00:00Z&start_at[lt]={after}T08:00:00Z&limit=100",
        )  # fmt: skip
    for visit, (id, _) in side.visits.items():
        side.ask(f"{visit} at the end", "GET", f"/v1/appointments/{id}")


def wanted(side: Side, day: date, hour: int, patient: int, clinician: int, *, far: bool) -> dict[str, Any]:
    place: dict[str, Any] = {"telehealth": True} if far else {"location_id": side.id_of("location Main office")}
    return place | {
        "patient_id": side.id_of(f"patient {patient}"), "clinician_id": side.id_of(f"clinician {clinician}"),
        "service_code": "90837", "start_local": f"{day}T{hour:02}:00:00", "time_zone": PORTAL_ZONE, "duration_minutes": 50,
    }  # fmt: skip


def book(side: Side, visit: str, day: date, *, hour: int, patient: int, clinician: int, far: bool) -> None:
    body = wanted(side, day, hour, patient, clinician, far=far)
    answer = side.http.post("/v1/appointments", json=body, headers={"Idempotency-Key": new_uuid().hex, "Prefer": "wait"})
    if answer.status_code == 202:
        mine = f"/v1/appointments?patient_id={body['patient_id']}&start_at={answer.json()['start_at']}"
        found = until(f"{visit} to be booked", lambda: side.later(mine)["data"], seconds=90, every=3)
        answer = side.http.get(f"/v1/appointments/{found[0]['id']}")
    assert answer.status_code in (200, 201), (side.name, answer.text)
    side.meaning[answer.json()["id"]] = visit
    side.visits[visit] = (answer.json()["id"], answer.headers["ETag"])
    side.told.append((f"{visit} booked", side.plain(answer.json())))


def act(side: Side, visit: str, what: str, body: dict[str, Any]) -> None:
    id, tag = side.visits[visit]
    answer = side.ask(f"{visit}: {what}", "POST", f"/v1/appointments/{id}/{what}", body, **{"If-Match": tag})
    assert answer.status_code == 200, (side.name, answer.text)
    side.visits[visit] = (id, answer.headers["ETag"])


def differing(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Yield where two answers differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(set(one) | set(other)):
            yield from differing(one.get(name, "no such field"), other.get(name, "no such field"), f"{at}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differing(mine, theirs, f"{at}[{number}]")
    elif one != other:
        yield f"{at}: {one!r} and {other!r}"


def test_a_week_gives_the_same_values_native_and_connected(stage: Stage, native: Side, connected: Side) -> None:
    week = list(days(stage))
    for side in (native, connected):
        play(side, week)

    assert [step for step, _ in native.told] == [step for step, _ in connected.told]
    assert len(native.told) > 60, "the control: a week is more than a few calls"
    wrong = [
        f"{step}{line}"
        for (step, mine), (_, theirs) in zip(native.told, connected.told, strict=True)
        for line in differing(mine, theirs)
    ]  # fmt: skip
    assert wrong == [], "\n".join(wrong)
    moved = [(step, told) for step, told in native.told if step.endswith("reschedule")]
    assert list(differing(moved[0][1], moved[1][1])), "the control: what differs is found"
