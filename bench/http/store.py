"""
The two stores of the measurement: the product's and the bare one, on one PostgreSQL.

One of each thing is made over the API; the rest are copies of its row under other ids, names and
times, so that what is read is exactly what the services write.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PATIENTS, CLINICIANS, APPOINTMENTS, NOTES = 10_000, 50, 100_000, 20_000
MONDAY = datetime(2024, 1, 1, 16, 0, tzinfo=UTC)
"""Nine in the morning in Los Angeles on the first day that the calendars cover."""
EACH = APPOINTMENTS // CLINICIANS
WEEKS = EACH // 40
RATES = {"RAPPORT_RATE_PER_ACTOR": "100000000", "RAPPORT_RATE_PER_PRACTICE": "100000000"}


@dataclass
class Store:
    """What the load needs to know."""

    home: Path
    token: str
    bare_url: str
    patients: list[str]
    clinicians: list[str]
    notes: list[str]
    service_code: str
    location: str
    database_pid: int
    """Process id of PostgreSQL's first process."""
    cursors: list[str] = field(default_factory=list)
    """One per page of the list of patients."""


def build() -> Store:
    """Start a PostgreSQL with fsync on in a folder of its own, and fill both stores."""
    home = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    home.chmod(0o755)
    os.environ.update(
        RATES, RAPPORT_MODE="test", RAPPORT_HOME=str(home),
        DJANGO_SETTINGS_MODULE="rapport.config.settings",
    )  # fmt: skip
    for name in ("RAPPORT_DATABASE_URL", "RAPPORT_APP_DATABASE_URL"):
        os.environ.pop(name, None)
    import django

    from rapport.platform.db import bootstrap, local, migrating

    server = local.locate(home / "postgres")
    local.start(server)
    bootstrap.prepare_local(server, database="rapport")
    bootstrap.prepare_local(server, database="bare")
    django.setup()
    migrating.migrate()
    _fill_bare(server.url(local.OWNER, "bare"))
    return _fill_ours(home, server.url(local.OWNER, "bare"))


def stop(store: Store) -> None:
    """Stop the PostgreSQL and remove the folder."""
    import shutil

    from django.db import connections

    from rapport.platform.db import local

    connections.close_all()
    local.stop(local.locate(store.home / "postgres"), mode="immediate")
    shutil.rmtree(store.home, ignore_errors=True)


def _fill_bare(url: str) -> None:
    import psycopg

    from .bare import FILL, SCHEMA

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        connection.execute(
            FILL.format(
                patients=PATIENTS, clinicians=CLINICIANS, each=EACH, notes=NOTES, monday=MONDAY.isoformat()
            ).encode()
        )


def _fill_ours(home: Path, bare_url: str) -> Store:
    from django.db import connections

    from rapport.kernel.ids import type_id
    from rapport.platform.access.permissions import Permission, Role
    from tests.support import props
    from tests.support.cast import found

    house = found("Willow", "America/Los_Angeles")
    first = props.clinician(house)
    owner = house.person(
        "owner", Role.PRACTICE_ADMINISTRATOR, Role.CLINICIAN,
        clinician_id=props.uuid_of("clinician", first),
    )  # fmt: skip
    patient = props.patient(
        house, email="ana@example.org",
        address={"line1": "1 Elm", "city": "Portland", "state": "OR", "postal_code": "97205"},
    )  # fmt: skip
    code, place = props.service_code(house), props.location(house)
    visit = props.made(
        owner.post(
            "/v1/appointments",
            {
                "patient_id": patient["id"], "clinician_id": first["id"],
                "service_code": code["id"], "location_id": place["id"],
                "start_at": (MONDAY - timedelta(days=30)).isoformat(), "duration_minutes": 50,
            },
        )
    )  # fmt: skip
    note = props.made(
        owner.post(
            "/v1/clinical-notes",
            {
                "type": "progress", "appointment_id": visit["id"],
                "content": {"subjective": "x" * 1000, "plan": "y" * 1000},
            },
        )
    )  # fmt: skip
    token = house.key("owner", *Permission).token
    ids: dict[str, Any] = {
        "patient": props.uuid_of("patient", patient), "clinician": props.uuid_of("clinician", first),
        "appointment": props.uuid_of("appointment", visit), "note": props.uuid_of("clinical_note", note),
        "monday": MONDAY, "patients": PATIENTS, "clinicians": CLINICIANS, "each": EACH, "notes": NOTES,
        "practice": house.id,
    }  # fmt: skip
    with connections["owner"].cursor() as cursor:
        for statement in _COPIES:
            cursor.execute(statement, ids)
        found_ids = {}
        for kind, table in (
            ("patient", "bench_patient"), ("clinician", "bench_clinician"), ("clinical_note", "bench_note"),
        ):  # fmt: skip
            cursor.execute(f"SELECT id FROM {table} ORDER BY n")
            found_ids[kind] = [type_id(kind, row[0]) for row in cursor.fetchall()]
    assert token is not None
    return Store(
        home, token, bare_url, found_ids["patient"], found_ids["clinician"], found_ids["clinical_note"],
        code["id"], place["id"], int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]),
    )


