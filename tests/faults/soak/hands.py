"""Who works meanwhile: the front desk over the API, and people at the portal itself."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx

from rapport.kernel.ids import new_uuid
from rapport.platform.access.permissions import Role
from tests.connect.stage import PORTAL_ZONE, Stage
from tests.support import props

CODES = ("90837", "90834")
MINUTES = 50
FIRST_DAY, LAST_DAY = 16, 88
"""Days from today that the soak works on: the portal begins with none there, and all of them are read."""


def slots(today: date, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield (wall time, clinician there), each time once, in any order: whoever takes one has it alone."""
    found = [
        (f"{today + timedelta(days=day)}T{hour:02}:00", chance.choice("123"))
        for day in range(FIRST_DAY, LAST_DAY) for hour in range(6, 20)
    ]  # fmt: skip
    chance.shuffle(found)
    return iter(found)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that the desk asked for, and what it was told at once."""

    what: str
    """book, move or cancel"""
    status: int
    code: str
    """of a problem; empty: it was taken"""
    start: str
    """the wall time that was asked for"""
    remote_id: str
    write_id: str
    """of a write that was on its way still"""


@dataclass
class Desk:
    """The front desk: books, moves and cancels what it booked, and asks again where it is not sure."""

    stage: Stage
    seed: int
    pause: float
    deeds: list[Deed] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
        self._chance = random.Random(self.seed)
        self._free = slots(date.fromisoformat(self.stage.portal.today), self._chance)
        self._free_lock = threading.Lock()
        self._over = threading.Event()
        self._http = self.stage.server.client(None)
        self._http.timeout = httpx.Timeout(60)
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in, and again before what was given expires."""
        who = self.stage.house.person("desk", Role.SCHEDULER, Role.CLINICAL_ADMINISTRATOR)
        self._http.headers["Authorization"] = f"Bearer {who.token}"

    def settle_in(self) -> None:
        """Keep codes and places here; people are the portal's."""
        props.location(self.stage.house, "Main office")
        for code in CODES:
            props.service_code(self.stage.house, code)

    def rows(self, what: str) -> list[dict[str, Any]]:
        """Return every row of a list, page by page."""
        found, address = [], f"/v1/{what}?limit=100"
        while address:
            answer = self._http.get(address)
            assert answer.status_code == 200, answer.text
            found += answer.json()["data"]
            address = answer.links.get("next", {}).get("url", "")
        return found

    def take_slot(self) -> tuple[str, str]:
        """Return a wall time and a clinician that nobody else was given."""
        with self._free_lock:
            return next(self._free)

    def start(self) -> None:
        """Begin to work."""
        self._patients = [one for one in self.rows("patients") if one["status"] == "active"]
        self._clinicians = {one["source"]["remote_id"]: one["id"] for one in self.rows("clinicians") if one["source"]}
        self._thread.start()

    def _work(self) -> None:
        while not self._over.wait(self.pause * self._chance.uniform(0.5, 1.5)):
            try:
                self._one()
            except (httpx.HTTPError, AssertionError, LookupError) as problem:
                self.failed.append(f"{type(problem).__name__}: {str(problem)[:200]}")

    def stop(self) -> None:
        """Finish what is under way, and stop."""
        self._over.set()
        self._thread.join(90)

    def book(self, *, wait: bool = False) -> Deed:
        """Book something for somebody."""
        start, clinician = self.take_slot()
        body = {
            "patient_id": self._chance.choice(self._patients)["id"], "clinician_id": self._clinicians[clinician],
            "service_code": self._chance.choice(CODES), "start_local": f"{start}:00", "time_zone": PORTAL_ZONE,
            "duration_minutes": MINUTES, "telehealth": True,
        }  # fmt: skip
        return self._ask("book", "/v1/appointments", body, start, wait=wait)

    def _one(self) -> None:
        what, wait = self._chance.random(), self._chance.random() < 0.4
        if what < 0.5:
            self.book(wait=wait)
            return
        mine = [one for one in self._mine() if one["status"] == "booked"]
        if not mine:
            return
        visit = self._chance.choice(mine)
        tag = self._http.get(f"/v1/appointments/{visit['id']}").headers["ETag"]
        if what < 0.8:
            start, _ = self.take_slot()
            body = {"start_local": f"{start}:00", "time_zone": PORTAL_ZONE}
            self._ask("move", f"/v1/appointments/{visit['id']}/reschedule", body, start, tag, wait=wait)
        else:
            body = {"reason": "illness"}
            self._ask("cancel", f"/v1/appointments/{visit['id']}/cancel", body, visit["start_local"], tag, wait=wait)

    def _mine(self) -> list[dict[str, Any]]:
        first = date.fromisoformat(self.stage.portal.today) + timedelta(days=FIRST_DAY - 1)
        answer = self._http.get(f"/v1/appointments?start_at[gte]={first}T00:00:00Z&limit=100")
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    def _ask(self, what: str, path: str, body: Any, start: str, tag: str = "", *, wait: bool) -> Deed:
        head = {"Idempotency-Key": new_uuid().hex} | ({"If-Match": tag} if tag else {}) | ({"Prefer": "wait"} if wait else {})
        answer = self._http.post(path, json=body, headers=head)
        if self._chance.random() < 0.2:
            again = self._http.post(path, json=body, headers=head)  # as one whose reply was lost does
            if answer.is_success and not again.is_success:
                self.failed.append(f"{what} again: {again.status_code} {again.text[:200]}")
        told = answer.json()
        source = told.get("source") or {}
        deed = Deed(
            what, answer.status_code, told.get("code", ""), start, str(source.get("remote_id") or ""),
            (told.get("write") or {}).get("id", ""),
        )  # fmt: skip
        self.deeds.append(deed)
        return deed


@dataclass
class People:
    """People who work at the portal itself."""

    stage: Stage
    desk: Desk
    chance: random.Random
    touched: dict[str, str] = field(default_factory=dict)
    """Appointment there -> what they did last"""
    done: int = 0

    def do_something(self) -> str:
        """Add, change, cancel or remove an appointment, or give somebody another telephone. :return: what it was"""
        what = self.chance.choice(("add", "move", "cancel", "remove", "phone"))
        if what == "phone":
            number = self.chance.randint(1, 30)
            self.stage.portal.order("PATCH", f"patient/{number}", {"phone": f"503-555-{self.chance.randint(1000, 9999)}"})
        elif what == "add":
            self._add()
        else:
            self._change(what)
        self.done += 1
        return what

    def _add(self) -> None:
        start, clinician = self.desk.take_slot()
        made = self.stage.portal.order("POST", "appointment", {
            "patient_id": self.chance.randint(1, 30), "clinician_id": int(clinician), "code": CODES[0],
            "start_at": start, "minutes": MINUTES, "place": "Main office", "status": "Scheduled",
        })  # fmt: skip
        self.touched[str(made["id"])] = "add"

    def _change(self, what: str) -> None:
        """Mostly their own; now and then one that the desk works on too, so that both meet."""
        all_ = [one for one in self.stage.portal.rows("appointment") if one["status"] == "Scheduled"]
        own = [one for one in all_ if str(one["id"]) in self.touched]
        some = all_ if self.chance.random() < 0.2 else own
        if not some:
            self._add()
            return
        id = str(self.chance.choice(some)["id"])
        if what == "remove":
            self.stage.portal.order("DELETE", f"appointment/{id}")
        else:
            values = {"status": "Cancelled"} if what == "cancel" else {"start_at": self.desk.take_slot()[0]}
            self.stage.portal.order("PATCH", f"appointment/{id}", values)
        self.touched[id] = what
