"""A practice, a portal, a server and a worker, each a program of its own, and what a person does over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from django.utils import timezone

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.models import Shadow, Write
from tests.connect.expected import KINDS
from tests.support.cast import House, found
from tests.support.sandbox_portal import Portal
from tests.support.server import Server

T = TypeVar("T")
PATIENTS = 36
PORTAL_ZONE = "America/Los_Angeles"


def until(
    what: str, look: Callable[[], T | bool | None], *, seconds: float = 45.0, every: float = 0.2
) -> T:
    """Look again and again until there is something; what it was is said when there never is."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen  # type: ignore[return-value]  # neither None nor a bool: it is true
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)


def rows(http: httpx.Client, what: str) -> list[dict[str, Any]]:
    """Return every row of a list, page by page."""
    found_, address = [], f"/v1/{what}?limit=100"
    while address:
        answer = http.get(address)
        assert answer.status_code == 200, answer.text
        found_ += answer.json()["data"]
        address = answer.links.get("next", {}).get("url", "")
    return found_


@dataclass
class Linked:
    """One connection of the practice, as a person sees it through the API."""

    stage: Stage
    login: str
    id: str = ""
    of: httpx.Client | None = None
    """Whose practice's administrator asks; None: the stage's own."""

    @property
    def uuid(self) -> UUID:
        return parse_type_id("connection", self.id)

    def call(self, method: str, part: str = "", body: Any = None, *, status: int = 0) -> dict[str, Any]:
        """Ask for a part of it."""
        return self.stage.call(method, f"/v1/connections/{self.id}{part}", body, status=status, of=self.of)

    def listed(self, part: str, **filters: str) -> list[dict[str, Any]]:
        """Return what belongs to it, newest first."""
        asked = "&".join(["limit=100", *(f"{name}={value}" for name, value in filters.items())])
        rows: list[dict[str, Any]] = self.call("GET", f"/{part}?{asked}")["data"]
        return rows

    def give(self, **secrets: str) -> None:
        """Give secrets; where none are named, those that the portal knows."""
        user = self.stage.portal.ready["users"][self.login]
        known = {"password": user["password"]}
        if user["factor"] == "totp":
            known["totp_seed"] = user["totp_secret"]
        self.call("POST", "/secrets", secrets or known, status=202)

    def is_in(self, *states: str) -> bool:
        """Tell whether it stands so."""
        return self.call("GET")["state"] in states

    def wait_for(self, *states: str, seconds: float = 45.0) -> None:
        """Wait until it stands so."""
        until(f"{self.login} to be {states}: {self.call('GET')['reason']}", lambda: self.is_in(*states), seconds=seconds)

    def open_matters(self) -> list[str]:
        """Return what somebody has to do."""
        return [one["matter"] for one in self.listed("attention", **{"resolved_at[exists]": "false"})]

    def runs(self, kind: str, *states: str) -> list[dict[str, Any]]:
        """Return readings of a kind that are over, newest first."""
        return self.listed("runs", kind=kind, **{"state[in]": ",".join(states or ("published", "quarantined", "refused"))})

    def refresh(self, kind: str) -> dict[str, Any]:
        """Ask for a whole reading of a kind and return it when it is over; one that was under way before does not count."""
        asked_at = timezone.now()
        until(f"room for a reading of {kind}", lambda: self._asked(kind), seconds=150, every=1)
        return until(
            f"a whole reading of {kind}",
            lambda: next(
                (
                    one for one in self.runs(kind)
                    if not one["near"] and datetime.fromisoformat(one["began_at"]) > asked_at
                ), None,
            ),
            seconds=150,  # policies take a request for each patient, and an ended session a browser
        )

    def read_everything(self) -> None:
        """Wait until every kind was read as a whole."""
        until(
            "the first whole reading of all kinds",
            lambda: all(self.runs(kind, "published") for kind in KINDS), seconds=180,
        )  # fmt: skip

    def _asked(self, kind: str) -> bool:
        answer = (self.of or self.stage.http).post(
            f"/v1/connections/{self.id}/refresh", json={"what": [kind]}, headers={"Idempotency-Key": new_uuid().hex}
        )
        assert answer.status_code in (202, 429), answer.text
        return answer.status_code == 202

    def mirrored(self, kind: str, *, gone: bool = False) -> dict[str, dict[str, Any]]:
        """Return what the mirror has of a kind, by the portal's own ids."""
        with self.stage.house.entered() as scope:
            ids = Shadow.objects.visible_to(scope).filter(
                connection_id=self.uuid, kind=kind, gone_at__isnull=not gone
            ).values_list("remote_id", flat=True)  # fmt: skip
            records = [
                queries.mirrored(scope=scope, connection_id=self.uuid, kind=kind, remote_id=id) for id in ids
            ]
        return {one.remote_id: dict(one.values) for one in records if one is not None}

    def write(self, ability: str, *, remote_id: str = "", **values: Any) -> UUID:
        """Ask for a write, as a room does."""
        with self.stage.house.entered() as scope:
            row = services.begin_write(
                scope=scope, connection_id=self.uuid, ability=ability, values=values, remote_id=remote_id,
                key=new_uuid().hex, now=timezone.now(),
            )  # fmt: skip
            return row.id

    def settled(self, write_id: UUID, *, seconds: float = 60.0) -> Write:
        """Wait until a write is settled."""

        def look() -> Write | None:
            with self.stage.house.entered() as scope:
                row = Write.objects.visible_to(scope).get(id=write_id)
            return row if row.state in ("confirmed", "conflicting", "refused", "absent") else None

        return until("a write to be settled", look, seconds=seconds)


