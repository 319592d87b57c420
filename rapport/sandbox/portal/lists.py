"""The pages that show things: home, patients, calendar, notes, clinicians, money, users."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, g, redirect, request

from rapport.sandbox.portal.cells import age_text
from rapport.sandbox.portal.kinds import GRIDS, KINDS
from rapport.sandbox.portal.listing import MOST, Asked, listing
from rapport.sandbox.portal.looks import day_text
from rapport.sandbox.portal.settings import number
from rapport.sandbox.portal.store import Store
from rapport.sandbox.portal.surround import page, refusal, signed_in, view
from rapport.sandbox.portal.words import CODES

PATHS = {
    "/patients": "patients", "/calendar": "appointments", "/notes": "notes", "/staff": "staff", "/staff/hours": "hours", "/billing/claims": "claims",
    "/billing/batches": "batches", "/billing/eras": "eras", "/billing/payments": "payments", "/accounts": "accounts", "/users": "users",
}  # fmt: skip
TITLES = {"appointments": "calendar"}


def asked_page(store: Store, kind: str, **filters: str) -> Asked:
    """Return what part of a list the address asks for."""
    most = min(max(1, request.args.get("per", int(number(store, "per_page")), type=int)), MOST)
    first = (max(1, request.args.get("page", 1, type=int)) - 1) * most
    return Asked(kind, first, most, dict(request.args) | filters)


def list_page(store: Store, kind: str, *, title: str = "", **filters: str) -> Response:
    """Return a list as a page."""
    shown = listing(store, asked=asked_page(store, kind, **filters), view=view(store))
    query = {name: value for name, value in request.args.items() if name != "page"}
    heading = title or g.look.words[TITLES.get(kind, kind)]
    chosen = {name: query.get(name, "") for name in KINDS[kind].filters if name in ("from", "to", "name")}
    return page(store, "list.html", shown=shown, title=heading, query=query, chosen=chosen)


def routes(app: Flask, store: Store) -> None:
    """Add these pages."""

    @app.get("/")
    def front() -> Any:
        return redirect("/home" if g.session else "/login")

    @app.get("/home")
    @signed_in("", store)
    def home() -> Response:
        return page(store, "home.html")

    for path, kind in PATHS.items():
        _list(app, store, path, kind)

    @app.get("/grid/<kind>")
    def grid(kind: str) -> Any:
        if kind not in GRIDS:
            abort(404)
        return refusal(store, KINDS[kind].right) or page(store, "grid.html", kind=kind, title=g.look.words[TITLES.get(kind, kind)])

    @app.get("/patients/<int:number>")
    @signed_in("patients", store)
    def one_patient(number: int) -> Response:
        row = store.one(
            "SELECT p.*, c.first || ' ' || c.last AS clinician FROM patient p LEFT JOIN clinician c ON c.id = p.clinician_id"
            " WHERE p.id = ?", (number,))  # fmt: skip
        saved = "saved" in request.args
        if row is None and saved:
            return page(store, "patient.html", row={"id": number, "last": "", "first": "", "middle": ""}, facts=[], saved=True)
        row = row or abort(404)
        return page(store, "patient.html", row=row, facts=_facts(store, row), saved=saved)

    @app.get("/patients/<int:number>/insurance")
    @signed_in("insurance", store)
    def policies(number: int) -> Response:
        row = store.one("SELECT * FROM patient WHERE id = ?", (number,)) or abort(404)
        return list_page(store, "policies", title=f"{g.look.words['policies']}: {row['last']}, {row['first']}", patient=str(number))


def _list(app: Flask, store: Store, path: str, kind: str) -> None:
    def shown() -> Any:
        return refusal(store, KINDS[kind].right) or list_page(store, kind)

    app.add_url_rule(path, f"list_{kind}", shown)


_FACTS = ("first", "middle", "last", "birth_on", "age", "sex", "status", "clinician", "email", "phone", "line1", "city", "state", "postal_code", "payer", "member_id", "chart")


def _facts(store: Store, row: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return what the page of a patient says: field, label, text, code."""
    shown = view(store)
    written = row | {
        "birth_on": day_text(row["birth_on"], pattern=shown.day_pattern), "age": age_text(row["birth_on"], view=shown),
        "status": g.look.text(row["status"]), "sex": g.look.text(row["sex"]), "chart": f"MRN-{row['id']:06}",
    }  # fmt: skip
    codes = {
        "status": CODES.get(row["status"], ""), "sex": CODES.get(row["sex"], ""), "clinician": str(row["clinician_id"] or ""),
    }  # fmt: skip
    return [
        (name, g.look.words.get(name, name.replace("_", " ").capitalize()), str(written[name] or ""), codes.get(name, ""))
        for name in _FACTS
        if name not in shown.faults.values("drop_column")
    ]