_COPIES = (
    "SET statement_timeout = 0",
    """CREATE TEMP TABLE bench_clinician AS
    SELECT n, CASE n WHEN 0 THEN %(clinician)s ELSE gen_random_uuid() END AS id
    FROM generate_series(0, %(clinicians)s - 1) n""",
    """INSERT INTO roster_clinician SELECT (jsonb_populate_record(c, jsonb_build_object('id', b.id))).*
    FROM roster_clinician c, bench_clinician b WHERE c.id = %(clinician)s AND b.n > 0""",
    """CREATE TEMP TABLE bench_patient AS SELECT n, gen_random_uuid() AS id
    FROM generate_series(0, %(patients)s - 1) n""",
    """INSERT INTO roster_patient SELECT (jsonb_populate_record(p, jsonb_build_object(
        'id', b.id, 'first_name', 'Given' || b.n, 'last_name', 'Family' || b.n %% 997,
        'birth_on', date '1950-01-01' + b.n %% 20000))).*
    FROM roster_patient p, bench_patient b WHERE p.id = %(patient)s""",
    """INSERT INTO roster_careteam (id, practice_id, patient_id, clinician_id, since_on)
    SELECT gen_random_uuid(), %(practice)s, p.id, c.id, date '2024-01-01'
    FROM bench_patient p JOIN bench_clinician c ON c.n = p.n / (%(patients)s / %(clinicians)s)""",
    """INSERT INTO scheduling_appointment SELECT (jsonb_populate_record(a, jsonb_build_object(
        'id', gen_random_uuid(), 'clinician_id', c.id, 'patient_id', p.id, 'start_at', t.at,
        'end_at', t.at + interval '50 min'))).*
    FROM scheduling_appointment a, bench_clinician c, generate_series(0, %(each)s - 1) g(i),
    LATERAL (SELECT %(monday)s::timestamptz + i / 40 * interval '7 days' + i %% 40 / 8 * interval '1 day'
        + i %% 8 * interval '1 hour' AS at) t,
    LATERAL (SELECT c.n * (%(patients)s / %(clinicians)s) + i %% (%(patients)s / %(clinicians)s) AS m) k
    JOIN bench_patient p ON p.n = k.m
    WHERE a.id = %(appointment)s""",
    """CREATE TEMP TABLE bench_note AS SELECT n, gen_random_uuid() AS id
    FROM generate_series(0, %(notes)s - 1) n""",
    """INSERT INTO charting_clinicalnote SELECT (jsonb_populate_record(c, jsonb_build_object(
        'id', b.id, 'patient_id', p.id, 'appointment_id', NULL))).*
    FROM charting_clinicalnote c, bench_note b JOIN bench_patient p ON p.n = b.n %% %(patients)s
    WHERE c.id = %(note)s""",
    "ANALYZE",
)
