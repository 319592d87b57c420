"""Two practices, one of them with an object of every kind that an address or a body can name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connections
from django.utils import timezone

from rapport.kernel.ids import PREFIXES, new_uuid, parse_type_id, type_id
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.api import etags
from rapport.platform.api.edge import PATH_KINDS
from rapport.platform.api.router import RouteInfo
from rapport.platform.outbox.relay import Relay
from rapport.rooms.ledger import services as ledger
from rapport.rooms.payments import examples
from rapport.rooms.payments import services as payments
from rapport.rooms.payments.ports import CardFacts, PayoutFacts, PayoutLine, Prepared
from rapport.rooms.payments.queries import enrolments_to_look_at
from tests.support import props
from tests.support.billing import Billing
from tests.support.cast import Api, House, found
from tests.support.connected import Connected
from tests.support.portal import ScriptedPortal
from tests.support.sandbox import SandboxProcess
from tests.support.sink import Sink, sink

OTHER_PLACES = {
    "practice": "(SELECT id, version, id AS practice_id FROM tenancy_practice)",
    "mfa_factor": "(SELECT f.id, 1 AS version, m.practice_id FROM identity_mfafactor f"
    " JOIN identity_membership m ON m.user_id = f.user_id)",
    "event": "(SELECT id, 1 AS version, practice_id FROM outbox_outboxevent"
    " WHERE type = 'patient.created')",
    **{
        kind: f"(SELECT id, 1 AS version, practice_id FROM accounting_paper WHERE kind = '{kind}')"
        for kind in ("invoice", "statement", "superbill")
    },
    "document_link": "(SELECT id, 1 AS version, practice_id FROM documents_documentlink)",
}
"""Kinds that are found in another way than by their table."""
PARAMETERS = PATH_KINDS | {"factor_id": "mfa_factor", "document_link_id": "document_link"}
KIND_OF = {prefix: kind for kind, prefix in PREFIXES.items()}


@dataclass
class Stage:
    """Willow, which has everything, and Aspen, which wants to see it."""

    willow: House
    aspen: House
    billing: Billing
    ids: dict[str, tuple[UUID, int | None]] = field(default_factory=dict)
    """Kind -> (id, version) of one of Willow's objects."""

    def own(self, kind: str) -> str:
        """Return the public id of Willow's object of a kind."""
        assert kind in self.ids, f"the stage has no {kind}"
        return type_id(kind, self.ids[kind][0])


