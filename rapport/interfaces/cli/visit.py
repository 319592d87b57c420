"""Play one whole visit through the public API: from signing in to a balanced ledger."""

from __future__ import annotations

import argparse
import http.server
import json
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from . import connected, demo
from .client import Caller, CallFailed, sign_in

WAIT_SECONDS = 90
"""Longest wait for an answer from outside."""


class VisitFailed(RuntimeError):
    """A step did not end as it should. The message names the step."""


def register(parser: argparse.ArgumentParser) -> None:
    """Where the result goes."""
    parser.add_argument("--json", action="store_true", help="print the steps as JSON")


@dataclass
class Told:
    """Webhooks as they arrive, with their signatures checked."""

    types: list[str] = field(default_factory=list)
    refused: int = 0
    secret: str = ""


@contextmanager
def listening() -> Iterator[tuple[str, Told]]:
    """Receive webhooks on this machine while the visit is played."""
    told = Told()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                event = Webhook(told.secret).verify(body, dict(self.headers.items()))
                told.types.append(event["type"])
                self.send_response(204)
            except WebhookVerificationError:
                told.refused += 1
                self.send_response(401)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks", told
    finally:
        server.shutdown()


class Play:
    """The visit, step by step; keeps what was asked and answered for the first page."""

    def __init__(self, base_url: str, say: Callable[[str], None]) -> None:
        self.base_url, self.say = base_url, say
        self.steps: list[dict[str, Any]] = []

    def step(self, title: str, note: str, method: str, path: str, request: Any, answer: Any, status: int) -> None:
        """Write a step down and say it."""
        self.steps.append(
            {"title": title, "method": method, "path": path, "status": status, "request": request,
             "response": answer, "events": [], "note": note}
        )  # fmt: skip
        self.say(f"  {len(self.steps):2}. {title:<34} {method} {path.split('?')[0]:<46} {status}  {note}")

    def call(
        self, who: Caller, title: str, method: str, path: str, body: Any = None, *,
        note: Callable[[Any], str] = lambda answer: "", act: bool = False,
    ) -> Any:  # fmt: skip
        """Make one call of the visit."""
        headers = {}
        if act:
            headers["if_match"] = who.send("GET", path.rsplit("/", 1)[0]).headers["ETag"]
        answer = who.send(method, path, body, **headers)
        shown = answer.json() if answer.content else None
        if answer.status_code >= 400:
            raise VisitFailed(f"{title}: {answer.status_code} {json.dumps(shown)}")
        self.step(title, note(shown), method, f"/v1{path}", body, shown, answer.status_code)
        return shown


def _until(title: str, look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        seen = look()
        if good(seen):
            return seen
        time.sleep(0.4)
    raise VisitFailed(f"{title}: nothing came within {WAIT_SECONDS} seconds")


def _money(value: dict[str, Any]) -> str:
    cents = value["amount"]
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100}.{abs(cents) % 100:02}"


def _book(play: Play, desk: Caller, patient_id: str, clinician_id: str) -> Any:
    """Book a telehealth session an hour or more ago, at a time that is free."""
    for _ in range(40):
        begin = datetime.now(UTC) - timedelta(minutes=random.randint(75, 40000))  # noqa: S311 - no secret
        body = {
            "patient_id": patient_id, "clinician_id": clinician_id, "service_code": "90837",
            "start_at": begin.isoformat(timespec="seconds"), "telehealth": True,
            "external_ids": [{"system": "urn:rapport:visit", "value": uuid.uuid4().hex}],
        }  # fmt: skip
        try:
            return play.call(desk, "Book a telehealth session", "POST", "/appointments", body,
                             note=lambda a: f"{a['start_local']} {a['time_zone']}")  # fmt: skip
        except VisitFailed as failed:
            if "slot-taken" not in str(failed):
                raise
    raise VisitFailed("Book a telehealth session: no free time was found")


