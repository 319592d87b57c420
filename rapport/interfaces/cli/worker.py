"""Run jobs, deliver webhooks and look after the audit chain, until told to stop."""

from __future__ import annotations

import argparse
import signal
import threading

from . import setup


def register(parser: argparse.ArgumentParser) -> None:
    """How many jobs at once."""
    parser.add_argument("--concurrency", type=int, default=2, help="jobs at once (default 2)")


def run(arguments: argparse.Namespace) -> int:
    """Work until SIGTERM or Ctrl-C; what is under way is finished first."""
    from rapport.config import safety

    setup.django()
    setup.start_database()
    safety.refuse_if_unsafe()
    from rapport.config import wiring
    from rapport.platform.jobs.worker import run_worker

    wiring.connect()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(concurrency=arguments.concurrency, stop_event=stop)
    return 0
