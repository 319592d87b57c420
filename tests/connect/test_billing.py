"""What a portal has of money, through the ordinary calls: policies, claims, payments and remittances, value by value."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import httpx
import pytest

from rapport.connectors.portals.tests.live import needs_chromium
from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from rapport.protocols.x12.check import check_bytes
from tests.connect.stage import PORTAL_ZONE, Linked, Stage, until
from tests.connect.test_contract import rows
from tests.support import props
from tests.support.cast import House, found

pytestmark = [needs_chromium, pytest.mark.long]

SYSTEM = "sandbox-portal"
PAYEE_NPI = "1000000038"
RANKS = {1: "primary", 2: "secondary"}
STATES = {"Ready": "validated", "Submitted": "submitted", "Paid": "paid", "Denied": "denied"}
COPAY = 2500
RATE = 18000


@pytest.fixture(scope="module")
def reed(stage: Stage) -> House:
    """A practice whose system of record is the portal; its number is the one that payers pay."""
    house = found("Reed", PORTAL_ZONE, npi=PAYEE_NPI)
    props.location(house, "Main office")
    for code in ("90837", "90834"):
        props.service_code(house, code)
    return house


@pytest.fixture(scope="module")
def linked(stage: Stage, reed: House) -> Linked:
    """Its connection, once everything was read and every remittance is here."""
    admin = stage.server.client(reed.admin.token)
    made = admin.post("/v1/connections", headers={"Idempotency-Key": new_uuid().hex}, json={
        "definition": SYSTEM, "base_url": stage.portal.ready["url"],
        "identity": {"practice_code": stage.portal.ready["practice_code"], "username": "nick"},
        "consent": {"contract_permits_automation": True, "statement": "Our agreement lets us do this."},
        "system_of_record": True,
    })  # fmt: skip
    assert made.status_code == 201, made.text
    linked = Linked(stage, "nick", made.json()["id"], admin)
    linked.give()
    linked.read_everything()
    there = len(stage.portal.rows("era"))
    until("every remittance", lambda: len(fetched(linked, "eras.file")) == there, seconds=90)
    return linked


@pytest.fixture(scope="module")
def desk(stage: Stage, reed: House, linked: Linked) -> httpx.Client:
    """The biller's program."""
    return stage.server.client(reed.person("desk", Role.PRACTICE_BILLER).token)


def fetched(linked: Linked, ability: str) -> list[dict[str, Any]]:
    return [one for one in linked.listed("artefacts") if one["ability"] == ability and one["document_id"]]


def of_portal(http: httpx.Client, what: str) -> dict[str, dict[str, Any]]:
    """Return what the call lists, by the portal's own ids; each says that it is the portal's."""
    listed = rows(http, what)
    assert {one["source"]["system"] for one in listed} == {SYSTEM}
    return {one["source"]["remote_id"]: one for one in listed}


def by_id(stage: Stage, table: str) -> dict[str, dict[str, Any]]:
    return {str(row["id"]): row for row in stage.portal.rows(table)}


def remote(http: httpx.Client, what: str) -> Mapping[str, str]:
    """Return our id -> the portal's."""
    return {one["id"]: one["source"]["remote_id"] for one in rows(http, what)}


def test_policies_are_the_portals_in_the_shape_of_every_practice(stage: Stage, desk: httpx.Client) -> None:
    there, patients = by_id(stage, "policy"), remote(desk, "patients")

    shown = of_portal(desk, "insurance-policies")

    assert shown.keys() == there.keys()
    for id, row in there.items():
        one = shown[id]
        assert (patients[one["patient_id"]], one["rank"], one["payer"]["name"]) == (
            str(row["patient_id"]), RANKS[row["rank"]], row["payer"],
        )  # fmt: skip
        assert (one["member_id"], one["group_number"], one["copay"]["amount"]) == (
            row["member_id"], row["group_number"] or None, row["copay_cents"],
        )  # fmt: skip
        assert (one["starts_on"], one["ends_on"]) == (row["valid_from"], row["valid_to"] or None)
    payers = {(one["payer_id_code"], one["name"], one["submitter"]) for one in rows(desk, "payers")}
    assert payers == {(row["payer_id"], row["payer"], "portal") for row in there.values()}