def play(*, say: Callable[[str], None]) -> dict[str, Any]:
    """
    Play the visit on the demo practice, with a new patient; return its steps.

    :raises VisitFailed: a step did not end as it should
    """
    told_file = json.loads(demo.path().read_text())
    base_url = os.environ.get("RAPPORT_DEMO_URL") or told_file["base_url"]
    users = told_file["users"]
    run = Play(base_url, say)
    say("\nOne visit, through the public API:")
    with listening() as (url, told):
        admin = sign_in(base_url, users["admin"])
        endpoint = admin.call("POST", "/webhook-endpoints", {"url": url, "description": "the visit's own ear"})
        told.secret = endpoint["secret"]
        try:
            patient = _scenes(run, base_url, told_file, users, told)
        finally:
            etag = admin.send("GET", f"/webhook-endpoints/{endpoint['id']}").headers.get("ETag", "")
            admin.send("DELETE", f"/webhook-endpoints/{endpoint['id']}", if_match=etag)
    result = {
        "played_at": datetime.now(UTC).isoformat(timespec="seconds"), "patient_id": patient,
        "steps": run.steps, "webhooks": told.types,
    }  # fmt: skip
    demo._write(demo.path().with_name("visit.json"), result)
    say(f"      {len(told.types)} webhooks arrived, each signed: {', '.join(dict.fromkeys(told.types))}")
    beside = connected.line()
    if beside:
        say(f"      {beside}")
    return result


_TELLS = {
    "Add a patient": ("patient.created",),
    "Their insurance": ("insurance_policy.created", "patient.updated"),
    "Book a telehealth session": ("appointment.created", "telehealth.created"),
    "Check in": ("appointment.checked_in",),
    "The session took place": ("appointment.completed", "telehealth.ended"),
    "Write the progress note": ("note.created",),
    "Sign it": ("note.signed", "note.locked", "document.created"),
    "Assemble the claim": ("claim.created",),
    "Submit it as 837P": ("claim.submitted",),
    "Acknowledged: 999": ("claim.acknowledged",),
    "Accepted by the payer: 277CA": ("claim.accepted",),
    "Decided: 835 received and posted": ("era.received", "claim.paid"),
    "The remittance": ("era.posted",),
    "The copay is paid": ("payment.succeeded",),
}
"""Step -> the webhooks that it sends. The visit has failed when one of them does not arrive."""


