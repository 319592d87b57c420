"""A practice that is linked to a scripted portal, made over the API, and its workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.platform.jobs.worker import drain
from rapport.rooms.exchange import jobs, services
from rapport.rooms.exchange.models import Connection, Write
from tests.support import props
from tests.support.cast import Api, House
from tests.support.portal import PASSWORD, ScriptedPortal

CONSENT = {
    "contract_permits_automation": True,
    "statement": "Our agreement lets us use a program with a user of its own.",
}


@dataclass
class Connected:
    """Willow and its portal."""

    house: House
    portal: ScriptedPortal
    id: UUID = field(default_factory=new_uuid)

    def __post_init__(self) -> None:
        jobs.supply(self.portal)

    @property
    def admin(self) -> Api:
        return self.house.admin

    @property
    def path(self) -> str:
        from rapport.kernel.ids import type_id

        return f"/v1/connections/{type_id('connection', self.id)}"

    def link(self, username: str = "rapport", **fields: Any) -> dict[str, Any]:
        """Link the account; no password is given yet."""
        body = {
            "definition": self.portal.definition, "base_url": f"http://127.0.0.1:9/{self.house.id.hex}",  # an account of its own
            "identity": {"practice_code": "WILLOW", "username": username}, "consent": CONSENT,
        }  # fmt: skip
        made = props.made(self.admin.post("/v1/connections", body | fields))
        self.id = props.uuid_of("connection", made)
        return made

    def secrets(self, password: str = PASSWORD, **further: str) -> Any:
        """Give the password."""
        return self.admin.post(f"{self.path}/secrets", {"password": password, **further})

    def start(self, **secrets: str) -> Connected:
        """Link, give the password, and let the workers sign in and read everything."""
        self.link()
        assert self.secrets(**secrets).status_code == 202
        self.work()
        return self

    def work(self) -> None:
        """Do everything that is due now."""
        drain(self.house.id)

    def read(self, part: str = "") -> dict[str, Any]:
        """Return the connection, or a part of it."""
        answer = self.admin.get(f"{self.path}{part}")
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def list(self, part: str, **filters: str) -> list[dict[str, Any]]:
        """Return what belongs to the connection."""
        asked = "&".join(["limit=100", *(f"{name}={value}" for name, value in filters.items())])
        found: list[dict[str, Any]] = self.read(f"/{part}?{asked}")["data"]
        return found

    def open_items(self) -> list[str]:
        """Return what somebody has to do."""
        items = self.admin.get(f"{self.path}/attention?resolved_at[exists]=false").json()["data"]
        return [item["matter"] for item in items]

    def sync(self, kind: str, *, near: bool = False) -> dict[str, Any]:
        """Read one kind now, and return its run."""
        from rapport.rooms.exchange.jobs.syncing import sync

        sync(scope=self.house.scope, connection_id=self.id, kind=kind, near=near)
        return self.list("runs", kind=kind)[0]

    def write(self, ability: str = "appointments.create", *, key: str = "", **values: Any) -> Write:
        """Ask for a write, as a room would."""
        body = {
            "patient": "7", "clinician": "3", "start_local": "2026-03-02T09:00:00", "duration_minutes": 60,
        } | values  # fmt: skip
        with self.house.entered() as scope:
            return services.begin_write(
                scope=scope, connection_id=self.id, ability=ability, values=body,
                key=key or new_uuid().hex, now=timezone.now(),
            )  # fmt: skip

    def settle(self, write: Write, seconds: float = 12.0) -> Write:
        """Work until a write is settled, or for so long."""
        deadline = time.monotonic() + seconds
        while True:
            self.work()
            with self.house.entered():
                write.refresh_from_db()
            done = write.state in ("confirmed", "conflicting", "refused", "absent")
            if done or time.monotonic() > deadline:
                return write
            time.sleep(0.1)

    def row(self) -> Connection:
        """Return the connection's row."""
        with self.house.entered():
            found: Connection = Connection.objects.get(practice_id=self.house.id, id=self.id)
            return found


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Do things at the same instant, each in a thread with its own link to the database."""
    gate, results = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(place: int) -> None:
        gate.wait()
        try:
            results[place] = deeds[place]()
        except Exception as error:  # noqa: BLE001 - the test looks at what each came to
            results[place] = error  # type: ignore[call-overload]
        finally:
            database.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
