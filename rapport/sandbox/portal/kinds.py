# ruff: noqa: S608 - queries are put together from parts of this file
"""The lists: which columns each has, where its rows come from, and who may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RIGHTS: Mapping[str, frozenset[str]] = MappingProxyType({
    "all": frozenset(
        "patients insurance calendar book register notes staff claims submit eras payments accounts users exports".split()
    ),
    "desk": frozenset("patients insurance calendar book register staff".split()),
    "clinical": frozenset("patients calendar notes staff".split()),
    "accounts": frozenset("patients insurance claims submit eras payments accounts exports".split()),
    "admin": frozenset("staff users exports".split()),
})  # fmt: skip
"""What each role may."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One list."""

    name: str
    right: str
    columns: tuple[str, ...]
    hidden: frozenset[str]
    select: str
    order: str
    filters: Mapping[str, str]
    """Name of a parameter of the address, and the condition it stands for."""
    page: str
    """Address of the page, for its own links."""
    made_at: str = ""
    """Column that says since when a row is there, where `late_seconds` holds it back."""


_PATIENT = "p.last || ', ' || p.first AS patient"
_CLINICIAN = "c.first || ' ' || c.last AS clinician"
_DAYS = {"from": "{0} >= ?", "to": "{0} < ?"}


def _filters(day: str, **other: str) -> Mapping[str, str]:
    return MappingProxyType({name: clause.format(day) for name, clause in _DAYS.items()} | other)


_ALL = (
    Kind(
        "patients", "patients",
        ("id", "name", "birth_on", "age", "status", "clinician", "email", "phone", "insurance", "member_id", "sex", "updated", "chart"),
        frozenset({"chart"}),
        f"SELECT p.*, p.payer AS insurance, {_CLINICIAN} FROM patient p LEFT JOIN clinician c ON c.id = p.clinician_id",
        "p.id", MappingProxyType({"status": "p.status = ?", "name": "p.last || ', ' || p.first LIKE '%' || ? || '%'"}), "/patients",
    ),
    Kind(
        "appointments", "calendar",
        ("id", "start", "minutes", "patient", "clinician", "code_col", "place", "status", "updated"), frozenset(),
        f"SELECT a.*, {_PATIENT}, {_CLINICIAN} FROM appointment a JOIN patient p ON p.id = a.patient_id"
        " JOIN clinician c ON c.id = a.clinician_id",
        "a.start_at, a.id", _filters("a.start_at", patient="a.patient_id = ?", clinician="a.clinician_id = ?"), "/calendar",
        "a.created_at",
    ),
    Kind(
        "notes", "notes", ("id", "patient", "type", "service_on", "status", "signed", "clinician"), frozenset(),
        f"SELECT n.*, {_PATIENT}, {_CLINICIAN} FROM note n JOIN patient p ON p.id = n.patient_id"
        " JOIN clinician c ON c.id = n.clinician_id",
        "n.id", _filters("n.service_on", patient="n.patient_id = ?"), "/notes", "n.created_at",
    ),
    Kind(
        "staff", "staff", ("id", "name", "credentials", "npi", "status"), frozenset(),
        "SELECT c.*, '' AS middle FROM clinician c", "c.id", MappingProxyType({}), "/staff",
    ),
    Kind(
        "hours", "staff", ("id", "clinician", "weekday", "starts", "ends"), frozenset(),
        f"SELECT h.*, {_CLINICIAN} FROM hours h JOIN clinician c ON c.id = h.clinician_id", "h.id",
        MappingProxyType({"clinician": "h.clinician_id = ?"}), "/staff/hours",
    ),
    Kind(
        "policies", "insurance",
        ("id", "rank", "payer", "payer_id", "member_id", "group_number", "copay", "valid_from", "valid_to", "status"), frozenset(),
        "SELECT y.* FROM policy y", "y.rank, y.id", MappingProxyType({"patient": "y.patient_id = ?"}), "",
    ),
    Kind(
        "claims", "claims", ("id", "number", "patient", "payer", "service_on", "charge", "paid", "status", "updated"), frozenset(),
        f"SELECT m.*, {_PATIENT} FROM claim m JOIN patient p ON p.id = m.patient_id", "m.id",
        _filters("m.service_on", patient="m.patient_id = ?", status="m.status = ?"), "/billing/claims",
    ),
    Kind(
        "eras", "eras", ("id", "trace", "payer", "paid_on", "amount", "claims", "status", "file"), frozenset(),
        "SELECT e.* FROM era e", "e.id", _filters("e.paid_on"), "/billing/eras",
    ),
    Kind(
        "batches", "claims", ("id", "batch", "payer", "sent_at", "claims", "amount", "file"), frozenset(),
        "SELECT b.* FROM batch b", "b.id", _filters("b.sent_at"), "/billing/batches",
    ),
    Kind(
        "payments", "payments", ("id", "patient", "received_on", "source", "method", "amount", "status", "era"), frozenset(),
        f"SELECT y.*, {_PATIENT}, e.trace AS era FROM payment y JOIN patient p ON p.id = y.patient_id"
        " LEFT JOIN era e ON e.id = y.era_id",
        "y.id", _filters("y.received_on", patient="y.patient_id = ?"), "/billing/payments",
    ),
    Kind(
        "accounts", "accounts", ("id", "patient", "charges", "paid", "balance"), frozenset(),
        f"SELECT p.id, p.id AS patient_id, {_PATIENT},"
        " (SELECT coalesce(sum(charge_cents), 0) FROM claim WHERE patient_id = p.id) AS charges_cents,"
        " (SELECT coalesce(sum(amount_cents), 0) FROM payment WHERE patient_id = p.id AND status <> 'Voided') AS paid_cents"
        " FROM patient p",
        "p.id", MappingProxyType({"patient": "p.id = ?"}), "/accounts",
    ),
    Kind(
        "users", "users", ("login", "name", "role", "factor", "status"), frozenset(),
        "SELECT u.login AS id, u.* FROM user u", "u.login", MappingProxyType({}), "/users",
    ),
    Kind(
        "exports", "exports", ("id", "kind", "asked_at", "status", "file"), frozenset(),
        "SELECT x.*, CASE WHEN x.ready_at <= (julianday('now') - 2440587.5) * 86400 THEN 'Ready' ELSE 'Preparing' END AS status FROM export x", "x.id", MappingProxyType({"login": "x.login = ?"}), "/exports",
    ),
)  # fmt: skip
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})
GRIDS = ("patients", "appointments", "notes", "staff", "claims", "eras", "payments", "accounts", "users")
"""The lists that can be had as JSON without names."""
