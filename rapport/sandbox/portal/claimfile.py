"""The files in which the portal sends claims: an 837P for each payer and day, kept as it went out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rapport.sandbox.payer.x12 import Route, clean, money, segment, write_interchange
from rapport.sandbox.portal.era import PAYEE, plain
from rapport.sandbox.portal.store import Store

VERSION_837P = "005010X222A1"
SENDER = "FERNBROOK"
DIAGNOSES = ("F411", "F331", "F4310")
_CLAIMS = (
    "SELECT m.*, p.first, p.last, p.sex, p.birth_on, p.line1, p.city, p.state, p.postal_code, c.first AS by_first,"
    " c.last AS by_last, c.npi, a.place,"
    " (SELECT y.group_number FROM policy y WHERE y.patient_id = m.patient_id AND y.payer_id = m.payer_id AND y.rank = 1) AS group_number"
    " FROM claim m JOIN patient p ON p.id = m.patient_id"
    " JOIN clinician c ON c.id = m.clinician_id JOIN appointment a ON a.id = m.appointment_id"
)


def write_batches(store: Store) -> None:
    """Put every claim that was submitted into the file it went out in: one for each day and payer."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in store.rows(f"{_CLAIMS} WHERE m.submissions > 0 ORDER BY m.id"):
        groups.setdefault((row["submitted_at"], row["payer_id"]), []).append(row)
    for (sent_at, _), claims in sorted(groups.items()):
        _keep(store, claims, sent_at=sent_at)


def send(store: Store, number: int, *, sent_at: str) -> None:
    """Send one claim, in a file of its own."""
    _keep(store, store.rows(f"{_CLAIMS} WHERE m.id = ? LIMIT 1", (number,)), sent_at=sent_at)


def _keep(store: Store, claims: Sequence[dict[str, Any]], *, sent_at: str) -> None:
    with store.exclusive():
        number = store.count("SELECT coalesce(max(id), 0) + 1 FROM batch")
        content = write_837p(store, claims, number=number, at=datetime.fromisoformat(sent_at))
        store.run(
            "INSERT INTO batch (id, batch, payer, payer_id, sent_at, claims, amount_cents, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (number, f"BATCH{number:06}", claims[0]["payer"], claims[0]["payer_id"], sent_at, len(claims),
             sum(row["charge_cents"] for row in claims), content.decode("ascii")),
        )  # fmt: skip


def write_837p(store: Store, claims: Sequence[dict[str, Any]], *, number: int, at: datetime) -> bytes:
    """Return an interchange with one transaction set: the practice, and a subscriber with a claim for each row."""
    name, npi, tax_number = PAYEE
    payer, payer_id = claims[0]["payer"], claims[0]["payer_id"]
    lines = [
        segment("ST", "837", "0001", VERSION_837P),
        segment("BHT", "0019", "00", f"BATCH{number:06}", f"{at:%Y%m%d}", f"{at:%H%M}", "CH"),
        segment("NM1", "41", "2", clean(name), "", "", "", "", "46", SENDER),
        segment("PER", "IC", "BILLING OFFICE", "TE", "5035550100"),
        segment("NM1", "40", "2", clean(payer), "", "", "", "", "46", payer_id),
        segment("HL", "1", "", "20", "1"),
        segment("NM1", "85", "2", clean(name), "", "", "", "", "XX", npi),
        segment("N3", "12 FERN STREET"),
        segment("N4", "PORTLAND", "OR", "972050001"),
        segment("REF", "EI", tax_number),
    ]
    for level, row in enumerate(claims, 2):
        lines += _claim(row, store.rows("SELECT * FROM claim_line WHERE claim_id = ? ORDER BY id", (row["id"],)), level)
    return write_interchange(
        route=Route(("ZZ", SENDER), ("ZZ", payer_id)), control_number=number, at=at,
        groups_of=[("HC", VERSION_837P, [lines])],
    )  # fmt: skip


def _claim(row: dict[str, Any], services: Sequence[dict[str, Any]], level: int) -> list[str]:
    place, modifier = ("10", ":95") if row["place"] == "Telehealth" else ("11", "")
    lines = [
        segment("HL", str(level), "1", "22", "0"),
        segment("SBR", "P", "18", clean(row["group_number"] or ""), "", "", "", "", "", "CI"),
        segment("NM1", "IL", "1", clean(plain(row["last"], row)), clean(plain(row["first"], row)), "", "", "", "MI", row["member_id"]),
        segment("N3", clean(row["line1"])),
        segment("N4", clean(row["city"]), row["state"], row["postal_code"]),
        segment("DMG", "D8", row["birth_on"].replace("-", ""), row["sex"]),
        segment("NM1", "PR", "2", clean(row["payer"]), "", "", "", "", "PI", row["payer_id"]),
        segment("CLM", row["number"], _dollars(row["charge_cents"]), "", "", f"{place}:B:1", "Y", "A", "Y", "Y"),
        segment("REF", "D9", f"T{row['number']}"),
        segment("HI", f"ABK:{DIAGNOSES[row['patient_id'] % 3]}"),
        segment("NM1", "82", "1", clean(row["by_last"]), clean(row["by_first"]), "", "", "", "XX", row["npi"]),
        segment("PRV", "PE", "PXC", "103TC0700X"),
    ]
    for place_in, service in enumerate(services, 1):
        lines += [
            segment("LX", str(place_in)),
            segment("SV1", f"HC:{service['code']}{modifier}", _dollars(service["charge_cents"]), "UN", str(service["units"]), "", "", "1"),
            segment("DTP", "472", "D8", row["service_on"].replace("-", "")),
            segment("REF", "6R", f"L{service['id']}"),
        ]
    return lines


def _dollars(cents: int) -> str:
    return money(Decimal(cents).scaleb(-2))
