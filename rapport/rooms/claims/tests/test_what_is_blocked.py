"""Claims that would leave wrong do not leave, and a visit that was billed stays as it was billed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rapport.platform.access.permissions import Role
from tests.support import props
from tests.support.billing import SECTIONS, Billing
from tests.support.cast import Api, House
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def billing(willow: House) -> Billing:
    return Billing(willow)


def rules(claim: Any) -> set[str]:
    return {finding["code"] for finding in claim["findings"] if finding["severity"] == "error"}


def seen_by_the_intern(billing: Billing, supervisor: Api) -> Any:
    """A visit of the intern, whose note the supervisor has co-signed; return its claim."""
    house, ivo = billing.house, billing.things["ivo"]
    patient = props.patient(
        house, clinician_ids=[ivo["id"]],
        address={"line1": "12 Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205"},
    )  # fmt: skip
    props.policy(house, patient, billing.things["payer"])
    start = (timezone.now() - timedelta(days=2)).replace(hour=17, minute=0, second=0, microsecond=0)
    visit = props.made(
        house.scheduler.post(
            "/v1/appointments",
            {"patient_id": patient["id"], "clinician_id": ivo["id"], "service_code": "90837",
             "start_at": start.isoformat(), "location_id": billing.things["location"]["id"]},
        )
    )  # fmt: skip
    path = f"/v1/appointments/{visit['id']}"
    house.scheduler.post(f"{path}/complete", {}, if_match=house.scheduler.get(path)["ETag"])
    note = props.made(
        house.apis["ivo"].post(
            "/v1/clinical-notes",
            {"appointment_id": visit["id"], "type": "progress", "diagnoses": [{"code": "F41.1"}], "content": SECTIONS},
        )
    )
    for who, action in ((house.apis["ivo"], "sign"), (supervisor, "cosign")):
        path = f"/v1/clinical-notes/{note['id']}"
        answer = who.post(f"{path}/{action}", {}, if_match=who.get(path)["ETag"])
        assert answer.status_code == 200, answer.content
    return props.made(house.biller.post("/v1/claims", {"appointment_ids": [visit["id"]]}))


def hire(billing: Billing, *, supervisor_is_clinician: bool) -> Api:
    """Take on an intern and a supervisor."""
    house = billing.house
    billing.things["ivo"] = props.clinician(house, "Ivo", npi="1000000012", taxonomy_code="101YM0800X")
    ivo = props.uuid_of("clinician", billing.things["ivo"])
    sue = props.clinician(house, "Sue", npi="1000000020", taxonomy_code="1041C0700X")
    house.person("ivo", Role.INTERN, clinician_id=ivo)
    return house.person(
        "sue", Role.SUPERVISOR, supervises=(ivo,),
        clinician_id=props.uuid_of("clinician", sue) if supervisor_is_clinician else None,
    )  # fmt: skip


def test_an_interns_claim_names_the_supervisor_who_co_signed(
    willow: House, tmp_path: Path
) -> None:
    payer = SandboxProcess(tmp_path)
    billing = Billing(willow, payer)
    claim = seen_by_the_intern(billing, hire(billing, supervisor_is_clinician=True))
    billing.submit(claim)
    edi = billing.house.biller.get(f"/v1/claims/{claim['id']}", accept="application/edi-x12").content.decode()

    payer.stop()
    assert rules(claim) == set()
    assert "NM1*DQ*1*" in edi
    assert "*XX*1000000020~" in edi.partition("NM1*DQ")[2]


def test_a_supervisor_whom_the_roster_does_not_know_blocks_the_claim(billing: Billing) -> None:
    claim = seen_by_the_intern(billing, hire(billing, supervisor_is_clinician=False))

    assert rules(claim) == {"supervisor-unknown"}
    assert claim["state"] == "draft"


def test_the_control_a_clinicians_own_visit_needs_no_supervisor(billing: Billing) -> None:
    claim = billing.claim()

    assert (rules(claim), claim["state"]) == (set(), "validated")


def test_a_second_payer_is_not_asked_without_what_the_first_decided(billing: Billing) -> None:
    first = billing.claim()
    patient = billing.things["patient"]
    second = props.payer(billing.house, "Second Health Plan", payer_id_code="SECND")
    policy = props.policy(billing.house, patient, second, rank="secondary", member_id="SEC1")

    answer = billing.house.biller.post(
        "/v1/claims",
        {"appointment_ids": [line["appointment_id"] for line in first["lines"]], "policy_id": policy["id"]},
    )

    assert answer.status_code == 201, answer.content
    assert "other-payer-missing" in rules(answer.json())
    assert answer.json()["state"] == "draft"


def test_a_visit_that_a_payer_was_asked_for_is_not_reopened(billing: Billing) -> None:
    claim = billing.claim()
    desk = billing.house.scheduler
    path = f"/v1/appointments/{claim['lines'][0]['appointment_id']}"

    held = desk.post(f"{path}/reopen", {}, if_match=desk.get(path)["ETag"])
    biller, itself = billing.house.biller, f"/v1/claims/{claim['id']}"
    voided = biller.post(f"{itself}/void", {}, if_match=biller.get(itself)["ETag"])
    opened = desk.post(f"{path}/reopen", {}, if_match=desk.get(path)["ETag"])

    assert (held.status_code, held.json()["code"]) == (409, "claim-exists")
    assert held.json()["claim_id"] == claim["id"]
    assert voided.status_code == 200, voided.content
    assert opened.status_code == 200, opened.content


def test_what_a_held_claim_cannot_is_said_with_what_can_be_done(billing: Billing) -> None:
    claim = billing.claim()
    biller, path = billing.house.biller, f"/v1/claims/{claim['id']}"

    def act(verb: str, body: Any) -> Any:
        return biller.post(f"{path}/{verb}", body, if_match=biller.get(path)["ETag"]).json()

    act("hold", {"reason": "waiting for the new card"})
    said = [act("validate", {})["detail"], act("submit", {})["detail"], act("hold", {"reason": "once more"})["detail"]]
    assert said == [
        "A claim that is held cannot be validated. Let it go first: `hold` without a reason.",
        "A claim that is held cannot be submitted. Let it go first: `hold` without a reason.",
        "A claim that is held cannot be held back.",
    ]
    assert act("hold", {})["state"] == "validated"
    assert act("hold", {})["detail"] == "A claim that is validated cannot be let go."
