"""The program as a whole: its two doors, what it survives, and what it must not know."""

from __future__ import annotations

import ast
import asyncio
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from rapport.sandbox.payer.tests.conftest import Bench
from tests.support.claims837 import TestClaim, write_837p
from tests.support.sandbox import SandboxProcess

PACKAGE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


def claim_file(control: int) -> bytes:
    return write_837p([TestClaim(number=f"C{control}")], control=control)


def test_it_imports_nothing_of_the_product() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith("rapport") or name.startswith("rapport.sandbox.payer")


def test_health_needs_no_key_and_everything_else_does(sandbox: SandboxProcess) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    assert sandbox.call("GET", "/healthz", headers=wrong).status_code == 200
    for method, path in (
        ("POST", "/v1/interchanges"),
        ("GET", "/v1/interchanges?key=a"),
        ("GET", "/v1/files"),
        ("GET", "/_sandbox/accepted"),
        ("POST", "/_sandbox/advance"),
        ("POST", "/_sandbox/script"),
        ("GET", "/nowhere"),
    ):
        assert sandbox.call(method, path, headers=wrong).status_code == 401


def test_the_same_key_gets_the_same_answer_and_other_bytes_are_refused(
    sandbox: SandboxProcess,
) -> None:
    first = sandbox.send(claim_file(1), "key-1")
    again = sandbox.send(claim_file(1), "key-1")
    other = sandbox.send(claim_file(2), "key-1")

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert first.json() == again.json()
    held = sandbox.call("GET", "/v1/interchanges?isa13=000000001").json()["data"]
    assert [one["key"] for one in held] == ["key-1"]
    assert sandbox.call("GET", "/v1/interchanges?isa13=000000002").json()["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/v1/interchanges", b"<html>", 400),
        ("GET", "/v1/interchanges", b"", 400),
        ("GET", "/v1/files?after=x", b"", 400),
        ("GET", "/v1/files?limit=-1", b"", 400),
        ("GET", "/v1/files/..%2f..%2fready.json", b"", 404),
        ("GET", "/v1/nothing", b"", 404),
        ("DELETE", "/v1/files", b"", 404),
        ("POST", "/_sandbox/script", b"nonsense", 400),
        ("POST", "/_sandbox/script", b"[]", 400),
        ("POST", "/_sandbox/script", b'{"next":[{"fault":"fire"}]}', 400),
        ("POST", "/_sandbox/script", b'{"next":[{"fault":"slow","seconds":"x"}]}', 400),
    ],
)
def test_a_bad_request_is_answered_with_a_problem(
    sandbox: SandboxProcess, method: str, path: str, content: bytes, status: int
) -> None:
    answer = sandbox.call(method, path, content=content)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 40_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_what_is_no_http_is_turned_away(
    sandbox: SandboxProcess, head: bytes, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.http_port), timeout=5) as line:
        line.sendall(head)
        assert line.recv(100).split(b" ")[1] == status


def test_files_are_listed_in_portions_behind_a_cursor(tmp_path: Path) -> None:
    sandbox = SandboxProcess(tmp_path)
    try:
        for control in range(1, 4):
            sandbox.send(claim_file(control))
        seen: list[str] = []
        cursor = ""
        while True:
            page = sandbox.call("GET", f"/v1/files?after={cursor}&limit=2").json()
            if not page["data"]:
                break
            seen += [one["name"] for one in page["data"]]
            cursor = page["next_cursor"]
        assert page["next_cursor"] == cursor
        assert len(seen) == len(set(seen)) == 9
    finally:
        sandbox.stop()


def test_a_kill_at_any_moment_loses_nothing_and_answers_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(7)
    sandbox = SandboxProcess(tmp_path)
    try:
        for control in range(1, 31):
            assert sandbox.send(claim_file(control), f"key-{control}").status_code == 202
            if chance.random() < 0.25:
                sandbox.kill()
                sandbox.start()
                assert sandbox.send(claim_file(control), f"key-{control}").status_code == 202
        account = sandbox.accepted()
        kinds = [kind for kind, _ in sandbox.answers()]
        shown = {path.read_bytes() for path in (tmp_path / "sftp/outbound").glob("*.x12")}

        assert account["counts"]["accepted"] == account["counts"]["claims"] == 30
        assert account["counts"]["claims_accepted_more_than_once"] == 0
        assert [kinds.count(kind) for kind in ("999", "277CA", "835", "TA1")] == [30, 30, 30, 0]
        assert shown == {data for _, data in sandbox.answers()}
    finally:
        sandbox.stop()


