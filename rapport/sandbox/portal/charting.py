"""The pages of a note: read it, go on with a draft, add to what is signed, fetch it as a PDF."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, g, redirect, request

from rapport.sandbox.portal.booking import NotKept
from rapport.sandbox.portal.forms import Button, Field, Form, dressed, sent
from rapport.sandbox.portal.looks import day_text, time_text
from rapport.sandbox.portal.pdf import note_pdf
from rapport.sandbox.portal.store import Store, now_text
from rapport.sandbox.portal.surround import page, signed_in
from rapport.sandbox.portal.words import CODES
from rapport.sandbox.portal.writes import message, write

TYPES = ("Progress Note", "Intake", "Treatment Plan")


def _row(store: Store, number: int) -> dict[str, Any]:
    return store.one(
        "SELECT n.*, p.last || ', ' || p.first AS patient, p.birth_on, c.first || ' ' || c.last AS clinician FROM note n"
        " JOIN patient p ON p.id = n.patient_id JOIN clinician c ON c.id = n.clinician_id WHERE n.id = ?", (number,),
    ) or abort(404)  # fmt: skip


def routes(app: Flask, store: Store) -> None:
    """Add these pages."""
    _starting(app, store)

    def shown(number: int, *, given: str | None = None, refused: NotKept | None = None) -> Response:
        row, w = _row(store, number), g.look.words
        problem = w["needed"] if refused and refused.message == "bad" else ""
        if row["status"] == "Signed":
            fields: tuple[Field, ...] = (Field("addendum", w["addendum"], "area", given or "", problem=problem),)
            form = Form("addendum_form", f"/notes/{number}/addenda", fields, (Button("add", w["add"]),))
        else:
            body = row["body"] if given is None else given
            fields = (Field("body", w["body"], "area", body, problem=problem), Field("version", "", "hidden", str(row["version"])))
            form = Form("draft", f"/notes/{number}", fields, (Button("save_note", w["save_note"]),))
        seal = None
        if row["status"] != "Signed":
            version = Field("version", "", "hidden", str(row["version"]))
            seal = Form("sign", f"/notes/{number}/sign", (version,), (Button("sign_note", w["sign_note"]),))
        addenda = store.rows("SELECT * FROM addendum WHERE note_id = ? ORDER BY id", (number,))
        return page(
            store, "note.html", row=row, facts=_facts(row), addenda=addenda, form=form, message=message(w, refused),
            kept="saved" in request.args, seal=dressed(seal, look=g.look, faults=g.faults) if seal else None,
        )  # fmt: skip

    @app.get("/notes/<int:number>")
    @signed_in("notes", store)
    def one_note(number: int) -> Response:
        return shown(number)

    @app.post("/notes/<int:number>")
    @signed_in("notes", store)
    def keep_draft(number: int) -> Any:
        body, version = sent("body"), sent("version")
        return write(
            store, action="note.change", record=number, keep=lambda: _change(store, number, body, version),
            again=lambda refused: shown(number, given=body, refused=refused),
            done=lambda _: redirect(f"/notes/{number}?saved=1"), version=version,
        )  # fmt: skip

    @app.post("/notes/<int:number>/sign")
    @signed_in("notes", store)
    def sign_note(number: int) -> Any:
        version = sent("version")
        return write(
            store, action="note.sign", record=number, keep=lambda: _sign(store, number, version),
            again=lambda refused: shown(number, refused=refused), done=lambda _: redirect(f"/notes/{number}?saved=1"),
            version=version,
        )  # fmt: skip

    @app.post("/notes/<int:number>/addenda")
    @signed_in("notes", store)
    def keep_addendum(number: int) -> Any:
        text = sent("addendum")
        return write(
            store, action="note.addendum", record=number, keep=lambda: _add(store, number, text),
            again=lambda refused: shown(number, given=text, refused=refused),
            done=lambda _: redirect(f"/notes/{number}?saved=1"),
        )  # fmt: skip

    @app.get("/notes/<int:number>.pdf")
    @signed_in("notes", store)
    def pdf(number: int) -> Response:
        row = _row(store, number)
        if row["status"] != "Signed":
            abort(404)
        facts = [
            ("Patient", f"{row['patient']} (ID {row['patient_id']})"), ("Date of birth", row["birth_on"]), ("Clinician", row["clinician"]),
            ("Date of service", row["service_on"]), ("Signed", f"{row['signed_at']} by {row['signed_by']}"),
        ]  # fmt: skip
        added = store.rows("SELECT * FROM addendum WHERE note_id = ? ORDER BY id", (number,))
        paragraphs = [row["body"], *(f"Addendum of {one['added_at']} by {one['added_by']}: {one['body']}" for one in added)]
        content = note_pdf(f"{row['type']} {number}", facts, paragraphs)
        head = {"Content-Disposition": f'attachment; filename="note-{number}.pdf"'}
        return Response(content, content_type="application/pdf", headers=head)


def _starting(app: Flask, store: Store) -> None:
    """A note is begun for an appointment."""

    def ask(given: dict[str, str], refused: NotKept | None = None) -> Response:
        w, marked = g.look.words, refused.marked if refused else {}
        types = [(one, g.look.text(one)) for one in TYPES]
        form = Form("new_note", "/notes/new", (
            Field("appointment", f"{w['appointment']} ID", value=given.get("appointment", ""), problem=w.get(marked.get("appointment", ""), "")),
            Field("type", w["type"], "select", given.get("type", ""), types), Field("body", w["body"], "area", given.get("body", ""), required=False),
        ), (Button("start_note", w["start_note"]),))  # fmt: skip
        return page(store, "form.html", title=w["new_note"], form=form, message=message(w, refused))

    @app.get("/notes/new")
    @signed_in("notes", store)
    def show_new_note() -> Response:
        return ask({"appointment": request.args.get("appointment", "")})

    @app.post("/notes/new")
    @signed_in("notes", store)
    def keep_new_note() -> Any:
        given = {name: sent(name) for name in ("appointment", "type", "body")}
        return write(
            store, action="note.create", record=0, keep=lambda: _start(store, given),
            again=lambda refused: ask(given, refused), done=lambda number: redirect(f"/notes/{number}?saved=1"),
            appointment=given["appointment"],
        )  # fmt: skip


def _facts(row: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return what the page says: field, label, text, code."""
    w, look = g.look.words, g.look
    facts = [
        ("patient", w["patient"], row["patient"], str(row["patient_id"])),
        ("clinician", w["clinician"], row["clinician"], str(row["clinician_id"])),
        ("type", w["type"], look.text(row["type"]), CODES.get(row["type"], "")),
        ("service_on", w["service_on"], day_text(row["service_on"], pattern=look.date_format), ""),
        ("status", w["status"], look.text(row["status"]), CODES.get(row["status"], "")),
        ("signed", w["signed"], time_text(row["signed_at"], pattern=look.time_format), row["signed_by"]),
    ]
    return [fact for fact in facts if fact[0] not in g.faults.values("drop_column")]


