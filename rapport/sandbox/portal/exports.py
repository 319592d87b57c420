"""Exports: asked for, prepared, then fetched as CSV by a link with a key of its own."""

from __future__ import annotations

import csv
import io
import secrets
import time
from typing import Any

from flask import Flask, Response, abort, g, redirect, request

from rapport.sandbox.portal.booking import NotKept
from rapport.sandbox.portal.cells import cell
from rapport.sandbox.portal.forms import Button, Field, Form, sent
from rapport.sandbox.portal.kinds import KINDS
from rapport.sandbox.portal.listing import Asked, Head, found, heads_and_names, listing
from rapport.sandbox.portal.lists import asked_page
from rapport.sandbox.portal.settings import number as setting_number
from rapport.sandbox.portal.store import Store, now_text
from rapport.sandbox.portal.surround import page, signed_in, view
from rapport.sandbox.portal.writes import message, write

EXPORTED = ("patients", "appointments", "payments")


def routes(app: Flask, store: Store) -> None:
    """Add these pages."""

    def shown(refused: NotKept | None = None) -> Response:
        w = g.look.words
        form = Form("export", "/exports", (
            Field("kind", w["kind"], "select", options=[(kind, w["calendar" if kind == "appointments" else kind]) for kind in EXPORTED]),
            Field("from", w["from"], "date", required=False), Field("to", w["to"], "date", required=False),
        ), (Button("prepare", w["prepare"]),))  # fmt: skip
        rows = listing(store, asked=asked_page(store, "exports", login=g.session["login"]), view=view(store))
        return page(store, "list.html", shown=rows, title=w["exports"], form=form, query={}, chosen={}, message=message(w, refused))

    @app.get("/exports")
    @signed_in("exports", store)
    def show_exports() -> Response:
        return shown()

    @app.post("/exports")
    @signed_in("exports", store)
    def ask() -> Any:
        given = {name: sent(name) for name in ("kind", "from", "to")}
        return write(
            store, action="export.create", record=0, keep=lambda: _prepare(store, **given),
            again=shown, done=lambda number: redirect(f"/exports/{number}"), **given,
        )  # fmt: skip

    @app.get("/exports/<int:number>")
    @signed_in("exports", store)
    def one_export(number: int) -> Response:
        row = _own(store, number)
        return page(store, "export.html", row=row, is_ready=row["ready_at"] <= time.time())

    @app.get("/exports/<int:number>/<kind>.csv")
    @signed_in("exports", store)
    def fetch(number: int, kind: str) -> Response:
        row = _own(store, number)
        if row["kind"] != kind or row["key"] != request.args.get("key") or row["ready_at"] > time.time():
            abort(404)
        head = {"Content-Disposition": f'attachment; filename="{kind}.csv"'}
        return Response(row["content"].encode("utf-8-sig"), content_type="text/csv; charset=utf-8", headers=head)


def _own(store: Store, number: int) -> dict[str, Any]:
    return store.one("SELECT * FROM export WHERE id = ? AND login = ?", (number, g.session["login"])) or abort(404)


def _prepare(store: Store, **given: str) -> int:
    """Write an export as things are now. :return: its number. :raises NotKept: there is no such export"""
    kind = given["kind"]
    if kind not in EXPORTED:
        raise NotKept({"kind": "bad"})
    shown = view(store)
    names, heads = heads_and_names(KINDS[kind], shown)
    out = io.StringIO()
    sheet = csv.writer(out)
    coded: list[Head] = [head for head in heads if head.type == "code" or head.name in ("patient", "clinician")]
    sheet.writerow([head.words for head in heads] + [f"{head.words} ({g.look.words['id']})" for head in coded])
    rows, _ = found(store, asked=Asked(kind, filters=given), limited=False)
    for row in rows:
        cells = {head.name: cell(name, row, shown, kind=kind) for name, head in zip(names, heads, strict=True)}
        sheet.writerow([one.text for one in cells.values()] + [cells[head.name].code for head in coded])
    return store.run(
        "INSERT INTO export (login, kind, asked_at, ready_at, key, content) VALUES (?, ?, ?, ?, ?, ?)",
        (g.session["login"], kind, now_text(), time.time() + setting_number(store, "export_seconds"),
         secrets.token_urlsafe(12), out.getvalue()),
    )  # fmt: skip
