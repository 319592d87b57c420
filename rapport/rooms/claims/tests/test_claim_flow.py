"""A claim from a signed note to the payer's answers, against the sandbox payer as it runs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.protocols.x12.check import check_bytes
from tests.support.billing import Billing
from tests.support.cast import House, found
from tests.support.clock import let_retries_come
from tests.support.sandbox import SandboxProcess


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def edi(billing: Billing, claim: Any) -> bytes:
    answer = billing.house.biller.get(f"/v1/claims/{claim['id']}", accept="application/edi-x12")
    assert answer.status_code == 200, answer.content
    return answer.content


def test_a_clean_claim_is_sent_acknowledged_and_accepted(billing: Billing) -> None:
    claim = billing.claim()
    assert claim["state"] == "validated", claim["findings"]
    assert (claim["charge"]["amount"], claim["diagnosis_codes"]) == (18000, ["F41.1"])

    billing.submit(claim)
    billing.work()

    now = billing.read(claim)
    assert {"acknowledge", "accept"} <= {move["action"] for move in now["history"]}
    assert now["state"] == "paid", now["history"]
    assert [s["state"] for s in now["submissions"]] == ["sent"]
    assert {"999", "277CA"} <= {ack["kind"] for ack in now["acknowledgements"]}
    assert [f for f in check_bytes(edi(billing, claim)).findings if f.severity == "error"] == []
    assert now["payer_claim_number"]


def test_pyx12_validates_the_837p_of_the_visit(billing: Billing) -> None:
    import pyx12.error_handler
    import pyx12.params
    import pyx12.x12n_document

    claim = billing.claim()
    billing.submit(claim)
    log, ack = io.StringIO(), io.StringIO()

    valid = pyx12.x12n_document.x12n_document(
        pyx12.params.params(), io.StringIO(edi(billing, claim).decode("ascii")), ack, None
    )

    assert valid, ack.getvalue() + log.getvalue()


def test_a_service_cannot_be_asked_for_twice(billing: Billing) -> None:
    claim = billing.claim()
    appointments = [line["appointment_id"] for line in claim["lines"]]

    again = billing.house.biller.post("/v1/claims", {"appointment_ids": appointments})

    assert (again.status_code, again.json()["code"]) == (409, "duplicate-claim")
    assert again.json()["claim_id"] == claim["id"]


def test_r16_the_same_key_gives_the_same_claim(billing: Billing) -> None:
    appointment = billing.visit()
    billing.note(appointment)
    body = {"appointment_ids": [appointment["id"]]}

    answers = [billing.house.biller.post("/v1/claims", body, idempotency_key="a" * 20) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotent-Replayed"] == "true"


def test_everything_that_is_missing_is_named(billing: Billing) -> None:
    booked = billing.visit()
    answer = billing.house.biller.post("/v1/claims", {"appointment_ids": [booked["id"]]})

    assert answer.status_code == 422
    assert [e["code"] for e in answer.json()["errors"]] == ["note-not-signed"]
    no_key = billing.house.biller.call("POST", "/v1/claims", {"appointment_ids": [booked["id"]]})
    assert (no_key.status_code, no_key.json()["code"]) == (400, "idempotency-key-missing")


def test_r12_a_lost_reply_is_settled_by_asking_and_never_by_sending_again(
    billing: Billing, sandbox: SandboxProcess
) -> None:
    claim = billing.claim()
    before = sandbox.call("GET", "/_sandbox/accepted").json()
    sandbox.call("POST", "/_sandbox/script", json={"next": [{"fault": "drop_reply", "accept": True}]})

    billing.submit(claim)
    billing.work(fetch=False)
    doubtful = billing.read(claim)
    let_retries_come(billing.house)
    billing.work()

    assert doubtful["state"] == "unknown"
    assert billing.read(claim)["submissions"][0]["state"] == "sent"
    after = sandbox.call("GET", "/_sandbox/accepted").json()
    assert after["counts"]["interchanges"] == before["counts"]["interchanges"] + 1
    assert after["counts"]["claims_accepted_more_than_once"] == 0


def test_a_claim_that_the_payer_rejects_can_be_mended_and_sent_anew(billing: Billing) -> None:
    claim = billing.claim(member_id="SBX277REJ1")
    billing.submit(claim)
    billing.work()
    rejected = billing.read(claim)

    again = billing.house.biller.post(f"/v1/claims/{claim['id']}/validate", {})

    assert rejected["state"] == "rejected", rejected["acknowledgements"]
    assert again.json()["state"] == "validated"


def test_another_practices_claim_looks_like_no_claim(billing: Billing, aspen: House) -> None:
    claim = billing.claim()

    for path in ("", "/validate", "/submit", "/hold", "/void"):
        method = "GET" if not path else "POST"
        answer = aspen.biller.call(
            method, f"/v1/claims/{claim['id']}{path}", None if method == "GET" else {},
            if_match='"1-0000000"', idempotency_key="k" * 20,
        )
        assert answer.status_code in (404, 412), (path, answer.content)
        assert answer.status_code == 404 or path


def test_a_channel_never_shows_its_secret_and_leads_nowhere_inside(billing: Billing, sandbox: SandboxProcess) -> None:
    shown = billing.house.biller.get(f"/v1/channels/{billing.things['channel']['id']}")
    assert sandbox.api_key not in shown.content.decode()
    inside = billing.house.biller.post(
        "/v1/channels", billing.channel_body(base_url="https://169.254.169.254/") | {"name": "x"}
    )
    assert (inside.status_code, inside.json()["errors"][0]["code"]) == (422, "url-not-allowed")


def test_the_control_numbers_and_bytes_of_what_was_sent_are_frozen(billing: Billing, tmp_path: Path) -> None:
    from django.db import DatabaseError, connection

    claim = billing.claim()
    billing.submit(claim)

    for change in ("sha256 = 'x'", "interchange_number = 99", "blob_key = 'x'"):
        with pytest.raises(DatabaseError, match="frozen"), billing.house.entered(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE claims_submission SET {change}")
    assert found("Other", "UTC").id != billing.house.id
