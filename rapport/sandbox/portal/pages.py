"""What the pages show: lists with their columns, a page at a time, and the appointment that is booked."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rapport.sandbox.portal.looks import Look, day_text, time_text
from rapport.sandbox.portal.store import Store, now_text
from rapport.sandbox.portal.trouble import Fault

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, and what the page knows beside it."""

    text: str
    code: str = ""
    link: str = ""


@dataclass(slots=True)
class Listing:
    """One page of a list."""

    heads: list[tuple[str, str]]
    """Name of the column in the page's own `data-column`, and its words."""
    rows: list[tuple[int, list[Cell]]]
    total: int
    first: int
    last: int
    next_page: int | None
    marks_empty: bool = True
    phantom: bool = False
    """The count tells one more than there is: a row for entering something new."""


_LISTS = {
    "patients": (
        "SELECT p.*, c.first || ' ' || c.last AS clinician FROM patient p"
        " LEFT JOIN clinician c ON c.id = p.clinician_id WHERE 1 = 1 {where} ORDER BY p.id",
    ),
    "appointments": (
        "SELECT a.*, p.last || ', ' || p.first AS patient, c.first || ' ' || c.last AS clinician FROM appointment a"
        " JOIN patient p ON p.id = a.patient_id JOIN clinician c ON c.id = a.clinician_id"
        " WHERE 1 = 1 {where} ORDER BY a.start_at, a.id",
    ),
    "notes": (
        "SELECT n.*, p.last || ', ' || p.first AS patient, c.first || ' ' || c.last AS clinician FROM note n"
        " JOIN patient p ON p.id = n.patient_id JOIN clinician c ON c.id = n.clinician_id"
        " WHERE 1 = 1 {where} ORDER BY n.id",
    ),
}


@dataclass
class Asked:
    """What part of a list is wanted."""

    kind: str
    page: int = 1
    where: str = ""
    values: list[Any] = field(default_factory=list)


def listing(store: Store, *, asked: Asked, look: Look, faults: list[Fault]) -> Listing:
    """Return a page of a list as this look shows it, with whatever is wrong with it today."""
    found = store.rows(_LISTS[asked.kind][0].format(where=asked.where), asked.values)
    start = (asked.page - 1) * PER_PAGE
    shown = found[start : start + PER_PAGE]
    names = list({"patients": look.patients, "appointments": look.appointments, "notes": look.notes}[asked.kind])
    ordered = {fault.name: fault.value for fault in faults}
    if "drop_column" in ordered:
        names = [name for name in names if name != ordered["drop_column"]]
    heads = [(name, look.words[name]) for name in names]
    if "rename_column" in ordered:
        heads = [(name + "_2", f"{words} (2027)") if name == ordered["rename_column"] else (name, words) for name, words in heads]
    rows = [(row["id"], [_cell(name, row, look, ordered) for name in names]) for row in shown]
    if "swap_heads" in ordered:
        one, other = (names.index(name) for name in ordered["swap_heads"].split(","))
        heads[one], heads[other] = heads[other], heads[one]
    if "extra_column" in ordered:
        heads.insert(1, ("referral", "Referral"))
        rows = [(id, [cells[0], Cell("none"), *cells[1:]]) for id, cells in rows]
    if "no_rows" in ordered:
        rows = []
    phantom = store.setting("phantom_row") == "1"
    more = start + PER_PAGE < len(found) and "no_next" not in ordered
    return Listing(
        heads=heads, rows=rows, total=len(found) + phantom, first=start + 1 if found else 0, last=start + len(shown),
        next_page=asked.page + 1 if more else None, marks_empty="no_rows" not in ordered, phantom=phantom,
    )  # fmt: skip


