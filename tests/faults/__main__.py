"""
`./run faults [--rounds 4] [--seed N] [R-40 R-52 …]`: every fault with its control, one line each.

More rounds mean more kills, slots and seconds than in `./run test`; the seed decides the instants.
`./run faults soak [--minutes 30] [--seed N]`: a practice at work over a portal in random trouble, then the reckoning.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from tests.faults.table import FAULTS, Fault


def run(fault: Fault, *, rounds: int, seed: int) -> bool:
    """Run a fault's tests and controls in a process of their own; say how it went."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pytest", "-p", "no:warnings", *fault.tests, *fault.controls],
        env=os.environ | {
            "RAPPORT_FAULT_ROUNDS": str(rounds), "RAPPORT_FAULT_SEED": str(seed), "RAPPORT_LONG": "1"
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    good = done.returncode == 0
    seconds = time.monotonic() - started
    print(f"{fault.number}  {'held  ' if good else 'BROKEN'}  {seconds:6.1f} s  {fault.what}", flush=True)
    if not good:
        print(done.stdout[-6000:])
    return good


def soak(*, minutes: float, seed: int) -> int:
    """Run the soak and show all that it says. :return: 0: nothing was wrong"""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pytest", "-p", "no:warnings", "-s", "tests/faults/test_soak.py"],
        env=os.environ | {
            "RAPPORT_SOAK_SECONDS": str(minutes * 60), "RAPPORT_FAULT_SEED": str(seed), "RAPPORT_LONG": "1"
        },
        check=False,
    ).returncode  # fmt: skip


def main() -> int:
    """Run what was asked for. :return: 1 when a fault broke something"""
    parser = argparse.ArgumentParser(prog="./run faults", description=(__doc__ or "").splitlines()[1])
    parser.add_argument("numbers", nargs="*", help="only these, e.g. R-40; or `soak`")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--minutes", type=float, default=30, help="of the soak")
    options = parser.parse_args()
    if options.numbers == ["soak"]:
        return soak(minutes=options.minutes, seed=options.seed)
    wanted = [f for f in FAULTS if not options.numbers or f.number in options.numbers]
    print(f"{len(wanted)} faults, {options.rounds} rounds, seed {options.seed}", flush=True)
    held = [run(fault, rounds=options.rounds, seed=options.seed) for fault in wanted]
    if not options.numbers:
        long = Fault("long", "what is too long for every run", ("-m", "long"), ())
        held.append(run(long, rounds=options.rounds, seed=options.seed))
    print(f"{sum(held)} of {len(held)} held.")
    return 0 if wanted and all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
