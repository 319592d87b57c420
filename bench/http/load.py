"""The load: wrk with a file of requests, and what it measured."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx

from . import cpu
from . import store as s

LUA = Path(__file__).with_name("requests.lua")
BOOKINGS_FROM = datetime(2030, 1, 7, 16, 0, tzinfo=UTC)
SAMPLE = 4000
"""Different requests of a reading cell, drawn over the whole data."""
CELLS = ("list", "get", "week", "create", "note")


class NoWrk(SystemExit):
    """wrk is not installed."""


def require_wrk() -> str:
    """Return wrk's path, installing Debian's package when run by root. :raises NoWrk:"""
    if not shutil.which("wrk") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=False, stdout=subprocess.DEVNULL)
    found = shutil.which("wrk")
    if not found:
        raise NoWrk("bench: wrk is needed (Debian: apt-get install wrk)")
    return found


@dataclass(frozen=True)
class Reading:
    """What one window of load gave."""

    per_second: float
    p50_ms: float
    p99_ms: float
    wrong: int
    cpu_ms: float = 0
    """CPU of server, database and worker for one request."""


@contextmanager
def server(*command: str, port: int, path: str, **environment: str) -> Iterator[tuple[str, int]]:
    """Run a server until the block ends; yields its address and process id once it answers."""
    log = tempfile.TemporaryFile()
    process = subprocess.Popen(
        [sys.executable, *command], env=os.environ | environment, stdout=log, stderr=log
    )
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(base + path, timeout=2)
                break
            except httpx.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield base, process.pid
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def beside(*command: str) -> Iterator[int]:
    """Run a program until the block ends; yields its process id."""
    log = tempfile.TemporaryFile()
    process = subprocess.Popen([sys.executable, *command], stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def requests_of(cell: str, store: s.Store | None, *, turn: int) -> list[tuple[str, str, str]]:
    """
    Return (method, path, body) of a cell's requests, drawn with a fixed seed.

    :param store: the product's; None: the bare server's
    :param turn: number of the window; bookings of another window take other times
    """
    draw = random.Random(f"{cell}-{turn}")
    if cell == "create":
        return [_booking(store, turn * 20_000 + number) for number in range(20_000)]
    return [("GET", _read(cell, store, draw), "") for _ in range(SAMPLE)]


def _read(cell: str, store: s.Store | None, draw: random.Random) -> str:
    if cell == "get":
        n = draw.randrange(s.PATIENTS)
        return f"/v1/patients/{store.patients[n]}" if store else f"/patients/{n + 1}"
    if cell == "note":
        n = draw.randrange(s.NOTES)
        return f"/v1/clinical-notes/{store.notes[n]}" if store else f"/notes/{n + 1}"
    if cell == "week":
        first = s.MONDAY + timedelta(weeks=draw.randrange(s.WEEKS), hours=-16)
        span = [quote(at.isoformat()) for at in (first, first + timedelta(days=7))]
        n = draw.randrange(s.CLINICIANS)
        if store is None:
            return f"/appointments?clinician={n + 1}&from={span[0]}&to={span[1]}"
        return (
            f"/v1/appointments?clinician_id={store.clinicians[n]}&start_at[gte]={span[0]}"
            f"&start_at[lt]={span[1]}&limit=100"
        )
    if store is None:
        return f"/patients?after=Family{draw.randrange(900)}"
    return f"/v1/patients?limit=50&cursor={draw.choice(store.cursors)}"


def walk(store: s.Store, base: str) -> None:
    """Read the whole list once, to know the cursor of each of its pages."""
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {store.token}"}) as client:
        page = client.get("/v1/patients?limit=50").json()
        while page["next_cursor"]:
            cursor = quote(page["next_cursor"])
            page = client.get(f"/v1/patients?limit=50&cursor={cursor}").json()
            if len(page["data"]) == 50:
                store.cursors.append(cursor)


def _booking(store: s.Store | None, number: int) -> tuple[str, str, str]:
    clinician, slot = number % s.CLINICIANS, number // s.CLINICIANS
    start = (BOOKINGS_FROM + timedelta(hours=slot)).isoformat()
    patient = clinician * (s.PATIENTS // s.CLINICIANS) + slot % (s.PATIENTS // s.CLINICIANS)
    if store is None:
        body = {"clinician": clinician + 1, "patient": patient + 1, "start_at": start}
        return "POST", "/appointments", json.dumps(body)
    body = {
        "patient_id": store.patients[patient], "clinician_id": store.clinicians[clinician],
        "service_code": store.service_code, "location_id": store.location, "start_at": start,
        "duration_minutes": 50,
    }  # fmt: skip
    return "POST", "/v1/appointments", json.dumps(body)


def run(
    wrk: str, base: str, requests: list[tuple[str, str, str]], *, token: str, seconds: float,
    connections: int, processes: Sequence[int] = (),
) -> Reading:
    """
    Load a server with these requests in turn, and return what wrk measured.

    :param processes: whose CPU is counted, with all below them
    """
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        for one in requests:
            file.write("\t".join(one) + "\n")
        file.flush()
        before = cpu.burnt(processes)
        done = subprocess.run(
            [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(LUA), base, "--", file.name, token],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        used = cpu.burnt(processes) - before
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    return Reading(
        figures["requests"] / figures["seconds"], figures["p50_us"] / 1000, figures["p99_us"] / 1000,
        figures["wrong"], 1000 * used / max(1, figures["requests"]),
    )
