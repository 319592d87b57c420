"""
The double: tokens that end and are renewed, accounts, journal entries kept once for each `requestid`.

`POST /_double/script` with `{"next": ["lose-reply", "500", "429", "401"]}` says what the next entries suffer:
`lose-reply` keeps the entry and closes the connection. `GET /_double/kept` is its own account of what it has.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = ("double-id", "double-secret")
CODE = "double-code"
COMPANY = "9130350000000000"
ACCOUNTS = [
    {"Id": str(number), "Name": name, "AccountType": kind, "Active": True}
    for number, (name, kind) in enumerate(
        [
            ("Checking", "Bank"), ("Patients owe", "Other Current Asset"), ("Payers owe", "Other Current Asset"),
            ("Services", "Income"), ("Contractual adjustments", "Income"), ("Write-offs", "Expense"),
            ("Patients' credit", "Other Current Liability"), ("Payer clearing", "Other Current Liability"),
            ("Interest", "Other Income"), ("Card fees", "Expense"), ("Refunds due", "Other Current Liability"),
            ("Accounts Receivable (A/R)", "Accounts Receivable"),
        ],
        start=31,
    )
]  # fmt: skip


class Double:
    """What it has, for every thread."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.access: set[str] = set()
        self.renewal: set[str] = set()
        self.kept: list[dict[str, Any]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.script: list[str] = []
        self.asked: list[str] = []
        """Each `requestid` that came, in order."""
        self.tokens_given = 0

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Answer a call for tokens."""
        pair = "Basic " + base64.b64encode(":".join(KEY).encode()).decode()
        if not secrets.compare_digest(authorization, pair):
            return 401, {"error": "invalid_client"}
        good = (form.get("grant_type") == "authorization_code" and form.get("code") == CODE) or (
            form.get("grant_type") == "refresh_token" and form.get("refresh_token") in self.renewal
        )
        if not good:
            return 400, {"error": "invalid_grant"}
        access, renewal = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.access, self.renewal = {access}, {renewal}
        self.tokens_given += 1
        return 200, {
            "access_token": access, "refresh_token": renewal, "token_type": "bearer", "expires_in": 3600,
            "x_refresh_token_expires_in": 8726400,
        }  # fmt: skip

    def journal_entry(self, request_id: str, entry: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Keep an entry, or give the first answer again."""
        if request_id in self.answers:
            return 200, self.answers[request_id]
        total = Decimal(0)
        known = {account["Id"]: account["AccountType"] for account in ACCOUNTS}
        for line in entry["Line"]:
            detail = line["JournalEntryLineDetail"]
            kind = known.get(detail["AccountRef"]["value"])
            if kind is None:
                return 400, _fault("2500", "Invalid Reference Id")
            if kind in ("Accounts Receivable", "Accounts Payable"):
                return 400, _fault("6000", "A business validation error has occurred")
            total += line["Amount"] if detail["PostingType"] == "Debit" else -line["Amount"]
        if total:
            return 400, _fault("6000", "A business validation error has occurred")
        entry = entry | {"Id": str(227 + len(self.kept)), "SyncToken": "0"}
        self.kept.append(entry)
        self.answers[request_id] = {"JournalEntry": entry, "time": "2026-11-26T12:00:00.000-08:00"}
        return 200, self.answers[request_id]

    def query(self, text: str) -> dict[str, Any]:
        """Answer one of the questions that Rapport asks."""
        if " from Account " in text:
            return {"QueryResponse": {"Account": ACCOUNTS, "startPosition": 1, "maxResults": len(ACCOUNTS)}}
        number = re.fullmatch(r"select Id, DocNumber from JournalEntry where DocNumber = '([\w-]+)'", text)
        found = [entry for entry in self.kept if number and entry["DocNumber"] == number[1]]
        return {"QueryResponse": {"JournalEntry": found} if found else {}}


def _fault(code: str, message: str) -> dict[str, Any]:
    error = {"Message": message, "Detail": message, "code": code}
    return {"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "2026-11-26T12:00:00.000-08:00"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: Double

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, status: int, said: Any) -> None:
        body = json.dumps(said, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _inside(self) -> bool:
        if self.headers.get("Authorization", "").removeprefix("Bearer ") in self.double.access:
            return True
        self._answer(401, _fault("3200", "AuthenticationFailed") | {"warnings": None})
        return False

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        with self.double.lock:
            if parts.path == "/_double/kept":
                kept, asked, tokens = self.double.kept, self.double.asked, self.double.tokens_given
                self._answer(200, {"kept": kept, "asked": asked, "tokens_given": tokens})
            elif self._inside():
                text = parse_qs(parts.query)["query"][0]
                self._answer(200, self.double.query(text))

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        double = self.double
        with double.lock:
            if parts.path == "/_double/script":
                double.script += json.loads(body)["next"]
                self._answer(200, {})
            elif parts.path == "/_double/end-tokens":
                double.access = set()
                if json.loads(body or b"{}").get("all"):
                    double.renewal = set()
                self._answer(200, {})
            elif parts.path.endswith("/tokens/bearer"):
                form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                self._answer(*double.token(form, self.headers.get("Authorization", "")))
            elif self._inside():
                self._entry(parse_qs(parts.query)["requestid"][0], body)

    def _entry(self, request_id: str, body: bytes) -> None:
        double = self.double
        double.asked.append(request_id)
        trouble = double.script.pop(0) if double.script else ""
        if trouble.isdigit():
            self._answer(int(trouble), _fault("3001" if trouble == "429" else "10000", "not now"))
            return
        status, said = double.journal_entry(request_id, json.loads(body, parse_float=Decimal, parse_int=Decimal))
        if trouble == "lose-reply":
            self.close_connection = True
            self.connection.close()
            return
        self._answer(status, said)


def serve(port: int = 0) -> ThreadingHTTPServer:
    """Return a server on this machine's loopback that is ready to serve."""
    handler = type("Handler", (_Handler,), {"double": Double()})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)
