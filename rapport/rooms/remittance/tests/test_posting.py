"""Remittances of the sandbox payer, read, matched and posted once (R-21, R-23)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from rapport.platform.blobs.store import default_store
from rapport.rooms.claims.models import InboundFile
from tests.support.billing import Billing
from tests.support.cast import Api, House
from tests.support.sandbox import SandboxProcess

X12 = {"content_type": "application/edi-x12"}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def paid(billing: Billing, member_id: str = "W123456789") -> tuple[Any, bytes]:
    """Return a claim that the payer has decided, and the 835 that says so."""
    claim = billing.claim(member_id=member_id)
    billing.submit(claim)
    billing.work()
    with billing.house.entered() as scope:
        file = InboundFile.objects.visible_to(scope).filter(kind="835").latest("received_at")
        data = default_store().get(
            key=file.blob_key, aad=f"{file.practice_id}|inbound|{file.id}", digest=file.sha256
        )
    return billing.read(claim), data


def balance(billing: Billing) -> tuple[int, int]:
    patient = billing.things["patient"]["id"]
    answer = billing.house.biller.get(f"/v1/patients/{patient}/balance").json()
    return answer["patient_responsibility"]["amount"], answer["insurance_outstanding"]["amount"]


def cash(house: House) -> int:
    with house.entered(), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(cents), 0) FROM ledger_posting WHERE account = 'cash'")
        return int(cursor.fetchone()[0])


def test_the_patient_is_left_with_the_copay_and_the_contract_takes_the_rest(billing: Billing) -> None:
    claim, _ = paid(billing)

    assert claim["state"] == "paid"
    assert balance(billing) == (2500, 0)
    assert cash(billing.house) == 11900
    (remittance,) = billing.house.biller.get(f"/v1/remittances?claim_id={claim['id']}").json()["data"]
    (line,) = remittance["lines"]
    assert line["matched_by"] == "line_control"
    assert [(a["group"], a["plan"]) for a in line["adjustments"]] == [("CO", "contractual"), ("PR", "patient")]
    assert len(line["ledger_entry_ids"]) == 3


def test_a_denial_is_never_written_off_by_itself(billing: Billing) -> None:
    claim, _ = paid(billing, "SBXCO197001")

    assert claim["state"] == "denied"
    assert balance(billing) == (0, 18000)


def reenveloped(data: bytes) -> bytes:
    """Return the same content in another envelope: other control numbers, no line breaks."""
    text = data.decode()
    isa = text[:106]
    number = isa[90:99]
    return text.replace(number, "000099999").replace("\r", "").replace("\n", "").encode()


def test_r21_the_same_remittance_five_times_at_once_posts_once(billing: Billing) -> None:
    _, data = paid(billing)
    before = cash(billing.house)
    versions = [data, data.replace(b"~\n", b"~\r\n"), data.replace(b"\n", b""), reenveloped(data), data]
    answers: list[Any] = []
    token = billing.house.biller.token

    def hand_in(version: bytes) -> None:
        answers.append(Api(token).call("POST", "/v1/era-files", raw=version, **X12))
        connection.close()

    threads = [threading.Thread(target=hand_in, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.json()["duplicate_of"] for answer in answers}) == 1
    assert cash(billing.house) == before
    # The control: a file that says something else is no duplicate.
    other = billing.house.biller.call("POST", "/v1/era-files", raw=data.replace(b"TRN*1*", b"TRN*1*X"), **X12)
    assert other.status_code == 201


def test_r23_a_remittance_that_does_not_balance_is_held_and_posts_nothing(billing: Billing) -> None:
    _, data = paid(billing)
    before = cash(billing.house)

    answer = billing.house.biller.call(
        "POST", "/v1/era-files", raw=data.replace(b"BPR*I*119*", b"BPR*I*120*"), **X12
    )

    assert (answer.status_code, answer.json()["state"]) == (201, "held")
    assert "balance-transaction" in {f["rule"] for f in answer.json()["findings"]}
    assert cash(billing.house) == before
    posted = billing.house.biller.post(f"/v1/era-files/{answer.json()['id']}/post", {})
    assert (posted.status_code, posted.json()["code"]) == (409, "remittance-held")


@pytest.mark.parametrize("data", [b"", b"<html>", b"ISA*00*", b"\xff\xfe" * 100, b"ISA" + b" " * 200])
def test_what_is_no_remittance_is_refused_with_its_place(billing: Billing, data: bytes) -> None:
    answer = billing.house.biller.call("POST", "/v1/era-files", raw=data or b" ", **X12)

    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["pointer"].startswith("/segments/")


def test_what_was_posted_can_be_taken_back_exactly(billing: Billing) -> None:
    claim, _ = paid(billing)
    (remittance,) = billing.house.biller.get(f"/v1/remittances?claim_id={claim['id']}").json()["data"]
    path = f"/v1/era-files/{remittance['era_file_id']}"

    answer = billing.house.biller.post(f"{path}/unpost", {"reason": "wrong account"})

    assert (answer.status_code, answer.json()["state"]) == (200, "unposted")
    assert balance(billing) == (0, 18000)
    assert cash(billing.house) == 0
    assert billing.read(claim)["state"] == "accepted"
