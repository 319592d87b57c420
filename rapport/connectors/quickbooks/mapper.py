"""
What is said to QuickBooks Online, and what its answers mean. Pure.

Source: Intuit's public documentation of OAuth 2.0, of the Accounting API's `JournalEntry` and `Account`, of
`requestid`, and of its faults. No company of Intuit's was spoken to.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

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

MINOR_VERSION = "75"
SCOPE = "com.intuit.quickbooks.accounting"
USUAL_WAIT_SECONDS = 60
_exact = msgspec.json.Encoder(decimal_format="number")


def authorize_url(settings: QuickBooksSettings, *, state: str) -> str:
    """Return where a person allows us in."""
    asked = {
        "client_id": settings.client_id, "response_type": "code", "scope": SCOPE,
        "redirect_uri": settings.redirect_uri, "state": state,
    }  # fmt: skip
    return f"{settings.authorize_url}?{urlencode(asked)}"


def token_headers(settings: QuickBooksSettings) -> dict[str, str]:
    """Return the headers of a call for tokens."""
    pair = base64.b64encode(f"{settings.client_id}:{settings.client_secret}".encode()).decode()
    return {
        "Authorization": f"Basic {pair}", "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip


def api_headers(access: str) -> dict[str, str]:
    """Return the headers of a call to the API."""
    return {"Authorization": f"Bearer {access}", "Accept": "application/json", "Content-Type": "application/json"}


def code_body(settings: QuickBooksSettings, *, code: str) -> bytes:
    """Return the form that turns a code into tokens."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": settings.redirect_uri}
    return urlencode(form).encode()


def renewal_body(*, renewal: str) -> bytes:
    """Return the form that renews tokens."""
    return urlencode({"grant_type": "refresh_token", "refresh_token": renewal}).encode()


def entry_path(company: str, key: str) -> str:
    """Return where an entry is kept once: the same `requestid` gives the first answer again."""
    return f"/v3/company/{quote(company, safe='')}/journalentry?requestid={quote(key, safe='')}&minorversion={MINOR_VERSION}"


def query_path(company: str, text: str) -> str:
    """Return where a question is asked."""
    return f"/v3/company/{quote(company, safe='')}/query?query={quote(text, safe='')}&minorversion={MINOR_VERSION}"


def entry_query(number: str) -> str:
    """Return the question for an entry of this number. Numbers are ours: letters, digits, hyphens."""
    if not number.replace("-", "").isalnum():
        raise ValueError("a number of an entry has letters, digits and hyphens")
    return f"select Id, DocNumber from JournalEntry where DocNumber = '{number}'"  # noqa: S608 - checked above, and their language


ACCOUNTS_QUERY = "select Id, Name, AccountType from Account where Active = true maxresults 1000"


def entry_body(*, number: str, on: date, lines: Sequence[Line]) -> bytes:
    """Return a journal entry: amounts above zero as exact decimals, each a debit or a credit."""
    return _exact.encode(
        {
            "DocNumber": number,
            "TxnDate": on.isoformat(),
            "PrivateNote": "Totals of the day, by Rapport",
            "Line": [
                {
                    "Amount": Decimal(abs(line.cents)).scaleb(-2),
                    "DetailType": "JournalEntryLineDetail",
                    "JournalEntryLineDetail": {
                        "PostingType": "Debit" if line.cents > 0 else "Credit",
                        "AccountRef": {"value": line.account_id},
                    },
                }
                for line in lines
            ],
        }
    )


def tokens_answer(status: int, headers: Mapping[str, str], body: bytes) -> Tokens | Refused | Later:
    """Read the answer to a call for tokens."""
    said = _read(body)
    if status == 200:
        access, renewal, seconds = said.get("access_token"), said.get("refresh_token"), said.get("expires_in")
        if isinstance(access, str) and isinstance(renewal, str) and isinstance(seconds, int):
            return Tokens(access, renewal, seconds)
        return Later(USUAL_WAIT_SECONDS)
    if status in (400, 401, 403):
        return Refused(_word(said.get("error"), f"status-{status}"))
    return Later(_wait(headers))


def entry_answer(
    status: int, headers: Mapping[str, str], body: bytes
) -> Kept | Refused | Later | InDoubt | SignedOut:
    """Read the answer to an entry."""
    said = _read(body)
    entry = said.get("JournalEntry")
    if status == 200 and isinstance(entry, dict) and isinstance(entry.get("Id"), str):
        return Kept(entry["Id"])
    if status == 401:
        return SignedOut()
    if status == 429:
        return Later(_wait(headers))
    if status in (400, 403, 404) and "Fault" in said:
        return Refused(fault_code(said))
    return InDoubt(f"status {status}")


def found_answer(status: int, headers: Mapping[str, str], body: bytes) -> Kept | NotThere | Later | InDoubt | SignedOut:
    """Read the answer to a question for an entry."""
    if status == 401:
        return SignedOut()
    if status == 429:
        return Later(_wait(headers))
    found = _read(body).get("QueryResponse")
    if status != 200 or not isinstance(found, dict):
        return InDoubt(f"status {status}")
    entries = found.get("JournalEntry", [])
    return Kept(str(entries[0]["Id"])) if entries else NotThere()


def accounts_answer(
    status: int, headers: Mapping[str, str], body: bytes
) -> tuple[Account, ...] | Refused | Later | SignedOut:
    """Read the answer to the question for accounts."""
    if status == 401:
        return SignedOut()
    said = _read(body)
    found = said.get("QueryResponse")
    if status == 200 and isinstance(found, dict):
        return tuple(
            Account(str(one["Id"]), str(one["Name"])[:100], str(one.get("AccountType", ""))[:60])
            for one in found.get("Account", [])
        )
    if status in (400, 403, 404):
        return Refused(fault_code(said))
    return Later(_wait(headers))


def fault_code(said: Mapping[str, Any]) -> str:
    """Return the code of the first error of a fault: never its text, which may repeat what we sent."""
    try:
        return f"qbo-{int(said['Fault']['Error'][0]['code'])}"
    except (KeyError, IndexError, TypeError, ValueError):
        return "qbo-fault"


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _word(value: Any, other: str) -> str:
    return value[:40] if isinstance(value, str) and value.replace("_", "").isalpha() else other


def _wait(headers: Mapping[str, str]) -> int:
    text = headers.get("retry-after", "")
    return min(int(text), 3600) if text.isascii() and text.isdigit() else USUAL_WAIT_SECONDS
