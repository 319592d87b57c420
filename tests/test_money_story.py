"""
The story of docs/money.md, played over HTTP against the sandbox payer: two payers, one takes back, all ends at zero.

The page's table is what is played: each line's amounts are compared with the practice's own answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from django.http import HttpResponse
from django.urls import resolve

from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.sandbox import SandboxProcess
from tests.support.server import Server

PAGE = Path(__file__).parents[1] / "docs" / "money.md"
ROW = re.compile(r"^\| (\d+) \|[^|]*\|[^|]*\| *([-\d.]+) \| *([-\d.]+) \| *([-\d.]+) \| *([-\d.]+) \|$", re.MULTILINE)


class Stand(NamedTuple):
    """What everybody owes, in cents, after a step."""

    patient: int
    insurance: int
    credit: int
    clearing: int


def told_by_the_page() -> dict[int, Stand]:
    return {
        int(number): Stand(*(round(float(amount) * 100) for amount in amounts))
        for number, *amounts in ROW.findall(PAGE.read_text())
    }


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    yield process
    process.stop()


class Story:
    """The practice, its patient with two plans, and a look at the books after each step."""

    def __init__(self, house: House, sandbox: SandboxProcess) -> None:
        self.billing, self.sandbox = Billing(house, sandbox), sandbox
        self.biller = house.biller
        self.patient: Any = None
        self.payment: Any = None
        self.first: Any = None
        self.second: Any = None
        self.later: Any = None

    # Looking

    def accounts(self) -> dict[str, int]:
        """Add up every posting of the practice, page by page: the trial balance."""
        sums: dict[str, int] = {}
        path = "/v1/ledger-entries?limit=50"
        while path:
            page = self.biller.get(path).json()
            for entry in page["data"]:
                for posting in entry["postings"]:
                    sums[posting["account"]] = sums.get(posting["account"], 0) + posting["amount"]["amount"]
            after = page["next_cursor"]
            path = f"/v1/ledger-entries?limit=50&cursor={after}" if after else ""
        return sums

    def stand(self) -> Stand:
        shown = self.biller.get(f"/v1/patients/{self.patient['id']}/balance").json()
        accounts = self.accounts()
        assert sum(accounts.values()) == 0, "the books balance after every step"
        return Stand(
            shown["patient_responsibility"]["amount"], shown["insurance_outstanding"]["amount"],
            shown["credit"]["amount"], accounts.get("payer_clearing", 0),
        )  # fmt: skip

    def decided(self, claim_id: str) -> Any:
        self.billing.submit({"id": claim_id})
        self.billing.work()
        return self.billing.read({"id": claim_id})

    def accept(self, **query: str) -> str:
        """Accept the one proposal that is open; return the claim that is made of it."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        [row] = self.biller.get(f"/v1/claim-proposals?state=open&{asked}").json()["data"]
        path = f"/v1/claim-proposals/{row['id']}"
        made: str = self.biller.post(f"{path}/accept", {}, if_match=self.biller.get(path)["ETag"]).json()["made_claim_id"]
        return made

    # Acting, in the order of the page

    def seen(self) -> None:
        self.visit = self.billing.visit(member_id="SBXTAKE01")
        self.patient = self.billing.things["patient"]
        payer = props.payer(self.billing.house, "Second Plan", payer_id_code="SECND")
        props.policy(self.billing.house, self.patient, payer, rank="secondary", member_id="S100200300")
        self.billing.note(self.visit)

    def pays_the_copay(self) -> None:
        body = {"patient_id": self.patient["id"], "method": "cash", "amount": {"amount": 2500}}
        self.payment = props.made(self.biller.post("/v1/payments", body))

    def first_pays(self) -> None:
        claim = props.made(self.biller.post("/v1/claims", {"appointment_ids": [self.visit["id"]]}))
        self.first = self.decided(claim["id"])
        assert (self.first["state"], self.first["paid"]["amount"]) == ("paid", 11900)

    def second_pays(self) -> None:
        self.second = self.decided(self.accept())
        assert (self.second["rank"], self.second["paid"]["amount"]) == ("secondary", 2500)

    def first_takes_back(self) -> None:
        self.sandbox.call("POST", "/_sandbox/advance")
        self.billing.work()
        first = self.billing.read(self.first)
        assert (first["state"], first["paid"]["amount"]) == ("paid", 8300)

    def second_is_told(self) -> None:
        replacement = self.decided(self.accept())
        assert (replacement["frequency"], replacement["paid"]["amount"]) == ("replacement", 2500)
        assert self.billing.read(self.second)["state"] == "replaced"

    def gets_the_copay_back(self) -> None:
        path = f"/v1/payments/{self.payment['id']}/refund"
        answer = self.biller.post(path, {"amount": {"amount": 2500}, "reason": "both plans paid"})
        assert answer.status_code == 200, answer.content
        more = self.biller.post(path, {"amount": {"amount": 1}, "reason": "once more"})
        assert more.status_code == 409, "no more than was paid"

    def next_visit_collects(self) -> None:
        visit = self.billing.visit(patient=self.patient, days_ago=1)
        self.billing.note(visit)
        claim = props.made(self.biller.post("/v1/claims", {"appointment_ids": [visit["id"]]}))
        self.later = self.decided(claim["id"])
        assert self.later["paid"]["amount"] == 11900

    def second_pays_that_too(self) -> None:
        self.decided(self.accept(claim_id=self.later["id"]))


