"""
`./run bench claims`: a batch of 10 000 claims, from the practice's rows to a validated 837P that is frozen.

    ./run bench claims [--claims 10000]

One claim is made over the API; the others are copies of its rows (patient, policy, visit, signed note, claim,
line) under other ids. What is timed is what the job does: each claim looked through again, written, read back
and held to the guide, its snapshot sealed, its state moved, its history and event kept, the file sealed and
stored. CPU is this process's own (`process_time`), the database's is told beside it; memory is how much the
process grew (`ru_maxrss`) after a batch of a tenth of the size had warmed it up.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from bench import audit_chain

MOST_SECONDS = 10.0


@dataclass(frozen=True)
class Reading:
    """One batch."""

    claims: int
    cpu: float
    wall: float
    bytes: int
    grown_mb: float


def main(arguments: list[str]) -> int:
    """Fill a practice, send two batches, and print what the large one took."""
    parser = argparse.ArgumentParser(prog="./run bench claims")
    parser.add_argument("--claims", type=int, default=10_000)
    options = parser.parse_args(arguments)
    home = audit_chain.prepare()
    try:
        from rapport.platform import memory
        from tests.support.billing import Billing
        from tests.support.cast import found

        billing = Billing(found("Willow", "America/Los_Angeles"))
        first = _first(billing)
        small, large = options.claims // 10, options.claims
        _fill(billing, first, small + large)
        print(f"{small + large:,} claims of as many patients are ready.", flush=True)
        _batch(billing, small)
        memory.settle()  # as a worker does when it starts
        reading = _batch(billing, large)
        size = reading.bytes / 1e6
        print(f"batch of {reading.claims:,} claims: {reading.cpu:.2f} s CPU, {reading.wall:.2f} s by the clock")
        print(f"validated 837P of {size:.1f} MB; grown by {reading.grown_mb:.0f} MB, of which the file is {size:.0f}")
        good = reading.cpu <= MOST_SECONDS * large / 10_000
        print("within the aim" if good else f"ABOVE the aim of {MOST_SECONDS:.0f} s for 10 000")
        return 0 if good else 1
    finally:
        from django.db import connections

        from rapport.platform.db import local

        connections.close_all()
        local.stop(local.locate(home / "postgres"), mode="immediate")
        shutil.rmtree(home, ignore_errors=True)


def _first(billing: Any) -> dict[str, Any]:
    """Make one claim over the API, with a channel that sends nothing by itself."""
    from tests.support import props

    props.made(
        billing.house.biller.post(
            "/v1/channels",
            {"name": "By hand", "kind": "download",
             "settings": {"sender_id": "WILLOW", "receiver_id": "BENCH", "receiver_name": "BENCH"}},
        )
    )  # fmt: skip
    claim: dict[str, Any] = billing.claim(member_id="W000000000")
    assert claim["state"] == "validated", claim["findings"]
    return claim


def _fill(billing: Any, claim: dict[str, Any], count: int) -> None:
    """Copy everything that the claim is made from."""
    from django.db import connections

    from tests.support import props

    line = claim["lines"][0]
    ids: dict[str, Any] = {
        "practice": billing.house.id, "count": count,
        "patient": props.uuid_of("patient", claim["patient_id"]),
        "policy": props.uuid_of("insurance_policy", claim["policy_id"]),
        "visit": props.uuid_of("appointment", line["appointment_id"]),
        "note": props.uuid_of("clinical_note", line["note_id"]),
        "claim": props.uuid_of("claim", claim["id"]),
    }  # fmt: skip
    with connections["owner"].cursor() as cursor:
        for statement in _COPIES:
            cursor.execute(statement, ids)


_COPIES = (
    "SET statement_timeout = 0",
    """CREATE TEMP TABLE b AS SELECT n, gen_random_uuid() patient, gen_random_uuid() policy, gen_random_uuid() visit,
    gen_random_uuid() note, gen_random_uuid() claim FROM generate_series(1, %(count)s) n""",
    """INSERT INTO roster_patient SELECT (jsonb_populate_record(t, jsonb_build_object('id', b.patient,
    'first_name', 'Given' || b.n, 'last_name', 'Family' || b.n %% 997))).*
    FROM roster_patient t, b WHERE t.id = %(patient)s""",
    """INSERT INTO coverage_policy SELECT (jsonb_populate_record(t, jsonb_build_object('id', b.policy,
    'patient_id', b.patient, 'member_id', 'W' || lpad(b.n::text, 9, '0')))).*
    FROM coverage_policy t, b WHERE t.id = %(policy)s""",
    """INSERT INTO scheduling_appointment SELECT (jsonb_populate_record(t, jsonb_build_object('id', b.visit,
    'patient_id', b.patient, 'start_at', t.start_at - b.n * interval '1 day', 'end_at', t.end_at - b.n * interval '1 day'))).*
    FROM scheduling_appointment t, b WHERE t.id = %(visit)s""",
    """INSERT INTO charting_clinicalnote SELECT (jsonb_populate_record(t, jsonb_build_object('id', b.note,
    'patient_id', b.patient, 'appointment_id', b.visit))).*
    FROM charting_clinicalnote t, b WHERE t.id = %(note)s""",
    """INSERT INTO claims_claim SELECT (jsonb_populate_record(t, jsonb_build_object('id', b.claim,
    'patient_id', b.patient, 'policy_id', b.policy, 'control_number', 'RB' || lpad(b.n::text, 12, '0')))).*
    FROM claims_claim t, b WHERE t.id = %(claim)s""",
    """INSERT INTO claims_claimline SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(),
    'claim_id', b.claim, 'appointment_id', b.visit, 'note_id', b.note,
    'control_number', 'LB' || lpad(b.n::text, 12, '0')))).*
    FROM claims_claimline t, b WHERE t.claim_id = %(claim)s""",
    "ANALYZE",
)


def _batch(billing: Any, count: int) -> Reading:
    """Send one batch of so many, and measure the job."""
    from django.utils import timezone

    from rapport.kernel.ids import parse_type_id
    from rapport.rooms.claims import jobs
    from rapport.rooms.claims.queries import batches as files
    from rapport.rooms.claims.services import batches

    before_most, batches.MOST = batches.MOST, count
    asked = billing.batch()
    batches.MOST = before_most
    id = parse_type_id("claim_batch", asked["id"])
    assert isinstance(id, UUID)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.monotonic(), time.process_time()
    jobs.make_batch(scope=billing.house.scope, claim_batch_id=id)
    cpu, wall = time.process_time() - cpu, time.monotonic() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    with billing.house.entered() as scope:
        batch = files.get_batch(scope=scope, claim_batch_id=id)
        submission = files.submission_of_batch(scope=scope, batch=batch)
    if batch.included != count or submission is None:
        raise SystemExit(f"bench: {batch.included} of {count} claims are in the file")
    assert timezone.now() - batch.created_at < timedelta(hours=1)
    return Reading(count, cpu, wall, submission.size, grown)
