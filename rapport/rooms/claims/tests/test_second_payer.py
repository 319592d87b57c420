"""A second and a third payer are told what each payer before decided, to the cent and the code."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import pyx12.params
import pyx12.x12n_document

from rapport.protocols.x12 import read837p, syntax
from rapport.protocols.x12.check import check_bytes
from rapport.rooms.claims import queries, services
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def further(billing: Billing, rank: str, code: str, member_id: str) -> Any:
    """Give the patient at hand a further policy."""
    payer = props.payer(billing.house, f"{rank} plan".title(), payer_id_code=code)
    return props.policy(
        billing.house, billing.things["patient"], payer, rank=rank, member_id=member_id
    )


def decided(billing: Billing, claim: Any) -> Any:
    billing.submit(claim)
    billing.work()
    return billing.read(claim)


def next_claim(billing: Billing, claim: Any, policy: Any) -> Any:
    visits = [line["appointment_id"] for line in claim["lines"]]
    return props.made(
        billing.house.biller.post("/v1/claims", {"appointment_ids": visits, "policy_id": policy["id"]})
    )


def edi(billing: Billing, claim: Any) -> bytes:
    answer = billing.house.biller.get(f"/v1/claims/{claim['id']}", accept="application/edi-x12")
    assert answer.status_code == 200, answer.content
    return answer.content


def segments(data: bytes, *tags: str) -> list[str]:
    rows = [row.strip() for row in data.decode().split("~")]
    return [row for row in rows if row.split("*")[0] in tags]


def blocking(claim: Any) -> set[str]:
    return {one["code"] for one in claim["findings"] if one["severity"] == "error"}


def test_a_second_and_a_third_payer_are_told_what_was_decided_before(billing: Billing) -> None:
    first = billing.claim(member_id="W1")
    second_policy = further(billing, "secondary", "SECND", "SBXKEEP1")
    third_policy = further(billing, "tertiary", "THIRD", "W3")
    first = decided(billing, first)
    day = first["service_from_on"].replace("-", "")

    second = next_claim(billing, first, second_policy)
    assert (second["state"], blocking(second), second["rank"]) == ("validated", set(), "secondary")
    second = decided(billing, second)
    third = decided(billing, next_claim(billing, second, third_policy))

    assert [claim["paid"]["amount"] for claim in (first, second, third)] == [11900, 1500, 1000]
    data = edi(billing, third)
    said = segments(data, "SBR", "AMT", "SVD", "CAS", "DTP")
    today = next(row for row in said if row.startswith("DTP*573"))[-8:]
    assert said == [
        "SBR*T*18*******CI",
        "SBR*P*18*******CI", "AMT*D*119",
        "SBR*S*18*******CI", "AMT*D*15",
        f"DTP*472*D8*{day}",
        "SVD*60054*119*HC:90837**1", "CAS*CO*45*36", "CAS*PR*3*25", f"DTP*573*D8*{today}", "AMT*EAF*25",
        "SVD*SECND*15*HC:90837**1", "CAS*OA*23*155", "CAS*PR*3*10", f"DTP*573*D8*{today}", "AMT*EAF*10",
    ]  # fmt: skip
    assert [first["payer_claim_number"], second["payer_claim_number"]] == [
        row.split("*")[2] for row in segments(data, "REF") if row.startswith("REF*F8")
    ]
    for claim in (second, third):
        written = edi(billing, claim)
        assert [f for f in check_bytes(written).findings if f.severity == "error"] == []
        assert pyx12.x12n_document.x12n_document(
            pyx12.params.params(), io.StringIO(written.decode("ascii")), io.StringIO(), None, None
        )
    [read] = read837p.claims(syntax.read(data))
    assert [other.payer.id for other in read.others] == ["60054", "SECND"]


def test_the_second_payer_is_asked_for_what_the_first_was_whatever_its_own_rate(billing: Billing) -> None:
    first = billing.claim(member_id="W1")
    policy = further(billing, "secondary", "SECND", "S1")
    path = f"/v1/service-codes/{billing.things['code']['id']}"
    answer = billing.house.admin.call(
        "PUT", f"{path}/rates", {"rates": [{"payer_id": policy["payer_id"], "rate": {"amount": 25000}, "starts_on": "2026-01-01"}]},
        if_match=billing.house.admin.get(path)["ETag"],
    )  # fmt: skip
    assert answer.status_code == 200, answer.content
    second = next_claim(billing, decided(billing, first), policy)

    assert (second["charge"]["amount"], blocking(second)) == (18000, set())
    assert second["lines"][0]["control_number"] != first["lines"][0]["control_number"]


def test_nothing_is_told_that_no_longer_stands(billing: Billing) -> None:
    first = billing.claim(member_id="W1")
    policy = further(billing, "secondary", "SECND", "S1")
    early = next_claim(billing, first, policy)
    assert blocking(early) == {"other-payer-missing"}
    decided(billing, first)
    path = f"/v1/claims/{early['id']}/validate"
    assert blocking(billing.house.biller.post(path, {}).json()) == set()

    [file] = billing.house.biller.get("/v1/era-files?state=posted").json()["data"]
    billing.house.biller.post(f"/v1/era-files/{file['id']}/unpost", {"reason": "the wrong bank account"})

    assert blocking(billing.house.biller.post(path, {}).json()) == {"other-payer-missing"}
    # The control: posted again, it is told again.
    billing.house.biller.post(f"/v1/era-files/{file['id']}/post", {})
    assert blocking(billing.house.biller.post(path, {}).json()) == set()


def test_after_a_takeback_the_new_decision_is_told_and_the_old_one_is_not(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    first = billing.claim(member_id="SBXTAKE1")
    policy = further(billing, "secondary", "SECND", "S1")
    decided(billing, first)
    sandbox.call("POST", "/_sandbox/advance")
    billing.work()
    second = next_claim(billing, first, policy)
    billing.submit(second)

    assert segments(edi(billing, second), "SVD", "CAS") == [
        "SVD*60054*83*HC:90837**1", "CAS*CO*45*72", "CAS*PR*3*25"
    ]  # fmt: skip


def test_a_claim_that_was_passed_on_is_billed_again_only_if_somebody_answers_for_it(billing: Billing) -> None:
    first = billing.claim(member_id="SBXCROSS1")
    policy = further(billing, "secondary", "SECND", "S1")
    second = next_claim(billing, decided(billing, first), policy)
    path = f"/v1/claims/{second['id']}"
    biller = billing.house.biller

    assert blocking(second) == {"crossed-over"}
    tag = biller.get(path)["ETag"]
    assert biller.post(f"{path}/submit", {}, if_match=tag).json()["code"] == "claim-not-clean"
    no_reason = biller.post(f"{path}/override", {"code": "crossed-over"})
    other = biller.post(f"{path}/override", {"code": "npi-check-digit", "reason": "I know better"})
    given = biller.post(f"{path}/override", {"code": "crossed-over", "reason": "they never got it"})

    assert (no_reason.status_code, other.status_code, given.status_code) == (422, 422, 200)
    assert (given.json()["state"], blocking(given.json())) == ("validated", set())
    assert [one["severity"] for one in given.json()["findings"] if one["code"] == "crossed-over"] == ["warning"]
    assert decided(billing, second)["paid"]["amount"] == 2500


def test_a_payer_after_this_one_is_named_and_said_to_have_decided_nothing(billing: Billing) -> None:
    appointment = billing.visit(member_id="W1")
    billing.note(appointment)
    further(billing, "secondary", "SECND", "S1")
    claim = props.made(billing.house.biller.post("/v1/claims", {"appointment_ids": [appointment["id"]]}))
    billing.submit(claim)

    data = edi(billing, claim)
    assert segments(data, "SBR", "AMT", "SVD") == ["SBR*P*18*******CI", "SBR*S*18*******CI"]
    assert [f for f in check_bytes(data).findings if f.severity == "error"] == []


def test_the_paper_form_shows_the_other_plan_and_what_it_paid(billing: Billing) -> None:
    from rapport.protocols.cms1500.form import layout

    first = billing.claim(member_id="W1")
    policy = further(billing, "secondary", "SECND", "S1")
    second = next_claim(billing, decided(billing, first), policy)
    with billing.house.entered() as scope:
        claim = queries.get_claim(scope=scope, claim_id=props.uuid_of("claim", second))
        [page] = layout(services.build_record(scope=scope, claim=claim), today=claim.service_to_on)

    box = {(text.line, text.column): text.text.strip() for text in page}
    assert (box[3, 50], box[13, 1], box[15, 1], box[21, 1]) == ("S1", "RIVERA, ANA", "W1", "EXAMPLE HEALTH PLAN")
    assert (box[21, 52], box[51, 62], box[51, 52]) == ("X", "11900", "18000")


def test_medicare_is_told_why_it_pays_second_and_a_claim_that_cannot_say_is_blocked(billing: Billing) -> None:
    first = billing.claim(member_id="W1")
    house = billing.house
    payer = props.payer(house, "Medicare Part B", payer_id_code="MCARE", claim_filing_indicator="MB")
    policy = props.policy(house, billing.things["patient"], payer, rank="secondary", member_id="1EG4TE5MK73")
    second = next_claim(billing, decided(billing, first), policy)
    assert (second["state"], blocking(second)) == ("draft", {"medicare-reason-missing"})

    path = f"/v1/insurance-policies/{policy['id']}"
    wrong = house.scheduler.patch(path, {"medicare_reason": "12"}, if_match=house.scheduler.get(path)["ETag"])
    said = house.scheduler.patch(path, {"medicare_reason": "working_aged"}, if_match=house.scheduler.get(path)["ETag"])
    assert (wrong.status_code, said.status_code, said.json()["medicare_reason"]) == (422, 200, "working_aged")
    second = house.biller.post(f"/v1/claims/{second['id']}/validate", {}).json()

    assert (second["state"], blocking(second)) == ("validated", set())
    billing.submit(second)
    data = edi(billing, second)
    assert segments(data, "SBR") == ["SBR*S*18***12****MB", "SBR*P*18*******CI"]
    assert [f for f in check_bytes(data).findings if f.severity == "error"] == []
    [read] = read837p.claims(syntax.read(data))
    assert (read.insurance_type, read.others[0].insurance_type) == ("12", "")


def test_the_control_medicare_that_pays_first_is_told_nothing(billing: Billing) -> None:
    billing.things["payer"] = props.payer(billing.house, "Medicare Part B", payer_id_code="MCARE", claim_filing_indicator="MB")
    claim = billing.claim(member_id="1EG4TE5MK73")
    assert (claim["state"], blocking(claim)) == ("validated", set())
    billing.submit(claim)
    assert segments(edi(billing, claim), "SBR") == ["SBR*P*18*******MB"]


def test_what_the_patient_has_paid_is_told_where_the_payer_wants_to_know(billing: Billing) -> None:
    claim = decided(billing, billing.claim(member_id="W1"))
    house, visits = billing.house, [line["appointment_id"] for line in claim["lines"]]
    props.made(
        house.biller.post("/v1/payments", {"patient_id": claim["patient_id"], "method": "cash", "amount": {"amount": 2500}})
    )
    body = {"appointment_ids": visits, "frequency": "replacement", "original_claim_id": claim["id"]}
    made = props.made(house.biller.post("/v1/claims", body))

    def told() -> Any:
        with house.entered() as scope:
            row = queries.get_claim(scope=scope, claim_id=props.uuid_of("claim", made))
            return services.build_record(scope=scope, claim=row).patient_paid

    assert told() is None, "no payer is told that has not asked"
    path = f"/v1/payers/{billing.things['payer']['id']}/claim-profile"
    asked = house.biller.patch(path, {"patient_paid": True}, if_match=house.biller.get(path)["ETag"])
    assert (asked.status_code, told()) == (200, 25)
    billing.submit(made)
    data = edi(billing, made)
    assert segments(data, "AMT") == ["AMT*F5*25"]
    assert [f for f in check_bytes(data).findings if f.severity == "error"] == []