def test_a_rename_just_before_a_kill_is_taken_in_at_the_next_start(bench: Bench) -> None:
    bench.desk.store.close()
    (bench.desk.inbound / "late.837").write_bytes(claim_file(5))
    (bench.desk.inbound / "half.837.x.part").write_bytes(claim_file(6))
    bench.open()
    bench.desk.store.close()
    bench.open()

    held = bench.desk.held()
    assert [(one["name"], one["isa13"]) for one in held] == [("late.837", "000000005")]


def test_answers_wait_for_the_delay(tmp_path: Path) -> None:
    slow = Bench(tmp_path, delay_seconds=60)
    slow.send(claim_file(1))
    before = slow.answers()
    slow.pass_time(61)

    assert before == []
    assert [kind for kind, _ in slow.answers()] == ["999", "277CA", "835"]


def on_sftp(sandbox: SandboxProcess, work: object) -> object:
    async def run() -> object:
        key = asyncssh.import_public_key(sandbox.sftp_host_key)
        async with (
            asyncssh.connect(
                "127.0.0.1",
                sandbox.sftp_port,
                username=sandbox.sftp_user,
                password=sandbox.sftp_password,
                known_hosts=([key], [], []),
                config=[],
                client_keys=None,
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            return await work(sftp)  # type: ignore[operator]

    return asyncio.run(run())


def test_only_a_finished_rename_counts(sandbox: SandboxProcess) -> None:
    async def work(sftp: asyncssh.SFTPClient) -> None:
        async with sftp.open("/inbound/a.837.part", "wb") as file:
            await file.write(claim_file(50))
        assert sandbox.call("GET", "/v1/interchanges?isa13=000000050").json()["data"] == []
        await sftp.rename("/inbound/a.837.part", "/inbound/a.837")
        assert len(sandbox.call("GET", "/v1/interchanges?isa13=000000050").json()["data"]) == 1

    on_sftp(sandbox, work)


@pytest.mark.parametrize(
    "path",
    ["/inbound/direct.837", "/outbound/x.part", "/x.part", "/inbound/../x.part", "/inbound/.part",
     "/../../ready.json.part"],
)  # fmt: skip
def test_nothing_but_a_partial_upload_can_be_written(sandbox: SandboxProcess, path: str) -> None:
    async def work(sftp: asyncssh.SFTPClient) -> None:
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.open(path, "wb")

    on_sftp(sandbox, work)


def test_what_was_handed_in_or_answered_cannot_be_changed(sandbox: SandboxProcess) -> None:
    async def work(sftp: asyncssh.SFTPClient) -> None:
        for name in ("b", "c"):
            async with sftp.open(f"/inbound/{name}.part", "wb") as file:
                await file.write(claim_file(51))
        await sftp.rename("/inbound/b.part", "/inbound/b.837")
        names = [str(name) for name in await sftp.listdir("/outbound")]
        answer = next(name for name in names if name.endswith(".x12"))
        for refused in (
            sftp.rename("/inbound/c.part", "/inbound/b.837"),
            sftp.posix_rename("/inbound/c.part", "/inbound/b.837"),
            sftp.rename("/inbound/b.837", "/inbound/d.837"),
            sftp.rename("/inbound/c.part", "/outbound/c.837"),
            sftp.remove("/inbound/b.837"),
            sftp.remove(f"/outbound/{answer}"),
            sftp.chmod("/inbound/b.837", 0o777),
            sftp.mkdir("/inbound/new"),
            sftp.rmdir("/inbound"),
            sftp.symlink("/etc/passwd", "/inbound/link.part"),
            sftp.link("/inbound/b.837", "/inbound/link.part"),
        ):
            with pytest.raises(asyncssh.SFTPError):
                await refused

    on_sftp(sandbox, work)


def test_the_world_outside_its_folder_is_not_there(sandbox: SandboxProcess) -> None:
    async def work(sftp: asyncssh.SFTPClient) -> None:
        assert sorted(str(name) for name in await sftp.listdir("/..")) == [
            ".", "..", "inbound", "outbound",
        ]  # fmt: skip
        for path in ("/etc/passwd", "/../ready.json", "/../../etc/passwd"):
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.open(path, "rb")

    on_sftp(sandbox, work)
