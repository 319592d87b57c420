"""What a payer leaves while a further one may pay it: proposed, accepted, dismissed, withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rapport.kernel.ids import type_id
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def sandbox(tmp_path: Any) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def visit_with_two_payers(billing: Billing, first: str = "W1", second: str = "S1") -> Any:
    """A claim to the first of two payers, not sent yet."""
    claim = billing.claim(member_id=first)
    payer = props.payer(billing.house, "Second Plan", payer_id_code="SECND")
    props.policy(
        billing.house, billing.things["patient"], payer, rank="secondary", member_id=second
    )
    return claim


def decided(billing: Billing, claim: Any) -> Any:
    billing.submit(claim)
    billing.work()
    return billing.read(claim)


def proposals(billing: Billing, **query: str) -> list[Any]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    found: list[Any] = billing.house.biller.get(f"/v1/claim-proposals?{asked}").json()["data"]
    return found


def act(billing: Billing, proposal: Any, action: str, body: Any) -> Any:
    path = f"/v1/claim-proposals/{proposal['id']}"
    biller = billing.house.biller
    return biller.post(f"{path}/{action}", body, if_match=biller.get(path)["ETag"])


def balance(billing: Billing) -> tuple[int, int]:
    patient = billing.things["patient"]["id"]
    answer = billing.house.biller.get(f"/v1/patients/{patient}/balance").json()
    return answer["patient_responsibility"]["amount"], answer["insurance_outstanding"]["amount"]


def test_what_is_left_waits_for_the_second_payer_and_a_person_makes_its_claim(billing: Billing) -> None:
    first = decided(billing, visit_with_two_payers(billing))
    [proposal] = proposals(billing, state="open", claim_id=first["id"])

    assert (proposal["kind"], proposal["left_to_patient"]["amount"], proposal["denied"]) == ("next_payer", 2500, False)
    assert balance(billing) == (0, 2500), "nothing is asked of the patient while another payer may pay it"
    assert len(billing.house.biller.get("/v1/claims").json()["data"]) == 1, "nothing was made by itself"

    accepted = act(billing, proposal, "accept", {})
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    again = act(billing, proposal, "accept", {})
    second = billing.house.biller.get(f"/v1/claims/{accepted.json()['made_claim_id']}").json()
    assert (again.status_code, again.json()["code"]) == (409, "state-conflict")
    assert (second["state"], second["rank"]) == ("validated", "secondary")
    assert decided(billing, second)["paid"]["amount"] == 2500
    assert balance(billing) == (0, 0)


def test_what_the_second_payer_leaves_is_the_patients(billing: Billing) -> None:
    decided(billing, visit_with_two_payers(billing, second="SBXKEEP1"))
    [proposal] = proposals(billing)
    made = act(billing, proposal, "accept", {}).json()["made_claim_id"]
    decided(billing, {"id": made})

    assert balance(billing) == (1000, 0)
    assert proposals(billing, state="open") == []


def test_dismissed_it_is_the_patients_and_taken_back_it_is_nobodys(billing: Billing) -> None:
    decided(billing, visit_with_two_payers(billing))
    [proposal] = proposals(billing)
    assert act(billing, proposal, "dismiss", {}).status_code == 422, "a reason is asked for"
    dismissed = act(billing, proposal, "dismiss", {"reason": "that plan ended"}).json()
    assert (dismissed["state"], dismissed["reason"], balance(billing)) == ("dismissed", "that plan ended", (2500, 0))

    [file] = billing.house.biller.get("/v1/era-files").json()["data"]
    path = f"/v1/era-files/{file['id']}"
    billing.house.biller.post(f"{path}/unpost", {"reason": "the wrong account"})
    assert (balance(billing), proposals(billing)[0]["state"]) == ((0, 18000), "withdrawn")
    billing.house.biller.post(f"{path}/post", {})
    assert balance(billing) == (0, 2500)
    assert [one["state"] for one in proposals(billing)] == ["open", "withdrawn"]


def test_a_claim_that_was_made_of_it_and_withdrawn_is_proposed_again(billing: Billing) -> None:
    decided(billing, visit_with_two_payers(billing))
    [proposal] = proposals(billing)
    made = act(billing, proposal, "accept", {}).json()["made_claim_id"]
    biller, path = billing.house.biller, f"/v1/claims/{made}"
    biller.post(f"{path}/void", {}, if_match=biller.get(path)["ETag"])

    assert [(one["state"], one["made_claim_id"]) for one in proposals(billing)] == [("open", None)]
    assert act(billing, proposal, "accept", {}).status_code == 200


@pytest.mark.parametrize(
    ("member_id", "wanted"),
    [
        ("SBXFULL1", []),  # nothing is left
        ("SBXCROSS1", []),  # the payer has passed it on itself
        ("SBXCO1971", [("next_payer", 0, True)]),  # denied
        ("SBXSPLIT1", [("next_payer", 2500, False)]),  # in two parts, the first of them taken back
    ],
)
def test_it_is_proposed_only_where_a_second_payer_can_be_asked(
    billing: Billing, member_id: str, wanted: list[Any]
) -> None:
    decided(billing, visit_with_two_payers(billing, first=member_id))
    billing.work()

    found = [one for one in proposals(billing) if one["state"] != "withdrawn"]
    assert [(one["kind"], one["left_to_patient"]["amount"], one["denied"]) for one in found] == wanted


def test_where_the_practice_wants_it_so_the_claim_leaves_by_itself(billing: Billing) -> None:
    admin = billing.house.admin
    path = f"/v1/practices/{type_id('practice', billing.house.id)}"
    changed = admin.patch(path, {"sends_to_next_payer": True}, if_match=admin.get(path)["ETag"])
    assert changed.json()["sends_to_next_payer"] is True
    decided(billing, visit_with_two_payers(billing))
    billing.work()
    [proposal] = proposals(billing)

    assert proposal["state"] == "accepted"
    assert billing.house.biller.get(f"/v1/claims/{proposal['made_claim_id']}").json()["state"] == "paid"
    assert balance(billing) == (0, 0)


def test_when_the_first_payer_decides_anew_the_second_is_to_be_told(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    first = decided(billing, visit_with_two_payers(billing, first="SBXTAKE1"))
    [proposal] = proposals(billing)
    second = decided(billing, {"id": act(billing, proposal, "accept", {}).json()["made_claim_id"]})
    sandbox.call("POST", "/_sandbox/advance")
    billing.work()
    [anew] = proposals(billing, state="open", claim_id=first["id"])

    assert anew["kind"] == "replace"
    made = act(billing, anew, "accept", {}).json()["made_claim_id"]
    replacement = decided(billing, {"id": made})
    assert (replacement["frequency"], replacement["original_claim_id"]) == ("replacement", second["id"])
    assert (replacement["paid"]["amount"], billing.read(second)["state"]) == (2500, "replaced")
    assert balance(billing) == (0, 0)
