"""The people of a practice that writes notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.ids import parse_type_id
from rapport.platform.access.permissions import Role
from rapport.rooms.coding import services as coding
from rapport.rooms.roster import examples
from tests.support.cast import Api, House

CONTENT = {
    "subjective": "Slept better this week; worries about work.",
    "assessment": {"mood": "anxious", "risk": ["none voiced"]},
    "plan": "Worry time at six.",
}
DIAGNOSES = [{"code": "F41.1"}]


def uuid_of(kind: str, text: str) -> UUID:
    """Return the UUID in a public id."""
    value = parse_type_id(kind, text)
    assert value is not None
    return value


@dataclass
class Clinic:
    """A practice with a clinician, an intern, two supervisors and a patient of the first two."""

    house: House
    maya: Api
    ivo: Api
    """The intern."""
    sue: Api
    """The intern's supervisor."""
    otto: Api
    """A supervisor of another team, who sees the patient as well."""
    cleo: Api
    """The clinical administrator."""
    patient: str
    maya_id: str
    ivo_id: str

    def begin(self, api: Api | None = None, **fields: Any) -> dict[str, Any]:
        """Begin a complete progress note; return it."""
        body = {
            "patient_id": self.patient, "type": "progress", "content": CONTENT,
            "diagnoses": DIAGNOSES,
        }  # fmt: skip
        answer = (api or self.maya).post("/v1/clinical-notes", body | fields)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def signed(self, api: Api | None = None, **fields: Any) -> dict[str, Any]:
        """Return a note that its author has signed."""
        note = self.begin(api, **fields)
        answer = act(api or self.maya, note["id"], "sign")
        assert answer.status_code == 200, answer.content
        return answer.json()


def etag(api: Api, note: str) -> str:
    """Return a note's present ETag."""
    return str(api.get(f"/v1/clinical-notes/{note}")["ETag"])


def act(api: Api, note: str, action: str, body: Any = None, *, if_match: str = "") -> Any:
    """Do something to a note as it is now."""
    tag = if_match or etag(api, note)
    return api.post(f"/v1/clinical-notes/{note}/{action}", body, if_match=tag)


def clinician(house: House, first_name: str, credentials: str) -> str:
    """Add a clinician to the roster."""
    answer = house.admin.post(
        "/v1/clinicians",
        {"first_name": first_name, "last_name": "Chen", "credentials": credentials},
    )
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def open_clinic(house: House) -> Clinic:
    """Staff a practice."""
    coding.load_icd10(now=timezone.now())
    maya_id, ivo_id = clinician(house, "Maya", "PhD"), clinician(house, "Ivo", "MA")
    sue_id, otto_id = clinician(house, "Sue", "LCSW"), clinician(house, "Otto", "LCSW")
    patient = house.scheduler.post(
        "/v1/patients",
        examples.NEW_PATIENT | {"external_ids": [], "clinician_ids": [maya_id, ivo_id, otto_id]},
    ).json()["id"]

    def person(name: str, role: Role, id: str, *supervises: str) -> Api:
        return house.person(
            name, role, clinician_id=uuid_of("clinician", id),
            supervises=tuple(uuid_of("clinician", one) for one in supervises),
        )  # fmt: skip

    return Clinic(
        house=house,
        maya=person("maya", Role.CLINICIAN, maya_id),
        ivo=person("ivo", Role.INTERN, ivo_id),
        sue=person("sue", Role.SUPERVISOR, sue_id, ivo_id),
        otto=person("otto", Role.SUPERVISOR, otto_id),
        cleo=house.person("cleo", Role.CLINICAL_ADMINISTRATOR),
        patient=patient,
        maya_id=maya_id,
        ivo_id=ivo_id,
    )