def _change(store: Store, number: int, body: str, version: str) -> None:
    """Keep a draft. :raises NotKept: the note is signed, or somebody changed it, or there is no text"""
    with store.exclusive():
        row = _row(store, number)
        if row["status"] == "Signed":
            raise NotKept({}, message="locked_note")
        if str(row["version"]) != version:
            raise NotKept({}, message="changed")
        if not body:
            raise NotKept({"body": "needed"})
        store.run(
            "UPDATE note SET body = ?, version = version + 1, updated_at = ? WHERE id = ?", (body, now_text(), number)
        )


def _start(store: Store, given: dict[str, str]) -> int:
    """Begin a draft for an appointment. :return: its number. :raises NotKept: there is none, or it has a note"""
    with store.exclusive():
        visit = store.one("SELECT * FROM appointment WHERE id = ?", (given["appointment"],))
        if visit is None or given["type"] not in TYPES:
            raise NotKept({"appointment": "bad"})
        if store.one("SELECT id FROM note WHERE appointment_id = ?", (visit["id"],)):
            raise NotKept({}, message="has_a_note")
        now = now_text()
        return store.run(
            "INSERT INTO note (patient_id, clinician_id, appointment_id, type, service_on, status, signed_at, signed_by, body,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, 'Draft', '', '', ?, ?, ?)",
            (visit["patient_id"], visit["clinician_id"], visit["id"], given["type"], visit["start_at"][:10], given["body"], now, now),
        )


def _sign(store: Store, number: int, version: str) -> None:
    """Sign a draft, for good. :raises NotKept: it is signed, was changed meanwhile, or has no text"""
    with store.exclusive():
        row = _row(store, number)
        if row["status"] == "Signed":
            raise NotKept({}, message="locked_note")
        if str(row["version"]) != version:
            raise NotKept({}, message="changed")
        if not row["body"]:
            raise NotKept({"body": "needed"})
        now = now_text()
        store.run(
            "UPDATE note SET status = 'Signed', signed_at = ?, signed_by = ?, version = version + 1, updated_at = ? WHERE id = ?",
            (now[:16], g.name, now, number),
        )


def _add(store: Store, number: int, text: str) -> None:
    """Add to a signed note, at its end. :raises NotKept: it is a draft, or there is no text"""
    with store.exclusive():
        if _row(store, number)["status"] != "Signed" or not text:
            raise NotKept({"addendum": "needed"})
        store.run(
            "INSERT INTO addendum (note_id, body, added_at, added_by) VALUES (?, ?, ?, ?)", (number, text, now_text(), g.name)
        )
        store.run("UPDATE note SET version = version + 1, updated_at = ? WHERE id = ?", (now_text(), number))
