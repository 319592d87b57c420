"""The practice at the beginning. Every figure in it can be told from its row's number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from rapport.sandbox.portal.claimfile import write_batches
from rapport.sandbox.portal.era import PAYERS, write_eras
from rapport.sandbox.portal.store import Store

_FIRST = "Ana Ben Chloe Dario Esme Femi Greta Hugo Inés Jonas Kaya Liam Mira Noah Oona Petra Quinn Rafael Sofia Tariq".split()
_LAST = "Rivera O'Brien Nakamura Schmidt Adeyemi Larsen Moreau Kowalski Haddad Okafor Silva Brandt Novák".split()
_RIGHT_TO_LEFT = (("נועה", "לוי"), ("ليلى", "حداد"))
_CITIES = (("Portland", "OR", "97205"), ("Salem", "OR", "97301"), ("Boise", "ID", "83702"))
CLINICIANS = (
    (1, "Maya", "Chen", "PhD", "1000000004"), (2, "Owen", "Hart", "LCSW", "1000000012"), (3, "Ruth", "Vega", "MD", "1000000020"),
)  # fmt: skip
WORKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
CHARGES = {"90837": 18000, "90834": 15000}
COPAY_CENTS = 2500


def fill(store: Store, *, patients: int, today: date) -> None:
    """Put a practice into an empty store: people, three weeks of appointments, notes, claims and money."""
    if store.one("SELECT id FROM clinician LIMIT 1"):
        return
    store.put_setting("today", today.isoformat())
    store.many("INSERT INTO clinician (id, first, last, credentials, npi) VALUES (?, ?, ?, ?, ?)", CLINICIANS)
    store.many(
        "INSERT INTO hours (clinician_id, weekday, starts, ends) VALUES (?, ?, '08:00', '18:00')",
        ((clinician[0], day) for clinician in CLINICIANS for day in WORKDAYS),
    )
    store.many(
        f"INSERT INTO patient VALUES ({', '.join('?' * 18)}, 1)",  # noqa: S608 - question marks
        (patient(number, today=today) for number in range(1, patients + 1)),
    )
    visits = [visit for number in range(1, patients + 1) for visit in _visits(number, today=today)]
    store.many(
        "INSERT INTO appointment (patient_id, clinician_id, code, start_at, minutes, place, status, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        visits,
    )
    _policies(store)
    _notes(store)
    _claims(store)
    write_eras(store)
    write_batches(store)
    _payments(store)


def patient(number: int, *, today: date) -> tuple[Any, ...]:
    """Return the patient with this number."""
    city, state, postal_code = _CITIES[number % 3]
    payer, prefix = PAYERS[number % 3]
    first, last = _FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)]
    if number % 29 == 17:
        first, last = _RIGHT_TO_LEFT[number % 2]
    born = date(1950 + number % 55, 1 + number % 12, 1 + number % 28)
    return (
        number, first, "J" if number % 4 == 0 else "", last, "", born.isoformat(), "FM"[number % 2],
        "Inactive" if number % 9 == 0 else "Active", 1 + number % 3, f"patient{number}@example.org",
        f"503-555-{number % 10000:04}", f"{number} Alder Court", city, state, postal_code, payer,
        f"{prefix}{number:06}" if payer else "", _made(today),
    )  # fmt: skip


def _made(today: date) -> str:
    """Return when all of it was entered: the day before, since a list shows nothing that is yet to be entered."""
    return f"{(today - timedelta(days=1)).isoformat()}T06:00:00"


def _visits(number: int, *, today: date) -> Iterable[tuple[Any, ...]]:
    """Yield a patient's weekly visits: two that took place and one to come. Nobody meets two at once."""
    clinician, turn = 1 + number % 3, number // 3
    slot = turn % 40
    monday = today - timedelta(days=today.weekday())
    for week in (-2, -1, 1):
        if turn >= 40:
            return
        day = monday + timedelta(weeks=week, days=slot // 8)
        start = datetime.combine(day, time(9 + slot % 8))
        status = "Scheduled" if week > 0 else "Completed"
        place = "Telehealth" if number % 2 else "Main office"
        made = _made(today)
        yield (
            number, clinician, "90837" if number % 2 else "90834", start.isoformat(timespec="minutes"), 50, place,
            status, made, made,
        )  # fmt: skip


def _policies(store: Store) -> None:
    store.run(
        "INSERT INTO policy (patient_id, rank, payer, payer_id, member_id, group_number, copay_cents, valid_from)"
        " SELECT id, 1, payer, substr(member_id, 1, 3) || '01', member_id, 'G' || (100 + id % 7), ?, '2026-01-01'"
        " FROM patient WHERE payer <> '' ORDER BY id",
        (COPAY_CENTS,),
    )
    store.run(
        "INSERT INTO policy (patient_id, rank, payer, payer_id, member_id, group_number, copay_cents, valid_from, valid_to, status)"
        " SELECT id, 2, 'Example Mutual', 'EXM01', 'EXM9' || printf('%05d', id), '', 0, '2025-01-01', '2025-12-31', 'Inactive'"
        " FROM patient WHERE payer <> '' AND id % 10 = 0 ORDER BY id"
    )


def _notes(store: Store) -> None:
    store.run(
        "INSERT INTO note (patient_id, clinician_id, appointment_id, type, service_on, status, signed_at, signed_by, body,"
        " created_at, updated_at)"
        " SELECT a.patient_id, a.clinician_id, a.id, CASE a.id % 7 WHEN 1 THEN 'Intake' ELSE 'Progress Note' END,"
        " substr(a.start_at, 1, 10),"
        " CASE a.id % 4 WHEN 0 THEN 'Draft' ELSE 'Signed' END,"
        " CASE a.id % 4 WHEN 0 THEN '' ELSE substr(a.start_at, 1, 10) || 'T18:30' END,"
        " CASE a.id % 4 WHEN 0 THEN '' ELSE c.first || ' ' || c.last || ', ' || c.credentials END,"
        " 'Visit ' || a.id || '. The plan of ' || substr(a.start_at, 1, 10) || ' was talked through and goes on.',"
        " a.created_at, a.updated_at"
        " FROM appointment a JOIN clinician c ON c.id = a.clinician_id WHERE a.status = 'Completed' ORDER BY a.id"
    )


def _claims(store: Store) -> None:
    """One claim for each visit that was held by somebody who is insured, with one line."""
    store.run(
        "INSERT INTO claim (number, patient_id, clinician_id, appointment_id, payer, payer_id, member_id, service_on,"
        " charge_cents, paid_cents, status, submitted_at, submissions, updated_at)"
        " SELECT 'FB' || printf('%06d', a.id), a.patient_id, a.clinician_id, a.id, p.payer, substr(p.member_id, 1, 3) || '01',"
        " p.member_id, substr(a.start_at, 1, 10), CASE a.code WHEN '90837' THEN ? ELSE ? END, 0,"
        " CASE a.id % 5 WHEN 0 THEN 'Ready' WHEN 1 THEN 'Submitted' WHEN 4 THEN 'Denied' ELSE 'Paid' END,"
        " CASE a.id % 5 WHEN 0 THEN '' ELSE substr(a.start_at, 1, 10) || 'T19:00' END, a.id % 5 > 0, a.updated_at"
        " FROM appointment a JOIN patient p ON p.id = a.patient_id"
        " WHERE a.status = 'Completed' AND p.payer <> '' ORDER BY a.id",
        (CHARGES["90837"], CHARGES["90834"]),
    )
    store.run(
        "UPDATE claim SET paid_cents = charge_cents * 4 / 5 - ? WHERE status = 'Paid'", (COPAY_CENTS,)
    )
    store.run(
        "INSERT INTO claim_line (claim_id, code, units, charge_cents, paid_cents)"
        " SELECT c.id, a.code, 1, c.charge_cents, c.paid_cents FROM claim c JOIN appointment a ON a.id = c.appointment_id"
        " ORDER BY c.id"
    )


def _payments(store: Store) -> None:
    """What the insurer paid for each claim, and the copay that was paid by card."""
    columns = "(patient_id, claim_id, era_id, received_on, source, method, amount_cents, status, updated_at)"
    store.run(
        f"INSERT INTO payment {columns} SELECT c.patient_id, c.id, c.era_id, e.paid_on, 'Insurance', 'EFT', c.paid_cents,"  # noqa: S608
        " 'Posted', c.updated_at FROM claim c JOIN era e ON e.id = c.era_id WHERE c.paid_cents > 0 ORDER BY c.id"
    )
    store.run(
        f"INSERT INTO payment {columns} SELECT c.patient_id, c.id, NULL, c.service_on, 'Patient', 'Card', ?,"  # noqa: S608
        " CASE c.id % 9 WHEN 3 THEN 'Voided' ELSE 'Posted' END, c.updated_at FROM claim c WHERE c.status = 'Paid' ORDER BY c.id",
        (COPAY_CENTS,),
    )
