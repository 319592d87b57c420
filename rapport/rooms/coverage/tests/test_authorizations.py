"""Authorisations over HTTP: counted from visits and claims, and told where somebody can still act."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rapport.protocols.cms1500.form import layout
from rapport.rooms.claims.models import Claim
from rapport.rooms.claims.services import build_record
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def billing(willow: House) -> Billing:
    return Billing(willow)


def policy_of(billing: Billing) -> Any:
    [found] = billing.house.scheduler.get(
        f"/v1/insurance-policies?patient_id={billing.things['patient']['id']}"
    ).json()["data"]
    return found


def authorize(billing: Billing, number: str = "A-1", **fields: Any) -> Any:
    body = {"policy_id": policy_of(billing)["id"], "number": number, "starts_on": "2026-01-01"} | fields
    return props.made(billing.house.scheduler.post("/v1/authorizations", body))


def counted(billing: Billing, made: Any) -> tuple[int, ...]:
    now = billing.house.scheduler.get(f"/v1/authorizations/{made['id']}").json()
    return tuple(now[name] for name in ("used", "in_flight", "booked", "left", "short"))


def book(billing: Billing, day: int, hour: int = 17) -> Any:
    start = (timezone.now() + timedelta(days=day)).replace(hour=hour, minute=0, second=0, microsecond=0)
    return props.made(
        billing.house.scheduler.post(
            "/v1/appointments",
            {
                "patient_id": billing.things["patient"]["id"], "clinician_id": billing.things["clinician"]["id"],
                "service_code": "90837", "start_at": start.isoformat(), "location_id": billing.things["location"]["id"],
            },
        )
    )  # fmt: skip


def codes(things: list[Any]) -> list[str]:
    return [one["code"] for one in things]


def require(billing: Billing, *what: str) -> None:
    path = f"/v1/payers/{billing.things['payer']['id']}"
    admin = billing.house.admin
    answer = admin.patch(path, {"authorization_for": list(what)}, if_match=admin.get(path)["ETag"])
    assert answer.status_code == 200, answer.content


def claim_of(billing: Billing, *visits: Any, **fields: Any) -> Any:
    for one in visits:
        billing.note(one)
    ids = [one["id"] for one in visits]
    return props.made(billing.house.biller.post("/v1/claims", {"appointment_ids": ids} | fields))


def validated(billing: Billing, claim: Any) -> Any:
    return billing.house.biller.post(f"/v1/claims/{claim['id']}/validate", {}).json()


def test_a_visit_moves_from_booked_to_in_flight_and_gives_back_what_it_took(billing: Billing) -> None:
    """Ana has three visits authorised: one took place, one is booked and called off again."""
    visit = billing.visit()
    made = authorize(billing, allowed=3)
    assert counted(billing, made) == (0, 1, 0, 2, 0)

    booked = book(billing, 2)
    assert counted(billing, made) == (0, 1, 1, 1, 0)
    path = f"/v1/appointments/{booked['id']}"
    scheduler = billing.house.scheduler
    scheduler.post(f"{path}/cancel", {}, if_match=scheduler.get(path)["ETag"])
    assert counted(billing, made) == (0, 1, 0, 2, 0)

    claim = claim_of(billing, visit)
    assert claim["lines"][0]["authorization_id"] == made["id"]
    assert counted(billing, made) == (0, 1, 0, 2, 0)


def test_booking_warns_when_little_or_nothing_is_left_and_forbids_nothing(billing: Billing) -> None:
    billing.visit()
    require(billing, "any")
    assert codes(book(billing, 1)["warnings"]) == ["authorization-missing"]
    made = authorize(billing, allowed=4)
    assert codes(book(billing, 2)["warnings"]) == ["authorization-low"]
    fourth, fifth = book(billing, 3), book(billing, 4)
    assert codes(fourth["warnings"]) == ["authorization-low"]
    assert codes(fifth["warnings"]) == ["authorization-exhausted"]
    assert counted(billing, made) == (0, 1, 3, 0, 1)
    read = billing.house.scheduler.get(f"/v1/appointments/{fourth['id']}").json()
    assert codes(read["warnings"]) == ["authorization-low", "authorization-short"]
    listed = billing.house.scheduler.get("/v1/appointments").json()["data"]
    assert all(one["warnings"] == [] for one in listed)


def test_no_wish_and_no_authorisation_is_no_warning(billing: Billing) -> None:
    billing.visit()
    assert book(billing, 1)["warnings"] == []
    require(billing, "90834")
    assert book(billing, 2)["warnings"] == []


def test_the_number_goes_into_ref_g1_and_box_23(billing: Billing) -> None:
    visit = billing.visit()
    authorize(billing, "A-20443", allowed=5)
    claim = claim_of(billing, visit, format="cms1500")
    with billing.house.entered() as scope:
        row = Claim.objects.visible_to(scope).get(id=props.uuid_of("claim", claim))
        record = build_record(scope=scope, claim=row)
    assert (record.authorisation, record.lines[0].authorisation) == ("A-20443", "")
    texts = [text.text for page in layout(record, today=date(2026, 11, 1)) for text in page]
    assert "A-20443" in texts


def test_lines_that_use_different_ones_name_their_own_and_paper_refuses(billing: Billing) -> None:
    first = billing.visit(days_ago=5)
    second = billing.visit(days_ago=3, patient=billing.things["patient"])
    one, two = authorize(billing, "A-1", allowed=1), authorize(billing, "A-2", allowed=1, ends_on="2030-01-01")
    claim = claim_of(billing, first, second, format="cms1500")
    assert [line["authorization_id"] for line in claim["lines"]] == [two["id"], one["id"]]
    assert "authorizations-differ" in codes(claim["findings"])
    assert claim["state"] == "draft"


def test_a_lack_blocks_a_claim_where_the_payer_wants_one_and_warns_elsewhere(billing: Billing) -> None:
    claim = claim_of(billing, billing.visit())
    assert claim["findings"] == []
    require(billing, "90837")
    missing = validated(billing, claim)
    assert [(f["code"], f["severity"]) for f in missing["findings"]] == [("authorization-missing", "error")]
    assert missing["state"] == "draft"

    made = authorize(billing, ends_on="2026-02-01")
    assert codes(validated(billing, claim)["findings"]) == ["authorization-expired"]
    scheduler, path = billing.house.scheduler, f"/v1/authorizations/{made['id']}"
    soon = (timezone.now() + timedelta(days=5)).date().isoformat()
    scheduler.patch(path, {"ends_on": soon}, if_match=scheduler.get(path)["ETag"])
    mended = validated(billing, claim)
    assert [(f["code"], f["severity"]) for f in mended["findings"]] == [("authorization-expiring", "warning")]
    assert mended["state"] == "validated"

    scheduler.patch(path, {"allowed": 1, "used_before": 1, "ends_on": None}, if_match=scheduler.get(path)["ETag"])
    assert codes(validated(billing, claim)["findings"]) == ["authorization-exhausted"]
    require(billing)
    now = validated(billing, claim)
    assert [(f["code"], f["severity"]) for f in now["findings"]] == [("authorization-exhausted", "warning")]
    assert now["state"] == "validated"


def test_a_voided_claim_and_a_visit_of_another_policy_take_nothing(billing: Billing) -> None:
    visit = billing.visit()
    made = authorize(billing, allowed=3)
    claim = claim_of(billing, visit)
    path = f"/v1/claims/{claim['id']}"
    biller = billing.house.biller
    answer = biller.post(f"{path}/void", {}, if_match=biller.get(path)["ETag"])
    assert answer.status_code == 200, answer.content
    assert counted(billing, made) == (0, 1, 0, 2, 0)
    policy = policy_of(billing)
    path = f"/v1/insurance-policies/{policy['id']}"
    scheduler = billing.house.scheduler
    scheduler.patch(path, {"ends_on": "2026-01-31"}, if_match=scheduler.get(path)["ETag"])
    assert counted(billing, made) == (0, 0, 0, 3, 0)


def test_a_number_is_there_once_and_changes_need_its_etag(billing: Billing) -> None:
    billing.visit()
    made = authorize(billing, "A-1")
    scheduler, path = billing.house.scheduler, f"/v1/authorizations/{made['id']}"
    body = {"policy_id": made["policy_id"], "number": "A-1"}
    again = scheduler.post("/v1/authorizations", body)
    assert (again.status_code, again.json()["code"]) == (409, "authorization-known")
    assert scheduler.patch(path, {"number": "A-2"}).status_code == 428
    bad = scheduler.post("/v1/authorizations", body | {"number": "A-3", "starts_on": "2026-02-02", "ends_on": "2026-02-01"})
    assert bad.json()["errors"][0]["pointer"] == "/ends_on"
    etag = scheduler.get(path)["ETag"]
    assert scheduler.patch(path, {"number": "A-2"}, if_match=etag).json()["number"] == "A-2"
    assert scheduler.patch(path, {"number": "A-3"}, if_match=etag).status_code == 412
    assert scheduler.patch(path, {"number": None}, if_match=scheduler.get(path)["ETag"]).status_code == 422


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.mark.parametrize(("member", "state", "expected"), [
    ("SBXFULL01", "paid", (1, 0, 0, 1, 0)), ("SBXCO197A", "denied", (0, 0, 0, 2, 0)),
])  # fmt: skip
def test_what_the_payer_paid_is_used_and_what_it_denied_is_given_back(
    willow: House, sandbox: SandboxProcess, member: str, state: str, expected: tuple[int, ...]
) -> None:
    billing = Billing(willow, sandbox)
    visit = billing.visit(member_id=member)
    made = authorize(billing, "A-20443", allowed=2)
    claim = claim_of(billing, visit)
    billing.submit(claim)
    assert counted(billing, made) == (0, 1, 0, 1, 0)
    sent = billing.house.biller.get(f"/v1/claims/{claim['id']}", accept="application/edi-x12").content
    assert sent.count(b"REF*G1*A-20443~") == 1

    billing.work()

    assert billing.read(claim)["state"] == state
    assert counted(billing, made) == expected