@dataclass
class Stage:
    """All of it."""

    home: Path
    house: House = field(init=False)
    portal: Portal = field(init=False)
    server: Server = field(init=False)
    worker: subprocess.Popen[bytes] = field(init=False)
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        from rapport.config import wiring

        self.start_worker()
        try:
            self._start_rest()
        except BaseException:
            self.worker.kill()  # a worker that nobody stops does the work of tests that come after
            raise
        wiring.offer()  # this process asks for writes, as a room does

    def _start_rest(self) -> None:
        today = timezone.now().astimezone(ZoneInfo(PORTAL_ZONE)).date()
        self.portal = Portal(self.home / "portal", patients=PATIENTS, today=today.isoformat())
        self.house = found("Fern", PORTAL_ZONE)
        self.server = Server()
        self.http = self.server.client(self.house.admin.token)

    def start_worker(self, **environment: str) -> None:
        """Start the worker as an installation does."""
        self.worker = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "rapport", "worker", "--concurrency", "3"],
            env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=(self.home / "worker.log").open("ab"),
        )  # fmt: skip

    def stop(self) -> None:
        """End all of it."""
        self.worker.send_signal(signal.SIGTERM)
        try:
            self.worker.wait(20)
        except subprocess.TimeoutExpired:
            self.worker.kill()
            self.worker.wait(10)
        self.server.stop()
        self.portal.kill()

    def call(
        self, method: str, path: str, body: Any = None, *, status: int = 0, of: httpx.Client | None = None
    ) -> dict[str, Any]:
        """Ask the API as the practice's administrator."""
        answer = (of or self.http).request(method, path, json=body, headers={"Idempotency-Key": new_uuid().hex})
        assert answer.status_code == status if status else answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def link(self, login: str, **fields: Any) -> Linked:
        """Link one of the portal's users; no password is given yet."""
        made = self.call("POST", "/v1/connections", {
            "definition": "sandbox-portal", "base_url": self.portal.ready["url"],
            "identity": {"practice_code": self.portal.ready["practice_code"], "username": login},
            "consent": {
                "contract_permits_automation": True,
                "statement": "Our agreement lets us use a program with a user of its own.",
            },
        } | fields, status=201)  # fmt: skip
        return Linked(self, login, made["id"])

    def attempts(self, login: str, kind: str = "") -> list[dict[str, Any]]:
        """Return what the portal was given by somebody who wanted to sign in."""
        rows = self.portal.rows(f"attempt?login={login}")
        return [one for one in rows if not kind or one["kind"] == kind]

    def trouble(self, *script: Mapping[str, Any]) -> None:
        """Order what goes wrong from now on; nothing: all goes well again."""
        self.portal.order("PUT", "trouble", list(script))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the practice's events of a type, newest first."""
        rows: list[dict[str, Any]] = self.call("GET", f"/v1/events?type={kind}&limit=100")["data"]
        return rows
