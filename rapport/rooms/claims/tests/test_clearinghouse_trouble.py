"""R-13, R-14, R-17: what a clearinghouse in trouble answers, and what becomes of the claim: over HTTP and over SFTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from rapport.rooms.claims import jobs, services
from rapport.rooms.claims.models import Submission
from rapport.rooms.claims.ports import Later, Sent
from rapport.rooms.claims.tests.test_two_workers import row_of, taken_in
from tests.support.billing import Billing
from tests.support.cast import House
from tests.support.clock import let_retries_come
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.sandbox import SandboxProcess


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("payer"))
    yield process
    process.stop()


@dataclass
class Sender(Billing):
    """A practice whose files leave over one kind of channel, through a proxy that can break the line."""

    kind: str = "http"
    proxy: FaultProxy | None = None
    visits: int = 0

    def claim(self, **visit: Any) -> Any:
        """A claim of a visit at an hour of its own."""
        self.visits += 1
        return super().claim(hour=self.visits, days_ago=3 + self.visits // 6, **visit)

    def channel_body(self, **settings: Any) -> dict[str, Any]:
        assert self.sandbox is not None
        assert self.proxy is not None
        if self.kind == "http":
            return super().channel_body(base_url=f"http://127.0.0.1:{self.proxy.port}", **settings)
        body = super().channel_body(
            host="127.0.0.1", port=self.proxy.port, user=self.sandbox.sftp_user,
            host_key=self.sandbox.sftp_host_key, keeps_received_in=["/inbound"], **settings,
        )  # fmt: skip
        del body["settings"]["base_url"]
        return body | {"kind": "sftp", "secret": self.sandbox.sftp_password}

    def send(self, claim: Any) -> Submission:
        """Let a worker look after the claim's file once."""
        self.work(fetch=False)
        return row_of(self, claim)

    def waiting(self) -> list[tuple[str, str]]:
        """What of claims waits for a person."""
        rows = self.house.biller.get("/v1/claim-work-items?state=open").json()["data"]
        return [(row["kind"], row["code"]) for row in rows]


def sender(house: House, sandbox: SandboxProcess, kind: str) -> Iterator[Sender]:
    port = sandbox.http_port if kind == "http" else sandbox.sftp_port
    with FaultProxy(port) as proxy:
        yield Sender(house, sandbox, kind=kind, proxy=proxy)


@pytest.fixture
def http(willow: House, sandbox: SandboxProcess) -> Iterator[Sender]:
    yield from sender(willow, sandbox, "http")


@pytest.fixture
def sftp(willow: House, sandbox: SandboxProcess) -> Iterator[Sender]:
    yield from sender(willow, sandbox, "sftp")


def plays(
    by: Sender, sandbox: SandboxProcess, trouble: Callable[[], None], *, claim: str, held: bool, wait: int = 0
) -> None:
    """
    One trouble in the life of one claim: its state after it, that nothing happens before its time, and that it ends sent, once.

    :param held: whether the clearinghouse has taken the file in the trouble
    """
    before, _ = taken_in(sandbox)
    made = by.claim()
    by.submit(made)
    trouble()
    first = by.send(made)

    assert by.read(made)["state"] == claim
    assert taken_in(sandbox)[0] == before + held
    assert first.retry_at is not None
    assert first.retry_at >= first.state_changed_at + timedelta(seconds=wait)
    assert by.proxy is not None
    calls = by.proxy.connections
    for _ in range(3):
        assert by.send(made).fence == first.fence, "nothing is tried before its time"
    assert by.proxy.connections == calls

    for _ in range(3):
        let_retries_come(by.house)
        by.work(fetch=False)
    assert row_of(by, made).state == "sent"
    calls = by.proxy.connections
    let_retries_come(by.house)
    by.work(fetch=False)
    assert by.proxy.connections == calls, "what is sent is left alone"
    assert taken_in(sandbox) == (before + 1, 0)
    assert by.waiting() == []


HTTP: dict[str, tuple[dict[str, Any], str]] = {
    "500, not taken": ({"fault": "500"}, "unknown"),
    "500, taken all the same": ({"fault": "500", "accept": True}, "unknown"),
    "429 with Retry-After": ({"fault": "429", "seconds": 47}, "queued"),
    "503 with Retry-After": ({"fault": "503", "seconds": 90}, "queued"),
    "409 in flight, taken": ({"fault": "409", "accept": True}, "unknown"),
    "409 in flight, not taken": ({"fault": "409"}, "unknown"),
    "HTML with 200, not taken": ({"fault": "html200"}, "unknown"),
    "HTML with 200, taken": ({"fault": "html200", "accept": True}, "unknown"),
}
SFTP: dict[str, tuple[dict[str, Any], str]] = {
    "rename fails": ({"fault": "500"}, "queued"),
    "connection dies at the rename, taken": ({"fault": "drop_reply", "accept": True}, "unknown"),
    "connection dies at the rename, not taken": ({"fault": "drop_reply", "accept": False}, "unknown"),
}


def test_r14_each_answer_over_http_has_its_state_its_wait_and_an_end(http: Sender, sandbox: SandboxProcess) -> None:
    for fault, state in HTTP.values():
        plays(
            http, sandbox, partial(sandbox.script, fault), claim=state, held=bool(fault.get("accept")),
            wait=int(fault.get("seconds", 0)),
        )  # fmt: skip


def test_r14_each_answer_over_sftp_has_its_state_its_wait_and_an_end(sftp: Sender, sandbox: SandboxProcess) -> None:
    for fault, state in SFTP.values():
        plays(sftp, sandbox, partial(sandbox.script, fault), claim=state, held=bool(fault.get("accept")))


