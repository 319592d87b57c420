"""The pages of an appointment: book it, look at it, change it, cancel it."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, g, redirect, request

from rapport.sandbox.portal import booking
from rapport.sandbox.portal.booking import NotKept
from rapport.sandbox.portal.forms import Button, Field, Form, sent
from rapport.sandbox.portal.looks import time_text
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import page, signed_in
from rapport.sandbox.portal.words import CODES
from rapport.sandbox.portal.writes import message, write


def appointment_form(store: Store, *, action: str, given: dict[str, str], refused: NotKept | None, version: str = "") -> Form:
    """Return the form for an appointment; with a version it is one for changing it."""
    w, marked = g.look.words, refused.marked if refused else {}
    people = store.rows("SELECT id, first || ' ' || last AS name FROM clinician ORDER BY id")

    def field(name: str, words: str, type: str = "text", options: Any = (), required: bool = True) -> Field:
        problem = w.get(marked.get(name, ""), "")
        return Field(name, words, type, given.get(name, ""), options, problem, required=required)

    fields = [
        field("patient", f"{w['patient']} ID"),
        field("clinician", w["clinician"], "select", [(str(one["id"]), one["name"]) for one in people]),
        field("start", w["start"], "datetime-local"),
        field("minutes", w["minutes"], "number"),
        field("code", w["code_col"], required=False),
        field("place", w["place"], "select", [(place, g.look.text(place)) for place in booking.PLACES]),
    ]
    if version:
        statuses = [(status, g.look.text(status)) for status in booking.STATUSES]
        fields += [field("status", w["status"], "select", statuses), Field("version", "", "hidden", version)]
    back = f"/appointments/{action.split('/')[2]}" if version else "/calendar"
    return Form("booking", action, tuple(fields), (Button("cancel", w["cancel"], leaves=back), Button("save", w["save"])))


def _given() -> dict[str, str]:
    return {name: sent(name) for name in (*booking.FIELDS, "status")}


def _row(store: Store, number: int) -> dict[str, Any]:
    return store.one(
        "SELECT a.*, p.last || ', ' || p.first AS patient, c.first || ' ' || c.last AS clinician FROM appointment a"
        " JOIN patient p ON p.id = a.patient_id JOIN clinician c ON c.id = a.clinician_id WHERE a.id = ?", (number,),
    ) or abort(404)  # fmt: skip


def routes(app: Flask, store: Store) -> None:
    """Add these pages."""

    def new(given: dict[str, str], refused: NotKept | None = None) -> Response:
        form = appointment_form(store, action="/appointments/new", given=given, refused=refused)
        return page(store, "form.html", title=g.look.words["new"], form=form, message=message(g.look.words, refused))

    @app.get("/appointments/new")
    @signed_in("book", store)
    def show_new() -> Response:
        return new({"minutes": "50", "patient": request.args.get("patient", "")})

    @app.post("/appointments/new")
    @signed_in("book", store)
    def keep_new() -> Any:
        given = _given()
        return write(
            store, action="appointment.create", record=0, keep=lambda: booking.book(store, form=given),
            again=lambda refused: new(given, refused), done=lambda number: redirect(f"/appointments/{number}?saved=1"), **given,
        )  # fmt: skip

    @app.get("/appointments/<int:number>")
    @signed_in("calendar", store)
    def one_appointment(number: int) -> Response:
        saved = "saved" in request.args
        if saved and not store.one("SELECT id FROM appointment WHERE id = ?", (number,)):
            return page(store, "appointment.html", row={"id": number}, facts=[], saved=True, locked=True)
        row = _row(store, number)
        locked = booking.is_locked(store, number=number)
        has_note = store.one("SELECT id FROM note WHERE appointment_id = ?", (number,)) is not None
        return page(store, "appointment.html", row=row, facts=_facts(row), saved=saved, locked=locked, has_note=has_note)

    _change(app, store)
    _cancel(app, store)


def _facts(row: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return what the page says: field, label, text, code."""
    w, look = g.look.words, g.look
    facts = [
        ("patient", w["patient"], row["patient"], str(row["patient_id"])),
        ("clinician", w["clinician"], row["clinician"], str(row["clinician_id"])),
        ("start", w["start"], time_text(row["start_at"], pattern=look.time_format), ""),
        ("minutes", w["minutes"], str(row["minutes"]), ""),
        ("code_col", w["code_col"], row["code"], ""),
        ("place", w["place"], look.text(row["place"]), CODES.get(row["place"], "")),
        ("status", w["status"], look.text(row["status"]), CODES.get(row["status"], "")),
        ("reason", w["reason"], row["reason"], ""),
        ("version", "Version", str(row["version"]), ""),
    ]
    return [fact for fact in facts if fact[0] not in g.faults.values("drop_column")]


def _change(app: Flask, store: Store) -> None:
    def edit(number: int, given: dict[str, str], version: str, refused: NotKept | None = None) -> Response:
        form = appointment_form(
            store, action=f"/appointments/{number}/edit", given=given, refused=refused, version=version
        )
        return page(store, "form.html", title=g.look.words["edit"], form=form, message=message(g.look.words, refused))

    @app.get("/appointments/<int:number>/edit")
    @signed_in("book", store)
    def show_edit(number: int) -> Response:
        row = _row(store, number)
        given = {
            "patient": str(row["patient_id"]), "clinician": str(row["clinician_id"]), "start": row["start_at"],
            "minutes": str(row["minutes"]), "code": row["code"], "place": row["place"], "status": row["status"],
        }  # fmt: skip
        locked = NotKept({}, message="has_note") if booking.is_locked(store, number=number) else None
        return edit(number, given, str(row["version"]), locked)

    @app.post("/appointments/<int:number>/edit")
    @signed_in("book", store)
    def keep_edit(number: int) -> Any:
        _row(store, number)
        given, version = _given(), sent("version")
        return write(
            store, action="appointment.change", record=number,
            keep=lambda: booking.change(store, number=number, version=version, form=given),
            again=lambda refused: edit(number, given, version, refused),
            done=lambda _: redirect(f"/appointments/{number}?saved=1"), version=version, **given,
        )  # fmt: skip


def _cancel(app: Flask, store: Store) -> None:
    def ask(number: int, version: str, refused: NotKept | None = None) -> Response:
        w = g.look.words
        form = Form(
            "cancelling", f"/appointments/{number}/cancel",
            (Field("reason", w["reason"], value=sent("reason")), Field("version", "", "hidden", version)),
            (Button("keep", w["keep"], leaves=f"/appointments/{number}"), Button("cancel_it", w["cancel_it"])),
        )  # fmt: skip
        return page(store, "form.html", title=w["cancel_it"], form=form, message=message(w, refused))

    @app.get("/appointments/<int:number>/cancel")
    @signed_in("book", store)
    def show_cancel(number: int) -> Response:
        row = _row(store, number)
        locked = NotKept({}, message="has_note") if booking.is_locked(store, number=number) else None
        return ask(number, str(row["version"]), locked)

    @app.post("/appointments/<int:number>/cancel")
    @signed_in("book", store)
    def keep_cancel(number: int) -> Any:
        _row(store, number)
        version, reason = sent("version"), sent("reason")
        return write(
            store, action="appointment.cancel", record=number,
            keep=lambda: booking.cancel(store, number=number, version=version, reason=reason),
            again=lambda refused: ask(number, version, refused),
            done=lambda _: redirect(f"/appointments/{number}?saved=1"), version=version, reason=reason,
        )  # fmt: skip