STEPS: list[Callable[[Story], None]] = [
    Story.seen, Story.pays_the_copay, Story.first_pays, Story.second_pays, Story.first_takes_back,
    Story.second_is_told, Story.gets_the_copay_back, Story.next_visit_collects, Story.second_pays_that_too,
]  # fmt: skip


def play(story: Story) -> None:
    page = told_by_the_page()
    assert sorted(page) == list(range(1, len(STEPS) + 1)), "the page tells each step"
    for number, step in enumerate(STEPS, 1):
        step(story)
        assert (number, step.__name__, story.stand()) == (number, step.__name__, page[number])
    assert story.stand() == Stand(0, 0, 0, 0)
    accounts = story.accounts()
    assert accounts["cash"] == -accounts["revenue"] - accounts["contractual_adjustments"] == 25200
    assert {name for name, cents in accounts.items() if cents} == {"cash", "revenue", "contractual_adjustments"}
    assert story.biller.get("/v1/claim-proposals?state=open").json()["data"] == []
    assert story.biller.get("/v1/era-files?state=received").json()["data"] == []
    assert story.biller.get("/v1/era-files?state=held").json()["data"] == []


def test_primary_pays_secondary_pays_primary_takes_back_patient_refunded_and_all_is_zero(
    willow: House, sandbox: SandboxProcess
) -> None:
    play(Story(willow, sandbox))


class Sockets:
    """In place of Django's test client: the same calls over a socket, to a server of its own."""

    def __init__(self, server: Server) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=30, trust_env=False)

    def generic(
        self, method: str, path: str, data: bytes, *, content_type: str, headers: dict[str, str]
    ) -> HttpResponse:
        sent = headers | {"Content-Type": content_type}
        got = self.http.request(method, path, content=data, headers=sent)
        answer = HttpResponse(got.content, status=got.status_code, headers=dict(got.headers))
        answer.json = lambda: json.loads(got.content)  # type: ignore[attr-defined]
        answer.resolver_match = resolve(path.split("?")[0])  # type: ignore[attr-defined]
        return answer


def test_the_same_over_sockets(willow: House, sandbox: SandboxProcess) -> None:
    server = Server()
    try:
        for api in (willow.biller, willow.scheduler, willow.admin):
            api.http = Sockets(server)
        play(Story(willow, sandbox))
    finally:
        server.stop()


def test_the_control_a_page_that_tells_another_amount_is_noticed(
    willow: House, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(willow, sandbox)
    wrong = told_by_the_page() | {1: Stand(0, 18001, 0, 0)}
    monkeypatch.setattr(f"{__name__}.told_by_the_page", lambda: wrong)
    with pytest.raises(AssertionError, match="18001"):
        play(story)