def _cell(name: str, row: dict[str, Any], look: Look, faults: dict[str, str]) -> Cell:
    if name in ("id", "sex", "email", "phone", "minutes", "type"):
        return Cell(str(row[name]))
    if name == "name":
        middle = f" {row['middle']}" if row["middle"] else ""
        return Cell(f"{row['last']}, {row['first']}{middle}", link=f"/patients/{row['id']}")
    if name == "status":
        status = str(row["status"])
        if "unknown_status" in faults and row["id"] % int(faults["unknown_status"] or 1) == 0:
            return Cell("Paused", code="9")
        return Cell(look.statuses.get(status, status), code=STATUS_CODES[status])
    if name in ("birth_on", "service_on"):
        return Cell(day_text(row[name], look=look, swapped="swap_days" in faults))
    if name == "start":
        return Cell(time_text(row["start_at"], look=look))
    if name == "updated":
        return Cell(time_text(row["updated_at"], look=look))
    if name == "signed":
        return Cell(time_text(row["signed_at"], look=look), code=row["signed_by"])
    if name == "insurance":
        return Cell(row["payer"])
    if name == "code_col":
        return Cell(row["code"])
    if name == "patient":
        return Cell(row["patient"], code=str(row["patient_id"]), link=f"/patients/{row['patient_id']}")
    if name == "clinician":
        return Cell(row["clinician"] or "", code=str(row["clinician_id"]))
    return Cell(str(row[name] or ""))


STATUS_CODES = {
    "Active": "01", "Inactive": "02", "Scheduled": "10", "Checked in": "11", "Completed": "12", "Cancelled": "13",
    "No show": "14", "Draft": "20", "Signed": "21",
}  # fmt: skip


class NotBooked(Exception):
    """The form cannot be kept: which controls are marked, and with which words."""

    def __init__(self, marked: dict[str, str]) -> None:
        super().__init__(str(marked))
        self.marked = marked


def book(store: Store, *, form: dict[str, str], faults: list[Fault]) -> int:
    """
    Keep an appointment as the form has it. The portal books what is asked, twice if asked twice.

    :return: its number
    :raises NotBooked: something is missing, or the clinician is taken and `allow_overlap` is off
    """
    marked: dict[str, str] = {}
    try:
        start = datetime.fromisoformat(form.get("start", ""))
        minutes = int(form.get("minutes", "") or 0)
    except ValueError:
        raise NotBooked({"start": "bad"}) from None
    for kind in ("patient", "clinician"):
        if not store.one(f"SELECT id FROM {kind} WHERE id = ?", (form.get(kind, ""),)):  # noqa: S608 - one of two words
            marked[kind] = "bad"
    if not 5 <= minutes <= 480:
        marked["minutes"] = "bad"
    if marked:
        raise NotBooked(marked)
    with store.exclusive():
        end = start + timedelta(minutes=minutes)
        for other in store.rows(
            "SELECT start_at, minutes FROM appointment WHERE clinician_id = ? AND status NOT IN ('Cancelled', 'No show')"
            " AND substr(start_at, 1, 10) = ?", (form["clinician"], start.date().isoformat()),
        ):  # fmt: skip
            begins = datetime.fromisoformat(other["start_at"])
            if begins < end and start < begins + timedelta(minutes=other["minutes"]) and store.setting("allow_overlap") != "1":
                raise NotBooked({"start": "taken"})
        if any(fault.name == "ignore_write" for fault in faults):
            return 0
        try:
            return store.run(
                "INSERT INTO appointment (patient_id, clinician_id, code, start_at, minutes, place, status, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?, 'Scheduled', ?)",
                (form["patient"], form["clinician"], form.get("code", ""), start.isoformat(timespec="minutes"), minutes,
                 form.get("place", "Main office"), now_text()),
            )  # fmt: skip
        except sqlite3.Error as error:
            raise NotBooked({"start": "bad"}) from error


def shown_until(store: Store) -> str:
    """Return up to which change the calendar shows things: a slow portal shows them late."""
    late = float(store.setting("late_seconds", "0"))
    return (datetime.fromisoformat(now_text()) - timedelta(seconds=late)).isoformat(timespec="seconds")
