"""What waits for a person: why, what to do, whose it is, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    payer = SandboxProcess(tmp_path)
    yield payer
    payer.stop()


@pytest.fixture
def billing(willow: House, sandbox: SandboxProcess) -> Billing:
    return Billing(willow, sandbox)


def open_items(billing: Billing) -> list[Any]:
    return list(billing.house.biller.get("/v1/claim-work-items?state=open").json()["data"])


def test_a_rejected_claim_waits_with_its_reason_until_it_is_sent_again(billing: Billing) -> None:
    claim = billing.claim(member_id="SBX277REJ1")
    good = billing.claim(member_id="SBXFULL02", hour=10)
    for one in (claim, good):
        billing.submit(one)
    billing.work()

    [item] = open_items(billing)
    assert (item["claim_id"], item["kind"], item["due_on"]) == (claim["id"], "rejected", claim["file_by_on"])
    assert item["code"].startswith("277CA:A7:164")
    assert "member id" in item["todo"]
    billing.submit(billing.house.biller.post(f"/v1/claims/{claim['id']}/validate", {}).json())

    assert open_items(billing) == []
    settled = billing.house.biller.get(f"/v1/claim-work-items/{item['id']}").json()
    assert (settled["state"], settled["resolution"]) == ("resolved", "sent-again")


def test_a_file_that_the_clearinghouse_refuses_says_what_to_put_right(billing: Billing) -> None:
    claim = billing.claim()
    biller, path = billing.house.biller, f"/v1/channels/{billing.things['channel']['id']}"
    biller.patch(path, {"secret": "wrong"}, if_match=biller.get(path)["ETag"])

    billing.submit(claim)
    billing.work(fetch=False)

    [item] = open_items(billing)
    assert (item["kind"], item["code"]) == ("refused", "login-refused")
    assert "secret" in item["todo"]


def test_somebody_takes_an_item_and_settles_it_once(billing: Billing) -> None:
    billing.submit(billing.claim(member_id="SBX277REJ1"))
    billing.work()
    biller, path = billing.house.biller, f"/v1/claim-work-items/{open_items(billing)[0]['id']}"
    me = biller.get("/v1/me").json()

    taken = biller.patch(
        path, {"owner_id": me["id"], "due_on": "2030-01-31"}, if_match=biller.get(path)["ETag"]
    )
    nobody = biller.patch(
        path, {"owner_id": "usr_01h455vb4pex5vsknk084sn02q"}, if_match=biller.get(path)["ETag"]
    )
    done = biller.post(f"{path}/resolve", {"resolution": "written off"}, if_match=biller.get(path)["ETag"])
    twice = biller.post(f"{path}/resolve", {"resolution": "again"}, if_match=biller.get(path)["ETag"])

    assert (taken.status_code, taken.json()["due_on"]) == (200, "2030-01-31"), taken.content
    assert taken.json()["owner_id"] == me["id"]
    assert (nobody.status_code, nobody.json()["code"]) == (422, "reference-not-found")
    assert (done.status_code, done.json()["state"]) == (200, "resolved")
    assert (twice.status_code, twice.json()["code"]) == (409, "state-conflict")
