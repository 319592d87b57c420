"""Claims are submitted for good, remittances balance, and exports come when they are ready."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from rapport.sandbox.payer.claims import read_batch
from rapport.sandbox.payer.guide import ACCEPTED, check_groups, envelope_note
from rapport.sandbox.payer.x12 import Segment, groups, read
from rapport.sandbox.portal.tests.support import Portal, cells, facts, fields, ids, said, tree


def test_a_claim_is_submitted_for_good_and_again_by_whoever_presses_again(portal: Portal) -> None:
    number = portal.rows("claim?status=Ready")[0]["id"]
    browser, path = portal.signed_in("abe"), f"/billing/claims/{number}"
    page = browser.get(path)
    old = fields(page)
    sent = browser.post(f"{path}/submit", data=old)
    browser.post(f"{path}/submit", data=old)

    assert "cannot be taken back" in page.text
    assert tree(sent).xpath("//*[@id='saved']")
    assert facts(sent)["status"] == "Submitted"
    assert not tree(sent).xpath("//button[@id='submit_claim']")
    assert portal.rows(f"claim?id={number}")[0]["submissions"] == 2
    assert [row["action"] for row in portal.rows("audit")] == ["claim.submit", "claim.submit"]


def test_a_claim_that_was_decided_is_not_sent_and_dora_sends_none(portal: Portal) -> None:
    paid, ready = portal.rows("claim?status=Paid")[0]["id"], portal.rows("claim?status=Ready")[0]["id"]
    for login, number, status in (("abe", paid, 200), ("dora", ready, 403)):
        browser = portal.signed_in(login)
        token = str(tree(browser.get("/patients")).xpath("//meta[@name='csrf']/@content")[0])
        answer = browser.post(f"/billing/claims/{number}/submit", data={"csrf": token})
        assert answer.status_code == status
        assert status == 403 or "not ready" in said(answer)
    assert portal.rows(f"claim?id={ready}")[0]["submissions"] == 0


def segments(answer: httpx.Response) -> Iterator[Segment]:
    """Return the segments of the one transaction of a file."""
    (group,) = groups(read(answer.content))
    return iter(group.sets[0].segments)


def test_each_remittance_is_an_835_that_balances_with_the_pages(portal: Portal) -> None:
    browser = portal.signed_in("abe")
    page = browser.get("/billing/eras")
    links = tree(page).xpath("//tbody//a[contains(@href, '.835')]/@href")
    claims = {row["number"]: row for row in portal.rows("claim")}
    assert len(links) == len(ids(page)) == len(portal.rows("era")) > 1

    for link, amount in zip(links, cells(page, "amount"), strict=True):
        answer = browser.get(link)
        assert answer.content == browser.get(link).content
        found = list(segments(answer))
        paid = [segment for segment in found if segment.tag == "CLP"]
        assert all(Decimal(one.at(4)) * 100 == claims[one.at(1)]["paid_cents"] for one in paid)
        total = next(Decimal(one.at(2)) for one in found if one.tag == "BPR")
        assert total == sum(Decimal(one.at(4)) for one in paid) == Decimal(amount.strip("$").replace(",", ""))
        taken = sum(Decimal(one.at(3)) for one in found if one.tag == "CAS")
        assert sum(Decimal(one.at(3)) for one in paid) - taken == total


def test_each_claim_that_was_sent_is_in_an_837p_for_its_payer_and_its_day(portal: Portal) -> None:
    browser = portal.signed_in("abe")
    page = browser.get("/billing/batches?per=100")
    links = tree(page).xpath("//tbody//a[contains(@href, '.837')]/@href")
    sent = {row["number"]: row for row in portal.rows("claim") if row["submissions"]}
    assert len(links) == len(ids(page)) == len(portal.rows("batch")) > 2
    there: list[str] = []
    for link, batch in zip(links, portal.rows("batch"), strict=True):
        answer = browser.get(link)
        interchange = read(answer.content)
        assert answer.content == browser.get(link).content
        assert envelope_note(interchange) == ACCEPTED
        ((verdict,),) = (group.sets for group in check_groups(interchange))
        assert verdict.accepted, verdict.faults
        claims = read_batch(verdict.transaction).claims
        there += [one.number for one in claims]
        for one in claims:
            row = sent[one.number]
            assert (one.charge * 100, one.member_id, one.payer_id) == (row["charge_cents"], row["member_id"], row["payer_id"])
            assert [line.service_on for line in one.lines] == [row["service_on"].replace("-", "")]
        assert batch["amount_cents"] == sum(one.charge for one in claims) * 100
        assert {sent[one.number]["submitted_at"][:10] for one in claims} == {batch["sent_at"][:10]}
        assert {sent[one.number]["submitted_at"] for one in claims} == {batch["sent_at"]}
    assert Counter(there) == {number: row["submissions"] for number, row in sent.items()}, "as often as it was sent"


def test_a_claim_that_is_sent_twice_is_in_two_files(portal: Portal) -> None:
    number = portal.rows("claim?status=Ready")[0]["id"]
    browser, before = portal.signed_in("abe"), len(portal.rows("batch"))
    old = fields(browser.get(f"/billing/claims/{number}"))
    for _ in range(2):
        browser.post(f"/billing/claims/{number}/submit", data=old)

    files = portal.rows("batch")[before:]
    assert [one["claims"] for one in files] == [1, 1]
    assert all(portal.rows(f"claim?id={number}")[0]["number"] in one["content"] for one in files)
    assert portal.signed_in("dora").get("/billing/batches").status_code == 403, "the control: who may not see claims"


def test_payments_and_accounts_add_up(portal: Portal) -> None:
    browser = portal.signed_in("abe")
    payments = portal.rows("payment")
    assert len(payments) > 50
    one = next(row for row in payments if row["era_id"])
    account = browser.get(f"/accounts?patient={one['patient_id']}")
    kept = sum(row["amount_cents"] for row in payments if row["patient_id"] == one["patient_id"] and row["status"] != "Voided")

    assert cells(account, "paid") == [f"${kept // 100}.{kept % 100:02}"]
    assert cells(browser.get(f"/billing/payments?patient={one['patient_id']}"), "era")[0].startswith("EFT")


def test_an_export_is_asked_for_prepared_and_fetched(portal: Portal) -> None:
    portal.set(export_seconds=2)
    browser = portal.signed_in("abe")
    asked = browser.post("/exports", data=fields(browser.get("/exports")) | {"kind": "payments"})
    kept = portal.rows("payment")
    portal.order("DELETE", f"payment/{kept[-1]['id']}")
    assert tree(asked).xpath("//*[@id='export']/@data-state") == ["preparing"]
    assert not tree(asked).xpath("//a[@id='download']")

    deadline = time.monotonic() + 6
    while not tree(page := browser.get(asked.url)).xpath("//a[@id='download']") and time.monotonic() < deadline:
        time.sleep(0.1)
    link = tree(page).xpath("//a[@id='download']/@href")[0]
    file = browser.get(link)
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))

    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [int(row["ID"]) for row in rows] == [row["id"] for row in kept]
    assert rows[0]["Amount"].startswith("$")
    assert {row["Status (ID)"] for row in rows} == {"40", "41"}
    assert browser.get(link.partition("?")[0]).status_code == 404
    assert portal.signed_in("nick").get(link).status_code == 404


@pytest.mark.parametrize("kind", ["patients", "appointments"])
def test_an_export_has_every_row_of_its_days(portal: Portal, kind: str) -> None:
    portal.set(export_seconds=0)
    browser = portal.signed_in()
    page = browser.post("/exports", data=fields(browser.get("/exports")) | {"kind": kind, "from": "2026-11-16", "to": "2026-11-21"})
    rows = list(csv.reader(io.StringIO(browser.get(tree(page).xpath("//a[@id='download']/@href")[0]).text)))
    kept = portal.rows(kind.rstrip("s"))
    wanted = [row for row in kept if kind == "patients" or "2026-11-16" <= row["start_at"] < "2026-11-21"]
    assert len(rows) - 1 == len(wanted) > 0


def test_an_export_of_what_there_is_not_is_refused(portal: Portal) -> None:
    browser = portal.signed_in()
    answer = browser.post("/exports", data=fields(browser.get("/exports")) | {"kind": "secrets"})
    assert "correct what is marked" in said(answer)


def test_a_claim_is_made_once_for_a_visit_that_was_held(portal: Portal) -> None:
    insured = {row["id"] for row in portal.rows("patient") if row["payer"]}
    visit = next(row for row in portal.rows("appointment?status=Scheduled") if row["patient_id"] in insured)
    browser = portal.signed_in("abe")
    form = fields(browser.get(f"/billing/claims/new?appointment={visit['id']}"))
    assert "Only a completed visit" in said(browser.post("/billing/claims/new", data=form))
    portal.order("PATCH", f"appointment/{visit['id']}", {"status": "Completed"})

    made = browser.post("/billing/claims/new", data=form)
    again = browser.post("/billing/claims/new", data=form)

    assert (facts(made)["status"], facts(made)["charge"]) == ("Ready", "$180.00" if visit["code"] == "90837" else "$150.00")
    assert "There is a claim" in said(again)
    assert tree(made).xpath("//button[@id='submit_claim']")
