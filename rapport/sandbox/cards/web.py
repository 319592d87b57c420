"""The account over HTTP: form bodies in, JSON out, idempotency as documented, and trouble by script."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rapport.sandbox.cards.book import Book, CallRefused, Row, signature

FAULTS = ("drop", "429", "500", "garbage", "slow", "decline")


def read_form(text: str) -> tuple[Row, list[str]]:
    """
    Return the fields of a form (`a[b]=c` nests) and what is to be expanded.

    >>> read_form("amount=5&metadata[rapport]=x&expand[]=a.b")
    ({'amount': '5', 'metadata': {'rapport': 'x'}}, ['a.b'])
    """
    form: Row = {}
    wanted: list[str] = []
    for name, value in parse_qsl(text, keep_blank_values=True):
        nested = re.match(r"^(\w+)\[(\w*)\]$", name)
        if name == "expand[]":
            wanted.append(value)
        elif nested and nested[2]:
            form.setdefault(nested[1], {})[nested[2]] = value
        elif nested:
            form.setdefault(nested[1], []).append(value)
        else:
            form[name] = value
    return form, wanted


class Desk:
    """One account behind one port."""

    def __init__(self, book: Book, *, key: str, webhook_secret: str) -> None:
        self.book, self.key, self.webhook_secret = book, key, webhook_secret

    def answer(self, method: str, path: str, text: str, key: str) -> tuple[int, Row]:
        """Do one call. Of calls with one key the first is done, the others are told the same."""
        form, wanted = read_form(text)
        if method == "GET":
            return 200, self._read(path, form, wanted)
        print_of = sha256(f"{path}\n{text}".encode()).hexdigest()
        known = self.book.keys.get(key) if key else None
        if known is not None and known["print"] != print_of:
            raise CallRefused(400, "idempotency_error")
        if known is not None:
            return known["status"], known["body"]
        try:
            status, body = 200, self.book.expanded(self._write(path, form), wanted)
        except CallRefused as refusal:
            status, body = refusal.status, {"error": refusal.error}
        if key and status not in (400, 404):  # what was refused before work began is not kept
            self.book.keys[key] = {"print": print_of, "status": status, "body": body}
        self.book.keep()
        return status, body

    def _write(self, path: str, form: Row) -> Row:
        match path.strip("/").split("/")[1:]:
            case ["customers"]:
                return self.book.customer(form)
            case ["setup_intents"]:
                return self.book.setup(form)
            case ["setup_intents", id, "confirm"]:
                return self.book.confirm_setup(id, form)
            case ["payment_methods", id, "detach"]:
                return self.book.detach(id)
            case ["payment_intents"]:
                return self.book.charge(form)
            case ["refunds"]:
                return self.book.refund(form)
        raise CallRefused(404, "invalid_request_error", "url_invalid")

    def _read(self, path: str, query: Row, wanted: list[str]) -> Row:
        tables = ("setup_intents", "payment_methods", "payment_intents", "refunds", "disputes", "payouts",
                  "balance_transactions", "customers")  # fmt: skip
        match path.strip("/").split("/")[1:]:
            case [table] if table in tables:
                return self.book.page(table, query, wanted)
            case [table, id] if table in tables:
                return self.book.expanded(self.book.get(table, id), wanted)
        raise CallRefused(404, "invalid_request_error", "url_invalid")

    def script(self, path: str, body: Row) -> Row:
        """The test surface below `/_double/`: trouble to come, and what the account has seen."""
        book = self.book
        match path.strip("/").split("/")[1:]:
            case ["script"]:
                for fault in body["next"]:
                    if fault.get("fault") not in FAULTS:
                        raise CallRefused(400, "invalid_request_error", "no-such-fault")
                book.faults += body["next"]
                return {"waiting": len(book.faults)}
            case ["payouts"]:
                row = book.pay_out()
            case ["disputes", id]:
                row = book.close_dispute(id, body["status"])
            case ["webhook"]:
                book.webhook_url = body["url"]
                row = {"url": book.webhook_url}
            case ["notices"]:
                return {"data": [self.notice(event) for event in book.events]}
            case ["account"]:
                return self.account()
            case _:
                raise CallRefused(404, "invalid_request_error", "url_invalid")
        book.keep()
        return row

    def notice(self, event: Row) -> Row:
        """Return an event as a webhook carries it now."""
        body = json.dumps(event)
        at = int(time.time())
        return {"type": event["type"], "body": body, "signature": signature(body.encode(), self.webhook_secret, at)}

    def account(self) -> Row:
        """Return what money moved, by the caller's mark: what a test counts."""
        taken: dict[str, list[int]] = {}
        for row in self.book.table("payment_intents").values():
            if row["status"] == "succeeded":
                taken.setdefault(str(row["metadata"].get("rapport", "")), []).append(row["amount"])
        given: dict[str, list[int]] = {}
        for row in self.book.table("refunds").values():
            if row["status"] == "succeeded":
                given.setdefault(str(row["metadata"].get("rapport", "")), []).append(row["amount"])
        moves = self.book.table("balance_transactions").values()
        return {
            "taken": taken, "refunded": given, "balance": sum(m["net"] for m in moves),
            "disputes": list(self.book.table("disputes")),
        }  # fmt: skip

    def deliver(self, after: int) -> int:
        """Send the events behind a number to the webhook, until one is not taken. Return the new number."""
        with self.book.lock:
            waiting = self.book.events[after:]
        for event in waiting:
            sent = self.notice(event)
            request = urllib.request.Request(  # noqa: S310 - the operator's own address
                self.book.webhook_url, data=sent["body"].encode(), method="POST",
                headers={"Content-Type": "application/json", "Stripe-Signature": sent["signature"]},
            )  # fmt: skip
            try:
                with urllib.request.urlopen(request, timeout=10):  # noqa: S310
                    after += 1
            except (OSError, urllib.error.URLError):
                break
        return after


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    desk: Desk

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests name customers."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        target = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(size).decode() if method == "POST" else target.query
        if target.path == "/healthz":
            return self._say(200, {"status": "ok"})
        if self.headers.get("Authorization") != f"Bearer {self.desk.key}":
            return self._say(401, {"error": {"type": "invalid_request_error", "message": "No such key."}})
        try:
            if target.path.startswith("/_double/"):
                with self.desk.book.lock:
                    return self._say(200, self.desk.script(target.path, json.loads(text or "{}")))
            self._call(method, target.path, text)
        except CallRefused as refusal:
            self._say(refusal.status, {"error": refusal.error})

    def _call(self, method: str, path: str, text: str) -> None:
        fault = self._fault(method, path)
        kind, key = fault.get("fault"), self.headers.get("Idempotency-Key", "")
        if kind == "slow":
            time.sleep(float(fault.get("seconds", 1)))
        if kind == "429":
            return self._say(429, {"error": {"type": "invalid_request_error", "code": "rate_limit"}},
                             {"Retry-After": str(fault.get("seconds", 1))})  # fmt: skip
        status: int = 0
        body: Row = {}
        if fault.get("accept", True):
            with self.desk.book.lock:
                if kind == "decline":
                    self.desk.book.decline_next = str(fault["code"])
                status, body = self.desk.answer(method, path, text, key)
        if kind == "drop":
            return self._reset()
        if kind == "500":
            broken = {"error": {"type": "api_error", "message": "Something failed inside."}}
            if key:  # this, too, is what every repeat of the key is told
                print_of = sha256(f"{path}\n{text}".encode()).hexdigest()
                self.desk.book.keys[key] = {"print": print_of, "status": 500, "body": broken}
            return self._say(500, broken)
        if kind == "garbage":
            return self._raw(200, b"<!doctype html><p>We will be back soon.", {"Content-Type": "text/html"})
        self._say(status, body)

    def _fault(self, method: str, path: str) -> Row:
        with self.desk.book.lock:
            for number, fault in enumerate(self.desk.book.faults):
                if path.startswith(fault.get("path", "/v1/payment_intents")) and fault.get("method", "POST") == method:
                    return self.desk.book.faults.pop(number)
        return {}

    def _say(self, status: int, body: Row, more: dict[str, str] | None = None) -> None:
        self._raw(status, json.dumps(body).encode(), {"Content-Type": "application/json", **(more or {})})

    def _raw(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Cut the line so that the caller sees it break, not end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def serve(desk: Desk, port: int) -> ThreadingHTTPServer:
    """Listen on the loopback interface; port 0 takes a free one."""
    handler = type("BoundHandler", (Handler,), {"desk": desk})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    return server


def keep_delivering(desk: Desk, stop: threading.Event) -> None:
    """Send webhooks while there is an address for them, in order, each until it is taken."""
    sent = 0
    while not stop.wait(0.3):
        if desk.book.webhook_url:
            sent = desk.deliver(sent)