def _scenes(run: Play, base_url: str, told_file: dict[str, Any], users: dict[str, Any], told: Told) -> str:
    desk = sign_in(base_url, users["scheduler"])
    run.step("Sign in with a second factor", users["scheduler"]["login"], "POST", "/v1/sessions/mfa",
             {"ticket": "…", "method": "totp", "code": "……"}, {"object": "session", "token": "…"}, 201)  # fmt: skip
    run.call(desk, "The roster", "GET", "/patients?limit=5", note=lambda a: f"{len(a['data'])} patients")
    number = uuid.uuid4().int % 10**9
    first, last = random.choice(("Dana", "Eli", "Noor", "Jules", "Kim")), random.choice(("Abbott", "Moreau", "Haddad", "Soto"))  # noqa: S311
    patient = run.call(desk, "Add a patient", "POST", "/patients", {
        "name": {"first": first, "last": last}, "birth_on": "1988-02-29", "sex": "female",
        "address": {"line1": "7 Birch Lane", "city": "Portland", "state": "OR", "postal_code": "97205"},
        "phones": [{"use": "mobile", "number": "5035550177"}], "clinician_ids": [told_file["clinician_id"]],
    }, note=lambda a: a["id"])  # fmt: skip
    run.call(desk, "Their insurance", "POST", "/insurance-policies", {
        "patient_id": patient["id"], "payer_id": told_file["payer_id"], "rank": "primary",
        "member_id": f"W{number:09}", "relationship": "self", "starts_on": "2026-01-01",
        "copay": {"amount": 2500, "currency": "USD"},
    }, note=lambda a: "primary")  # fmt: skip
    visit = _book(run, desk, patient["id"], told_file["clinician_id"])
    path = f"/appointments/{visit['id']}"
    run.call(desk, "Check in", "POST", f"{path}/check-in", {}, act=True, note=lambda a: a["status"])
    clinician = sign_in(base_url, users["clinician"])
    run.call(clinician, "The session took place", "POST", f"{path}/complete", {}, act=True,
             note=lambda a: a["status"])  # fmt: skip
    note = run.call(clinician, "Write the progress note", "POST", "/clinical-notes", {
        "appointment_id": visit["id"], "type": "progress", "diagnoses": [{"code": "F41.1"}],
        "content": {
            "subjective": "Reports fewer panic episodes and better sleep.",
            "objective": "Calm, oriented, congruent affect.",
            "assessment": "Improving with exposure work.", "plan": "Weekly sessions; continue exposure ladder.",
        },
    }, note=lambda a: a["status"])  # fmt: skip
    run.call(clinician, "Sign it", "POST", f"/clinical-notes/{note['id']}/sign", {}, act=True,
             note=lambda a: f"{a['status']}{' and locked' if a['locked'] else ''}")  # fmt: skip
    run.call(clinician, "A link to the signed PDF", "POST", f"/clinical-notes/{note['id']}/document-link", {},
             note=lambda a: "five minutes")  # fmt: skip
    biller = sign_in(base_url, users["biller"])
    claim = run.call(biller, "Assemble the claim", "POST", "/claims", {"appointment_ids": [visit["id"]]},
                     note=lambda a: f"{a['state']}, {_money(a['charge'])}, {len(a['findings'])} findings")  # fmt: skip
    path = f"/claims/{claim['id']}"
    run.call(biller, "Submit it as 837P", "POST", f"{path}/submit", {}, act=True, note=lambda a: a["state"])

    def read() -> Any:
        return biller.call("GET", path)

    def seen(title: str, answer: Any, note: str) -> None:
        run.step(title, note, "GET", f"/v1{path}", None, answer, 200)

    answer = _until("The clearinghouse takes it", read, lambda c: any(a["kind"] == "999" for a in c["acknowledgements"]))
    verdicts = {a["kind"]: a["verdict"] for a in answer["acknowledgements"]}
    seen("Acknowledged: 999", answer, f"syntax {verdicts['999']}")
    answer = _until("The payer takes it in", read, lambda c: c["state"] in ("accepted", "paid", "denied", "rejected"))
    moved = [move["state"] for move in answer["history"] if (move["detail"] or "").startswith("277CA")]
    shown = f"{', '.join(moved) or answer['state']}, payer number {answer['payer_claim_number']}"
    seen("Accepted by the payer: 277CA", answer, shown)
    answer = _until("The remittance is posted", read, lambda c: c["state"] in ("paid", "denied", "rejected"))
    seen("Decided: 835 received and posted", answer, answer["state"])
    remittance = _until(
        "The remittance", lambda: biller.call("GET", f"/remittances?claim_id={claim['id']}"), lambda a: a["data"]
    )
    run.step("The remittance", _money(remittance["data"][0]["total"]), "GET", "/v1/remittances", None, remittance, 200)
    balance = run.call(biller, "What the patient owes", "GET", f"/patients/{patient['id']}/balance",
                       note=lambda a: _money(a["patient_responsibility"]))  # fmt: skip
    if balance["patient_responsibility"]["amount"] > 0:
        run.call(biller, "The copay is paid", "POST", "/payments", {
            "patient_id": patient["id"], "amount": balance["patient_responsibility"], "method": "cash",
        }, note=lambda a: _money(a["amount"]))  # fmt: skip
    run.call(biller, "The ledger", "GET", f"/ledger-entries?patient_id={patient['id']}",
             note=lambda a: f"{len(a['data'])} entries, each summing to zero")  # fmt: skip
    final = run.call(biller, "Balanced", "GET", f"/patients/{patient['id']}/balance",
                     note=lambda a: f"patient {_money(a['patient_responsibility'])}, insurance {_money(a['insurance_outstanding'])}")  # fmt: skip
    if final["patient_responsibility"]["amount"] or final["insurance_outstanding"]["amount"]:
        raise VisitFailed("Balanced: something is still owed")
    expected = {event for events in _TELLS.values() for event in events}
    _until("The webhooks", lambda: set(told.types), lambda types: expected <= types)
    for step in run.steps:
        step["events"] = list(_TELLS.get(step["title"], ()))
    return str(patient["id"])


def run(arguments: argparse.Namespace) -> int:
    """Play the visit against the running demo installation."""
    if not demo.path().exists():
        print("There is no demo here: start it with ./run, or load it with `rapport demo`.")
        return 1
    try:
        result = play(say=(lambda text: None) if arguments.json else print)
    except (VisitFailed, CallFailed) as failed:
        print(f"The visit failed. {failed}")
        return 1
    if arguments.json:
        print(json.dumps(result, indent=1))
    return 0