def places() -> dict[str, str]:
    """Return kind -> table of everything that has a public id and belongs to a practice."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT kind, table_name FROM audit_kind")
        return dict(cursor.fetchall()) | OTHER_PLACES


def _versioned(table: str) -> bool:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM information_schema.columns WHERE table_name = %s AND column_name = 'version'",
            [table],
        )
        return cursor.fetchone() is not None


def _look_up(stage: Stage) -> None:
    for kind, table in places().items():
        version = "version" if table.startswith("(") or _versioned(table) else "NULL::int"
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                f"SELECT id, {version} FROM {table} t WHERE practice_id = %s ORDER BY id LIMIT 1", [stage.willow.id]
            )
            row = cursor.fetchone()
        if row:
            stage.ids[kind] = (row[0], row[1])


@contextmanager
def set_up() -> Iterator[Stage]:
    """Found both practices and let Willow live through everything once."""
    with tempfile.TemporaryDirectory() as folder, sink() as receiver:
        sandbox = SandboxProcess(Path(folder))
        try:
            yield _live(sandbox, receiver, Path(folder))
        finally:
            sandbox.stop()


def _live(sandbox: SandboxProcess, receiver: Sink, folder: Path) -> Stage:
    willow, aspen = found("Willow", "America/Los_Angeles"), found("Aspen", "America/New_York")
    stage = Stage(willow, aspen, Billing(willow, sandbox))
    props.made(
        willow.admin.post("/v1/webhook-endpoints", {"url": receiver.url, "event_types": ["patient.created"]})
    )
    payer = f"/v1/payers/{stage.billing.things['payer']['id']}"
    rates = {"rates": [{"service_code": "90837", "rate": {"amount": 17900}, "starts_on": "2026-01-01"}]}
    assert willow.biller.call("PUT", f"{payer}/contract-rates", rates, if_match=willow.biller.get(payer)["ETag"]).status_code == 200
    claim = stage.billing.claim(member_id="W123456789")
    patient = stage.billing.things["patient"]
    second = props.payer(willow, "Second Health Plan", payer_id_code="SECND")
    props.policy(willow, patient, second, rank="secondary", member_id="SEC1")
    stage.billing.submit(claim)
    stage.billing.work()  # the first payer has decided: that the second be asked is proposed
    stage.billing.batch(stage.billing.claim(member_id="W123456780", hour=10))
    stage.billing.submit(stage.billing.claim(member_id="SBXCO197001", days_ago=5))
    stage.billing.work()
    stage.billing.submit(stage.billing.claim(member_id="SBX277REJ1", hour=11))
    stage.billing.work()
    props.made(willow.biller.post("/v1/claim-rules", {"rules": [], "based_on": 0}))
    stage.billing.things["patient"] = patient
    props.made(willow.biller.post("/v1/deposits", {"received_on": "2026-11-06", "amount": {"amount": 11900}}))
    props.made(
        willow.biller.post(
            "/v1/payments", {"patient_id": patient["id"], "method": "cash", "amount": {"amount": 2500}}
        )
    )
    props.made(
        willow.scheduler.post(
            "/v1/appointments",
            {
                "patient_id": patient["id"], "clinician_id": stage.billing.things["clinician"]["id"],
                "service_code": "90837", "start_at": "2031-01-06T18:00:00Z", "telehealth": True,
            },
        )
    )  # fmt: skip
    _gather(stage, patient)
    _take_cards(willow, patient)
    _agree(willow, patient)
    _cover(stage)
    document = stage.billing.maya.get("/v1/documents").json()["data"][0]
    draft = stage.billing.claim(member_id="W123456781", hour=12)
    papers = stage.billing.maya.get(f"/v1/documents?patient_id={draft['patient_id']}").json()["data"]
    props.made(willow.biller.post(f"/v1/claims/{draft['id']}/attachments", {"document_id": papers[0]["id"]}))
    props.made(stage.billing.maya.post(f"/v1/documents/{document['id']}/links", {}))
    props.made(willow.admin.post("/v1/mfa/totp", {}))
    willow.key("admin", Permission.PATIENTS_READ)
    _connect(willow, folder, stage.billing.maya)
    _account(stage)
    while Relay(practice_id=willow.id).run_once():
        pass
    _look_up(stage)
    return stage


def _gather(stage: Stage, patient: Any) -> None:
    """Let the patient belong to a group that is to meet."""
    willow, things = stage.willow, stage.billing.things
    props.service_code(willow, "90853")
    body = {"label": "Evening", "clinician_id": things["clinician"]["id"], "patient_ids": [patient["id"]]}
    group = props.made(willow.scheduler.post("/v1/groups", body))
    session = {"start_at": "2031-01-07T18:00:00Z", "location_id": things["location"]["id"]}
    props.made(willow.scheduler.post(f"/v1/groups/{group['id']}/sessions", session))


def _cover(stage: Stage) -> None:
    """Give the policy an authorisation, ask its payer, and credential the clinician with it."""
    willow, things = stage.willow, stage.billing.things
    policy = willow.scheduler.get("/v1/insurance-policies").json()["data"][0]
    props.made(
        willow.scheduler.post("/v1/authorizations", {"policy_id": policy["id"], "number": "A-1", "allowed": 10})
    )
    span = {
        "clinician_id": things["clinician"]["id"], "payer_id": things["payer"]["id"], "starts_on": "2026-01-01",
    }  # fmt: skip
    props.made(willow.biller.post("/v1/credential-spans", span))
    planned = {"service_code": "90837", "clinician_id": things["clinician"]["id"], "quantity": 12}
    props.made(
        willow.scheduler.post(
            "/v1/good-faith-estimates", {"patient_id": things["patient"]["id"], "services": [planned]}
        )
    )
    asked = willow.scheduler.post(f"/v1/insurance-policies/{policy['id']}/eligibility-checks", {})
    assert asked.status_code == 202, asked.content


def _account(stage: Stage) -> None:
    """Invoice a visit that its patient pays for, and make every other paper and report."""
    billing, biller = stage.billing, stage.willow.biller
    patient = props.patient(stage.willow, "Pia", clinician_ids=[billing.things["clinician"]["id"]])
    visit = billing.visit(patient=patient, days_ago=9)
    billing.note(visit)
    period = {"from_on": "2020-01-01", "to_on": stage.willow.scope.day_of(timezone.now()).isoformat()}
    body = {"patient_id": patient["id"], **period}
    props.made(biller.post("/v1/invoices", body))
    props.made(
        biller.post("/v1/payments", {"patient_id": patient["id"], "method": "cash", "amount": {"amount": 18000}})
    )
    eap = props.made(stage.willow.admin.post("/v1/payers", {"name": "Assistance", "kind": "eap"}))
    props.policy(stage.willow, patient, eap, member_id="CASE-1")
    billing.visit(patient=patient, days_ago=8)
    asked = props.made(biller.post("/v1/invoices", {"payer_id": eap["id"], **period}))
    paid = {"invoice_id": asked["id"], "amount": {"amount": 100}, "method": "ach"}
    props.made(biller.post("/v1/payer-payments", paid))
    props.made(biller.post("/v1/superbills", body))
    props.made(biller.post("/v1/statements", body))
    props.made(biller.post("/v1/pay-reports", period))


def _connect(willow: House, folder: Path, maya: Api) -> None:
    """Link a portal that asked for a second factor once; a write waits for approval, and a note was fetched."""
    portal = ScriptedPortal(folder)
    portal.script("sign_in", {"challenge": "sms"})
    connected = Connected(willow, portal).start()
    challenge = connected.list("challenges")[0]
    connected.admin.post(f"{connected.path}/challenges/{challenge['id']}/answer", {"code": "246810"})
    connected.work()
    connected.write("claims.submit", control_number="RA7")
    asked = maya.post(f"{connected.path}/artefacts", {"ability": "notes.pdf", "remote_id": "n1"})
    assert asked.status_code == 202, asked.content
    connected.work()


def _take_cards(willow: House, patient: Any) -> None:
    """Keep a card that was charged, with a payout; no processor is reached."""
    nobody = {"secret_key": "sk_test_stage1234", "settings": {"base_url": "http://127.0.0.1:9"}}
    processor = props.made(willow.admin.post("/v1/card-processors", nobody))
    card = props.made(willow.biller.post("/v1/cards", {"patient_id": patient["id"]}))
    with willow.entered() as scope:
        facts = PayoutFacts("po_1", 100, date(2026, 3, 2), "paid", (PayoutLine("txn_1", "other", "", 100, 0, 100),))
        processor_id = parse_type_id("card_processor", processor["id"])
        assert processor_id is not None
        payments.record_payout(scope=scope, processor_id=processor_id, facts=facts, now=timezone.now())
        card_id = parse_type_id("card", card["id"])
        assert card_id is not None
        page, facts_of_card = Prepared("cus_1", "seti_1", "seti_1_secret"), CardFacts("pm_1", "visa", "4242", 8, 2034, "credit")
        payments.keep_page(scope=scope, card_id=card_id, answer=page, now=timezone.now())
        payments.keep_card(scope=scope, card_id=card_id, answer=facts_of_card, now=timezone.now())
    props.made(
        willow.biller.post(
            "/v1/autopay-enrolments", examples.NEW_ENROLMENT | {"patient_id": patient["id"], "card_id": card["id"]}
        )
    )
    assert willow.admin.call("PUT", "/v1/autopay-rule", examples.NEW_RULE).status_code == 200
    with willow.entered() as scope:
        ledger.post_charge(
            scope=scope, appointment_id=new_uuid(), patient_id=parse_type_id("patient", patient["id"]),
            service_on=date(2026, 3, 2), patient_cents=9000, insurance_cents=0, now=timezone.now(),
        )  # fmt: skip
        (enrolment,) = enrolments_to_look_at(scope=scope, before=timezone.now())
        assert payments.plan(scope=scope, enrolment_id=enrolment, now=timezone.now()) is not None


def _agree(willow: House, patient: Any) -> None:
    """Let the patient owe for another visit, and agree to pay for it by instalments."""
    visit = new_uuid()
    with willow.entered() as scope:
        ledger.post_charge(
            scope=scope, appointment_id=visit, patient_id=parse_type_id("patient", patient["id"]),
            service_on=date(2026, 3, 3), patient_cents=9000, insurance_cents=0, now=timezone.now(),
        )  # fmt: skip
    agreed = {"by": "Ana Rivera", "at": timezone.now().isoformat(), "how": "phone"}
    body = {
        "patient_id": patient["id"], "appointment_ids": [type_id("appointment", visit)], "interval": "monthly",
        "first_due_on": (timezone.now() + timedelta(days=30)).date().isoformat(), "instalments": 3, "agreed": agreed,
    }  # fmt: skip
    props.made(willow.biller.post("/v1/payment-plans", body))


def kinds_in(info: RouteInfo) -> list[str]:
    """Return the kinds of the ids in a route's address, in order."""
    words = [part.split("}")[0] for part in info.path.split("{")[1:]]
    return [PARAMETERS[word] for word in words if word in PARAMETERS]


