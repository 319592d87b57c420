"""QuickBooks Online, played by a double that runs as a program: linked, mapped, each closed day kept once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from rapport.platform.db import sql
from rapport.rooms.accounting import jobs
from rapport.rooms.accounting.models import BookEntry, BookLink
from rapport.rooms.ledger.tests.support import DAY, add_patient, charge, pay
from tests.support import process
from tests.support.cast import House
from tests.support.quickbooks import ACCOUNTS, CODE, COMPANY, QuickBooksProcess

OURS = (
    "cash patient_receivable insurance_receivable revenue contractual_adjustments write_offs unapplied"
    " payer_clearing interest processor_fees refunds_due"
).split()
MAPPING = {name: account["Id"] for name, account in zip(OURS, ACCOUNTS, strict=False)}


@pytest.fixture(scope="module")
def double() -> Iterator[QuickBooksProcess]:
    running = QuickBooksProcess()
    yield running
    running.stop()


@pytest.fixture
def quickbooks(double: QuickBooksProcess) -> Iterator[QuickBooksProcess]:
    jobs.supply(double.driver())
    yield double
    jobs.supply(None)


def work(house: House) -> None:
    """Do what a worker would do now, waits included."""
    with house.entered() as scope:
        BookEntry.objects.visible_to(scope).update(retry_at=None)
    jobs.sync(scope=house.scope)


def linked(house: House, *, from_on: str = "2026-03-01") -> None:
    asked = house.biller.post("/v1/quickbooks/link", {"from_on": from_on})
    assert asked.status_code == 201, asked.content
    state = parse_qs(urlsplit(asked.json()["authorize_url"]).query)["state"][0]
    back = house.biller.post("/v1/quickbooks/callback", {"state": state, "code": CODE, "company": COMPANY})
    assert back.status_code == 202, back.content
    work(house)
    mapped = house.biller.call("PUT", "/v1/quickbooks/accounts", {"mapping": MAPPING})
    assert (mapped.status_code, mapped.json()["state"], mapped.json()["unmapped"]) == (200, "linked", [])


def close(house: House, through: str) -> None:
    assert house.biller.post("/v1/book-closings", {"closed_through": through}).status_code == 201


def entries(house: House) -> list[dict[str, Any]]:
    return house.biller.get("/v1/book-entries?sort=on").json()["data"]


def kept(double: QuickBooksProcess, house: House) -> list[dict[str, Any]]:
    """Return what the double has of this practice's entries."""
    ids = {entry["remote_id"] for entry in entries(house)}
    return [entry for entry in double.has()["kept"] if entry["Id"] in ids]


def test_each_closed_day_is_kept_once_with_its_totals_and_nothing_else(willow: House, quickbooks: QuickBooksProcess) -> None:
    patient, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, insurance_cents=12_500, on=DAY)
    pay(willow, patient, 3000, received_on=(DAY + timedelta(days=1)).isoformat())
    linked(willow)
    work(willow)
    assert entries(willow) == [], "no day is closed"

    close(willow, "2026-03-31")
    for _ in range(3):
        work(willow)

    assert [(one["on"], one["state"], one["revision"]) for one in entries(willow)] == [("2026-03-02", "kept", 1), ("2026-03-03", "kept", 1)]
    first, second = kept(quickbooks, willow)
    assert (first["DocNumber"], first["TxnDate"]) == ("RP-2026-03-02-1", "2026-03-02")
    assert sorted((line["JournalEntryLineDetail"]["AccountRef"]["value"], line["JournalEntryLineDetail"]["PostingType"], Decimal(line["Amount"])) for line in first["Line"]) == [
        (MAPPING["patient_receivable"], "Debit", Decimal("25.00")), (MAPPING["insurance_receivable"], "Debit", Decimal("125.00")),
        (MAPPING["revenue"], "Credit", Decimal("150.00")),
    ]  # fmt: skip
    assert len(second["Line"]) == 3
    assert not [word for word in ("Ana", "Rivera", "pat_", "appt_", patient) if word in str(quickbooks.has()["kept"])]
    with willow.entered() as scope:
        link = BookLink.objects.visible_to(scope).get()
        assert b"access" not in bytes(link.sealed or b"")
    assert "sealed" not in willow.biller.get("/v1/quickbooks").content.decode()


def test_a_lost_reply_is_settled_by_looking_and_the_day_is_not_kept_twice(willow: House, quickbooks: QuickBooksProcess) -> None:
    _, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, on=DAY)
    linked(willow)
    close(willow, "2026-03-31")
    before = len(quickbooks.has()["asked"])
    quickbooks.tell("script", next=["lose-reply"])

    work(willow)
    assert [one["state"] for one in entries(willow)] == ["in_doubt"]
    work(willow)

    assert [one["state"] for one in entries(willow)] == ["kept"]
    assert len(quickbooks.has()["asked"]) == before + 1, "it was looked for, and not sent again"
    assert len(kept(quickbooks, willow)) == 1


