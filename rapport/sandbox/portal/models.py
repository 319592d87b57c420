"""What JSON-RPC can ask of each model: search, count, read, create, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from flask import g

from rapport.sandbox.portal import booking
from rapport.sandbox.portal.booking import NotKept
from rapport.sandbox.portal.cells import ZERO_WIDTH
from rapport.sandbox.portal.kinds import KINDS, RIGHTS
from rapport.sandbox.portal.listing import Asked, found
from rapport.sandbox.portal.looks import years
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import audit

MOST = 1000
"""Rows of one answer, as the program for people caps its searches."""


class RpcError(Exception):
    """The call is answered with an error of this kind."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class Model:
    """A table that can be asked."""

    table: str
    kind: str
    """The list that it is on the pages, with its filters and its order."""
    writes: str
    """Right that lets somebody change rows."""


MODELS: Mapping[str, Model] = MappingProxyType({
    "patient": Model("patient", "patients", "register"),
    "appointment": Model("appointment", "appointments", "book"),
    "note": Model("note", "notes", "notes"),
    "clinician": Model("clinician", "staff", ""),
})  # fmt: skip


def search(
    store: Store, model: Model, filters: Mapping[str, Any], offset: int = 0, limit: int | None = None, order: Any = None,
    context: Any = None,
) -> list[int]:  # fmt: skip
    """Return ids in the order of the page."""
    _may(model)
    asked = Asked(model.kind, int(offset), min(int(limit or MOST), MOST), _filters(filters))
    return [row["id"] for row in found(store, asked=asked)[0]]


def search_count(store: Store, model: Model, filters: Mapping[str, Any], context: Any = None) -> int:
    """Return how many there are; a list that trouble shortens still counts all."""
    _may(model)
    return found(store, asked=Asked(model.kind, 0, 0, _filters(filters)))[1]


def read(store: Store, model: Model, ids: list[int], fields: list[str], context: Any = None) -> list[dict[str, Any]]:
    """Return rows with their fields, and what this user may do with each."""
    _may(model)
    marks = ", ".join("?" * len(ids))
    rows = {row["id"]: row for row in store.rows(f"SELECT * FROM {model.table} WHERE id IN ({marks})", ids)}  # noqa: S608 - a table of this program
    writes = model.writes in RIGHTS[g.role]
    dropped = g.faults.values("drop_column")
    answers = []
    for id in ids:
        row = rows.get(id)
        if row is None:
            raise RpcError("NotFound", f"no {model.table} {id}")
        locked = model.table == "note" and row["status"] == "Signed"
        values = {name: _value(store, row, name) for name in fields if name not in dropped}
        answers.append({"id": id} | values | {"_write": writes and not locked, "_delete": False})
    return answers


def create(store: Store, model: Model, rows: list[Mapping[str, Any]], context: Any = None) -> list[int]:
    """Book appointments, one a row."""
    _may_write(model)
    return [
        _kept(store, "appointment.create", 0, row, lambda row=row: booking.book(store, form=_form(row))) for row in rows  # type: ignore[misc]
    ]


def write(store: Store, model: Model, ids: list[int], values: Mapping[str, Any], context: Any = None) -> bool:
    """Change appointments; the values carry the version that was read, or none to overwrite whatever is there."""
    _may_write(model)
    for id in ids:
        row = store.one("SELECT * FROM appointment WHERE id = ?", (id,))
        if row is None:
            raise RpcError("NotFound", f"no appointment {id}")
        form = _form(row | dict(values))
        version = str(values.get("version", row["version"]))
        _kept(store, "appointment.change", id, values, lambda: booking.change(store, number=id, version=version, form=form))  # noqa: B023 - called at once
    return True


VERBS: Mapping[str, Callable[..., Any]] = MappingProxyType({
    "search": search, "search_count": search_count, "read": read, "create": create, "write": write,
})  # fmt: skip


def _kept(store: Store, action: str, record: int, detail: Mapping[str, Any], keep: Callable[[], Any]) -> Any:
    """Carry a write out, and put it in the audit whatever becomes of it."""
    if "ignore_write" in g.faults:
        audit(store, action=action, record=record, outcome="ignored", values=dict(detail))
        return record
    try:
        kept = keep() or record
    except NotKept as refused:
        audit(store, action=action, record=record, outcome="refused", values=dict(detail), why=refused.message)
        kind = "ConflictError" if refused.message == "changed" else "UserError"
        words = [refused.message, *refused.marked.values()]
        raise RpcError(kind, " ".join(g.look.words.get(word, word) for word in words)) from None
    audit(store, action=action, record=kept, outcome="kept", values=dict(detail))
    return kept


def _form(row: Mapping[str, Any]) -> dict[str, str]:
    """Return columns as the form of the page has them."""
    names = {"patient": "patient_id", "clinician": "clinician_id", "start": "start_at"}
    fields = ("patient", "clinician", "start", "minutes", "code", "place", "status")
    return {name: str(row[names.get(name, name)]) for name in fields if names.get(name, name) in row}


def _may(model: Model) -> None:
    if KINDS[model.kind].right not in RIGHTS[g.role]:
        raise RpcError("AccessError", g.look.words["no_right"])


def _may_write(model: Model) -> None:
    if model.table != "appointment":
        raise RpcError("NotFound", "only appointments can be written here")
    if model.writes not in RIGHTS[g.role]:
        raise RpcError("AccessError", g.look.words["no_right"])


def _filters(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in dict(given).items()}


def _value(store: Store, row: dict[str, Any], name: str) -> Any:
    if name == "age":
        return f"{years(row['birth_on'], today=store.setting('today'))}{ZERO_WIDTH}y"
    relation, _, rest = name.partition(".")
    if rest == "rec_name" and relation in ("patient", "clinician"):
        other = store.one(f"SELECT first, last FROM {relation} WHERE id = ?", (row[f"{relation}_id"],))  # noqa: S608 - one of two words
        return f"{other['first']} {other['last']}" if other else None
    if name == "rec_name" and "last" in row:
        return f"{row['first']} {row['last']}"
    if name not in row:
        raise RpcError("BadRequest", f"no field {name}")
    return row[name]
