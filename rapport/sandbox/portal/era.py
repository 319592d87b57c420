"""The remittances of the portal: what each payer paid in a week, as an 835 that balances."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from rapport.sandbox.payer.adjudicate import Adjustment, ClaimPaid, LinePaid
from rapport.sandbox.payer.era import VERSION_835, Check, Parties, write_835
from rapport.sandbox.payer.x12 import Route, write_interchange
from rapport.sandbox.portal.store import Store

PAYERS = (("Cascade Health Plan", "CHP"), ("Example Mutual", "EXM"), ("", ""))
PAYEE = ("Fernbrook Practice", "1000000038", "930000001")
"""Name, NPI and tax number of the practice."""


def write_eras(store: Store) -> None:
    """Make a remittance for each payer and week of claims that were decided, and keep its bytes."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in store.rows(
        "SELECT c.*, p.first, p.last, l.code FROM claim c JOIN patient p ON p.id = c.patient_id"
        " JOIN claim_line l ON l.claim_id = c.id WHERE c.status IN ('Paid', 'Denied') ORDER BY c.id"
    ):
        service_on = date.fromisoformat(row["service_on"])
        monday = service_on + timedelta(days=7 - service_on.weekday())
        groups.setdefault((monday.isoformat(), row["payer"]), []).append(row)
    for number, ((paid_on, payer), claims) in enumerate(sorted(groups.items()), 1):
        day = date.fromisoformat(paid_on)
        trace = f"EFT{number:07}"
        payer_id = claims[0]["payer_id"]
        check = Check(
            parties=Parties(payer, payer_id, *PAYEE, "FERNBROOK"), trace=trace, paid_on=day,
            claims=tuple(_decided(row) for row in claims), adjustments=(),
        )  # fmt: skip
        content = write_interchange(
            route=Route(("ZZ", payer_id), ("ZZ", "FERNBROOK")), control_number=number,
            at=datetime.combine(day, time(6)),
            groups_of=[("HP", VERSION_835, [write_835(check, "0001")])],
        )  # fmt: skip
        id = store.run(
            "INSERT INTO era (trace, payer, payer_id, paid_on, amount_cents, claims, status, content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (trace, payer, payer_id, paid_on, sum(row["paid_cents"] for row in claims), len(claims),
             "New" if number % 2 else "Posted", content.decode("ascii")),
        )  # fmt: skip
        store.many("UPDATE claim SET era_id = ? WHERE id = ?", [(id, row["id"]) for row in claims])


def _decided(row: dict[str, Any]) -> ClaimPaid:
    """Return a claim as its payer decided it: 80 % allowed less the copay, or denied as a whole."""
    charge, paid = _money(row["charge_cents"]), _money(row["paid_cents"])
    if row["status"] == "Denied":
        taken: tuple[Adjustment, ...] = (("CO", "197", charge),)
        allowed = None
    else:
        allowed = charge * 4 / 5
        taken = (("CO", "45", charge - allowed), ("PR", "3", allowed - paid))
    line = LinePaid(
        procedure=f"HC:{row['code']}", charge=charge, paid=paid, units="1", service_on=row["service_on"].replace("-", ""),
        control=f"L{row['id']}", adjustments=taken, allowed=allowed,
    )  # fmt: skip
    return ClaimPaid(
        number=row["number"], status="4" if row["status"] == "Denied" else "1", icn=f"ICN{row['id']:08}", place="11",
        frequency="1", filing="CI", member_id=row["member_id"], last_name=plain(row["last"], row), first_name=plain(row["first"], row), lines=(line,),
    )  # fmt: skip


def plain(name: str, row: dict[str, Any]) -> str:
    """Return a name in the letters that X12 has; of a name in another script, the number of its patient."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return folded or f"PATIENT {row['patient_id']}"


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