def address(info: RouteInfo, stage: Stage | None) -> str:
    """Return the route's address with Willow's ids, or without a stage with nobody's."""
    path = info.path
    for word in [part.split("}")[0] for part in info.path.split("{")[1:]]:
        kind = PARAMETERS.get(word)
        if kind is None:
            filled = "F41.1"
        else:
            filled = stage.own(kind) if stage else type_id(kind, new_uuid())
        path = path.replace("{" + word + "}", filled)
    return f"/v1{path}"


def tag(info: RouteInfo, stage: Stage) -> str:
    """Return the ETag that Willow's own people would send."""
    kinds = kinds_in(info)
    id, version = stage.ids[kinds[0]] if kinds else (new_uuid(), 1)
    return etags.of(id, version or 1)


def with_ids(body: Any, stage: Stage | None, named: list[str]) -> Any:
    """Put Willow's ids (or nobody's) in place of those of an example; note the kinds replaced."""
    if isinstance(body, dict):
        return {name: with_ids(value, stage, named) for name, value in body.items()}
    if isinstance(body, list):
        return [with_ids(value, stage, named) for value in body]
    if isinstance(body, str) and "_" in body:
        kind = KIND_OF.get(body.split("_")[0])
        if kind and len(body) > 26 and (stage is None or kind in stage.ids):
            named.append(kind)
            return stage.own(kind) if stage else type_id(kind, new_uuid())
    return body


def actors(house: House) -> list[Api]:
    """Return a person of each role, and a program that may do all that an administrator may."""
    people = [house.person(role.value, role) for role in Role]
    return [*people, house.key(Role.PRACTICE_ADMINISTRATOR.value, *Permission)]


def state_of(house: House) -> dict[str, tuple[int, str]]:
    """Return count and digest of all that a practice has, beside its trail."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'practice_id'"
            " AND table_schema = 'public' AND table_name NOT LIKE 'audit_%'"
            " AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = 'public')"
        )
        tables = [row[0] for row in cursor.fetchall()]
        found_state = {}
        for table in tables:
            cursor.execute(
                f"SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
                f" FROM {table} t WHERE practice_id = %s",
                [house.id],
            )
            found_state[table] = cursor.fetchone()
    return found_state
