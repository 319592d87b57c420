"""Invoices, credit notes, statements and superbills: numbered, frozen, and as PDF."""

from __future__ import annotations

import io
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from pypdf import PdfReader

from rapport.platform.db import sql
from rapport.platform.db.errors import constraint_name, sqlstate
from rapport.rooms.accounting.tests.support import RATE, paper, pay, period, post, self_payer
from rapport.rooms.ledger.rules import entries as book
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House


@pytest.fixture
def billing(willow: House) -> Billing:
    return Billing(willow)


def text_of(house: House, path: str) -> str:
    answer = house.biller.get(path, accept="application/pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf"), answer.content
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def test_an_invoice_asks_once_for_what_is_open_and_a_credit_note_takes_it_back(willow: House, billing: Billing) -> None:
    pia = self_payer(willow, billing)
    billing.visit(patient=pia)
    pay(willow, pia, 3000)

    late = paper(willow, "invoices", pia, due_on="2020-01-31")
    made = paper(willow, "invoices", pia, due_on="2031-01-31")
    again = paper(willow, "invoices", pia)
    invoice = props.made(made)

    assert [(one["pointer"], one["code"]) for one in late.json()["errors"]] == [("/due_on", "in-the-past")]
    assert code(again) == (409, "nothing-to-print")
    assert (invoice["kind"], invoice["number"], invoice["total"]["amount"]) == ("invoice", 1, RATE - 3000)
    [line] = invoice["lines"]
    assert {name: line[name]["amount"] for name in ("charged", "paid_by_payers", "adjusted", "payers_owe", "paid", "due")} == {
        "charged": RATE, "paid_by_payers": 0, "adjusted": 0, "payers_owe": 0, "paid": 3000, "due": RATE - 3000,
    }  # fmt: skip
    path = f"/v1/invoices/{invoice['id']}"
    note = props.made(willow.biller.post(f"{path}/credit", {"reason": "Sliding fee forgotten"}))
    assert (note["kind"], note["number"], note["total"]["amount"]) == ("credit_note", 2, 3000 - RATE)
    assert (note["corrects_id"], note["reason"]) == (invoice["id"], "Sliding fee forgotten")
    assert code(willow.biller.post(f"{path}/credit", {"reason": "Sliding fee forgotten"})) == (409, "already-credited")
    assert code(willow.biller.post(f"/v1/invoices/{note['id']}/credit", {"reason": "Undo the undoing"})) == (404, "not-found")
    assert willow.biller.get(path).json() == invoice | {"corrected_by_id": note["id"], "version": 2}
    assert props.made(paper(willow, "invoices", pia))["number"] == 3, "it can be asked for anew"
    listed = willow.biller.get("/v1/invoices").json()["data"]
    assert [one["number"] for one in listed] == [3, 2, 1]
    assert len(willow.biller.get("/v1/invoices?kind=credit_note").json()["data"]) == 1


def test_an_invoice_says_the_same_whatever_is_posted_later(willow: House, billing: Billing) -> None:
    pia = self_payer(willow, billing)
    visit = billing.visit(patient=pia)
    invoice = props.made(paper(willow, "invoices", pia))

    pay(willow, pia, RATE)
    post(willow, book.contractual_adjustment, visit, pia, cents=100, reason="CO-45")

    assert willow.biller.get(f"/v1/invoices/{invoice['id']}").json() == invoice
    text = text_of(willow, f"/v1/invoices/{invoice['id']}")
    for words in ("Willow", "Invoice 1", "Pia Rivera", "12 Alder Court", "90837", "180.00", "Due"):
        assert words in text
    for statement in ("UPDATE accounting_paper SET cents = 1", "DELETE FROM accounting_paper"):
        with pytest.raises(Exception) as refused, willow.entered():  # noqa: PT011 - the driver's own
            sql.run(statement)
        assert sqlstate(refused.value) == "42501"


def test_many_who_invoice_at_once_leave_no_gap_in_the_numbers(willow: House, billing: Billing) -> None:
    patients = [self_payer(willow, billing, name) for name in ("Pia", "Ben", "Cleo", "Dan")]
    for place, patient in enumerate(patients[:3]):
        billing.visit(patient=patient, days_ago=place + 2)
    together = Barrier(4)
    statuses: list[int] = []

    def ask(patient: Any) -> None:
        together.wait()
        statuses.append(paper(willow, "invoices", patient).status_code)
        connection.close()

    threads = [Thread(target=ask, args=(patient,)) for patient in patients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201, 201, 201, 409], "who has nothing to pay takes no number"
    assert sorted(one["number"] for one in willow.biller.get("/v1/invoices").json()["data"]) == [1, 2, 3]


