"""The soak itself: trouble after trouble while everybody works, then quiet, then the reckoning."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from rapport.kernel.ids import new_uuid
from rapport.rooms.exchange.models import Breaker, SignIn, Write
from rapport.rooms.exchange.states import OPEN_WRITES
from tests.connect.expected import KINDS
from tests.connect.stage import Linked, Stage, until
from tests.faults.soak.hands import Desk, People
from tests.faults.soak.troubles import FAULTS, Fault

SIGNED_IN_SECONDS = 400.0
WELL_SECONDS = 120.0
"""How long it may take until all works again after a fault is over."""


@dataclass(frozen=True, slots=True)
class Played:
    """A fault that was played, and the trace that it left; empty: none was seen."""

    fault: Fault
    kind: str
    seconds: float
    trace: str


@dataclass
class Soak:
    """One connected practice under random trouble."""

    stage: Stage
    seed: int
    seconds: float
    desk: Desk = field(init=False)
    people: People = field(init=False)
    linked: Linked = field(init=False)
    played: list[Played] = field(default_factory=list)
    killed: int = 0
    killed_in_mid_write: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """Attention items that the administrator dealt with, by matter"""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.desk = Desk(self.stage, self.seed + 1, pause=5.0)
        self.people = People(self.stage, self.desk, random.Random(self.seed + 2))

    def begin(self) -> None:
        """Link the practice to its system of record, and wait until it was read."""
        self.desk.settle_in()
        self.linked = self.stage.link("nick", system_of_record=True)
        self.linked.give()
        self.linked.wait_for("healthy", seconds=90)
        self.linked.read_everything()
        until("the roster", lambda: len(self.desk.rows("patients")) == len(self.stage.portal.rows("patient")), seconds=60)

    def run(self) -> None:
        """Play every fault once in a random order, and again, until the time is over."""
        end = time.monotonic() + self.seconds
        signed_in_at = time.monotonic()
        self.desk.start()
        order = self._order()
        while time.monotonic() < end:
            self._play(next(order))
            for _ in range(self.chance.randint(0, 2)):
                self.people.do_something()
            if time.monotonic() - signed_in_at > SIGNED_IN_SECONDS:
                self.sign_in_again()
                signed_in_at = time.monotonic()
            self._administrate()
            time.sleep(self.chance.uniform(0.5, 2.0))
        self.desk.stop()

    def sign_in_again(self) -> None:
        """Give everybody a fresh token: one lives a quarter of an hour."""
        self.stage.house.apis.clear()
        self.stage.http.headers["Authorization"] = f"Bearer {self.stage.house.admin.token}"
        self.desk.sign_in()

    def _order(self) -> Iterator[Fault]:
        while True:
            yield from self.chance.sample(FAULTS, len(FAULTS))

    def _play(self, fault: Fault) -> None:
        # One fault at a time: what the one before it stopped is let go on first.
        self._well_again()
        kind, since, began = self.chance.choice(fault.kinds), timezone.now(), time.monotonic()
        if fault.before is not None:
            fault.before(self)
        script = fault.script(self.chance, kind)
        if script:
            self.stage.trouble(*script)
        seen = ""
        try:
            fault.stir(self, kind)
            seen = until(fault.name, lambda: fault.trace(self, kind, since), seconds=fault.seconds, every=0.5)
        except AssertionError:
            pass  # the reckoning tells which fault left none
        self.stage.trouble()
        self.played.append(Played(fault, kind, time.monotonic() - began, str(seen)))
        print(f"  {time.monotonic() - began:6.1f} s  {fault.name:34} {kind:14} {seen or 'NO TRACE'}", flush=True)

    def _well_again(self) -> None:
        """Wait until what the last fault stopped goes on; say what stands still when it does not."""
        try:
            until("the connection to be well again", lambda: self.linked.is_in("healthy"), seconds=WELL_SECONDS)
        except AssertionError as problem:
            stands = {name: self.linked.call("GET")[name] for name in ("state", "reason")}
            with self.stage.house.entered() as scope:
                open_ = Breaker.objects.visible_to(scope).filter(opened_at__isnull=False)
                breakers = [f"{one.kind} of {one.capability}, {one.reason}, {one.failures}×" for one in open_]
                tries = list(SignIn.objects.visible_to(scope).order_by("-began_at").values_list("outcome", flat=True)[:5])
            raise AssertionError(f"{problem}: {stands}, {breakers}, last sign-ins {tries}") from problem

    def refresh(self, kind: str) -> None:
        """Ask for a reading, as soon as the pace allows it."""

        def asked() -> bool:
            answer = self.stage.http.post(
                f"/v1/connections/{self.linked.id}/refresh", json={"what": [kind]},
                headers={"Idempotency-Key": new_uuid().hex},
            )  # fmt: skip
            return answer.status_code == 202

        until(f"room for a reading of {kind}", asked, seconds=40)

    def kill_worker(self) -> None:
        """kill -9."""
        self.killed += self.stage.worker.poll() is None
        self.stage.worker.kill()
        self.stage.worker.wait(20)

    def _administrate(self) -> None:
        """Do what an administrator does: look at drift, and at writes that are not there; and let an hour go by."""
        for item in self.linked.listed("attention", **{"resolved_at[exists]": "false"}):
            if item["matter"] in ("drift_breaking", "meaning_guard"):
                self.linked.call("POST", f"/attention/{item['id']}/resolve", {"outcome": "accepted"})
                self.asked[item["matter"]] += 1
        with self.stage.house.entered() as scope:
            # So many sign-ins an hour are allowed, and a soak ends more sessions than an hour does.
            SignIn.objects.visible_to(scope).filter(connection_id=self.linked.uuid, began_at__gt=timezone.now() - timedelta(hours=1)).update(
                began_at=F("began_at") - timedelta(hours=1)
            )

    def calm(self) -> None:
        """Let all of it come to rest: no trouble, a worker that lives, every write settled, all read twice."""
        self.stage.trouble()
        self.sign_in_again()
        if self.stage.worker.poll() is not None:
            self.stage.start_worker()
        until("every write to be settled", lambda: not self.open_writes(), seconds=420)
        self._administrate()
        self.linked.wait_for("healthy", seconds=240)
        for _ in range(2):  # what is gone must be missed by two whole readings
            for kind in KINDS:
                self._whole(kind)
        self._administrate()

    def _whole(self, kind: str) -> None:
        def done() -> bool:
            run = self.linked.refresh(kind)
            return bool(run["state"] == "published")

        until(f"a whole reading of {kind} that is used", done, seconds=150, every=1)

    def open_writes(self) -> int:
        """Return how many writes are not settled."""
        with self.stage.house.entered() as scope:
            return Write.objects.visible_to(scope).filter(state__in=OPEN_WRITES).count()

    def since_start(self) -> dict[str, Any]:
        """Return figures for the table."""
        with self.stage.house.entered() as scope:
            writes = Counter(Write.objects.visible_to(scope).values_list("state", flat=True))
            sign_ins = Counter(SignIn.objects.visible_to(scope).values_list("outcome", flat=True))
        return {"writes": dict(writes), "sign-ins": dict(sign_ins)}
