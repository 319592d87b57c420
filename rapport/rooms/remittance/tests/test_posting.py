"""Remittances of the sandbox payer, read, matched and posted once (R-21 to R-24)."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from rapport.kernel.ids import new_uuid, type_id
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


def paid(billing: Billing, member_id: str = "W123456789", **visit: Any) -> tuple[Any, bytes]:
    """Return a claim that the payer has decided, and the 835 that says so."""
    claim = billing.claim(member_id=member_id, **visit)
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


def test_the_patient_is_left_with_the_copay_and_the_contract_takes_the_rest(
    billing: Billing,
) -> None:
    claim, _ = paid(billing)

    assert claim["state"] == "paid"
    assert balance(billing) == (2500, 0)
    assert cash(billing.house) == 11900
    (remittance,) = billing.house.biller.get(f"/v1/remittances?claim_id={claim['id']}").json()[
        "data"
    ]
    (line,) = remittance["lines"]
    assert line["matched_by"] == "line_control"
    assert [(a["group"], a["plan"]) for a in line["adjustments"]] == [
        ("CO", "contractual"),
        ("PR", "patient"),
    ]
    assert len(line["ledger_entry_ids"]) == 3


def test_lists_show_each_file_check_and_claim_as_it_is_read_alone(billing: Billing) -> None:
    first, _ = paid(billing)
    second, _ = paid(billing, "SBXCO197001", days_ago=5)
    biller = billing.house.biller

    files = biller.get("/v1/era-files").json()["data"]
    checks = biller.get("/v1/remittances").json()["data"]
    claims = biller.get("/v1/claims").json()["data"]

    assert [claim["id"] for claim in claims] == [second["id"], first["id"]]
    assert len(files) == len(checks) == 2
    for path, rows in (("era-files", files), ("remittances", checks)):
        assert rows == [biller.get(f"/v1/{path}/{row['id']}").json() for row in rows]
    assert all(check["lines"] for check in checks)


def test_a_denial_is_never_written_off_by_itself(billing: Billing) -> None:
    claim, _ = paid(billing, "SBXCO197001")

    assert claim["state"] == "denied"
    assert balance(billing) == (0, 18000)


def reenveloped(data: bytes) -> bytes:
    """Return the same content in another envelope: other control numbers, no line breaks."""
    text = data.decode()
    return text.replace(text[90:99], "000099999").replace("\r", "").replace("\n", "").encode()


def sent_but_not_fetched(billing: Billing, member_id: str = "W123456789") -> tuple[Any, bytes]:
    """Return a claim that was sent, and the 835 as the payer holds it: nothing of it is here yet."""
    assert billing.sandbox is not None
    claim = billing.claim(member_id=member_id)
    billing.submit(claim)
    billing.work(fetch=False)
    for _ in range(100):
        files = billing.sandbox.call("GET", "/v1/files").json()["data"]
        names = [file["name"] for file in files if file["kind"] == "835"]
        if names:
            return claim, billing.sandbox.call("GET", f"/v1/files/{names[0]}").content
        time.sleep(0.05)
    raise AssertionError("the payer sent no remittance")


def hand_in(billing: Billing, data: bytes) -> Any:
    return billing.house.biller.call("POST", "/v1/era-files", raw=data, **X12)


def rules(answer: Any) -> set[str]:
    return {finding["rule"] for finding in answer.json()["findings"]}


def unbalanced_entries(house: House) -> int:
    with house.entered(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT entry_id FROM ledger_posting GROUP BY entry_id"
            " HAVING sum(cents) <> 0) odd"
        )
        return int(cursor.fetchone()[0])


def test_r21_the_same_new_remittance_five_times_at_once_posts_once(billing: Billing) -> None:
    _, data = sent_but_not_fetched(billing)
    versions = [
        data,
        data.replace(b"~\n", b"~\r\n"),
        data.replace(b"\n", b""),
        reenveloped(data),
        data,
    ]
    barrier = threading.Barrier(len(versions))
    answers: list[Any] = []
    token = billing.house.biller.token

    def together(version: bytes) -> None:
        barrier.wait()
        answers.append(Api(token).call("POST", "/v1/era-files", raw=version, **X12))
        connection.close()

    threads = [threading.Thread(target=together, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert cash(billing.house) == 11900
    billing.work()  # the channel brings it too
    assert cash(billing.house) == 11900
    assert balance(billing) == (2500, 0)
    assert unbalanced_entries(billing.house) == 0


def another(billing: Billing) -> tuple[Any, bytes]:
    """Return one more claim, and the remittance the payer holds for it alone."""
    assert billing.sandbox is not None
    known = {file["name"] for file in billing.sandbox.call("GET", "/v1/files").json()["data"]}
    claim = billing.claim(member_id="W123456789", days_ago=5, hour=2)
    billing.submit(claim)
    billing.work(fetch=False)
    for _ in range(100):
        files = billing.sandbox.call("GET", "/v1/files").json()["data"]
        if names := [f["name"] for f in files if f["kind"] == "835" and f["name"] not in known]:
            return claim, billing.sandbox.call("GET", f"/v1/files/{names[0]}").content
        time.sleep(0.05)
    raise AssertionError("the payer sent no remittance")


def test_r21_what_was_posted_is_not_posted_again_from_a_bigger_file_and_the_rest_is(billing: Billing) -> None:
    first, data = sent_but_not_fetched(billing)
    assert hand_in(billing, data).json()["state"] == "posted"
    second, more = another(billing)

    bigger = hand_in(billing, data + more)

    assert (bigger.status_code, bigger.json()["state"]) == (201, "posted"), bigger.json()["findings"]
    assert [check["posted_before"] for check in bigger.json()["remittances"]] == [True, False]
    assert cash(billing.house) == 2 * 11900
    assert [billing.read(claim)["state"] for claim in (first, second)] == ["paid", "paid"]
    path = f"/v1/era-files/{bigger.json()['id']}"
    undone = billing.house.biller.post(f"{path}/unpost", {"reason": "the wrong month"})
    assert undone.json()["state"] == "unposted"
    assert cash(billing.house) == 11900, "what the smaller file posted stays"
    assert billing.read(first)["state"] == "paid"
    assert billing.house.biller.post(f"{path}/post").json()["state"] == "posted"
    assert cash(billing.house) == 2 * 11900
    assert unbalanced_entries(billing.house) == 0


def test_r21_a_file_and_a_bigger_one_at_once_post_each_check_once(billing: Billing) -> None:
    _, data = sent_but_not_fetched(billing)
    _, more = another(billing)
    versions = [data + more, data, more + data, more, reenveloped(data)]
    barrier, token = threading.Barrier(len(versions)), billing.house.biller.token
    answers: list[Any] = []

    def together(version: bytes) -> None:
        barrier.wait()
        answers.append(Api(token).call("POST", "/v1/era-files", raw=version, **X12))
        connection.close()

    threads = [threading.Thread(target=together, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert cash(billing.house) == 2 * 11900
    for file in billing.house.biller.get("/v1/era-files").json()["data"]:
        billing.house.biller.post(f"/v1/era-files/{file['id']}/post")
    assert cash(billing.house) == 2 * 11900, "nor does a person's click post it twice"
    assert unbalanced_entries(billing.house) == 0


def test_a_second_payment_of_a_service_waits_for_a_person(billing: Billing) -> None:
    _, data = paid(billing)

    answer = hand_in(billing, data.replace(b"TRN*1*", b"TRN*1*X"))

    assert (answer.status_code, answer.json()["state"]) == (201, "received")
    assert "paid-before" in rules(answer)
    assert cash(billing.house) == 11900
    assert balance(billing) == (2500, 0)


def form(data: bytes, boundary: str, name: str = "file") -> dict[str, Any]:
    """Return the body and type of a form with one file, as a browser or curl sends it."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="weekly.835"\r\n\r\n'
    return {
        "raw": head.encode() + data + f"\r\n--{boundary}--\r\n".encode(),
        "content_type": f"multipart/form-data; boundary={boundary}",
    }


