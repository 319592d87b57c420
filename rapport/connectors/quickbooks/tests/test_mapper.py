"""
What is said and understood, by exchanges written from Intuit's public documentation (none was captured from a company).
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rapport.connectors.quickbooks import mapper
from rapport.connectors.quickbooks.settings import QuickBooksSettings
from rapport.rooms.accounting.ports import (
    Account,
    InDoubt,
    Kept,
    Later,
    Line,
    NotThere,
    Refused,
    SignedOut,
    Tokens,
)

SETTINGS = QuickBooksSettings("an-id", "a-secret", "https://rapport.example.org/quickbooks")
FAULT = {
    "Fault": {
        "Error": [{"Message": "Duplicate Document Number Error", "Detail": "DocNumber=RP of Pia", "code": "6140", "element": ""}],
        "type": "ValidationFault",
    },
    "time": "2026-11-26T12:00:00.000-08:00",
}  # fmt: skip
ENTRY = {"JournalEntry": {"Id": "227", "SyncToken": "0", "DocNumber": "RP-2026-10-05-1"}, "time": "2026-11-26T12:00:00.000-08:00"}
TOKENS = {
    "access_token": "eyJ.access", "refresh_token": "AB11.renewal", "token_type": "bearer", "expires_in": 3600,
    "x_refresh_token_expires_in": 8726400,
}  # fmt: skip


def test_an_entry_has_exact_amounts_and_no_sign() -> None:
    body = mapper.entry_body(number="RP-2026-10-05-1", on=date(2026, 10, 5), lines=[Line("35", 1_234_567_890_12), Line("1", -1_234_567_890_12)])

    said = json.loads(body, parse_float=Decimal)

    assert (said["DocNumber"], said["TxnDate"]) == ("RP-2026-10-05-1", "2026-10-05")
    assert [(line["JournalEntryLineDetail"]["PostingType"], line["JournalEntryLineDetail"]["AccountRef"], line["Amount"]) for line in said["Line"]] == [
        ("Debit", {"value": "35"}, Decimal("1234567890.12")), ("Credit", {"value": "1"}, Decimal("1234567890.12")),
    ]  # fmt: skip
    assert b"1234567890.12" in body
    path = urlsplit(mapper.entry_path("9130", "abc"))
    assert (path.path, parse_qs(path.query)["requestid"]) == ("/v3/company/9130/journalentry", ["abc"])


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, ENTRY, Kept("227")), (401, {}, SignedOut()), (429, {}, Later(60)), (400, FAULT, Refused("qbo-6140")),
        (400, {"Fault": {}}, Refused("qbo-fault")), (500, FAULT, InDoubt("status 500")), (200, {"odd": 1}, InDoubt("status 200")),
        (504, "<html>", InDoubt("status 504")),
    ],
)  # fmt: skip
def test_what_an_answer_to_an_entry_means(status: int, body: Any, answer: object) -> None:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    assert mapper.entry_answer(status, {}, data) == answer


def test_what_is_found_by_its_number() -> None:
    def answer(said: Any, status: int = 200) -> object:
        return mapper.found_answer(status, {}, json.dumps(said).encode())

    assert answer({"QueryResponse": {"JournalEntry": [{"Id": "227"}], "maxResults": 1}}) == Kept("227")
    assert answer({"QueryResponse": {}}) == NotThere()
    assert answer({}, 500) == InDoubt("status 500")
    assert answer({}, 401) == SignedOut()
    with pytest.raises(ValueError, match="hyphens"):
        mapper.entry_query("1' or 'x' = 'x")


def test_accounts_and_tokens() -> None:
    accounts = {"QueryResponse": {"Account": [{"Id": "35", "Name": "Checking", "AccountType": "Bank"}]}}

    assert mapper.accounts_answer(200, {}, json.dumps(accounts).encode()) == (Account("35", "Checking", "Bank"),)
    assert mapper.tokens_answer(200, {}, json.dumps(TOKENS).encode()) == Tokens("eyJ.access", "AB11.renewal", 3600)
    assert mapper.tokens_answer(400, {}, b'{"error":"invalid_grant"}') == Refused("invalid_grant")
    assert mapper.tokens_answer(503, {"retry-after": "7"}, b"") == Later(7)
    assert "AB11" not in repr(Tokens("eyJ.access", "AB11.renewal", 3600))
    assert "a-secret" not in repr(SETTINGS)


def test_where_a_person_allows_it() -> None:
    asked = parse_qs(urlsplit(mapper.authorize_url(SETTINGS, state="xyz")).query)

    assert (asked["scope"], asked["response_type"], asked["state"]) == (["com.intuit.quickbooks.accounting"], ["code"], ["xyz"])
    with pytest.raises(ValueError, match="https"):
        QuickBooksSettings("an-id", "a-secret", "https://rapport.example.org", api_url="http://quickbooks.example.org")
