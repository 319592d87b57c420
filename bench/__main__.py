"""
`./run bench`: the hot calls beside a bare server, and what the audit chain costs.

    ./run bench [--seconds 8] [--rounds 3] [--connections 8] [--only list,get] [--json FILE]
    ./run bench claims: a batch of 10 000 claims to a validated 837P (see `claims.py`)
    ./run bench connect: reads of a portal by the driver, beside a bare loop (see `portal.py`)
    ./run bench x12: X12 readers and writers beside the floors and the registries' libraries (see `x12/table.py`)
    ./run bench remittance: a remittance of 10,000 claims received, planned and posted (see `remittance.py`)

Each cell's answers are checked before it is timed. Windows of the bare server and of the product
take turns; a cell's figure is the median of its windows. What others burn meanwhile is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import httpx

from bench import audit_chain, claims, portal, remittance
from bench.http import load
from bench.http import store as stores
from bench.x12 import table as x12

TARGETS = {"list": 0.40, "get": 0.30, "week": 0.40, "create": 0.30, "note": 0.30}
NAMES = {
    "list": "list 50 patients", "get": "get one patient", "week": "a clinician's week",
    "create": "book an appointment", "note": "read a 2 kB note",
}  # fmt: skip
PORTS = (8951, 8952)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description=(__doc__ or "").splitlines()[1])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--only", default=",".join(load.CELLS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-worker", action="store_true", help="leave the worker (chain, relay) out")
    parser.add_argument("--chain", action="store_true", help="measure the audit chain too")
    return parser.parse_args()


def _check(cell: str, answer: httpx.Response) -> None:
    """Refuse to time wrong answers."""
    if answer.status_code not in (200, 201):
        raise SystemExit(f"bench: {cell} answers {answer.status_code}: {answer.text[:300]}")
    data = answer.json()
    size = len(answer.content)
    good = {
        "list": lambda: len(data["data"] if isinstance(data, dict) else data) == 50,
        "get": lambda: "id" in data,
        "week": lambda: len(data["data"] if isinstance(data, dict) else data) == 40,
        "create": lambda: answer.status_code == 201,
        "note": lambda: size > 2000,
    }[cell]()
    if not good:
        raise SystemExit(f"bench: {cell} is not what was asked for: {answer.text[:300]}")


def _busy() -> tuple[float, float]:
    """Return (seconds of CPU used by everybody, capacity) since boot."""
    fields = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / 100, sum(fields) / 100


def measure(options: argparse.Namespace) -> dict[str, dict[str, load.Reading]]:
    """Run every cell against both servers in turns; return the medians."""
    wrk = load.require_wrk()
    print("Filling two stores (10,000 patients, 100,000 appointments, 20,000 notes) …", flush=True)
    store = stores.build()
    cells = [cell for cell in options.only.split(",") if cell]
    windows: dict[tuple[str, str], list[load.Reading]] = {}
    granian = ("-m", "granian", "--interface", "asgi", "--workers", "1", "--no-access-log", "--log-level", "warning")
    bare = load.server(
        *granian, "--port", str(PORTS[0]), "bench.http.bare:app", port=PORTS[0], path="/patients/1",
        BARE_URL=store.bare_url,
    )  # fmt: skip
    served = {"RAPPORT_PORT": str(PORTS[1]), "RAPPORT_MODE": "demo"}
    ours = load.server("-m", "rapport", "serve", port=PORTS[1], path="/healthz", **served)
    try:
        with bare as (bare_base, bare_pid), ours as (our_base, our_pid), _worker(options) as worker_pid:
            load.walk(store, our_base)
            sides = (
                ("bare", bare_base, None, "", (bare_pid, store.database_pid)),
                ("ours", our_base, store, store.token, (our_pid, worker_pid, store.database_pid)),
            )
            for turn in range(options.rounds + 1):
                for cell in cells:
                    for side, base, known, token, pids in sides:
                        requests = load.requests_of(cell, known, turn=turn)
                        if turn == 0:
                            method, path, body = requests.pop()
                            head = {"Authorization": f"Bearer {token or 'none'}", "Idempotency-Key": "k" * 20}
                            _check(
                                cell,
                                httpx.request(
                                    method, base + path, content=body,
                                    headers=head | {"Content-Type": "application/json"},
                                ),
                            )  # fmt: skip
                        seconds = options.seconds if turn else 1
                        reading = load.run(
                            wrk, base, requests, token=token, seconds=seconds,
                            connections=options.connections, processes=pids,
                        )
                        if reading.wrong:
                            raise SystemExit(f"bench: {side} {cell}: {reading.wrong} wrong answers")
                        if turn:
                            windows.setdefault((cell, side), []).append(reading)
    finally:
        stores.stop(store)
    return {
        cell: {side: _median(windows[cell, side]) for side in ("bare", "ours")} for cell in cells
    }


def _worker(options: argparse.Namespace) -> AbstractContextManager[int]:
    return nullcontext(0) if options.no_worker else load.beside("-m", "rapport", "worker")


def _median(readings: list[load.Reading]) -> load.Reading:
    return load.Reading(
        statistics.median(r.per_second for r in readings), statistics.median(r.p50_ms for r in readings),
        statistics.median(r.p99_ms for r in readings), 0, statistics.median(r.cpu_ms for r in readings),
    )


def report(figures: dict[str, dict[str, load.Reading]]) -> None:
    """Print the table."""
    print(f"\n{'':22}{'bare/s':>8}{'ours/s':>8}{'ratio':>7}{'asked':>7}{'p50 ms':>8}{'p99 ms':>8}{'CPU ms':>8}{'bare':>7}")
    for cell, sides in figures.items():
        bare, ours = sides["bare"], sides["ours"]
        ratio = ours.per_second / bare.per_second
        print(
            f"{NAMES[cell]:22}{bare.per_second:8.0f}{ours.per_second:8.0f}{ratio:7.2f}"
            f"{TARGETS[cell]:7.2f}{ours.p50_ms:8.2f}{ours.p99_ms:8.1f}{ours.cpu_ms:8.2f}{bare.cpu_ms:7.2f}"
            f"{'' if ratio >= TARGETS[cell] else '  short'}"
        )


def main() -> int:
    """Measure and print. :return: 0 always: a figure is a finding, not a failure"""
    if sys.argv[1:2] == ["claims"]:
        return claims.main(sys.argv[2:])
    if sys.argv[1:2] == ["connect"]:
        return portal.main(sys.argv[2:])
    if sys.argv[1:2] == ["x12"]:
        return x12.main(sys.argv[2:])
    if sys.argv[1:2] == ["remittance"]:
        return remittance.main(sys.argv[2:])
    options = _arguments()
    before = _busy()
    figures = measure(options)
    after = _busy()
    report(figures)
    print(f"\nCPU busy over the whole run: {(after[0] - before[0]) / (after[1] - before[1]):.0%} of {os.cpu_count()} cores.")
    if options.json:
        options.json.write_text(
            json.dumps({c: {s: vars(r) for s, r in sides.items()} for c, sides in figures.items()}, indent=1)
        )
    if options.chain:
        sys.argv[1:] = []
        audit_chain.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
