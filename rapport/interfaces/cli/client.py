"""The public API as our own commands use it: a thin client over HTTP, nothing else."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import pyotp


class CallFailed(RuntimeError):
    """A call was refused. Carries the problem's code and status, never a body."""

    def __init__(self, method: str, path: str, status: int, code: str, detail: str) -> None:
        super().__init__(f"{method} {path} answered {status} {code}: {detail}")
        self.status, self.code = status, code


class Caller:
    """Somebody who calls the API."""

    def __init__(self, base_url: str, token: str = "") -> None:
        self.token = token
        self.http = httpx.Client(base_url=f"{base_url}/v1", timeout=30, trust_env=False)

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        """Send a request. Every POST carries a fresh Idempotency-Key. :raises CallFailed: nobody answered"""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid.uuid4().hex)
        try:
            return self.http.request(method, path, json=body, headers=sent)
        except httpx.TransportError as error:
            raise CallFailed(method, path, 0, "no-answer", "Is it running? Start it with ./run") from error

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> Any:
        """Send a request and return the answer's JSON. :raises CallFailed: it was refused"""
        answer = self.send(method, path, body, **headers)
        if answer.status_code >= 400:
            problem = answer.json()
            errors = "; ".join(f"{e['pointer']} {e['code']}" for e in problem.get("errors", ()))
            raise CallFailed(
                method, path, answer.status_code, problem.get("code", ""), errors or problem.get("detail", "")
            )
        return answer.json() if answer.content else None

    def act(self, path: str, action: str, body: Mapping[str, Any] | None = None) -> Any:
        """Do something to an object as it is now: read its ETag, then send it as If-Match."""
        etag = self.send("GET", path).headers["ETag"]
        return self.call("POST", f"{path}/{action}", body or {}, if_match=etag)


def sign_in(base_url: str, person: Mapping[str, str]) -> Caller:
    """
    Sign in with password and authenticator.

    A code works once; when this one was used in the last seconds, wait for the next.

    :param person: `login`, `password` and `totp_secret`, as demo.json has them
    """
    caller = Caller(base_url)
    for _ in range(4):
        first = caller.send("POST", "/sessions", {"login": person["login"], "password": person["password"]})
        ticket = first.json().get("mfa_ticket", "")
        answer = caller.send(
            "POST", "/sessions/mfa",
            {"ticket": ticket, "method": "totp", "code": pyotp.TOTP(person["totp_secret"]).now()},
        )  # fmt: skip
        if answer.status_code == 201:
            caller.token = answer.json()["token"]
            return caller
        if answer.json().get("code") != "code-used":
            break
        time.sleep(31 - time.time() % 30)
    problem = answer.json()
    raise CallFailed("POST", "/sessions/mfa", answer.status_code, problem.get("code", ""), problem.get("detail", ""))
