"""The pages of a claim and its submission, and the files of remittances."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, g, redirect, request

from rapport.sandbox.portal.booking import NotKept
from rapport.sandbox.portal.claimfile import send
from rapport.sandbox.portal.forms import Button, Field, Form, sent
from rapport.sandbox.portal.looks import day_text, dollars, time_text
from rapport.sandbox.portal.seed import CHARGES
from rapport.sandbox.portal.store import Store, now_text
from rapport.sandbox.portal.surround import page, signed_in
from rapport.sandbox.portal.words import CODES
from rapport.sandbox.portal.writes import message, write

USUAL_CHARGE_CENTS = 15000


def _row(store: Store, number: int) -> dict[str, Any]:
    return store.one(
        "SELECT m.*, p.last || ', ' || p.first AS patient, c.first || ' ' || c.last AS clinician FROM claim m"
        " JOIN patient p ON p.id = m.patient_id JOIN clinician c ON c.id = m.clinician_id WHERE m.id = ?", (number,),
    ) or abort(404)  # fmt: skip


def routes(app: Flask, store: Store) -> None:
    """Add these pages."""

    def shown(number: int, refused: NotKept | None = None) -> Response:
        row, w = _row(store, number), g.look.words
        form = None
        if row["status"] == "Ready":
            fields = (Field("version", "", "hidden", str(row["version"])),)
            buttons = (Button("cancel", w["back"], leaves="/billing/claims"), Button("submit_claim", w["submit_claim"]))
            form = Form("submit", f"/billing/claims/{number}/submit", fields, buttons)
        lines = [
            line | {"charge": dollars(line["charge_cents"]), "paid": dollars(line["paid_cents"])}
            for line in store.rows("SELECT * FROM claim_line WHERE claim_id = ? ORDER BY id", (number,))
        ]
        return page(
            store, "claim.html", row=row, facts=_facts(row), lines=lines, message=message(w, refused),
            form=form, kept="saved" in request.args,
        )  # fmt: skip

    @app.get("/billing/claims/<int:number>")
    @signed_in("claims", store)
    def one_claim(number: int) -> Response:
        return shown(number)

    @app.post("/billing/claims/<int:number>/submit")
    @signed_in("submit", store)
    def submit(number: int) -> Any:
        version = sent("version")
        return write(
            store, action="claim.submit", record=number, keep=lambda: _submit(store, number),
            again=lambda refused: shown(number, refused), done=lambda _: redirect(f"/billing/claims/{number}?saved=1"),
            version=version,
        )  # fmt: skip

    _starting(app, store)

    @app.get("/billing/batches/<int:number>.837")
    @signed_in("claims", store)
    def batch_file(number: int) -> Response:
        row = store.one("SELECT batch, content FROM batch WHERE id = ?", (number,)) or abort(404)
        head = {"Content-Disposition": f'attachment; filename="{row["batch"]}.837"'}
        return Response(row["content"].encode("ascii"), content_type="application/edi-x12", headers=head)

    @app.get("/billing/eras/<int:number>.835")
    @signed_in("eras", store)
    def era_file(number: int) -> Response:
        row = store.one("SELECT trace, content FROM era WHERE id = ?", (number,)) or abort(404)
        head = {"Content-Disposition": f'attachment; filename="{row["trace"]}.835"'}
        return Response(row["content"].encode("ascii"), content_type="application/edi-x12", headers=head)


def _starting(app: Flask, store: Store) -> None:
    """A claim is made for a visit; it goes nowhere before it is submitted."""

    def ask(appointment: str, refused: NotKept | None = None) -> Response:
        w = g.look.words
        field = Field("appointment", f"{w['appointment']} ID", value=appointment)
        form = Form("new_claim", "/billing/claims/new", (field,), (Button("create_claim", w["create_claim"]),))
        return page(store, "form.html", title=w["new_claim"], form=form, message=message(w, refused))

    @app.get("/billing/claims/new")
    @signed_in("submit", store)
    def show_new_claim() -> Response:
        return ask(request.args.get("appointment", ""))

    @app.post("/billing/claims/new")
    @signed_in("submit", store)
    def keep_new_claim() -> Any:
        appointment = sent("appointment")
        return write(
            store, action="claim.create", record=0, keep=lambda: _create(store, appointment),
            again=lambda refused: ask(appointment, refused), done=lambda number: redirect(f"/billing/claims/{number}"),
            appointment=appointment,
        )  # fmt: skip


def _create(store: Store, appointment: str) -> int:
    """Make a claim for a visit. :return: its number. :raises NotKept: it cannot be claimed, or was"""
    with store.exclusive():
        visit = store.one(
            "SELECT a.*, p.payer, p.member_id FROM appointment a JOIN patient p ON p.id = a.patient_id WHERE a.id = ?", (appointment,)
        )
        if visit is None or visit["status"] != "Completed" or not visit["payer"]:
            raise NotKept({}, message="no_claim")
        if store.one("SELECT id FROM claim WHERE appointment_id = ?", (visit["id"],)):
            raise NotKept({}, message="has_claim")
        charge = CHARGES.get(visit["code"], USUAL_CHARGE_CENTS)
        number = store.run(
            "INSERT INTO claim (number, patient_id, clinician_id, appointment_id, payer, payer_id, member_id, service_on, charge_cents,"
            " paid_cents, status, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'Ready', ?)",
            (f"FB{visit['id']:06}", visit["patient_id"], visit["clinician_id"], visit["id"], visit["payer"],
             f"{visit['member_id'][:3]}01", visit["member_id"], visit["start_at"][:10], charge, now_text()),
        )  # fmt: skip
        store.run(
            "INSERT INTO claim_line (claim_id, code, units, charge_cents, paid_cents) VALUES (?, ?, 1, ?, 0)",
            (number, visit["code"], charge),
        )
        return number


def _facts(row: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return what the page says: field, label, text, code."""
    w, look = g.look.words, g.look
    facts = [
        ("number", w["number"], row["number"], ""),
        ("patient", w["patient"], row["patient"], str(row["patient_id"])),
        ("clinician", w["clinician"], row["clinician"], str(row["clinician_id"])),
        ("payer", w["payer"], row["payer"], row["payer_id"]),
        ("member_id", w["member_id"], row["member_id"], ""),
        ("service_on", w["service_on"], day_text(row["service_on"], pattern=look.date_format), ""),
        ("charge", w["charge"], dollars(row["charge_cents"]), ""),
        ("paid", w["paid"], dollars(row["paid_cents"]), ""),
        ("status", w["status"], look.text(row["status"]), CODES.get(row["status"], "")),
        ("submitted_at", w["submitted"], time_text(row["submitted_at"], pattern=look.time_format), ""),
    ]
    return [fact for fact in facts if fact[0] not in g.faults.values("drop_column")]


def _submit(store: Store, number: int) -> None:
    """
    Send a claim to its payer: for good, and once more each time the button is pressed on an old page.

    :raises NotKept: it was decided already
    """
    with store.exclusive():
        if _row(store, number)["status"] not in ("Ready", "Submitted"):
            raise NotKept({}, message="not_ready")
        store.run(
            "UPDATE claim SET status = 'Submitted', submitted_at = ?, submissions = submissions + 1, version = version + 1,"
            " updated_at = ? WHERE id = ?",
            (now_text()[:16], now_text(), number),
        )
        send(store, number, sent_at=now_text()[:16])