def test_what_did_not_arrive_is_sent_again_under_the_same_key(willow: House, quickbooks: QuickBooksProcess) -> None:
    _, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, on=DAY)
    linked(willow)
    close(willow, "2026-03-31")
    before = len(quickbooks.has()["asked"])
    quickbooks.tell("script", next=["429", "500"])

    states = []
    for _ in range(4):
        work(willow)
        states.append(entries(willow)[0]["state"])

    assert states == ["ready", "in_doubt", "kept", "kept"], "later; in doubt; not there, so sent again; nothing more"
    assert len(set(quickbooks.has()["asked"][before:])) == 1
    assert len(kept(quickbooks, willow)) == 1


def test_the_control_another_key_keeps_the_day_twice(willow: House, quickbooks: QuickBooksProcess) -> None:
    _, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, on=DAY)
    linked(willow)
    close(willow, "2026-03-31")
    work(willow)
    before = len(quickbooks.has()["kept"])
    with willow.entered():
        sql.run("UPDATE accounting_bookentry SET state = 'ready' WHERE practice_id = %s", (willow.id,))
    work(willow)
    assert len(quickbooks.has()["kept"]) == before, "the same key: the first answer again"

    with willow.entered():
        sql.run("UPDATE accounting_bookentry SET state = 'ready', key = 'another' WHERE practice_id = %s", (willow.id,))
    work(willow)

    assert len(quickbooks.has()["kept"]) == before + 1


def test_a_day_that_was_opened_again_sends_the_difference(willow: House, quickbooks: QuickBooksProcess) -> None:
    _, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, on=DAY)
    linked(willow)
    close(willow, "2026-03-31")
    work(willow)
    assert willow.biller.post("/v1/book-closings/reopen", {"closed_through": None, "reason": "Forgot one"}).status_code == 201
    charge(willow, id, patient_cents=700, on=DAY)
    work(willow)
    assert len(entries(willow)) == 1, "open days are not sent"
    close(willow, "2026-03-31")
    work(willow)

    assert sorted((one["revision"], {line["account"]: line["amount"]["amount"] for line in one["lines"]}["revenue"]) for one in entries(willow)) == [(1, -2500), (2, -700)]
    assert sum(Decimal(line["Amount"]) for entry in kept(quickbooks, willow) for line in entry["Line"] if line["JournalEntryLineDetail"]["PostingType"] == "Debit") == Decimal("32.00")


def test_tokens_are_renewed_and_where_they_end_a_person_is_asked(willow: House, quickbooks: QuickBooksProcess) -> None:
    _, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, on=DAY)
    linked(willow)
    close(willow, "2026-03-31")
    quickbooks.tell("end-tokens")

    work(willow)
    assert [one["state"] for one in entries(willow)] == ["ready"]
    work(willow)
    assert [one["state"] for one in entries(willow)] == ["kept"], "renewed"

    quickbooks.tell("end-tokens", all=True)
    with willow.entered() as scope:
        BookLink.objects.visible_to(scope).update(access_until=timezone.now())
    work(willow)
    told = willow.biller.get("/v1/quickbooks").json()
    assert (told["state"], told["last_code"]) == ("signed_out", "invalid_grant")
    types = [event["type"] for event in willow.admin.get("/v1/events?limit=100").json()["data"]]
    assert ("book_link.signed_out" in types, types.count("book_entry.kept")) == (True, 1)


def test_a_worker_killed_after_it_sent_leaves_the_day_kept_once(willow: House, quickbooks: QuickBooksProcess) -> None:
    _, id = add_patient(willow)
    charge(willow, id, patient_cents=2500, on=DAY)
    linked(willow)
    close(willow, "2026-03-31")

    died = process.start("books", str(willow.id), quickbooks.url, RAPPORT_CRASHPOINTS="books.after_send").wait(90)
    assert [one["state"] for one in entries(willow)] == ["sending"]
    with willow.entered() as scope:
        BookLink.objects.visible_to(scope).update(leased_until=None)
    work(willow)

    assert died == -9, "the control: it was killed"
    assert [one["state"] for one in entries(willow)] == ["kept"]
    numbers = [entry["DocNumber"] for entry in kept(quickbooks, willow)]
    assert numbers == ["RP-2026-03-02-1"]


def test_nobody_elses_answer_and_no_account_that_names_people(willow: House, quickbooks: QuickBooksProcess) -> None:
    body = {"state": "x" * 32, "code": CODE, "company": COMPANY}
    assert willow.biller.post("/v1/quickbooks/callback", body).json()["code"] == "link-not-asked-for"
    assert willow.biller.get("/v1/quickbooks").status_code == 404
    linked(willow)
    assert willow.biller.post("/v1/quickbooks/callback", body).json()["code"] == "link-not-asked-for"

    def fault(**mapping: str) -> str:
        answer = willow.biller.call("PUT", "/v1/quickbooks/accounts", {"mapping": mapping})
        return str(answer.json()["errors"][0]["code"])

    assert fault(patient_receivable=ACCOUNTS[-1]["Id"]) == "account-names-people"
    assert fault(cash="999") == "unknown-account"
    assert fault(petty_cash="31") == "unknown-account"
    ended = willow.biller.post("/v1/quickbooks/unlink", {})
    assert (ended.status_code, ended.json()["state"]) == (200, "signed_out")
    jobs.supply(None)
    none = willow.biller.post("/v1/quickbooks/link", {"from_on": date(2026, 3, 1).isoformat()})
    assert (none.status_code, none.json()["code"]) == (409, "quickbooks-not-configured")