def test_claims_are_the_portals_each_with_its_visit(stage: Stage, desk: httpx.Client) -> None:
    there, patients, visits = by_id(stage, "claim"), remote(desk, "patients"), remote(desk, "appointments")
    clinicians = {one["id"]: one["source"]["remote_id"] for one in rows(desk, "clinicians")}

    shown = of_portal(desk, "claims")

    assert shown.keys() == there.keys()
    for id, row in there.items():
        one = shown[id]
        assert (one["control_number"], patients[one["patient_id"]], clinicians[one["clinician_id"]]) == (
            row["number"], str(row["patient_id"]), str(row["clinician_id"]),
        )  # fmt: skip
        assert (one["state"], one["charge"]["amount"], one["paid"]["amount"], one["service_from_on"]) == (
            STATES[row["status"]], row["charge_cents"], row["paid_cents"], row["service_on"],
        )  # fmt: skip
        [line] = desk.get(f"/v1/claims/{one['id']}").json()["lines"]
        assert visits[line["appointment_id"]] == str(row["appointment_id"])


def test_patients_payments_are_the_portals_and_a_voided_one_counts_for_nothing(stage: Stage, desk: httpx.Client) -> None:
    there = {id: row for id, row in by_id(stage, "payment").items() if row["source"] == "Patient"}
    patients = remote(desk, "patients")

    shown = of_portal(desk, "payments")

    assert shown.keys() == there.keys()
    assert {row["status"] for row in there.values()} == {"Posted", "Voided"}, "the control: there are both"
    for id, row in there.items():
        one = shown[id]
        assert (patients[one["patient_id"]], one["amount"]["amount"], one["received_on"]) == (
            str(row["patient_id"]), row["amount_cents"], row["received_on"],
        )  # fmt: skip
        assert (one["method"], one["reversed"]) == ("card_recorded", row["status"] == "Voided")


def test_each_remittance_of_the_portal_is_here_once_matched_and_posted(stage: Stage, desk: httpx.Client) -> None:
    there, claims = by_id(stage, "era"), remote(desk, "claims")

    files, checks = of_portal(desk, "era-files"), of_portal(desk, "remittances")

    assert files.keys() == checks.keys() == there.keys()
    for id, row in there.items():
        assert files[id]["sha256"] == sha256(row["content"].encode()).hexdigest()
        assert (files[id]["state"], files[id]["received_via"], files[id]["findings"]) == ("posted", "portal", [])
        one = checks[id]
        assert (one["trace"], one["payer_name"], one["paid_on"], one["total"]["amount"]) == (
            row["trace"], row["payer"].upper(), row["paid_on"], row["amount_cents"],
        )  # fmt: skip
        decided = {str(claim["id"]): claim for claim in stage.portal.rows(f"claim?era_id={id}")}
        assert {claims[line["claim_id"]] for line in one["lines"]} == decided.keys()
        for line in one["lines"]:
            claim = decided[claims[line["claim_id"]]]
            assert (line["charge"]["amount"], line["paid"]["amount"], line["matched_by"]) == (
                claim["charge_cents"], claim["paid_cents"], "code_and_date",
            )  # fmt: skip


def test_every_patients_balance_follows_from_what_the_portal_says_each_thing_once(stage: Stage, desk: httpx.Client) -> None:
    claims, payments, visits = (stage.portal.rows(table) for table in ("claim", "payment", "appointment"))
    claimed = {one["appointment_id"] for one in claims}
    for id, there in remote(desk, "patients").items():
        mine = [one for one in claims if str(one["patient_id"]) == there]
        copays = COPAY * len([one for one in mine if one["status"] == "Paid"])
        given = sum(
            one["amount_cents"] for one in payments
            if str(one["patient_id"]) == there and one["source"] == "Patient" and one["status"] == "Posted"
        )  # fmt: skip
        # Who is not insured owes what this practice takes for the code; fifty minutes are no 90837.
        taken = RATE * len([
            one for one in visits
            if str(one["patient_id"]) == there and one["status"] == "Completed" and one["code"] == "90834"
            and one["id"] not in claimed
        ])  # fmt: skip
        balance = desk.get(f"/v1/patients/{id}/balance").json()
        assert balance["patient_responsibility"]["amount"] - balance["credit"]["amount"] == copays + taken - given
        assert balance["insurance_outstanding"]["amount"] == sum(
            one["charge_cents"] for one in mine if one["status"] != "Paid"
        )


