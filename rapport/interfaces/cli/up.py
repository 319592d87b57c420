"""Start everything on this machine, play one visit, then serve until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

import httpx

from . import connected, demo, serve, setup, visit
from .family import Family


def register(parser: argparse.ArgumentParser) -> None:
    """How much of it to do."""
    parser.add_argument("--no-visit", action="store_true", help="do not play the visit")
    parser.add_argument("--exit", action="store_true", help="stop after the visit")


class Stopped(BaseException):
    """Somebody asked us to stop. Not an `Exception`: nothing on the way may swallow it."""


def _wait_until_ready(base_url: str, family: Family) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{base_url}/readyz", timeout=2, trust_env=False).status_code == 200:
                return
        family.tend()
        time.sleep(0.15)
    raise RuntimeError("the web server did not become ready; see the logs folder")


def _say(text: str) -> None:
    print(text, flush=True)


def _connect(plan: demo.Plan, missing: str) -> None:
    """Link the demo's connected practice. What needs a browser is left out where there is none."""
    if not demo.path().exists():
        return
    if missing:
        _say(f"Without the connected practice: {missing}.")
        return
    try:
        if connected.load_if_missing(plan, say=_say):
            _say("It is linked; the worker signs in and reads it in the background.")
    except RuntimeError as problem:
        _say(f"Without the connected practice: {problem}.")


def run(arguments: argparse.Namespace) -> int:
    """Set up, start, play, serve."""
    # The visit listens for its webhooks on this machine.
    if os.environ.get("RAPPORT_MODE", "demo") == "demo":
        os.environ.setdefault("RAPPORT_LOCAL_WEBHOOKS", "1")
    from rapport.config.environment import ENVIRONMENT

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    family = Family(ENVIRONMENT.home / "logs")
    server = None
    began = time.monotonic()
    try:
        setup.django()
        _say("Starting PostgreSQL …")
        server = setup.start_database()
        _say("Bringing the database up to date …")
        setup.migrate()
        base_url = f"http://127.0.0.1:{ENVIRONMENT.port}"
        plan = demo.plan(base_url)
        family.start("payer", demo.payer_command(plan))
        if ENVIRONMENT.mode == "demo":
            family.start("cards", demo.cards_command())
        missing = connected.missing_browser()
        if ENVIRONMENT.mode == "demo" and not missing:
            # Before the worker and ended after it: a portal that is not there looks like one that is down.
            family.start("portal", connected.portal_command())
        family.start("worker", [sys.executable, "-m", "rapport", "worker"])
        family.start("web", serve.command())
        _wait_until_ready(base_url, family)
        if demo.load_if_empty(plan, say=_say):
            demo.take_cards(base_url)
            _say(f"Loaded the demo practices; what you need to sign in is in {demo.path()}.")
        _say(f"Ready after {time.monotonic() - began:.1f} s.")
        if ENVIRONMENT.mode == "demo":
            _connect(plan, missing)
        if not arguments.no_visit:
            visit.play(say=_say)
        if arguments.exit:
            return 0
        _say(f"\nRapport is at {base_url} (docs: {base_url}/docs). Ctrl-C stops it.")
        while True:
            time.sleep(1)
            family.tend()
    except Stopped:
        _say("\nStopping …")
        return 0
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        family.stop()
        setup.stop_database(server)
