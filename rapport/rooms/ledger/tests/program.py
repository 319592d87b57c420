"""
A program of deeds on one patient's money, as data: it can be run in a process that is killed, and begun again.

Each deed has a source or an Idempotency-Key of its own, so that a program run from its beginning
does again nothing that was done.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.utils import timezone

from rapport.platform.access.scope import system_scope
from rapport.platform.db.session import entered
from rapport.rooms.ledger import services
from rapport.rooms.ledger.rules import entries as book
from rapport.rooms.ledger.tests.support import DAY
from tests.support.cast import Api

Step = list[Any]
"""`["post", kind, visit, cents]` or `["ask", path, body]`; `{3.id}` is what step 3 answered."""

_POSTS = {
    "charge": lambda source, about, cents: book.charge(
        source, DAY, about, patient_cents=cents // 3, insurance_cents=cents - cents // 3
    ),
    "paid": lambda source, about, cents: book.insurance_payment(source, DAY, about, cents=cents),
    "adjusted": lambda source, about, cents: book.contractual_adjustment(source, DAY, about, cents=cents, reason="CO-45"),
    "transferred": lambda source, about, cents: book.transfer_to_patient(source, DAY, about, cents=cents, reason="PR-2"),
}


@dataclass(frozen=True)
class Program:
    """Deeds, whose money they are about, and who does them."""

    token: str
    practice: str
    patient: str
    patient_id: str
    visits: list[str]
    steps: list[Step]

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def drawn(seed: int, length: int = 14) -> list[Step]:
    """Return deeds drawn at random; the same seed gives the same."""
    draw = random.Random(seed)
    steps: list[Step] = [["post", "charge", visit, draw.randint(3, 30_000)] for visit in range(3)]
    payments: list[int] = []
    while len(steps) < length:
        cents = draw.randint(1, 12_000)
        deed = draw.choice(["pay", "pay", "posts", "posts", "credit", "off", "refund", "move", "undo"])
        if deed == "posts":
            steps.append(["post", draw.choice(sorted(_POSTS)), draw.randrange(3), cents])
        elif deed == "pay":
            payments.append(len(steps))
            steps.append(["ask", "/v1/payments", {"patient_id": "{patient}", "amount": {"amount": cents}, "method": "cash"}])
        elif deed == "credit":
            steps.append(["ask", "/v1/patients/{patient}/apply-credit", {}])
        elif deed == "off":
            steps.append(["ask", "/v1/write-offs", {"patient_id": "{patient}", "amount": {"amount": cents}, "reason": "a program"}])
        elif payments:
            place = draw.choice(payments)
            if deed == "refund":
                steps.append(["ask", f"/v1/payments/{{{place}.id}}/refund", {"amount": {"amount": cents}, "reason": "a program"}])
            elif deed == "move":
                steps.append(["ask", f"/v1/payments/{{{place}.id}}/allocate", {}])
            else:
                steps.append(["ask", f"/v1/ledger-entries/{{{place}.entry}}/reverse", {"reason": "a program"}])
    return steps


def run(program: Program, *, forgets: bool = False) -> None:
    """
    Do every deed in order.

    :param forgets: draw new keys and sources, as a careless program would: for the control
    """
    api = Api(program.token)
    practice = UUID(program.practice)
    scope = system_scope(practice_id=practice, actor_id=practice, time_zone=ZoneInfo("UTC"))
    salt = timezone.now().isoformat() if forgets else ""
    said: dict[str, str] = {"patient": program.patient}
    for place, step in enumerate(program.steps):
        name = uuid5(UUID(program.patient_id), f"{place}{salt}")
        if step[0] == "post":
            _, kind, visit, cents = step
            about = book.About(
                UUID(program.patient_id), UUID(program.visits[visit]), service_on=DAY + timedelta(days=visit)
            )
            entry = _POSTS[kind](book.Source("era_line", name, "1"), about, cents)
            with entered(scope):
                services.post(scope=scope, entry=entry, now=timezone.now())
            continue
        _, path, body = step
        path, text = (re.sub(r"\{([\w.]+)\}", lambda m: said.get(m[1], "none"), one) for one in (path, json.dumps(body)))
        answer = api.post(path, json.loads(text), idempotency_key=name.hex).json()
        if "id" in answer:
            said[f"{place}.id"] = answer["id"]
            said[f"{place}.entry"] = next(iter(answer.get("ledger_entry_ids", ())), answer["id"])