def test_a_remittances_bytes_are_offered_by_a_signed_link(
    stage: Stage, reed: House, desk: httpx.Client, linked: Linked
) -> None:
    kept = fetched(linked, "eras.file")
    assert len({one["sha256"] for one in kept}) == len({one["document_id"] for one in kept}) == len(kept)
    path = f"/v1/connections/{linked.id}/artefacts/{kept[0]['id']}/links"
    made = desk.post(path, json={}, headers={"Idempotency-Key": new_uuid().hex})
    assert made.status_code == 201, made.text
    head = {"Idempotency-Key": new_uuid().hex}
    chart = stage.server.client(reed.person("chart", Role.CLINICAL_ADMINISTRATOR).token)
    for refused in (path, f"/v1/documents/{kept[0]['document_id']}/links"):
        assert chart.post(refused, json={}, headers=head).status_code == 403, "the control: it tells of every patient"
    token = made.json()["url"].rpartition("/")[2]
    with httpx.Client(base_url=str(desk.base_url)) as nobody:
        given = nobody.get(f"/v1/document-links/{token}")

    content = by_id(stage, "era")[kept[0]["remote_id"]]["content"]
    assert (given.status_code, given.content) == (200, content.encode())


def test_the_files_in_which_claims_went_out_are_here_and_say_which(
    stage: Stage, reed: House, desk: httpx.Client, linked: Linked
) -> None:
    there, claims = by_id(stage, "batch"), {one["control_number"]: one["id"] for one in of_portal(desk, "claims").values()}
    sent = {one["number"] for one in stage.portal.rows("claim") if one["submissions"]}

    until("every claim file", lambda: len(fetched(linked, "claim_files.file")) == len(there), seconds=120)

    kept = desk.get(f"/v1/connections/{linked.id}/artefacts?ability=claim_files.file&limit=100").json()["data"]
    assert {one["claims"] for one in fetched(linked, "claim_files.file")} == {None}, "the control: who may not see claims"

    for one in kept:
        content = there[one["remote_id"]]["content"].encode()
        assert one["sha256"] == sha256(content).hexdigest()
        assert check_bytes(content).clean, "a valid 837P, by the checker of this house"
        assert one["reason"] is None
        for carried in one["claims"]:
            assert carried["claim_id"] == claims[carried["control_number"]]
    assert {carried["control_number"] for one in kept for carried in one["claims"]} == sent
    assert claims.keys() - sent, "the control: a claim that was never sent is in no file"

    path = f"/v1/connections/{linked.id}/artefacts/{kept[0]['id']}/links"
    made = desk.post(path, json={}, headers={"Idempotency-Key": new_uuid().hex})
    assert made.status_code == 201, made.text
    with httpx.Client(base_url=str(desk.base_url)) as nobody:
        given = nobody.get(f"/v1/document-links/{made.json()['url'].rpartition('/')[2]}")
    assert given.content == there[kept[0]["remote_id"]]["content"].encode()
    chart = stage.server.client(reed.person("charter", Role.CLINICAL_ADMINISTRATOR).token)
    refused = chart.post(path, json={}, headers={"Idempotency-Key": new_uuid().hex})
    assert refused.status_code == 403, "the control: it tells of many patients"


def test_what_changes_there_changes_here_and_read_again_nothing_is_doubled(
    stage: Stage, desk: httpx.Client, linked: Linked
) -> None:
    before = {what: len(rows(desk, what)) for what in ("claims", "payments", "era-files", "ledger-entries")}
    sent = next(one for one in stage.portal.rows("claim") if one["status"] == "Submitted")
    stage.portal.order("PATCH", f"claim/{sent['id']}", {"status": "Paid", "paid_cents": 11900})

    for kind in ("policies", "claims", "payments", "eras"):
        assert linked.refresh(kind)["state"] == "published"

    one = of_portal(desk, "claims")[str(sent["id"])]
    assert (one["state"], one["paid"]["amount"]) == ("paid", 11900)
    assert {what: len(rows(desk, what)) for what in before} == before
