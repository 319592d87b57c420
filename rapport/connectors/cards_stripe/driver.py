"""Talks to Stripe. All the network there is in this connector is in this file."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx

from rapport.connectors.cards_stripe import mapper
from rapport.connectors.cards_stripe.mapper import Reply
from rapport.connectors.cards_stripe.settings import VERSION, StripeSettings
from rapport.platform.net.checked import BlockedAddress, CheckedTransport
from rapport.platform.net.lookup import Resolve, system
from rapport.rooms.payments.ports import (
    CardFacts,
    ChargeAsk,
    Gone,
    InDoubt,
    Later,
    NotThere,
    PayoutFacts,
    Prepared,
    RefundAsk,
    Refused,
    Taken,
    Waiting,
)

MAX_REPLY_BYTES = 4 * 1024 * 1024
CLOCKS_APART = timedelta(minutes=10)
"""How far Stripe's clock and ours may differ when a look-up goes by time."""

T = TypeVar("T")


class _ReplyTooLong(Exception):
    """More bytes came than any answer has."""


# Raised before the request leaves: the other side cannot have seen a byte of it.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# After that nobody can tell, whatever went wrong.
_UNCLEAR = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, _ReplyTooLong)


class StripeProcessor:
    """
    Supplies `rapport.rooms.payments.ports.Processor`.

    Charges are looked up in the list of their customer, which is complete at once; Stripe's search is
    not, and by its documentation no ground for "it is not there".
    """

    def __init__(self, settings: StripeSettings, *, resolve: Resolve = system) -> None:
        """:param resolve: how names become addresses"""
        self._settings, self._resolve = settings, resolve

    def prepare_card(self, *, key: str, mark: str) -> Prepared | Refused | Later | InDoubt:
        """Make a customer without a name, and a setup intent for its card."""
        return _finish(self._prepare(key, mark))

    def read_card(self, *, setup: str) -> CardFacts | Waiting | Refused | Later:
        """Read the setup intent with its payment method."""
        answer = self._read(f"/v1/setup_intents/{_safe(setup)}", {"expand[]": "payment_method"})
        return mapper.card(answer) if isinstance(answer, dict) else answer

    def forget_card(self, *, method: str) -> Gone | Refused | Later:
        """Detach a payment method. One that is detached, or unknown, is gone as well."""
        answer = self._write(f"/v1/payment_methods/{_safe(method)}/detach", {}, key="")
        if isinstance(answer, dict):
            return Gone()
        if isinstance(answer, Refused):
            return answer if answer.code == "login-refused" else Gone()
        return answer if isinstance(answer, Later) else Later(mapper.USUAL_WAIT_SECONDS)

    def charge(self, *, ask: ChargeAsk) -> Taken | Refused | Later | InDoubt:
        """Make a payment intent and confirm it in one call, without the patient there."""
        answer = self._write(
            "/v1/payment_intents",
            {
                "amount": str(ask.cents), "currency": "usd", "customer": ask.payer,
                "payment_method": ask.method, "payment_method_types[]": "card", "off_session": "true",
                "confirm": "true", "metadata[rapport]": ask.mark,
                "expand[]": "latest_charge.balance_transaction",
            },
            key=ask.key,
        )  # fmt: skip
        return mapper.intent(answer) if isinstance(answer, dict) else answer

    def find_charge(self, *, ask: ChargeAsk) -> Taken | Refused | NotThere | InDoubt:
        """Look through the customer's payment intents for our mark."""
        found = self._find(
            "/v1/payment_intents", ask.mark,
            {
                "customer": ask.payer, "created[gte]": str(int((ask.since - CLOCKS_APART).timestamp())),
                "expand[]": "data.latest_charge.balance_transaction",
            },
        )  # fmt: skip
        return mapper.intent(found) if isinstance(found, dict) else found

    def refund(self, *, ask: RefundAsk) -> Taken | Refused | Later | InDoubt:
        """Give money of a payment intent back to its card."""
        answer = self._write(
            "/v1/refunds",
            {"payment_intent": ask.receipt, "amount": str(ask.cents), "metadata[rapport]": ask.mark},
            key=ask.key,
        )
        return mapper.refund(answer) if isinstance(answer, dict) else answer

    def find_refund(self, *, ask: RefundAsk) -> Taken | Refused | NotThere | InDoubt:
        """Look through the payment intent's refunds for our mark."""
        found = self._find("/v1/refunds", ask.mark, {"payment_intent": ask.receipt})
        return mapper.refund(found) if isinstance(found, dict) else found

    def read_payout(self, *, ref: str) -> PayoutFacts | Refused | Later:
        """Read a payout and the balance transactions that it is made of."""
        payout = self._read(f"/v1/payouts/{_safe(ref)}", {})
        if not isinstance(payout, dict):
            return payout
        lines = []
        answer = self._pages("/v1/balance_transactions", {"payout": ref, "expand[]": "data.source"})
        if not isinstance(answer, list):
            return Later(mapper.USUAL_WAIT_SECONDS) if isinstance(answer, InDoubt) else answer
        try:
            for value in answer:
                line = mapper.payout_line(value)
                if line is not None:
                    lines.append(line)
            return PayoutFacts(
                ref=str(payout["id"]), cents=int(payout["amount"]),
                arrives_on=mapper.moment(payout["arrival_date"]).date(),
                state={"paid": "paid", "failed": "failed", "canceled": "failed"}.get(str(payout["status"]), "pending"),
                lines=tuple(lines),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            return Refused("unreadable", "The processor's answer cannot be read.")

    async def _prepare(self, key: str, mark: str) -> Prepared | Refused | Later | InDoubt:
        customer = await self._ask(
            "POST", "/v1/customers", {"metadata[rapport]": mark}, key=f"{key}-customer"
        )
        if not isinstance(customer, dict):
            return customer
        payer = str(customer.get("id", ""))
        setup = await self._ask(
            "POST", "/v1/setup_intents",
            {
                "customer": payer, "usage": "off_session", "payment_method_types[]": "card",
                "metadata[rapport]": mark,
            },
            key=f"{key}-setup",
        )  # fmt: skip
        if not isinstance(setup, dict):
            return setup
        if not (payer and setup.get("id") and setup.get("client_secret")):
            return InDoubt("the reply names no setup")
        return Prepared(payer, str(setup["id"]), str(setup["client_secret"]))

    def _write(
        self, path: str, form: Mapping[str, str], *, key: str
    ) -> dict[str, Any] | Refused | Later | InDoubt:
        return _finish(self._ask("POST", path, form, key=key))

    def _read(self, path: str, query: Mapping[str, str]) -> dict[str, Any] | Refused | Later:
        answer = _finish(self._ask("GET", path, query))
        return Later(mapper.USUAL_WAIT_SECONDS) if isinstance(answer, InDoubt) else answer

    def _find(
        self, path: str, mark: str, query: Mapping[str, str]
    ) -> dict[str, Any] | Refused | NotThere | InDoubt:
        rows = self._pages(path, query)
        if isinstance(rows, Later):
            return InDoubt("the question was not answered")
        if isinstance(rows, Refused):
            # Refused was the question, not the charge: that says nothing of what became of it.
            return InDoubt(f"the question was refused ({rows.code})")
        if isinstance(rows, InDoubt):
            return rows
        for row in rows:
            marks = row.get("metadata")
            if isinstance(marks, dict) and marks.get("rapport") == mark:
                return row
        return NotThere()

    def _pages(
        self, path: str, query: Mapping[str, str]
    ) -> list[dict[str, Any]] | Refused | Later | InDoubt:
        """Return every row of a list, to its proven end."""
        rows: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = _finish(self._ask("GET", path, {**query, "limit": "100", **after}))
            if not isinstance(page, dict):
                return page
            data, more = page.get("data"), page.get("has_more")
            if not isinstance(data, list) or not isinstance(more, bool) or not all(isinstance(r, dict) for r in data):
                return InDoubt("the list cannot be read")
            rows += data
            if not more:
                return rows
            if not data or not data[-1].get("id"):
                return InDoubt("the list has no end")
            after = {"starting_after": str(data[-1]["id"])}

    async def _ask(
        self, method: str, path: str, values: Mapping[str, str], *, key: str = ""
    ) -> dict[str, Any] | Refused | Later | InDoubt:
        """One call within the total time. Keys of `values` are the API's own form fields."""
        form = urlencode(values)
        if method == "GET" and form:
            path = f"{path}?{form}"
        try:
            async with self._http() as http, asyncio.timeout(self._settings.total_seconds):
                reply = await self._reply(http, method, path, form if method == "POST" else "", key)
        except BlockedAddress:
            return Refused("address-refused", "The processor's address is not a public one.")
        except _NEVER_LEFT as problem:
            if _distrusted(problem):
                return Refused("certificate-refused", "The processor's certificate is not trusted.")
            return Later(mapper.USUAL_WAIT_SECONDS)
        except _UNCLEAR as problem:
            return InDoubt(f"no complete reply ({type(problem).__name__})")
        if not 200 <= reply.status < 300:
            return mapper.trouble(reply)
        value = mapper.record(reply)
        return value or InDoubt(f"status {reply.status} with a body that cannot be read")

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._settings.base_url,
            timeout=httpx.Timeout(self._settings.total_seconds, connect=self._settings.connect_seconds),
            follow_redirects=False,
            transport=CheckedTransport(local=self._settings.is_local, resolve=self._resolve),
        )

    async def _reply(
        self, http: httpx.AsyncClient, method: str, path: str, form: str, key: str
    ) -> Reply:
        headers = {"Authorization": f"Bearer {self._settings.secret_key}", "Stripe-Version": VERSION}
        if self._settings.account:
            headers["Stripe-Account"] = self._settings.account
        if key:
            headers["Idempotency-Key"] = key
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        content = form.encode() if method == "POST" else None
        async with http.stream(method, path, headers=headers, content=content) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_REPLY_BYTES:
                    raise _ReplyTooLong
            found = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, found, bytes(body))


def _safe(id: str) -> str:
    return quote(id, safe="")


def _distrusted(problem: BaseException | None) -> bool:
    """Whether the connection failed because of who the other side claims to be."""
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _finish(work: Coroutine[None, None, T]) -> T:
    """Run to the end on a loop of its own, whether or not the caller is inside one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
