"""What stands in a cell of a list: text as a look writes it, and what the page knows beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from rapport.sandbox.portal.looks import Look, day_text, dollars, swapped, time_text, years
from rapport.sandbox.portal.trouble import Faults
from rapport.sandbox.portal.words import CODES, UNKNOWN

ZERO_WIDTH = "\u200b"
NO_BREAK = "\u00a0"
RIGHT_TO_LEFT = "\u200f"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell."""

    text: str
    code: str = ""
    link: str = ""
    badge: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """How things are shown to this request."""

    look: Look
    faults: Faults
    today: str
    zero_width: bool = False

    @property
    def day_pattern(self) -> str:
        """How days are written, today's trouble included."""
        pattern = self.faults.value("date_format") or self.look.date_format
        return swapped(pattern) if "swap_days" in self.faults else pattern


Row = Mapping[str, Any]
DAYS = frozenset("birth_on service_on paid_on received_on valid_from valid_to".split())
TIMES: Mapping[str, str] = MappingProxyType(
    {"start": "start_at", "updated": "updated_at", "asked_at": "asked_at", "sent_at": "sent_at"}
)
MONEY = frozenset("charge paid copay amount charges".split())
CODED = frozenset("status type place source method sex weekday".split())


def kind_of(column: str) -> str:
    """Return what a column holds, as the metadata of a grid says it."""
    if column in CODED:
        return "code"
    if column in DAYS:
        return "day"
    if column in TIMES or column == "signed":
        return "time"
    if column in MONEY or column == "balance":
        return "money"
    return "number" if column in ("id", "minutes", "rank", "claims") else "text"


def cell(column: str, row: Row, view: View, *, kind: str) -> Cell:
    """Return a cell, with what is wrong with it today."""
    faults = view.faults
    if column in faults.values("blank_column"):
        return Cell("")
    if column == "status" and "unknown_code" in faults and int(row["id"]) % int(faults.value("unknown_code") or 1) == 0:
        return Cell(*UNKNOWN)
    made = _right(column, row, view, kind)
    for value in faults.values("other_value"):
        name, _, only = value.partition(":")
        if name == column and only in ("", str(row["id"])):
            made = replace(made, text=made.text[::-1] or "?", badge="")
    return made


def _right(column: str, row: Row, view: View, kind: str) -> Cell:
    if column in CODED:
        text = str(row[column])
        return Cell(view.look.text(text), code=CODES.get(text, text))
    if column in DAYS:
        return Cell(day_text(row[column], pattern=view.day_pattern))
    if column in TIMES:
        return Cell(time_text(row[TIMES[column]], pattern=_time_pattern(view)))
    if column in MONEY:
        return Cell(dollars(row[f"{column}_cents"]), badge=_badge(column, row, kind))
    special = _SPECIAL.get(column)
    return special(row, view, kind) if special else Cell(str(row[column] if row[column] is not None else ""))


def _time_pattern(view: View) -> str:
    return view.look.time_format.replace(view.look.date_format, view.day_pattern)


def _badge(column: str, row: Row, kind: str) -> str:
    """Say what the money is worth, in the same cell."""
    if kind == "claims" and column == "paid" and row["status"] in ("Paid", "Denied"):
        owed = f"UNDERPAID {dollars(row['paid_cents'])} / {dollars(row['charge_cents'])}"
        return "PAID" if row["paid_cents"] else owed
    if kind == "payments" and row["status"] == "Voided":
        return "VOID"
    return ""


def _name(row: Row, view: View, kind: str) -> Cell:
    if kind == "users":
        return Cell(str(row["name"]))
    middle = f" {row['middle']}" if row["middle"] else ""
    text = f"{row['last']}, {row['first']}{middle}"
    return Cell(_oddly(text) if view.zero_width else text, link=f"/patients/{row['id']}" if kind == "patients" else "")


def _oddly(text: str) -> str:
    """Write a name as programs do that set it themselves: the same to look at."""
    marked = any("\u0590" <= char <= "\u08ff" for char in text)
    text = f"{text[0]}{ZERO_WIDTH}{text[1:]}".replace(", ", f",{NO_BREAK}")
    return f"{RIGHT_TO_LEFT}{text}{RIGHT_TO_LEFT}" if marked else text


def _person(row: Row, view: View, kind: str) -> Cell:
    return Cell(row["patient"], code=str(row["patient_id"]), link=f"/patients/{row['patient_id']}")


def _file(row: Row, view: View, kind: str) -> Cell:
    if kind == "eras":
        return Cell(f"{row['trace']}.835", link=f"/billing/eras/{row['id']}.835")
    if kind == "batches":
        return Cell(f"{row['batch']}.837", link=f"/billing/batches/{row['id']}.837")
    return Cell(view.look.words["file"], link=f"/exports/{row['id']}")


_SPECIAL: Mapping[str, Callable[[Row, View, str], Cell]] = MappingProxyType({
    "name": _name,
    "patient": _person,
    "file": _file,
    "chart": lambda row, view, kind: Cell(f"MRN-{row['id']:06}"),
    "age": lambda row, view, kind: Cell(age_text(row["birth_on"], view=view)),
    "signed": lambda row, view, kind: Cell(time_text(row["signed_at"], pattern=_time_pattern(view)), code=row["signed_by"]),
    "balance": lambda row, view, kind: Cell(dollars(row["charges_cents"] - row["paid_cents"])),
    "code_col": lambda row, view, kind: Cell(row["code"]),
    "clinician": lambda row, view, kind: Cell(row["clinician"] or "", code=str(row["clinician_id"] or "")),
    "number": lambda row, view, kind: Cell(row["number"], link=f"/billing/claims/{row['id']}"),
    "kind": lambda row, view, kind: Cell(view.look.words.get(row["kind"], row["kind"]), code=row["kind"]),
})  # fmt: skip


def age_text(born: str, *, view: View) -> str:
    """Write an age, where it is set with a space that has no width."""
    age = years(born, today=view.today)
    return f"{age}{ZERO_WIDTH}y" if view.zero_width else f"{age} {view.look.words['years']}"
