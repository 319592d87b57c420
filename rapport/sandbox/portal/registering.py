"""The forms of a patient: register somebody new, change what is known of somebody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Flask, Response, abort, g, redirect

from rapport.sandbox.portal.booking import NotKept
from rapport.sandbox.portal.forms import Button, Field, Form, sent
from rapport.sandbox.portal.store import Store, now_text
from rapport.sandbox.portal.surround import page, signed_in
from rapport.sandbox.portal.writes import message, write

TEXTS = ("first", "middle", "last", "birth_on", "email", "phone", "line1", "city", "state", "postal_code", "payer", "member_id")
NEEDED = ("first", "last", "birth_on")
SEXES = ("F", "M")
STATUSES = ("Active", "Inactive")


def routes(app: Flask, store: Store) -> None:
    """Add these pages."""

    def shown(action: str, title: str, given: Mapping[str, Any], version: str = "", refused: NotKept | None = None) -> Response:
        form = patient_form(store, action=action, given=given, refused=refused, version=version)
        return page(store, "form.html", title=g.look.words[title], form=form, message=message(g.look.words, refused))

    @app.get("/patients/new")
    @signed_in("register", store)
    def show_new_patient() -> Response:
        return shown("/patients/new", "new_patient", {})

    @app.post("/patients/new")
    @signed_in("register", store)
    def keep_new_patient() -> Any:
        given = _given()
        return write(
            store, action="patient.create", record=0, keep=lambda: register(store, form=given),
            again=lambda refused: shown("/patients/new", "new_patient", given, "", refused),
            done=lambda number: redirect(f"/patients/{number}?saved=1"),
        )  # fmt: skip

    @app.get("/patients/<int:number>/edit")
    @signed_in("register", store)
    def show_patient_edit(number: int) -> Response:
        row = store.one("SELECT * FROM patient WHERE id = ?", (number,)) or abort(404)
        return shown(f"/patients/{number}/edit", "edit_patient", row | {"clinician": row["clinician_id"]}, str(row["version"]))

    @app.post("/patients/<int:number>/edit")
    @signed_in("register", store)
    def keep_patient_edit(number: int) -> Any:
        _ = store.one("SELECT id FROM patient WHERE id = ?", (number,)) or abort(404)
        given, version = _given(), sent("version")
        return write(
            store, action="patient.change", record=number,
            keep=lambda: change(store, number=number, version=version, form=given),
            again=lambda refused: shown(f"/patients/{number}/edit", "edit_patient", given, version, refused),
            done=lambda _: redirect(f"/patients/{number}?saved=1"), version=version,
        )  # fmt: skip


def patient_form(store: Store, *, action: str, given: Mapping[str, Any], refused: NotKept | None, version: str = "") -> Form:
    """Return the form for a patient; with a version it is one for changing them."""
    w, marked = g.look.words, refused.marked if refused else {}

    def field(name: str, type: str = "text", options: Any = ()) -> Field:
        label = w.get(name, name.replace("_", " ").capitalize())
        return Field(name, label, type, str(given.get(name) or ""), options, w.get(marked.get(name, ""), ""), required=name in NEEDED)

    types = {"birth_on": "date", "email": "email"}
    people = store.rows("SELECT id, first || ' ' || last AS name FROM clinician ORDER BY id")
    fields = [field(name, types.get(name, "text")) for name in TEXTS]
    fields += [
        field("sex", "select", [(one, g.look.text(one)) for one in SEXES]),
        field("status", "select", [(one, g.look.text(one)) for one in STATUSES]),
        field("clinician", "select", [(str(one["id"]), one["name"]) for one in people]),
    ]
    if version:
        fields.append(Field("version", "", "hidden", version))
    back = action.removesuffix("/new").removesuffix("/edit")
    buttons = (Button("cancel", w["cancel"], leaves=back), Button("save_patient", w["save_patient"]))
    return Form("patient", action, tuple(fields), buttons)


def _given() -> dict[str, str]:
    return {name: sent(name) for name in (*TEXTS, "sex", "status", "clinician")}


def _check(store: Store, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the columns that a form stands for. :raises NotKept: something in it cannot be"""
    marked = {name: "needed" for name in NEEDED if not form.get(name)}
    values: dict[str, Any] = {name: form.get(name, "") for name in TEXTS}
    try:
        values["birth_on"] = date.fromisoformat(values["birth_on"]).isoformat()
    except ValueError:
        marked.setdefault("birth_on", "bad")
    values |= {"sex": form.get("sex") or SEXES[0], "status": form.get("status") or STATUSES[0], "clinician_id": None}
    if values["sex"] not in SEXES:
        marked["sex"] = "bad"
    if values["status"] not in STATUSES:
        marked["status"] = "bad"
    if form.get("clinician"):
        clinician = store.one("SELECT id FROM clinician WHERE id = ?", (form["clinician"],))
        values["clinician_id"] = clinician["id"] if clinician else marked.setdefault("clinician", "bad")
    if marked:
        raise NotKept(marked)
    return values | {"updated_at": now_text()}


def register(store: Store, *, form: Mapping[str, str]) -> int:
    """Keep a new patient, twice if the form is sent twice. :return: the number"""
    values = _check(store, form)
    marks = ", ".join("?" * len(values))
    with store.exclusive():
        number = store.run(f"INSERT INTO patient ({', '.join(values)}) VALUES ({marks})", list(values.values()))  # noqa: S608 - columns of `_check`
        if values["payer"] and values["member_id"]:
            store.run(
                "INSERT INTO policy (patient_id, rank, payer, payer_id, member_id, group_number, copay_cents, valid_from)"
                " VALUES (?, 1, ?, ?, ?, '', 0, ?)",
                (number, values["payer"], f"{values['member_id'][:3]}01", values["member_id"], now_text()[:10]),
            )
        return number


def change(store: Store, *, number: int, version: str, form: Mapping[str, str]) -> None:
    """Change a patient whom nobody changed since the form was made. :raises NotKept: changed meanwhile, or wrong"""
    with store.exclusive():
        values = _check(store, form)
        sets = ", ".join(f"{name} = ?" for name in values)
        changed = store.changed(
            f"UPDATE patient SET {sets}, version = version + 1 WHERE id = ? AND version = ?",  # noqa: S608 - columns of `_check`
            [*values.values(), number, version],
        )
        if not changed:
            raise NotKept({}, message="changed")
