"""The account: customers, cards, charges, refunds, disputes, payouts, and what is told of them."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from rapport.sandbox.cards.cards import CARDS, TestCard

Row = dict[str, Any]
FEE_BASIS_POINTS = 290
FEE_FIXED = 30
DISPUTE_FEE = 1500


class CallRefused(Exception):
    """The answer is an error object. :ivar status: HTTP status"""

    def __init__(self, status: int, type: str, code: str = "", decline: str = "", **more: Any) -> None:
        super().__init__(code or type)
        self.status = status
        self.error: Row = {"type": type, "message": "See code."} | more
        if code:
            self.error["code"] = code
        if decline:
            self.error["decline_code"] = decline


def _said(text: str, **more: Any) -> CallRefused:
    code, _, decline = text.partition("/")
    return CallRefused(402, "card_error", code, decline or (code if code != "card_declined" else ""), **more)


class Book:
    """
    Everything that the account holds, kept in one file. Calls come from several threads.

    What it answers is what the public API documents, as far as README.md says.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / "state.json"
        self.lock = threading.RLock()
        self.rows: dict[str, dict[str, Row]] = {}
        self.keys: dict[str, Row] = {}
        self.events: list[Row] = []
        self.faults: list[Row] = []
        self.decline_next = ""
        self.webhook_url = ""
        if self._file.exists():
            kept = json.loads(self._file.read_text())
            self.rows, self.keys, self.events = kept["rows"], kept["keys"], kept["events"]
            self.webhook_url = kept.get("webhook_url", "")

    def keep(self) -> None:
        """Write everything down."""
        part = self._file.with_suffix(".part")
        kept = {"rows": self.rows, "keys": self.keys, "events": self.events, "webhook_url": self.webhook_url}
        part.write_text(json.dumps(kept))
        os.replace(part, self._file)

    def table(self, name: str) -> dict[str, Row]:
        """Return the rows of a kind, in the order they were made."""
        return self.rows.setdefault(name, {})

    def new(self, table: str, prefix: str, **values: Any) -> Row:
        """Make a row with an id of its own."""
        row = {"id": f"{prefix}_{secrets.token_hex(12)}", "created": int(time.time()), "livemode": False, **values}
        self.table(table)[row["id"]] = row
        return row

    def get(self, table: str, id: str) -> Row:
        """Return a row. :raises CallRefused: there is none"""
        if id not in self.table(table):
            raise CallRefused(404, "invalid_request_error", "resource_missing", param="id")
        return self.table(table)[id]

    def tell(self, type: str, row: Row) -> None:
        """Note an event: a webhook carries it."""
        event = {
            "id": f"evt_{secrets.token_hex(12)}", "object": "event", "type": type, "created": int(time.time()),
            "livemode": False, "api_version": "2024-06-20", "data": {"object": json.loads(json.dumps(row))},
        }  # fmt: skip
        self.events.append(event)

    # -- cards -------------------------------------------------------------------------------

    def customer(self, form: Row) -> Row:
        """Make a customer."""
        return self.new("customers", "cus", object="customer", metadata=form.get("metadata", {}))

    def setup(self, form: Row) -> Row:
        """Make a setup intent."""
        self.get("customers", str(form.get("customer", "")))
        row = self.new(
            "setup_intents", "seti", object="setup_intent", customer=form["customer"], usage="off_session",
            status="requires_payment_method", payment_method=None, last_setup_error=None,
            metadata=form.get("metadata", {}),
        )  # fmt: skip
        row["client_secret"] = f"{row['id']}_secret_{secrets.token_hex(12)}"
        return row

    def confirm_setup(self, id: str, form: Row) -> Row:
        """Do what the processor's page does once the patient has typed a card."""
        row, name = self.get("setup_intents", id), str(form.get("payment_method", ""))
        card = CARDS.get(name)
        if card is None:
            raise CallRefused(400, "invalid_request_error", "resource_missing", param="payment_method")
        if card.setup:
            refusal = _said(card.setup)
            row["last_setup_error"] = refusal.error
            self.tell("setup_intent.setup_failed", row)
            raise refusal
        method = self.new(
            "payment_methods", "pm", object="payment_method", type="card", customer=row["customer"], test_card=name,
            card={"brand": card.brand, "last4": card.last4, "exp_month": 12, "exp_year": 2034, "funding": card.funding},
        )  # fmt: skip
        row.update(status="succeeded", payment_method=method["id"])
        self.tell("setup_intent.succeeded", row)
        return row

    def detach(self, id: str) -> Row:
        """Forget a card."""
        row = self.get("payment_methods", id)
        if row["customer"] is None:
            raise CallRefused(400, "invalid_request_error", "payment_method_unexpected_state")
        row["customer"] = None
        return row

    # -- money -------------------------------------------------------------------------------

    def charge(self, form: Row) -> Row:
        """Make a payment intent and confirm it at once. :raises CallRefused: declined; the intent stays"""
        method = self.get("payment_methods", str(form.get("payment_method", "")))
        cents = _cents(form)
        if form.get("currency") != "usd" or method["customer"] != form.get("customer"):
            raise CallRefused(400, "invalid_request_error", "parameter_invalid", param="customer")
        if form.get("confirm") != "true" or form.get("off_session") != "true":
            raise CallRefused(400, "invalid_request_error", "parameter_missing", param="confirm")
        card = CARDS[method["test_card"]]
        row = self.new(
            "payment_intents", "pi", object="payment_intent", amount=cents, currency="usd",
            customer=form["customer"], payment_method=method["id"], metadata=form.get("metadata", {}),
            status="requires_payment_method", latest_charge=None, last_payment_error=None,
        )  # fmt: skip
        refusal, self.decline_next = self.decline_next or card.charge, ""
        if refusal:
            problem = _said(refusal)
            row["last_payment_error"] = dict(problem.error)
            self.tell("payment_intent.payment_failed", row)
            problem.error["payment_intent"] = dict(row)
            raise problem
        self._take(row, card)
        return row

    def _take(self, row: Row, card: TestCard) -> None:
        fee = (row["amount"] * FEE_BASIS_POINTS + 5000) // 10000 + FEE_FIXED
        charge = self.new("charges", "ch", object="charge", payment_intent=row["id"], amount=row["amount"])
        moved = self._move("charge", row["amount"], fee, charge["id"])
        charge["balance_transaction"] = moved["id"]
        row.update(status="succeeded", latest_charge=charge["id"])
        self.tell("payment_intent.succeeded", row)
        if card.then == "dispute":
            dispute = self.new(
                "disputes", "dp", object="dispute", payment_intent=row["id"], charge=charge["id"],
                amount=row["amount"], status="needs_response", reason="fraudulent",
            )  # fmt: skip
            self._move("adjustment", -row["amount"], DISPUTE_FEE, dispute["id"], category="dispute")
            self.tell("charge.dispute.created", dispute)

    def _move(self, type: str, gross: int, fee: int, source: str, category: str = "") -> Row:
        return self.new(
            "balance_transactions", "txn", object="balance_transaction", type=type, amount=gross, fee=fee,
            net=gross - fee, source=source, payout=None, reporting_category=category or type,
        )  # fmt: skip

    def refund(self, form: Row) -> Row:
        """Give money back. :raises CallRefused: more than is left"""
        intent, cents = self.get("payment_intents", str(form.get("payment_intent", ""))), _cents(form)
        before = [
            r for r in self.table("refunds").values()
            if r["payment_intent"] == intent["id"] and r["status"] != "failed"
        ]  # fmt: skip
        left = intent["amount"] - sum(r["amount"] for r in before)
        if intent["status"] != "succeeded" or cents > left:
            code = "charge_already_refunded" if left == 0 else "amount_too_large"
            raise CallRefused(400, "invalid_request_error", code, param="amount")
        row = self.new(
            "refunds", "re", object="refund", payment_intent=intent["id"], charge=intent["latest_charge"],
            amount=cents, currency="usd", status="succeeded", metadata=form.get("metadata", {}),
        )  # fmt: skip
        self._move("refund", -cents, 0, row["id"])
        self.tell("refund.created", row)
        method = self.get("payment_methods", intent["payment_method"])
        if CARDS[method["test_card"]].then == "refund_fails":
            bounced = {**row, "status": "failed", "failure_reason": "lost_or_stolen_card"}
            self.table("refunds")[row["id"]] = bounced
            self._move("refund_failure", cents, 0, row["id"])
            self.tell("refund.failed", bounced)
        return row

    def close_dispute(self, id: str, status: str) -> Row:
        """End a dispute. :param status: `won` or `lost`"""
        row = self.get("disputes", id)
        row["status"] = status
        if status == "won":
            self._move("adjustment", row["amount"], -DISPUTE_FEE, id, category="dispute_reversal")
        self.tell("charge.dispute.closed", row)
        return row

    def pay_out(self) -> Row:
        """Send the whole balance to the bank."""
        open_moves = [m for m in self.table("balance_transactions").values() if m["payout"] is None]
        total = sum(m["net"] for m in open_moves)
        row = self.new("payouts", "po", object="payout", amount=total, currency="usd", status="paid",
                       arrival_date=int(time.time()))  # fmt: skip
        open_moves.append(self._move("payout", -total, 0, row["id"]))
        for move in open_moves:
            move["payout"] = row["id"]
        self.tell("payout.paid", row)
        return row

    # -- reading -----------------------------------------------------------------------------

    def expanded(self, row: Row, wanted: list[str]) -> Row:
        """Return a row with what was asked to be put in place of ids."""
        shown = dict(row)
        shown.pop("test_card", None)
        for path in wanted:
            first, _, rest = path.partition(".")
            table = {"latest_charge": "charges", "balance_transaction": "balance_transactions",
                     "payment_method": "payment_methods", "source": ""}.get(first)  # fmt: skip
            id = shown.get(first)
            if table is None or not isinstance(id, str):
                continue
            found = next((rows[id] for rows in self.rows.values() if id in rows), None)
            if found is not None:
                shown[first] = self.expanded(found, [rest] if rest else [])
        return shown

    def page(self, table: str, query: Row, wanted: list[str]) -> Row:
        """Return a page of a list, the newest first, by its filters."""
        rows = list(reversed(self.table(table).values()))
        for name in ("customer", "payment_intent", "payout"):
            if name in query:
                rows = [row for row in rows if row.get(name) == query[name]]
        since = query.get("created", {}).get("gte")
        if since is not None:
            rows = [row for row in rows if row["created"] >= int(since)]
        if "starting_after" in query:
            ids = [row["id"] for row in rows]
            rows = rows[ids.index(query["starting_after"]) + 1 :]
        limit = min(max(int(query.get("limit", "10")), 1), 100)
        data = [self.expanded(row, [w.removeprefix("data.") for w in wanted]) for row in rows[:limit]]
        return {"object": "list", "url": f"/v1/{table}", "has_more": len(rows) > limit, "data": data}


def _cents(form: Row) -> int:
    text = str(form.get("amount", ""))
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 99_999_999):
        raise CallRefused(400, "invalid_request_error", "parameter_invalid_integer", param="amount")
    return int(text)


def signature(body: bytes, secret: str, at: int) -> str:
    """Return the header that a webhook carries: `t=…,v1=…`."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, sha256).hexdigest()}"