def test_a_file_in_a_form_is_the_same_file_and_a_retry_with_another_boundary_the_same_call(
    billing: Billing,
) -> None:
    _, data = sent_but_not_fetched(billing)
    biller, key = billing.house.biller, new_uuid().hex

    first = biller.post("/v1/era-files", **form(data, "aaaa"), idempotency_key=key)
    retry = biller.post("/v1/era-files", **form(data, "bbbb", "era"), idempotency_key=key)
    plain = hand_in(billing, data)
    other = biller.post("/v1/era-files", **form(data + b"\n", "aaaa"), idempotency_key=key)

    assert (first.status_code, retry.status_code) == (201, 201)
    assert (retry["Idempotent-Replayed"], retry.json()) == ("true", first.json())
    assert (plain.status_code, plain.json()["duplicate_of"]) == (200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert cash(billing.house) == 11900


@pytest.mark.parametrize("raw", [b"--aaaa\r\n", b"--aaaa--\r\n", b"ISA*00*"])
def test_a_form_without_its_file_is_refused(billing: Billing, raw: bytes) -> None:
    answer = billing.house.biller.post(
        "/v1/era-files", raw=raw, content_type="multipart/form-data; boundary=aaaa"
    )
    assert answer.status_code in (400, 415), answer.content
    nothing = billing.house.biller.post("/v1/era-files", raw=raw, content_type="multipart/form-data")
    assert nothing.status_code == 400, nothing.content


def test_r22_another_remittance_with_the_same_number_is_kept_and_flagged(billing: Billing) -> None:
    _, data = paid(billing)
    before = cash(billing.house)

    answer = hand_in(billing, data.replace(b"N1*PR*", b"N1*PR*OTHER "))

    assert (answer.status_code, answer.json()["state"]) == (201, "received")
    assert "same-trace" in rules(answer)
    assert answer.json()["remittances"][0]["same_trace"] is True
    assert cash(billing.house) == before


def test_a_takeback_reverses_what_was_posted_and_pays_anew(billing: Billing) -> None:
    assert billing.sandbox is not None
    claim, _ = paid(billing, "SBXTAKE0001")
    first = balance(billing)
    billing.sandbox.call("POST", "/_sandbox/advance", json={})
    billing.work()

    assert first == (2500, 0)
    assert billing.read(claim)["state"] == "paid"
    assert balance(billing)[1] == 0
    lines = [
        line
        for one in billing.house.biller.get(f"/v1/remittances?claim_id={claim['id']}").json()[
            "data"
        ]
        for line in one["lines"]
    ]
    assert sorted(line["status_code"] for line in lines) == ["1", "1", "22"]
    assert all(line["ledger_entry_ids"] for line in lines)
    assert unbalanced_entries(billing.house) == 0


def test_a_reversal_of_what_was_never_posted_waits_for_a_person(billing: Billing) -> None:
    assert billing.sandbox is not None
    claim = billing.claim(member_id="SBXTAKE0002")
    billing.submit(claim)
    billing.work(fetch=False)
    billing.sandbox.call("POST", "/_sandbox/advance", json={})
    files = billing.sandbox.call("GET", "/v1/files").json()["data"]
    last = [file["name"] for file in files if file["kind"] == "835"][-1]

    answer = hand_in(billing, billing.sandbox.call("GET", f"/v1/files/{last}").content)

    assert answer.json()["state"] == "received", answer.content
    assert "reversal-unknown" in rules(answer)
    assert cash(billing.house) == 0


def test_a_remittance_for_a_claim_that_cannot_be_decided_waits_and_stops_nothing(
    billing: Billing,
) -> None:
    claim, _ = sent_but_not_fetched(billing)
    with billing.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_claim SET state = 'voided'")

    billing.work()

    files = billing.house.biller.get("/v1/era-files?state=received").json()["data"]
    assert "posting-refused" in {f["rule"] for file in files for f in file["findings"]}
    assert cash(billing.house) == 0
    assert billing.read(claim)["state"] == "voided"
    with billing.house.entered(), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_claim SET state = 'accepted'")
    posted = billing.house.biller.post(f"/v1/era-files/{files[0]['id']}/post", {})
    assert (posted.status_code, posted.json()["state"]) == (200, "posted")
    assert cash(billing.house) == 11900


def test_a_fraction_of_a_cent_and_a_foreign_payee_are_held(billing: Billing) -> None:
    _, data = sent_but_not_fetched(billing)

    fraction = hand_in(billing, data.replace(b"AMT*B6*144~", b"AMT*B6*144.005~"))
    foreign = hand_in(billing, data.replace(b"*XX*1234567893", b"*XX*1000000004"))
    nobody = hand_in(
        billing,
        re.sub(rb"REF\*TJ\*[^~]*", b"REF*TJ*999999999", data.replace(b"*XX*1234567893", b"")),
    )

    assert [a.json()["state"] for a in (fraction, foreign, nobody)] == ["held"] * 3
    assert "amount" in rules(fraction)
    assert "payee-not-ours" in rules(foreign)
    assert "payee-not-ours" in rules(nobody)
    assert cash(billing.house) == 0


def test_what_was_held_for_the_practices_own_number_is_posted_once_that_is_right(
    billing: Billing,
) -> None:
    _, data = sent_but_not_fetched(billing)
    file = hand_in(billing, data.replace(b"*XX*1234567893", b"*XX*1000000004")).json()
    post = f"/v1/era-files/{file['id']}/post"
    assert billing.house.biller.post(post).status_code == 409

    admin = billing.house.admin
    practice = f"/v1/practices/{type_id('practice', billing.house.id)}"
    etag = admin.get(practice).headers["ETag"]
    changed = admin.patch(practice, {"npi": "1000000004"}, if_match=etag)
    assert changed.status_code == 200, changed.content
    answer = billing.house.biller.post(post)

    assert (answer.status_code, answer.json()["state"]) == (200, "posted"), answer.content
    assert cash(billing.house) == 11900


def test_r24_a_posting_that_breaks_in_the_middle_leaves_nothing_and_can_be_done_again(
    billing: Billing,
) -> None:
    _, data = sent_but_not_fetched(billing)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION test_break() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF NEW.kind = 'transfer_to_patient' THEN RAISE EXCEPTION 'broken'; END IF;"
            " RETURN NEW; END $$;"
            "CREATE TRIGGER test_break BEFORE INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION test_break()"
        )
    try:
        broken = hand_in(billing, data)
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("DROP TRIGGER test_break ON ledger_entry; DROP FUNCTION test_break()")

    assert broken.status_code == 500, "the control: posting did break"
    assert cash(billing.house) == 0
    assert billing.house.biller.get("/v1/era-files").json()["data"] == []
    assert hand_in(billing, data).json()["state"] == "posted"
    assert (cash(billing.house), balance(billing)) == (11900, (2500, 0))