def test_r14_what_is_not_taken_is_rejected_with_its_reason_and_never_tried_again(
    http: Sender, sandbox: SandboxProcess
) -> None:
    before, _ = taken_in(sandbox)
    made = http.claim()
    http.submit(made)
    sandbox.script({"fault": "422"})
    assert http.send(made).state == "refused"
    assert http.proxy is not None
    calls = http.proxy.connections

    let_retries_come(http.house)
    http.work(fetch=False)

    assert http.proxy.connections == calls
    now = http.read(made)
    assert (now["state"], now["history"][-1]["detail"]) == ("rejected", "key-reused")
    assert http.waiting() == [("refused", "key-reused")]
    assert taken_in(sandbox) == (before, 0)


def test_r17_other_bytes_under_the_name_are_refused_and_the_claim_waits_for_a_person(
    sftp: Sender, sandbox: SandboxProcess
) -> None:
    made = sftp.claim()
    sftp.submit(made)
    name = row_of(sftp, made).file_name
    (sandbox.home / "sftp/inbound" / name).write_bytes(b"x" * row_of(sftp, made).size)

    assert sftp.send(made).state == "refused"
    assert sftp.read(made)["state"] == "rejected"
    assert sftp.waiting() == [("refused", "name-taken")], "the same size is not the same file"
    (sandbox.home / "sftp/inbound" / name).unlink()


@pytest.mark.parametrize("kind", ["http", "sftp"])
def test_r14_a_file_that_was_handed_in_before_has_its_first_receipt_and_is_taken_once(
    kind: str, request: pytest.FixtureRequest, sandbox: SandboxProcess
) -> None:
    """A 202 for the second time, or the very same bytes under the name."""
    by: Sender = request.getfixturevalue(kind)
    before, _ = taken_in(sandbox)
    made = by.claim()
    by.submit(made)
    row = row_of(by, made)
    with by.house.entered() as scope:
        sending = services.begin_sending(scope=scope, submission_id=row.id, now=timezone.now())
        assert sending is not None
        services.record_answer(scope=scope, sending=sending, answer=Later(0), now=timezone.now())
    driver = jobs._driver(by.kind, sending.channel_settings, sending.channel_secret)
    first = driver.send(file=sending.file, name=sending.name, key=sending.key)
    let_retries_come(by.house)

    sent = by.send(made)

    assert isinstance(first, Sent)
    assert (sent.state, sent.receipt) == ("sent", first.receipt)
    assert taken_in(sandbox) == (before + 1, 0)


def test_r13_half_a_request_is_never_counted_and_half_a_reply_is_asked_about(
    http: Sender, sandbox: SandboxProcess
) -> None:
    proxy = http.proxy
    assert proxy is not None
    plays(http, sandbox, lambda: proxy.next(Fault("cut_request", bytes=900)), claim="unknown", held=False)
    plays(http, sandbox, lambda: proxy.next(Fault("cut_response", bytes=40)), claim="unknown", held=True)


def test_r13_over_sftp_a_line_that_is_cut_before_the_rename_has_not_handed_anything_in(
    sftp: Sender, sandbox: SandboxProcess
) -> None:
    proxy = sftp.proxy
    assert proxy is not None
    plays(sftp, sandbox, lambda: proxy.next(Fault("cut_request", bytes=1500)), claim="queued", held=False)


def test_r14_tries_in_vain_come_ever_more_seldom_and_are_put_before_a_person(
    http: Sender, sandbox: SandboxProcess
) -> None:
    made = http.claim()
    http.submit(made)
    id = row_of(http, made).id
    waits: list[float] = []
    for turn in range(10):
        let_retries_come(http.house)
        with http.house.entered() as scope:
            now = timezone.now()
            sending = services.begin_sending(scope=scope, submission_id=id, now=now)
            assert sending is not None
            row = services.record_answer(scope=scope, sending=sending, answer=Later(1), now=now)
            assert row is not None
            assert row.retry_at is not None
            waits.append((row.retry_at - now).total_seconds())
        assert bool(http.waiting()) == (turn == 9)
    assert waits == [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert http.waiting() == [("refused", "not-delivered")]

    for _ in range(2):
        let_retries_come(http.house)
        http.work(fetch=False)
    assert row_of(http, made).state == "sent"
    assert http.waiting() == [], "once it is there, nobody needs to look"


@pytest.mark.parametrize("kind", ["http", "sftp"])
def test_the_control_without_trouble_a_claim_is_sent_at_once(
    kind: str, request: pytest.FixtureRequest, sandbox: SandboxProcess
) -> None:
    by: Sender = request.getfixturevalue(kind)
    before, _ = taken_in(sandbox)
    made = by.claim()
    by.submit(made)

    assert by.send(made).state == "sent"
    assert by.read(made)["state"] == "submitted"
    assert taken_in(sandbox) == (before + 1, 0)


def test_the_control_who_sends_anew_after_a_500_is_counted_twice(http: Sender, sandbox: SandboxProcess) -> None:
    """What the answers above are for: a file made anew, with a key and numbers of its own, is another one to the payer."""
    made = http.claim()
    http.submit(made)
    with http.house.entered() as scope:
        sending = services.begin_sending(scope=scope, submission_id=row_of(http, made).id, now=timezone.now())
    assert sending is not None
    sandbox.script({"fault": "500", "accept": True})
    assert sandbox.send(sending.file, sending.key).status_code == 500
    number = sending.file[90:99]

    sandbox.send(sending.file.replace(number, b"000009999"), "another-key")

    twice = [claim for claim in sandbox.accepted()["claims"] if claim["seen_count"] == 2]
    assert len(twice) == 1
