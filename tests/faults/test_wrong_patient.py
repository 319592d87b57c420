"""
R-52: nobody ever gets another patient's or practice's data, however connections are reused.

Eight callers of two practices read, search, write, fail and break off on one server whose threads
share connections. Every name in the store carries the practice and number of its patient, so an
answer tells by itself whether it is the right one.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest

from rapport.kernel.ids import new_uuid
from tests.faults import ROUNDS, SEED
from tests.support.cast import House
from tests.support.server import Server, servers

PATIENTS, CALLERS, SECONDS = 12, 8, 6
CANARY = re.compile(r"Canary(Willow|Aspen)x(\d+)x")


@dataclass
class Practice:
    """A practice's canaries: number -> patient's id."""

    name: str
    token: str | None
    ids: dict[int, str] = field(default_factory=dict)


def fill(house: House, name: str) -> Practice:
    practice = Practice(name, house.scheduler.token)
    for number in range(PATIENTS):
        answer = house.scheduler.post(
            "/v1/patients",
            {"name": {"first": "A", "last": f"Canary{name}x{number}x"}, "birth_on": "1990-01-01", "sex": "unknown"},
        )  # fmt: skip
        assert answer.status_code == 201, answer.content
        practice.ids[number] = answer.json()["id"]
    return practice


def wrong(text: str, practice: Practice, number: int | None) -> list[str]:
    """Return the canaries in an answer that its caller should not have got."""
    return [
        found.group(0)
        for found in CANARY.finditer(text)
        if found.group(1) != practice.name or (number is not None and int(found.group(2)) != number)
    ]


def one_call(client: httpx.Client, practice: Practice, draw: random.Random) -> tuple[str, httpx.Response, int | None]:
    """Do something; return what, the answer, and which patient alone it may speak of."""
    number = draw.randrange(PATIENTS)
    id = practice.ids[number]
    what = draw.choice(["read", "read", "list", "search", "missing", "broken", "stale", "write", "refused"])
    key = {"Idempotency-Key": new_uuid().hex}
    if what == "read":
        return what, client.get(f"/v1/patients/{id}"), number
    if what == "list":
        return what, client.get("/v1/patients?limit=100"), None
    if what == "search":
        return what, client.post("/v1/patients/search", json={"name": f"Canary{practice.name}x{number}x"}), number
    if what == "missing":
        return what, client.get("/v1/patients/pat_01h455vb4pex5vsknk084sn02q"), number
    if what == "broken":
        return what, client.post("/v1/patients", content=b'{"name":', headers=key), number
    if what == "stale":
        return what, client.patch(f"/v1/patients/{id}", json={}, headers={"If-Match": '"9-zzzzzzz"'}), number
    if what == "refused":
        return what, client.get("/v1/audit-events"), number
    seen = client.get(f"/v1/patients/{id}")
    body = {"email": f"p{draw.randrange(1000)}@example.org"}
    return what, client.patch(f"/v1/patients/{id}", json=body, headers={"If-Match": seen.headers["ETag"]}), number


def soak(server: Server, practices: list[Practice], *, seconds: float) -> tuple[Counter[str], list[str]]:
    """Call for so long. Return what was answered, and every wrong canary."""
    done: Counter[str] = Counter()
    faults: list[str] = []
    end = time.monotonic() + seconds

    def caller(place: int) -> None:
        draw = random.Random(SEED * 100 + place)
        practice = practices[place % len(practices)]
        with server.client(practice.token) as client:
            while time.monotonic() < end:
                what, answer, number = one_call(client, practice, draw)
                done[f"{what} {answer.status_code // 100}xx"] += 1
                faults.extend(wrong(answer.text, practice, number))
                if answer.status_code >= 500:
                    faults.append(f"{what} {answer.status_code}")

    threads = [threading.Thread(target=caller, args=(place,)) for place in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, faults


@pytest.mark.slow
def test_r52_no_answer_ever_speaks_of_somebody_elses_patient(willow: House, aspen: House) -> None:
    practices = [fill(willow, "Willow"), fill(aspen, "Aspen")]
    with servers(1, threads=4) as (server,):
        done, faults = soak(server, practices, seconds=SECONDS * ROUNDS)

    assert not faults, faults[:10]
    assert {"read 2xx", "list 2xx", "search 2xx", "write 2xx", "missing 4xx", "broken 4xx", "stale 4xx"} <= set(done)


def test_the_control_a_caller_with_the_wrong_token_is_noticed(willow: House, aspen: House) -> None:
    ours, theirs = fill(willow, "Willow"), fill(aspen, "Aspen")
    mixed_up = Practice("Willow", theirs.token, ours.ids)
    with servers(1) as (server,):
        _, faults = soak(server, [mixed_up], seconds=1)

    assert any("CanaryAspen" in fault for fault in faults)
