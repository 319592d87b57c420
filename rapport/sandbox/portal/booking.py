"""What becomes of an appointment: booked, changed, cancelled, or refused with the words for each field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rapport.sandbox.portal.settings import is_on
from rapport.sandbox.portal.store import Store, now_text

FIELDS = ("patient", "clinician", "start", "minutes", "code", "place")
STATUSES = ("Scheduled", "Checked in", "Completed", "Cancelled", "No show")
PLACES = ("Main office", "Telehealth")


class NotKept(Exception):
    """The form cannot be kept: which fields are marked, and with which words."""

    def __init__(self, marked: Mapping[str, str], *, message: str = "bad") -> None:
        super().__init__(message)
        self.marked = dict(marked)
        self.message = message
        """A word of `words.py`, or the message itself."""


def check(store: Store, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the columns that a form stands for. :raises NotKept: something in it cannot be"""
    marked = {name: "needed" for name in ("patient", "start", "minutes") if not form.get(name)}
    values: dict[str, Any] = {"code": form.get("code", ""), "place": form.get("place") or PLACES[0]}
    for kind in ("patient", "clinician"):
        row = store.one(f"SELECT id FROM {kind} WHERE id = ?", (form.get(kind, ""),))  # noqa: S608 - one of two words
        if row is None:
            marked.setdefault(kind, "bad")
        else:
            values[f"{kind}_id"] = row["id"]
    try:
        values["start_at"] = datetime.fromisoformat(form.get("start", "")).isoformat(timespec="minutes")
    except ValueError:
        marked.setdefault("start", "bad")
    minutes = form.get("minutes", "")
    values["minutes"] = int(minutes) if minutes.isdigit() else 0
    if not 5 <= values["minutes"] <= 480:
        marked.setdefault("minutes", "bad")
    if values["place"] not in PLACES:
        marked["place"] = "bad"
    if marked:
        raise NotKept(marked)
    return values


def book(store: Store, *, form: Mapping[str, str]) -> int:
    """Keep an appointment as the form has it, twice if it is sent twice. :return: its number"""
    values = check(store, form)
    with store.exclusive():
        _must_be_free(store, values, besides=0)
        now = now_text()
        values |= {"status": "Scheduled", "created_at": now, "updated_at": now}
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        return store.run(f"INSERT INTO appointment ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608 - columns of `check`


def change(store: Store, *, number: int, version: str, form: Mapping[str, str]) -> None:
    """Change an appointment that nobody changed since the form was made. :raises NotKept: changed, locked or wrong"""
    with store.exclusive():
        may_change(store, number=number, version=version)
        values = check(store, form)
        if form.get("status", "Scheduled") not in STATUSES:
            raise NotKept({"status": "bad"})
        values |= {"status": form.get("status", "Scheduled"), "updated_at": now_text()}
        if values["status"] not in ("Cancelled", "No show"):
            _must_be_free(store, values, besides=number)
        sets = ", ".join(f"{name} = ?" for name in values)
        store.run(f"UPDATE appointment SET {sets}, version = version + 1 WHERE id = ?", [*values.values(), number])  # noqa: S608 - columns of `check`


def cancel(store: Store, *, number: int, version: str, reason: str) -> None:
    """Cancel an appointment. :raises NotKept: changed meanwhile, locked, or cancelled already"""
    with store.exclusive():
        row = may_change(store, number=number, version=version)
        if row["status"] == "Cancelled":
            raise NotKept({}, message="is_over")
        store.run(
            "UPDATE appointment SET status = 'Cancelled', reason = ?, version = version + 1, updated_at = ? WHERE id = ?",
            (reason, now_text(), number),
        )


def may_change(store: Store, *, number: int, version: str) -> dict[str, Any]:
    """Return an appointment that may be changed. :raises NotKept: a signed note locks it, or its version is another"""
    row = store.one("SELECT * FROM appointment WHERE id = ?", (number,)) or {}
    if is_locked(store, number=number):
        raise NotKept({}, message="has_note")
    if str(row.get("version")) != version:
        raise NotKept({}, message="changed")
    return row


def is_locked(store: Store, *, number: int) -> bool:
    """Tell whether an appointment has a signed note."""
    return store.one("SELECT id FROM note WHERE appointment_id = ? AND status = 'Signed'", (number,)) is not None


def _must_be_free(store: Store, values: Mapping[str, Any], *, besides: int) -> None:
    if is_on(store, "allow_overlap"):
        return
    start = datetime.fromisoformat(values["start_at"])
    end = start + timedelta(minutes=values["minutes"])
    for other in store.rows(
        "SELECT start_at, minutes FROM appointment WHERE clinician_id = ? AND status NOT IN ('Cancelled', 'No show')"
        " AND substr(start_at, 1, 10) = ? AND id <> ?", (values["clinician_id"], start.date().isoformat(), besides),
    ):  # fmt: skip
        begins = datetime.fromisoformat(other["start_at"])
        if begins < end and start < begins + timedelta(minutes=other["minutes"]):
            raise NotKept({"start": "taken"})
