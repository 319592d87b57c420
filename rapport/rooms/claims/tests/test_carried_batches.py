"""A batch that a person carries: its file as it was frozen, for those who may see all of it, and sent when somebody says so."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection

from rapport.kernel.ids import parse_type_id
from rapport.platform.access.permissions import Role
from rapport.platform.jobs.worker import drain
from rapport.protocols.x12.check import check_bytes
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import Api, House

X12 = "application/edi-x12"


@pytest.fixture
def billing(willow: House) -> Billing:
    billing = Billing(willow)
    billing.things["channel"] = props.made(
        willow.biller.post(
            "/v1/channels",
            {"name": "By hand", "kind": "download",
             "settings": {"sender_id": "WILLOW", "receiver_id": "PAYER", "receiver_name": "PAYER"}},
        )
    )  # fmt: skip
    return billing


def act(who: Api, path: str, body: Any) -> Any:
    return who.post(f"{path}/mark-submitted", body, if_match=who.get(path)["ETag"])


def test_the_file_of_a_batch_is_taken_as_it_was_frozen_and_taking_it_sends_nothing(billing: Billing) -> None:
    biller = billing.house.biller
    claims = [billing.claim(), billing.claim(hour=10)]
    batch = billing.batch()
    path = f"/v1/claim-batches/{batch['id']}"
    early = biller.get(f"{path}/file")
    drain(billing.house.id)

    taken = biller.get(f"{path}/file", accept=X12)
    with billing.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE roster_patient SET address_line1 = '1 Elsewhere'")
    again = biller.get(f"{path}/file", accept=X12)

    assert (early.status_code, early.json()["code"], early.json()["current_state"]) == (409, "state-conflict", "making")
    made = biller.get(path).json()
    assert taken["Content-Type"] == X12
    assert (len(taken.content), sha256(taken.content).hexdigest()) == (made["submission"]["size"], made["submission"]["sha256"])
    assert taken["Repr-Digest"] == f"sha-256=:{b64encode(sha256(taken.content).digest()).decode()}:"
    assert again.content == taken.content, "never made anew"
    assert [f for f in check_bytes(taken.content).findings if f.severity == "error"] == []
    for claim in claims:
        assert claim["control_number"].encode() in taken.content
    name = taken["Content-Disposition"].partition("filename=")[2].strip('"')
    assert name.startswith("B")
    assert name.removesuffix(".837").isalnum(), "it names a file and nobody"
    assert biller.get(f"{path}/file", accept=X12, if_none_match=taken["ETag"]).status_code == 304
    assert (made["submission"]["state"], {billing.read(claim)["state"] for claim in claims}) == ("ready", {"queued"})
    told = billing.house.admin.get("/v1/audit-events?action=claim_batch.take_file").json()["data"]
    whose = sorted(claim["patient_id"] for claim in claims)
    assert [sorted(e["patient_ids"]) for e in told if e["outcome"] == "allow"] == [whose] * 3, "who took it, and whose claims it has"


def test_all_claims_of_a_batch_are_submitted_when_a_person_says_they_handed_it_in(billing: Billing) -> None:
    biller = billing.house.biller
    claims = [billing.claim(), billing.claim(hour=10)]
    path = f"/v1/claim-batches/{billing.batch()['id']}"
    early = act(biller, path, {})
    drain(billing.house.id)

    stale = biller.post(f"{path}/mark-submitted", {}, if_match='"1-0000000"')
    said = act(biller, path, {"reference": "P-4711"})
    twice = act(biller, path, {})

    assert (early.status_code, stale.status_code) == (409, 412), "the controls: no file yet; it was changed since"
    assert said.status_code == 200, said.content
    assert (said.json()["submission"]["state"], said.json()["submission"]["receipt"]) == ("sent", "P-4711")
    assert {billing.read(claim)["state"] for claim in claims} == {"submitted"}
    assert (twice.status_code, twice.json()["code"]) == (409, "state-conflict")


def test_a_file_that_a_channel_sends_by_itself_is_not_said_to_be_carried(billing: Billing) -> None:
    biller = billing.house.biller
    channel = f"/v1/channels/{billing.things['channel']['id']}"
    billing.claim()
    with billing.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_channel SET kind = 'sftp', active = true")
    path = f"/v1/claim-batches/{billing.batch()['id']}"
    biller.call("PATCH", channel, {"active": False}, if_match=biller.get(channel)["ETag"])
    drain(billing.house.id)

    refused = act(biller, path, {})
    taken = biller.get(f"{path}/file", accept=X12)

    assert (refused.status_code, refused.json()["current_state"]) == (409, "ready")
    assert taken.status_code == 200, "the control: it has a file, and that may be kept"


def test_a_biller_with_a_caseload_takes_no_file_that_carries_somebody_elses_patient(billing: Billing) -> None:
    house = billing.house
    claims = [billing.claim(), billing.claim(hour=10)]
    path = f"/v1/claim-batches/{billing.batch()['id']}"
    drain(house.id)
    ben = house.person("ben", Role.BILLER_ASSIGNED, clinician_id=parse_type_id("clinician", billing.things["clinician"]["id"]))
    own = ben.get(f"{path}/file", accept=X12)
    other = props.clinician(house, first="Noor", npi="1245319599")
    patient = f"/v1/patients/{claims[1]['patient_id']}"
    moved = house.admin.call("PATCH", patient, {"clinician_ids": [other["id"]]}, if_match=house.admin.get(patient)["ETag"])
    assert moved.status_code == 200, moved.content

    refused = [ben.get(f"{path}/file", accept=X12), act(ben, path, {}), act(ben, f"/v1/claims/{claims[0]['id']}", {})]

    assert own.status_code == 200, "the control: as long as all of them are Ben's"
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(403, "forbidden")] * 3
    assert claims[1]["control_number"].encode() not in b"".join(one.content for one in refused)
    assert {billing.read(claim)["state"] for claim in claims} == {"queued"}, "and nothing moved"
