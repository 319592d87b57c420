"""Payers that take no claims: invoiced, told little, paid by hand, and never asked by an 837."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rapport.kernel.ids import parse_type_id
from rapport.platform.access.permissions import Role
from rapport.rooms.accounting.tests.support import RATE, pay, period
from rapport.rooms.accounting.tests.test_papers import code, text_of
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House

REFERENCE = "CASE-77120"


@pytest.fixture
def billing(willow: House) -> Billing:
    return Billing(willow)


def organisation(house: House, **fields: Any) -> Any:
    body = {"name": "Harbor Assistance", "kind": "eap", **fields}
    return props.made(house.admin.post("/v1/payers", body))


def member(billing: Billing, payer: Any, first: str = "Ana", last: str = "Rivera", **policy: Any) -> Any:
    """Add a patient for whom the organisation pays."""
    patient = props.patient(
        billing.house, name={"first": first, "last": last}, clinician_ids=[billing.things["clinician"]["id"]],
        address={"line1": "12 Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205"},
    )
    patient["policy"] = props.policy(billing.house, patient, payer, **{"member_id": REFERENCE} | policy)
    return patient


def ask(house: House, payer: Any, **more: Any) -> Any:
    return house.biller.post("/v1/invoices", {"payer_id": payer["id"], **period(house), **more})


def paid(house: House, invoice: Any, cents: int, **more: Any) -> Any:
    body = {"invoice_id": invoice["id"], "amount": {"amount": cents}, "method": "check", "reference": "10442"}
    return house.biller.post("/v1/payer-payments", body | more)


def owes(house: House, patient: Any) -> tuple[int, int]:
    """Return what the patient and the payers owe."""
    balance = house.biller.get(f"/v1/patients/{patient['id']}/balance").json()
    return balance["patient_responsibility"]["amount"], balance["insurance_outstanding"]["amount"]


def test_an_organisation_is_invoiced_once_for_its_patients_and_told_no_more_than_it_may_know(
    willow: House, billing: Billing
) -> None:
    eap, other = organisation(willow), organisation(willow, name="Northside School", kind="school")
    ana, ben = member(billing, eap), member(billing, eap, "Ben", "Okafor", member_id="CASE-88")
    cleo = member(billing, other, "Cleo", "Lindqvist")
    for hour, patient in enumerate((ana, ben, cleo), start=9):
        billing.note(billing.visit(patient=patient, hour=hour))

    invoice = props.made(ask(willow, eap, due_on="2031-01-31"))

    assert (invoice["payer_id"], invoice["patient_id"], invoice["total"]["amount"]) == (eap["id"], None, 2 * RATE)
    assert {line["about"] for line in invoice["lines"]} == {REFERENCE, "CASE-88"}
    assert code(ask(willow, eap)) == (409, "nothing-to-print")
    text = text_of(willow, f"/v1/invoices/{invoice['id']}")
    for words in ("Harbor Assistance", REFERENCE, "CASE-88", "Session", "180.00", "360.00", f"Invoice {invoice['number']}"):
        assert words in text
    for hidden in ("Ana", "Rivera", "Ben", "Okafor", "Cleo", "90837", "F41.1", "1990", "Alder Court"):
        assert hidden not in text
    listed = willow.biller.get(f"/v1/invoices?payer_id={eap['id']}").json()["data"]
    assert [one["id"] for one in listed] == [invoice["id"]]
    assert owes(willow, ana) == (0, RATE)
    note = props.made(willow.biller.post(f"/v1/invoices/{invoice['id']}/credit", {"reason": "Wrong period"}))
    assert (note["payer_id"], note["total"]["amount"]) == (eap["id"], -2 * RATE)
    assert code(paid(willow, invoice, 100)) == (409, "already-credited")
    assert props.made(ask(willow, eap))["number"] == note["number"] + 1


@pytest.mark.parametrize(
    ("fields", "member_id", "shown", "hidden"),
    [
        ({"invoice_name": "initials"}, REFERENCE, ["A. R."], ["Ana", "Rivera", REFERENCE, "90837"]),
        ({"invoice_name": "name", "invoice_detail": "services"}, REFERENCE, ["Ana Rivera", "90837"], ["F41.1", REFERENCE]),
        ({"invoice_detail": "diagnoses"}, REFERENCE, ["90837 F41.1", REFERENCE], ["Ana", "Rivera"]),
    ],
    ids=["initials", "name-and-services", "diagnoses"],
)  # fmt: skip
def test_what_is_said_is_what_the_payer_was_given_leave_to_be_told(
    willow: House, billing: Billing, fields: Any, member_id: str, shown: list[str], hidden: list[str]
) -> None:
    employer = organisation(willow, kind="employer", **fields)
    ana = member(billing, employer, member_id=member_id)
    billing.note(billing.visit(patient=ana))

    text = text_of(willow, f"/v1/invoices/{props.made(ask(willow, employer))['id']}")

    assert [word for word in shown if word not in text] == []
    assert [word for word in hidden if word in text] == []


def test_no_claim_leaves_for_an_organisation_and_the_claim_says_why(willow: House, billing: Billing) -> None:
    eap = organisation(willow, payer_id_code="HRBR1")
    ana = member(billing, eap)
    visit = billing.visit(patient=ana)
    billing.note(visit)

    claim = props.made(willow.biller.post("/v1/claims", {"appointment_ids": [visit["id"]]}))

    assert claim["state"] == "draft"
    (finding,) = [one for one in claim["findings"] if one["severity"] == "error"]
    assert (finding["code"], finding["pointer"]) == ("payer-takes-invoices", "/payer/kind")
    assert "invoice" in finding["message"]
    path = f"/v1/claims/{claim['id']}"
    refused = willow.biller.post(f"{path}/submit", {}, if_match=willow.biller.get(path)["ETag"])
    assert refused.status_code in (409, 422), refused.content
    checked = willow.scheduler.post(f"/v1/insurance-policies/{ana['policy']['id']}/eligibility-checks", {})
    assert checked.json()["errors"][0]["code"] == "billed-by-invoice"
    assert props.made(ask(willow, eap))["total"]["amount"] == RATE
    # The control: an insurance is asked by claims, and by no invoice.
    fine = billing.claim(hour=11)
    assert fine["state"] == "validated", fine["findings"]
    assert ask(willow, billing.things["payer"]).json()["errors"][0]["code"] == "asked-by-claims"


def test_an_insurance_has_an_id_at_a_clearinghouse_and_others_need_none(willow: House) -> None:
    refused = willow.admin.post("/v1/payers", {"name": "Plan"})
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/payer_id_code"]
    assert organisation(willow)["payer_id_code"] == ""


@pytest.mark.parametrize(
    ("remainder", "left"), [("open", (0, 8000)), ("patient", (8000, 0)), ("write_off", (0, 0))]
)
def test_what_it_leaves_unpaid_goes_as_was_agreed_and_a_mistake_is_taken_back(
    willow: House, billing: Billing, remainder: str, left: tuple[int, int]
) -> None:
    eap = organisation(willow, remainder=remainder)
    ana = member(billing, eap)
    billing.visit(patient=ana)
    invoice = props.made(ask(willow, eap))

    first = props.made(paid(willow, invoice, 4000))
    assert owes(willow, ana) == (0, RATE - 4000), "it may pay the rest later"
    last = props.made(paid(willow, invoice, 6000, final=True, method="ach"))

    assert owes(willow, ana) == left
    assert (last["amount"]["amount"], last["method"], last["final"]) == (6000, "ach", True)
    path = f"/v1/payer-payments/{last['id']}/take-back"
    back = props.made(willow.biller.post(path, {"reason": "Another practice's"}))
    assert (back["amount"]["amount"], back["takes_back_id"]) == (-6000, last["id"])
    assert owes(willow, ana) == (0, RATE - 4000)
    assert code(willow.biller.post(path, {"reason": "Again, please"})) == (409, "already-taken-back")
    shown = willow.biller.get(f"/v1/payer-payments/{last['id']}").json()
    assert (shown["taken_back_by_id"], shown["version"]) == (back["id"], 2)
    assert [one["id"] for one in willow.biller.get(f"/v1/payer-payments?invoice_id={invoice['id']}").json()["data"]] == [
        back["id"], last["id"], first["id"],
    ]  # fmt: skip
    props.made(paid(willow, invoice, RATE - 4000, final=True))
    assert owes(willow, ana) == (0, 0)


def test_what_a_patient_has_paid_meanwhile_is_not_taken_from_under_them(willow: House, billing: Billing) -> None:
    eap = organisation(willow, remainder="patient")
    ana = member(billing, eap)
    billing.visit(patient=ana)
    payment = props.made(paid(willow, props.made(ask(willow, eap)), 10_000, final=True))
    pay(willow, ana, 3000)

    refused = willow.biller.post(f"/v1/payer-payments/{payment['id']}/take-back", {"reason": "A mistake"})

    assert code(refused) == (409, "patient-paid-meanwhile")
    assert owes(willow, ana) == (RATE - 13_000, 0)


def test_money_goes_to_the_visits_that_are_named_and_never_beyond_what_is_open(willow: House, billing: Billing) -> None:
    eap = organisation(willow)
    ana, ben = member(billing, eap), member(billing, eap, "Ben", "Okafor")
    first, second = billing.visit(patient=ana, days_ago=5), billing.visit(patient=ben, days_ago=4)
    invoice = props.made(ask(willow, eap))

    def lines(*pairs: tuple[Any, int]) -> list[Any]:
        return [{"appointment_id": visit["id"], "amount": {"amount": cents}} for visit, cents in pairs]

    assert code(paid(willow, invoice, 2 * RATE + 1)) == (409, "more-than-owed")
    assert paid(willow, invoice, 500, lines=lines((second, 400))).json()["errors"][0]["code"] == "not-the-amount"
    assert paid(willow, invoice, RATE + 1, lines=lines((second, RATE + 1))).status_code == 422
    assert paid(willow, invoice, 100, received_on="2031-01-01").json()["errors"][0]["code"] == "in-the-future"
    props.made(paid(willow, invoice, 5000, lines=lines((second, 5000))))
    assert (owes(willow, ana), owes(willow, ben)) == ((0, RATE), (0, RATE - 5000))
    props.made(paid(willow, invoice, RATE + 1000))
    assert (owes(willow, ana), owes(willow, ben)) == ((0, 0), (0, RATE - 6000)), "the oldest first"
    assert paid(willow, {"id": "inv_01h455vb4pex5vsknk084sn02x"}, 1).status_code == 422
    assert first["status"] == second["status"] == "completed"


def test_what_an_organisation_owes_is_aged_under_its_name(willow: House, billing: Billing) -> None:
    eap = organisation(willow)
    billing.visit(patient=member(billing, eap))
    props.made(paid(willow, props.made(ask(willow, eap)), 8000))

    groups = willow.biller.get("/v1/aging?owed_by=insurance&group_by=payer").json()["groups"]

    (mine,) = [one for one in groups if one["id"] == eap["id"]]
    assert mine["total"]["amount"] == RATE - 8000


def test_sessions_that_were_granted_are_counted_and_named_on_the_invoice(willow: House, billing: Billing) -> None:
    eap = organisation(willow)
    ana = member(billing, eap)
    grant = {"policy_id": ana["policy"]["id"], "number": "GRANT-3", "allowed": 1, "starts_on": "2026-01-01"}
    made = props.made(willow.scheduler.post("/v1/authorizations", grant))
    for days_ago in (6, 5):
        billing.visit(patient=ana, days_ago=days_ago)

    first, second = props.made(ask(willow, eap))["lines"]

    assert first["authorization"] == "GRANT-3"
    assert "authorization-exhausted" in second["warnings"], second
    assert willow.scheduler.get(f"/v1/authorizations/{made['id']}").json()["left"] == 0


def test_who_sees_some_patients_only_has_no_part_in_it(willow: House, billing: Billing) -> None:
    eap = organisation(willow)
    billing.visit(patient=member(billing, eap))
    clinician = parse_type_id("clinician", billing.things["clinician"]["id"])
    some = willow.person("some", Role.BILLER_ASSIGNED, clinician_id=clinician)

    refused = some.post("/v1/invoices", {"payer_id": eap["id"], **period(willow)})
    assert refused.status_code == 403, refused.content
    invoice = props.made(ask(willow, eap))
    assert some.get(f"/v1/invoices/{invoice['id']}").status_code == 404
    assert some.get("/v1/invoices").json()["data"] == []
    assert code(some.post("/v1/payer-payments", {"invoice_id": invoice["id"], "amount": {"amount": 1}, "method": "ach"}))[0] == 403


def test_an_insurance_is_told_nothing_of_an_organisation(willow: House, billing: Billing) -> None:
    """An employer stands behind the insurance: no claim names it, and nothing is proposed to it."""
    plan, employer = billing.things["payer"], organisation(willow, kind="employer", name="Cascade Timber")
    ana = member(billing, plan, member_id="W123456789")
    props.policy(willow, ana, employer, rank="secondary", member_id="EMP-1")
    visit = billing.visit(patient=ana)
    billing.note(visit)

    claim = willow.biller.post("/v1/claims", {"appointment_ids": [visit["id"]]})

    assert props.made(claim)["state"] == "validated", claim.content
    paper = text_of(willow, f"/v1/claims/{claim.json()['id']}")
    assert "Cascade" not in claim.content.decode()
    assert "CASCADE" not in paper.upper()


def test_an_invoice_for_many_visits_asks_the_database_no_more_than_one_for_a_single_visit(
    willow: House, billing: Billing
) -> None:
    asked, invoices = [], []
    for count in (1, 8):
        payer = organisation(willow, name=f"Employer {count}", kind="employer", invoice_detail="diagnoses")
        patient = member(billing, payer)
        for turn in range(count):
            billing.note(billing.visit(patient=patient, hour=turn, days_ago=count + turn // 6))
        with CaptureQueriesContext(connection) as statements:
            invoices.append(props.made(ask(willow, payer)))
        asked.append(sum(one["sql"].startswith("SELECT") for one in statements))

    assert [len(invoice["lines"]) for invoice in invoices] == [1, 8]
    assert {tuple(line["diagnoses"]) for line in invoices[1]["lines"]} == {("F41.1",)}
    assert 0 < asked[1] <= asked[0]
