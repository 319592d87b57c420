"""
A process of the product for tests that kill one: `python -m tests.support.process WHAT …`.

It works on the database of the test run, which it finds by RAPPORT_HOME.

- `worker [MODULE]`: a worker, after importing the module that registers tasks, until SIGTERM
- `relay PRACTICE`: send what is due for one practice, then end
- `send PRACTICE`: hand over the claims of one practice that wait, then end
- `batch PRACTICE BATCH N`: put a batch of claims together in sets of N, then end
- `charge PRACTICE`: carry on the charges and refunds of one practice that wait, then end
- `write PRACTICE PORTAL`: carry on the portal writes of one practice that are due, then end
- `patient TOKEN`: add a patient over the API, then end
- `era TOKEN FILE`: hand in a remittance over the API, then end
- `ledger FILE`: do a program of deeds on money (JSON) from its beginning, then end
- `books PRACTICE URL`: speak once to the books of one practice at a double of QuickBooks Online, then end
- `found`: found a practice, print a scheduler's token and an auditor's, then end
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from uuid import UUID
from zoneinfo import ZoneInfo


def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start such a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.process", *arguments],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stands_still(one: subprocess.Popen[bytes]) -> None:
    """Wait until a process stands at a crashpoint that stops it. :raises AssertionError: it ended instead"""
    for _ in range(1200):
        if os.waitid(os.P_PID, one.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        assert one.poll() is None, one.returncode
        time.sleep(0.05)
    raise AssertionError("it never stood still")


def main() -> None:
    import django

    from rapport.platform.telemetry import logs

    django.setup()
    logs.configure()
    what, *rest = sys.argv[1:]
    if what == "worker":
        from rapport.platform.jobs.worker import run_worker

        for module in rest:
            importlib.import_module(module)
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        run_worker(concurrency=2, stop_event=stop)
    elif what == "relay":
        from rapport.platform.outbox.relay import Relay

        relay = Relay(practice_id=UUID(rest[0]))
        while relay.run_once():
            pass
    elif what == "send":
        from rapport.config import wiring
        from rapport.platform.access.scope import system_scope
        from rapport.platform.db.session import entered
        from rapport.rooms.claims.jobs import send_submission
        from rapport.rooms.claims.queries import open_submissions

        wiring.connect()
        practice = UUID(rest[0])
        scope = system_scope(practice_id=practice, actor_id=practice, time_zone=ZoneInfo("UTC"))
        with entered(scope):
            found = list(open_submissions(scope=scope))
        for submission in found:
            send_submission(scope=scope, submission_id=submission.id)
    elif what == "batch":
        from rapport.kernel.ids import parse_type_id
        from rapport.platform.access.scope import system_scope
        from rapport.rooms.claims.jobs import make_batch
        from rapport.rooms.claims.services import batches

        batches.CLAIMS_A_SET = int(rest[2])
        practice, batch = UUID(rest[0]), parse_type_id("claim_batch", rest[1])
        assert batch is not None
        scope = system_scope(practice_id=practice, actor_id=practice, time_zone=ZoneInfo("UTC"))
        make_batch(scope=scope, claim_batch_id=batch)
    elif what == "charge":
        from tests.support.payments import carry_on

        carry_on(UUID(rest[0]))
    elif what == "write":
        from tests.support.portal import carry_on_writes

        carry_on_writes(UUID(rest[0]), rest[1])
    elif what == "patient":
        from rapport.rooms.roster import examples
        from tests.support.cast import Api

        Api(rest[0]).post("/v1/patients", examples.NEW_PATIENT | {"external_ids": []})
    elif what == "era":
        from pathlib import Path

        from tests.support.cast import Api

        Api(rest[0]).call(
            "POST", "/v1/era-files", raw=Path(rest[1]).read_bytes(), content_type="application/edi-x12"
        )
    elif what == "ledger":
        import json
        from pathlib import Path

        from rapport.rooms.ledger.tests.program import Program, run

        run(Program(**json.loads(Path(rest[0]).read_text())))
    elif what == "books":
        from rapport.connectors.quickbooks.driver import QuickBooks
        from rapport.connectors.quickbooks.settings import QuickBooksSettings
        from rapport.platform.access.scope import system_scope
        from rapport.rooms.accounting import jobs

        practice, url = UUID(rest[0]), rest[1]
        jobs.supply(
            QuickBooks(
                QuickBooksSettings("double-id", "double-secret", "https://rapport.example.org", api_url=url, token_url=url)
            )
        )
        jobs.sync(scope=system_scope(practice_id=practice, actor_id=practice, time_zone=ZoneInfo("UTC")))
    elif what == "found":
        from tests.support.cast import found

        house = found("Willow", "America/Los_Angeles")
        print(house.scheduler.token, house.auditor.token, flush=True)


if __name__ == "__main__":
    main()