def test_another_practice_and_another_role_find_and_post_nothing(
    billing: Billing, aspen: House
) -> None:
    claim, _ = paid(billing)
    (remittance,) = billing.house.biller.get(f"/v1/remittances?claim_id={claim['id']}").json()[
        "data"
    ]
    path = f"/v1/era-files/{remittance['era_file_id']}"

    assert aspen.biller.get(path).status_code == 404
    assert aspen.biller.get(f"/v1/remittances/{remittance['id']}").status_code == 404
    assert aspen.biller.post(f"{path}/unpost", {"reason": "not mine"}).status_code == 404
    assert billing.house.scheduler.get(path).status_code == 403
    again = billing.house.biller.post(f"{path}/post", {})
    assert (again.status_code, again.json()["state"]) == (200, "posted")
    assert cash(billing.house) == 11900


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


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"ISA*00*", b"\xff\xfe" * 100, b"ISA" + b" " * 200]
)
def test_what_is_no_remittance_is_refused_with_its_place(billing: Billing, data: bytes) -> None:
    answer = billing.house.biller.call("POST", "/v1/era-files", raw=data or b" ", **X12)

    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["pointer"].startswith("/segments/")


def test_what_was_posted_can_be_taken_back_exactly(billing: Billing) -> None:
    claim, _ = paid(billing)
    (remittance,) = billing.house.biller.get(f"/v1/remittances?claim_id={claim['id']}").json()[
        "data"
    ]
    path = f"/v1/era-files/{remittance['era_file_id']}"

    answer = billing.house.biller.post(f"{path}/unpost", {"reason": "wrong account"})

    assert (answer.status_code, answer.json()["state"]) == (200, "unposted")
    assert balance(billing) == (0, 18000)
    assert cash(billing.house) == 0
    assert billing.read(claim)["state"] == "accepted"

    again = billing.house.biller.post(f"{path}/post", {})
    assert (again.status_code, again.json()["state"]) == (200, "posted")
    assert (cash(billing.house), balance(billing)) == (11900, (2500, 0))
    assert unbalanced_entries(billing.house) == 0
