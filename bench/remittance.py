"""
`./run bench remittance`: an 835 of 10,000 claims and 30,000 lines received, planned and posted; and once more.

    ./run bench remittance [--claims 10000] [--json FILE]

The practice has the claims, as accepted by the payer, with three services each. The file is written by the sandbox
payer's hand; two thirds of the services leave something to the patient, one claim in sixteen is denied. Times are of
the service call, commit included; the work of our process and of its PostgreSQL backend is shown beside, since where
others use the machine only that says much.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ASKED_SECONDS = 15
CODES = ("90837", "90834", "90785")


@dataclass(frozen=True)
class Step:
    """What one call took."""

    name: str
    seconds: float
    cpu: float
    """Of our process."""
    database_cpu: float
    """Of its PostgreSQL backend."""
    entries: int
    """How many entries the ledger has afterwards."""


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. :return: 0 always: a figure is a finding, not a failure"""
    parser = argparse.ArgumentParser(prog="./run bench remittance", description=(__doc__ or "").splitlines()[1])
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    steps = measure(claims=options.claims)
    report(steps)
    if options.json:
        options.json.write_text(json.dumps([asdict(step) for step in steps], indent=1))
    return 0


@contextmanager
def practice() -> Iterator[Any]:
    """Start a PostgreSQL with fsync on in a folder of its own, and found a practice in it."""
    home = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    home.chmod(0o755)
    os.environ.update(RAPPORT_MODE="test", RAPPORT_HOME=str(home), DJANGO_SETTINGS_MODULE="rapport.config.settings")
    for name in ("RAPPORT_DATABASE_URL", "RAPPORT_APP_DATABASE_URL"):
        os.environ.pop(name, None)
    import shutil

    import django

    from rapport.platform.db import bootstrap, local, migrating

    server = local.locate(home / "postgres")
    local.start(server)
    try:
        bootstrap.prepare_local(server, database="rapport")
        django.setup()
        migrating.migrate()
        from tests.support.cast import found

        yield found("Willow", "America/Los_Angeles")
    finally:
        from django.db import connections

        connections.close_all()
        local.stop(server, mode="immediate")
        shutil.rmtree(home, ignore_errors=True)


def measure(*, claims: int) -> list[Step]:
    """Fill a practice, and return what each step took."""
    with practice() as house:
        from rapport.platform import memory

        print(f"Filling a practice with {claims:,} claims …", flush=True)
        data = fill(house, claims)
        memory.settle()  # as a worker and a server do when they start
        print(f"The file has {len(data) / 1e6:.1f} MB.", flush=True)
        return list(_steps(house, data))


def _steps(house: Any, data: bytes) -> Iterator[Step]:
    from django.utils import timezone

    from rapport.rooms.remittance import services

    turned = data.replace(b"*000000001*0*", b"*000000777*0*").replace(b"\n", b"")
    files: list[Any] = []

    def receive(scope: Any) -> None:
        file, new = services.receive(scope=scope, data=data, via="upload", now=timezone.now())
        assert (new, file.state) == (True, "posted"), file.findings
        files.append(file)

    def again(scope: Any) -> None:
        for copy in (data, turned):
            assert not services.receive(scope=scope, data=copy, via="upload", now=timezone.now())[1]

    def plan(scope: Any) -> None:
        assert services.plan_file(scope=scope, era_file_id=files[0].id, now=timezone.now()).stops == ()

    def post(scope: Any) -> None:
        services.post_file(scope=scope, era_file_id=files[0].id, now=timezone.now())

    def unpost(scope: Any) -> None:
        services.unpost_file(scope=scope, era_file_id=files[0].id, reason="bench", now=timezone.now())

    for name, work in (
        ("received, planned, posted", receive), ("received again, twice", again), ("posted again", post),
        ("plan of it shown", plan), ("taken back", unpost), ("planned and posted anew", post),
    ):  # fmt: skip
        yield _timed(house, name, work)


def _timed(house: Any, name: str, work: Any) -> Step:
    from django.db import connection

    with house.entered(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    before, cpu, database = time.monotonic(), time.process_time(), _cpu_of(backend)
    with house.entered() as scope:
        work(scope)
    step = (time.monotonic() - before, time.process_time() - cpu, _cpu_of(backend) - database)
    with house.entered(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_entry")
        return Step(name, *step, int(cursor.fetchone()[0]))


def _cpu_of(process: int) -> float:
    """Return the seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(house: Any, count: int) -> bytes:
    """Give a practice so many accepted claims of three services; return the payer's file about them."""
    from rapport.kernel.ids import new_uuid
    from rapport.platform.db import rows
    from rapport.rooms.claims.models import Claim, ClaimLine
    from tests.support import eras, props

    patients = [props.patient(house) for _ in range(20)]
    payer, clinician = props.payer(house), props.clinician(house, npi="1000000004")
    policies = [props.policy(house, patient, payer, member_id=f"W{n:09}") for n, patient in enumerate(patients)]
    now = datetime.now(UTC)
    claims, lines, decided = [], [], []
    for n in range(count):
        number, day = f"RB{n:08}", (now - timedelta(days=20 + n % 90)).date()
        place = n % len(patients)
        claim = Claim(
            id=new_uuid(), practice_id=house.id, patient_id=props.uuid_of("patient", patients[place]),
            clinician_id=props.uuid_of("clinician", clinician),
            policy_id=props.uuid_of("insurance_policy", policies[place]), payer_id=props.uuid_of("payer", payer),
            control_number=number, format="837p", frequency="original", rank="primary", place_of_service_code="11",
            diagnosis_codes=["F41.1"], service_from_on=day, service_to_on=day, charge_cents=33500,
            payer_claim_number="", findings=[], hold_reason="", state="accepted", state_changed_at=now,
            source_system="rapport", version=1, created_at=now, updated_at=now,
        )  # fmt: skip
        claims.append(claim)
        services, visit = [], new_uuid()
        for position, (code, charge) in enumerate(zip(CODES, (180, 135, 20), strict=True), 1):
            control = f"{number}L{position}"
            lines.append(
                ClaimLine(
                    id=new_uuid(), practice_id=house.id, claim_id=claim.id, position=position, appointment_id=visit,
                    service_on=day, service_code=code, modifiers=[], place_of_service_code="11", units=1,
                    charge_cents=charge * 100, diagnosis_pointers=[1], control_number=control, rate_rule="", live=True,
                )
            )  # fmt: skip
            said: list[eras.Reason] = [("CO", "45", charge // 5)]
            left = 0 if position == 3 else charge // 10
            if left:
                said.append(("PR", "2", left))
            paid = charge - charge // 5 - left
            if n % 16 == 0:
                said, paid = [("CO", "197", charge)], 0
            services.append(eras.service(code, charge, paid, *said, day=day.isoformat(), control=control, allowed=charge - charge // 5))
        decided.append(eras.claim(number, *services, status="1", icn=f"ICN{n:08}"))
    with house.entered():
        rows.add_many(claims)
        rows.add_many(lines)
    return eras.file(eras.check(*decided, trace="EFTBENCH", beside=[("WO", "RC1", "512.37"), ("L6", "", "-14.22")]))


def report(steps: list[Step]) -> None:
    """Print the table."""
    print(f"\n{'':28}{'seconds':>9}{'asked':>7}{'our CPU':>9}{'database':>10}{'entries':>9}")
    for number, step in enumerate(steps):
        asked = f"{ASKED_SECONDS:7}" if number == 0 else " " * 7
        print(f"{step.name:28}{step.seconds:9.2f}{asked}{step.cpu:9.2f}{step.database_cpu:10.2f}{step.entries:9,}")