@pytest.mark.parametrize("number", [1, 3])
def test_the_database_takes_the_next_number_only(willow: House, billing: Billing, number: int) -> None:
    pia = self_payer(willow, billing)
    billing.visit(patient=pia)
    props.made(paper(willow, "invoices", pia))
    copy = (
        "INSERT INTO accounting_paper SELECT (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(),"
        " 'number', %s::int))).* FROM accounting_paper a WHERE practice_id = %s AND number = 1"
    )

    with pytest.raises(Exception) as refused, willow.entered():  # noqa: PT011 - the driver's own
        sql.run(copy, (number, willow.id))

    assert constraint_name(refused.value) == "paper_number_next"
    with willow.entered():
        assert sql.run(copy, (2, willow.id)) == 1, "the control"


def test_a_statement_goes_from_balance_to_balance(willow: House, billing: Billing) -> None:
    pia = self_payer(willow, billing)
    visit = billing.visit(patient=pia)
    pay(willow, pia, 20_000)
    post(willow, book.transfer_to_patient, visit, pia, cents=500, reason="PR-2")

    statement = props.made(paper(willow, "statements", pia))

    assert statement["opening"]["amount"] == 0
    assert [(line["kind"], line["amount"]["amount"], line["balance"]["amount"]) for line in statement["lines"]] == [
        ("charge", RATE, RATE), ("patient_payment", -20_000, RATE - 20_000),
        ("transfer_to_patient", 500, RATE - 20_000 + 500),
    ]  # fmt: skip
    assert statement["closing"]["amount"] == -1500
    text = text_of(willow, f"/v1/statements/{statement['id']}")
    assert "Statement of account" in text
    assert "-15.00" in text
    later = {"from_on": statement["to_on"], "to_on": statement["to_on"]}
    next_one = props.made(paper(willow, "statements", pia, **later))
    assert next_one["opening"]["amount"] + sum(line["amount"]["amount"] for line in next_one["lines"]) == -1500
    assert [one["id"] for one in willow.biller.get("/v1/statements").json()["data"]] == [next_one["id"], statement["id"]]


def test_a_superbill_has_paid_and_signed_visits_with_codes_and_who_treated(willow: House, billing: Billing) -> None:
    pia = self_payer(willow, billing)
    signed, unsigned = billing.visit(patient=pia, days_ago=3), billing.visit(patient=pia, days_ago=5)
    billing.note(signed)
    billing.note(unsigned, sign=False)

    unpaid = paper(willow, "superbills", pia)
    pay(willow, pia, 2 * RATE)
    superbill = props.made(paper(willow, "superbills", pia))

    assert code(unpaid) == (409, "nothing-to-print")
    [line] = superbill["lines"]
    assert line["appointment_id"] == signed["id"]
    assert (line["code"], line["diagnoses"], line["place_of_service_code"], line["units"]) == ("90837", ["F41.1"], "11", 1)
    assert (line["clinician"], line["clinician_npi"]) == ("Maya Chen, PhD", "1000000004")
    assert (superbill["charged"]["amount"], superbill["paid"]["amount"]) == (RATE, RATE)
    text = text_of(willow, f"/v1/superbills/{superbill['id']}")
    for words in ("Superbill", "F41.1", "1000000004", "1234567893", "123456789", "1990-04-12", "180.00"):
        assert words in text
    assert willow.biller.get("/v1/superbills").json()["data"] == [superbill]


def test_a_period_must_be_one_and_over(willow: House, billing: Billing) -> None:
    pia = self_payer(willow, billing)
    good = period(willow)

    def pointers(**more: str) -> list[str]:
        answer = willow.biller.post("/v1/statements", {"patient_id": pia["id"], **good, **more})
        return [error["pointer"] for error in answer.json().get("errors", ())]

    assert pointers(to_on="2031-01-01") == ["/to_on"]
    assert pointers(from_on=good["to_on"], to_on=good["from_on"]) == ["/to_on"]
    assert pointers(patient_id="pat_1") == ["/patient_id"]
    assert pointers() == [], "the control"


def test_papers_of_another_practice_are_not_there(willow: House, aspen: House, billing: Billing) -> None:
    pia = self_payer(willow, billing)
    billing.visit(patient=pia)
    invoice = props.made(paper(willow, "invoices", pia))

    assert paper(aspen, "invoices", pia).status_code == 422
    assert code(aspen.biller.get(f"/v1/invoices/{invoice['id']}")) == (404, "not-found")
    assert code(aspen.biller.post(f"/v1/invoices/{invoice['id']}/credit", {"reason": "Not mine"})) == (404, "not-found")
    assert aspen.biller.get("/v1/invoices").json()["data"] == []
    assert code(willow.scheduler.get("/v1/invoices")) == (403, "forbidden")
