from __future__ import annotations

import json

import pytest

from rapport.connectors.clearinghouse_http import mapper
from rapport.rooms.claims.ports import Held, InDoubt, Later, NotHeld, Refused, Sent

SHA = "a" * 64


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_send_carries_the_key_and_the_login() -> None:
    headers = mapper.send_headers("secret", "submission-1")

    assert headers["Authorization"] == "Bearer secret"
    assert headers["Idempotency-Key"] == "submission-1"
    assert headers["Content-Type"] == "application/edi-x12"


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_receipt_for_our_bytes_is_a_yes(status: int) -> None:
    reply = body({"id": "ic_1", "sha256": SHA})
    assert mapper.sent_answer(status, {}, reply, sha256=SHA) == Sent("ic_1")


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (202, b""),
        (202, b"<html>"),
        (202, b"[]"),
        (202, b"\xff\xfe"),
        (202, b'{"id": 7}'),
        (202, b'{"id": "ic_1"}'),
        (202, b'{"id": "ic_1", "sha256": "other"}'),
        (204, b""),
        (409, b""),
        (408, b""),
        (500, b""),
        (502, b""),
        (504, b""),
        (599, b""),
        (100, b""),
    ],
)
def test_everything_that_is_neither_yes_nor_no_is_in_doubt(status: int, reply: bytes) -> None:
    assert isinstance(mapper.sent_answer(status, {}, reply, sha256=SHA), InDoubt)


@pytest.mark.parametrize(
    ("status", "reason_code", "try_again"),
    [
        (302, "redirected", False),
        (400, "not-an-interchange", False),
        (401, "login-refused", False),
        (402, "account-suspended", True),
        (403, "login-refused", False),
        (404, "no-such-service", False),
        (413, "file-too-large", False),
        (422, "key-reused", False),
    ],
)
def test_a_clear_no_is_a_refusal(status: int, reason_code: str, try_again: bool) -> None:
    answer = mapper.sent_answer(status, {}, b"", sha256=SHA)

    assert isinstance(answer, Refused)
    assert (answer.reason_code, answer.try_again) == (reason_code, try_again)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5),
        ("0", 1),
        ("99999", 3600),
        ("", 60),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 60),
        ("²", 60),
    ],
)
def test_busy_means_later_and_never_absurdly_late(header: str, seconds: int) -> None:
    answer = mapper.sent_answer(503, {"retry-after": header}, b"", sha256=SHA)
    assert answer == Later(seconds)


@pytest.mark.parametrize(
    ("status", "reply", "expected"),
    [
        (200, {"data": []}, NotHeld),
        (200, {"data": [{"id": "ic_1", "sha256": SHA}]}, Held),
        (200, {"data": [{"id": "ic_1", "sha256": "other"}]}, InDoubt),
        (200, {"data": "none"}, InDoubt),
        (200, {}, InDoubt),
        (404, {"data": []}, InDoubt),
        (401, {}, InDoubt),
    ],
)
def test_only_a_readable_answer_settles_what_is_held(
    status: int, reply: object, expected: type
) -> None:
    assert isinstance(mapper.found_answer(status, body(reply), sha256=SHA), expected)


def test_a_kind_nobody_agreed_on_is_unknown() -> None:
    reply = body({"data": [{"name": "a", "kind": "820", "sha256": SHA}], "next_cursor": "9"})

    assert mapper.listed_files(200, {}, reply) == ((mapper.Listed("a", "unknown", SHA),), "9")


@pytest.mark.parametrize(
    "reply",
    [
        {"data": []},
        {"next_cursor": "1"},
        {"data": ["a"], "next_cursor": "1"},
        {"data": [{"name": "a"}], "next_cursor": "1"},
    ],
)
def test_a_list_that_is_not_as_agreed_is_not_guessed_at(reply: object) -> None:
    assert isinstance(mapper.listed_files(200, {}, body(reply)), mapper.Unreadable)
