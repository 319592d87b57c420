"""Claims that replace or take back another one, and what becomes of the services when they are withdrawn (R-19)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def correct(billing: Billing, claim: Any, frequency: str, **fields: Any) -> Any:
    visits = [line["appointment_id"] for line in claim["lines"]]
    body = {"appointment_ids": visits, "frequency": frequency, "original_claim_id": claim["id"]}
    return billing.house.biller.post("/v1/claims", body | fields)


def decided(billing: Billing, claim: Any) -> Any:
    billing.submit(claim)
    billing.work()
    return billing.read(claim)


def edi(billing: Billing, claim: Any) -> str:
    path = f"/v1/claims/{claim['id']}"
    return billing.house.biller.get(path, accept="application/edi-x12").content.decode()


def void(billing: Billing, claim: Any) -> None:
    biller, path = billing.house.biller, f"/v1/claims/{claim['id']}"
    answer = biller.post(f"{path}/void", {}, if_match=biller.get(path)["ETag"])
    assert answer.status_code == 200, answer.content


def owed(billing: Billing) -> tuple[int, int]:
    path = f"/v1/patients/{billing.things['patient']['id']}/balance"
    shown = billing.house.biller.get(path).json()
    return shown["patient_responsibility"]["amount"], shown["insurance_outstanding"]["amount"]


@pytest.mark.parametrize("frequency", ["replacement", "void"])
def test_r19_a_claim_on_its_way_is_not_corrected(billing: Billing, frequency: str) -> None:
    claim = billing.claim(member_id="SBXLATE1")  # acknowledged and accepted, with the payer's number, not decided
    states = [billing.read(claim)["state"]]
    answers = [correct(billing, claim, frequency)]
    billing.submit(claim)
    states.append(billing.read(claim)["state"])
    answers.append(correct(billing, claim, frequency))
    billing.work()
    accepted = billing.read(claim)
    answers.append(correct(billing, claim, frequency))

    assert [*states, accepted["state"]] == ["validated", "queued", "accepted"]
    assert accepted["payer_claim_number"], "the number alone is not enough"
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(409, "state-conflict")] * 3
    assert len(billing.house.biller.get("/v1/claims").json()["data"]) == 1


def test_the_control_once_decided_it_is_replaced_with_the_payers_number_and_ends(billing: Billing) -> None:
    claim = decided(billing, billing.claim(member_id="W1"))
    made = correct(billing, claim, "replacement")
    assert made.status_code == 201, made.content
    twice = correct(billing, claim, "replacement")
    replacement = decided(billing, made.json())

    assert (twice.status_code, twice.json()["code"], twice.json()["claim_id"]) == (409, "duplicate-claim", made.json()["id"])
    sent = edi(billing, replacement)
    assert ":B:7*" in sent
    assert f"REF*F8*{claim['payer_claim_number']}~" in sent
    assert [billing.read(claim)["state"], replacement["state"]] == ["replaced", "paid"]
    assert replacement["payer_claim_number"] not in ("", claim["payer_claim_number"])
    assert owed(billing) == (2500, 0), "reversed and paid anew, once"


def test_a_replacement_is_replaced_by_the_number_that_the_payer_gave_to_it(billing: Billing) -> None:
    claim = decided(billing, billing.claim(member_id="W1"))
    made = correct(billing, claim, "replacement").json()
    billing.submit(made)
    billing.work()
    again = correct(billing, billing.read(made), "replacement").json()
    billing.submit(again)

    assert f"REF*F8*{billing.read(made)['payer_claim_number']}~" in edi(billing, again)


def test_a_void_takes_the_money_back_and_frees_the_visit(billing: Billing) -> None:
    claim = decided(billing, billing.claim(member_id="W1"))
    other = billing.visit(patient=billing.things["patient"], days_ago=5)
    billing.note(other)
    wrong = correct(billing, claim, "void", appointment_ids=[other["id"]])
    made = correct(billing, claim, "void").json()
    taken_back = decided(billing, made)

    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/appointment_ids")
    assert ":B:8*" in edi(billing, made)
    assert [billing.read(claim)["state"], taken_back["state"]] == ["voided", "voided"]
    assert owed(billing) == (0, 36000), "both visits are unpaid"
    visits = [line["appointment_id"] for line in claim["lines"]]
    assert billing.house.biller.post("/v1/claims", {"appointment_ids": visits}).status_code == 201


def test_a_replacement_that_is_withdrawn_gives_the_services_back(billing: Billing) -> None:
    claim = decided(billing, billing.claim(member_id="W1"))
    visits = [line["appointment_id"] for line in claim["lines"]]
    void(billing, correct(billing, claim, "replacement").json())
    anew = billing.house.biller.post("/v1/claims", {"appointment_ids": visits})

    assert (anew.status_code, anew.json()["code"], anew.json()["claim_id"]) == (409, "duplicate-claim", claim["id"])
    assert correct(billing, claim, "replacement").status_code == 201


def test_a_replacement_is_for_the_same_patient_and_payer(billing: Billing) -> None:
    claim = decided(billing, billing.claim(member_id="W1"))
    second = props.payer(billing.house, "Second Plan", payer_id_code="SECND")
    policy = props.policy(
        billing.house, billing.things["patient"], second, rank="secondary", member_id="S1"
    )
    answer = correct(billing, claim, "replacement", policy_id=policy["id"])

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "other-request")


def test_a_claim_rejected_before_it_was_decided_is_sent_again_as_an_original(billing: Billing) -> None:
    claim = billing.claim(member_id="SBX277REJ1")
    billing.submit(claim)
    billing.work()
    assert billing.read(claim)["state"] == "rejected"
    first = edi(billing, claim)
    billing.house.biller.post(f"/v1/claims/{claim['id']}/validate", {})
    billing.submit(claim)
    again = edi(billing, claim)

    assert ":B:1*" in again
    assert "REF*F8" not in again
    assert first.split("~")[0] != again.split("~")[0], "a file of its own, with numbers of its own"


def files(billing: Billing) -> list[Any]:
    """Return the remittance files, the newest first."""
    return billing.house.biller.get("/v1/era-files?sort=-created_at").json()["data"]


def lives(billing: Billing, *claims: Any) -> list[str]:
    return [billing.read(claim)["state"] for claim in claims]


@pytest.mark.parametrize(("frequency", "ended"), [("replacement", ["replaced", "paid"]), ("void", ["voided", "voided"])])
def test_taking_the_reversals_file_back_brings_both_claims_where_they_were(
    billing: Billing, frequency: str, ended: list[str]
) -> None:
    claim = decided(billing, billing.claim(member_id="W1"))
    before = owed(billing)
    made = correct(billing, claim, frequency).json()
    billing.submit(made)
    billing.work()
    assert lives(billing, claim, made) == ended
    biller, file = billing.house.biller, files(billing)[0]
    path = f"/v1/era-files/{file['id']}"

    answer = biller.post(f"{path}/unpost", {"reason": "wrong account"})
    assert answer.status_code == 200, answer.content
    assert (lives(billing, claim, made), owed(billing)) == (["paid", "accepted"], before)
    visits = [line["appointment_id"] for line in claim["lines"]]
    anew = biller.post("/v1/claims", {"appointment_ids": visits})
    assert (anew.status_code, anew.json()["claim_id"]) == (409, made["id"]), "the visit is asked for by the correction"

    assert biller.post(f"{path}/post", {}).status_code == 200
    assert lives(billing, claim, made) == ended
    told = biller.get(f"/v1/claims/{claim['id']}/history").json()
    assert "The file by which its payer ended it was taken back: it is where it was." in str(told)


def test_a_voids_file_is_not_taken_back_once_its_visit_was_billed_anew(billing: Billing) -> None:
    claim = decided(billing, billing.claim(member_id="W1"))
    made = decided(billing, correct(billing, claim, "void").json())
    anew = billing.house.biller.post("/v1/claims", {"appointment_ids": [line["appointment_id"] for line in claim["lines"]]}).json()
    path = f"/v1/era-files/{files(billing)[0]['id']}"

    refused = billing.house.biller.post(f"{path}/unpost", {"reason": "wrong account"})
    assert (refused.status_code, refused.json()["code"]) == (409, "state-conflict")
    assert lives(billing, claim, made) == ["voided", "voided"]
    void(billing, anew)
    assert billing.house.biller.post(f"{path}/unpost", {"reason": "wrong account"}).status_code == 200
    assert lives(billing, claim, made) == ["paid", "accepted"]
