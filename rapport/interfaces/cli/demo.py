"""Load the demo practices when the store is empty. Refused beside a practice with real patients."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from . import setup
from .client import Caller, sign_in

Plan = dict[str, Any]
"""Where the demo's web server and sandbox payer are."""


def register(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def path() -> Path:
    """Return the file with what is needed to sign in to the demo."""
    from rapport.config.environment import ENVIRONMENT

    return ENVIRONMENT.home / "demo.json"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def plan(base_url: str) -> Plan:
    """Return ports and key of the sandbox payer; chosen once per installation."""
    from rapport.config.environment import ENVIRONMENT

    file = ENVIRONMENT.home / "payer.json"
    if not file.exists():
        _write(file, {"http_port": _free_port(), "sftp_port": _free_port(), "api_key": secrets.token_urlsafe(24)})
    return {"base_url": base_url, "home": str(ENVIRONMENT.home / "payer"), **json.loads(file.read_text())}


def _write(file: Path, content: Any) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(content, out, indent=2)


def cards_plan() -> Plan:
    """Return port and keys of the double of the card processor; chosen once per installation."""
    from rapport.config.environment import ENVIRONMENT

    file = ENVIRONMENT.home / "cards.json"
    if not file.exists():
        keys = {"secret_key": f"sk_test_{secrets.token_hex(12)}", "webhook_secret": f"whsec_{secrets.token_hex(12)}"}
        _write(file, {"port": _free_port(), "home": str(ENVIRONMENT.home / "cards"), **keys})
    found: Plan = json.loads(file.read_text())
    return found


def cards_command() -> list[str]:
    """Return the command line of the double of the card processor."""
    cards = cards_plan()
    return [
        sys.executable, "-m", "rapport.sandbox.cards", "--home", cards["home"], "--port", str(cards["port"]),
        f"--secret-key={cards['secret_key']}", f"--webhook-secret={cards['webhook_secret']}",
    ]  # fmt: skip


def take_cards(base_url: str) -> None:
    """Let the first demo practice take cards of the double, and the double tell it what happens."""
    cards = cards_plan()
    admin = sign_in(base_url, json.loads(path().read_text())["users"]["admin"])
    url = f"http://127.0.0.1:{cards['port']}"
    processor = admin.call("POST", "/card-processors", {
        "secret_key": cards["secret_key"], "notice_secret": cards["webhook_secret"], "settings": {"base_url": url},
    })  # fmt: skip
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as double:
        double.post(
            "/_double/webhook", json={"url": base_url + processor["notice_path"]},
            headers={"Authorization": f"Bearer {cards['secret_key']}"},
        ).raise_for_status()  # fmt: skip


def payer_command(plan: Plan) -> list[str]:
    """Return the command line of the sandbox payer."""
    return [
        sys.executable, "-m", "rapport.sandbox.payer", "--home", plan["home"],
        "--http-port", str(plan["http_port"]), "--sftp-port", str(plan["sftp_port"]),
        f"--api-key={plan['api_key']}",  # it may begin with a hyphen
    ]  # fmt: skip


PORTAL_NPI = "1000000038"
"""Whom the payers of the sandbox portal pay: of another practice its remittances would be held."""


def _practices() -> tuple[int, int]:
    """Return how many practices there are, and how many of them have real patients."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE livemode) FROM tenancy_practice"
            " WHERE id <> '00000000-0000-0000-0000-000000000000'"
        )
        total, live = cursor.fetchone()
    return int(total), int(live)


def load_if_empty(plan: Plan, *, say: Callable[[str], None]) -> bool:
    """
    Load two demo practices into an empty store.

    :return: False when there are practices already
    """
    total, _ = _practices()
    if total:
        return False
    say("Loading the demo practices …")
    first = _practice(plan, "Willow Counseling", "America/Los_Angeles", "willow")
    second = _practice(plan, "Aspen Therapy", "America/New_York", "aspen")
    _write(path(), {"base_url": plan["base_url"], **first, "second_practice": second})
    return True


def _practice(plan: Plan, name: str, zone: str, short: str, *, connected: bool = False) -> dict[str, Any]:
    """
    Found one practice: the operator makes it and its people, everything else goes over the API.

    :param connected: its patients and its claims are in a portal: it begins without patients or channel
    """
    from zoneinfo import ZoneInfo

    from django.utils import timezone

    from rapport.kernel.ids import parse_type_id, type_id
    from rapport.platform.access.permissions import Permission, Role, permissions_of
    from rapport.platform.access.scope import system_scope
    from rapport.platform.db.session import entered
    from rapport.platform.identity import services as identity
    from rapport.platform.tenancy.services import create_practice

    now = timezone.now()
    practice = create_practice(
        name=name, time_zone=zone, now=now, npi=PORTAL_NPI if connected else "1234567893", tax_id="123456789",
        taxonomy_code="261QM0801X", phone="5035550100", address_line1="100 Willow Street",
        city="Portland", state_code="OR", postal_code="972050001",
    )  # fmt: skip
    scope = system_scope(practice_id=practice.id, actor_id=practice.id, time_zone=ZoneInfo(zone))
    users: dict[str, dict[str, str]] = {}

    def join(word: str, display: str, *roles: Role, clinician_id: Any = None, supervises: Any = ()) -> Any:
        with entered(scope):
            made = identity.bootstrap_user(
                scope=scope, login=f"{word}@{short}.example", display_name=display, roles=roles, now=now,
                clinician_id=clinician_id, supervises=supervises,
            )  # fmt: skip
        users[word] = {
            "login": made.user.login, "password": made.password, "totp_secret": made.totp_secret,
            "id": type_id("user", made.user.id),
        }  # fmt: skip
        return made

    join("admin", "Avery Admin", Role.PRACTICE_ADMINISTRATOR)
    admin = sign_in(plan["base_url"], users["admin"])
    clinicians = {
        word: admin.call("POST", "/clinicians", body)
        for word, body in {
            "clinician": {"first_name": "Maya", "last_name": "Chen", "credentials": "PhD",
                          "npi": "1000000004", "taxonomy_code": "103TC0700X"},
            "supervisor": {"first_name": "Samuel", "last_name": "Ortiz", "credentials": "LCSW",
                           "npi": "1000000012", "taxonomy_code": "1041C0700X"},
            "intern": {"first_name": "Iris", "last_name": "Novak", "credentials": "MA"},
        }.items()
    }  # fmt: skip
    ids = {word: parse_type_id("clinician", row["id"]) for word, row in clinicians.items()}
    join("clinician", "Maya Chen", Role.CLINICIAN, clinician_id=ids["clinician"])
    join("supervisor", "Samuel Ortiz", Role.SUPERVISOR, Role.CLINICIAN, clinician_id=ids["supervisor"],
         supervises=(ids["intern"],))  # fmt: skip
    join("intern", "Iris Novak", Role.INTERN, clinician_id=ids["intern"])
    join("scheduler", "Fran Desk", Role.SCHEDULER)
    join("biller", "Bo Biller", Role.PRACTICE_BILLER)
    join("auditor", "Audrey Ledger", Role.AUDITOR)
    roles = (Role.PRACTICE_ADMINISTRATOR, Role.CLINICAL_ADMINISTRATOR, Role.PRACTICE_BILLER, Role.SCHEDULER)
    owner = join("integrator", "Integration owner", *roles)
    with entered(scope):
        _, key = identity.create_api_key(
            owner=owner.membership, name="demo", scopes=sorted(permissions_of(frozenset(roles)) - {Permission.SELF_READ}),
            expires_at=now + timedelta(days=365), livemode=False, now=now,
        )  # fmt: skip
    del users["integrator"]
    location = admin.call("POST", "/locations", {
        "name": "Main office",
        "address": {"line1": "100 Willow Street", "city": "Portland", "state": "OR", "postal_code": "972050001"},
    })  # fmt: skip
    biller = sign_in(plan["base_url"], users["biller"])
    services = (
        ("90791", "Evaluation", 60, 22500), ("90834", "Session 45 min", 45, 15000), ("90837", "Session 60 min", 60, 18000),
        ("90853", "Group session", 60, 6000),
    )  # fmt: skip
    for code, label, minutes, cents in services:
        biller.call("POST", "/service-codes", {
            "code": code, "label": label,
            "duration_minutes": minutes, "rate": {"amount": cents},
        })  # fmt: skip
    payer = biller.call("POST", "/payers", {"name": "Sandbox Health Plan", "payer_id_code": "SBXPAYER"})
    patients: list[str] = []
    if not connected:
        biller.call("POST", "/channels", {
            "name": "Sandbox clearinghouse", "kind": "http", "secret": plan["api_key"],
            "settings": {
                "base_url": f"http://127.0.0.1:{plan['http_port']}", "sender_id": short.upper() + "BH",
                "receiver_id": "SANDBOXCH", "receiver_name": "SANDBOX CLEARINGHOUSE",
            },
        })  # fmt: skip
        patients = [
            _patient(Caller(plan["base_url"], key), clinicians["clinician"]["id"], payer["id"], number, *person)
            for number, person in enumerate(
                (("Ana", "Rivera", "1990-04-12", "female"), ("Ben", "Okafor", "1984-11-30", "male"),
                 ("Chris", "Lindqvist", "2001-07-03", "unknown"))
            )
        ]  # fmt: skip
    return {
        "practice_id": type_id("practice", practice.id),
        "users": users,
        "api_key": key,
        "clinician_id": clinicians["clinician"]["id"],
        "location_id": location["id"],
        "payer_id": payer["id"],
        "patient_ids": patients,
    }


def _patient(
    caller: Caller, clinician_id: str, payer_id: str, number: int, first: str, last: str, born: str, sex: str
) -> str:
    patient = caller.call("POST", "/patients", {
        "name": {"first": first, "last": last}, "birth_on": born, "sex": sex,
        "address": {"line1": f"{12 + number} Alder Court", "city": "Portland", "state": "OR", "postal_code": "97205"},
        "phones": [{"use": "mobile", "number": f"503555012{number}"}],
        "clinician_ids": [clinician_id],
    })  # fmt: skip
    caller.call("POST", "/insurance-policies", {
        "patient_id": patient["id"], "payer_id": payer_id, "rank": "primary",
        "member_id": f"W10000000{number}", "relationship": "self", "starts_on": "2026-01-01",
    })  # fmt: skip
    return str(patient["id"])


def run(arguments: argparse.Namespace) -> int:
    """Load the demo into a running installation whose store is empty."""
    setup.django()
    setup.start_database()
    from rapport.config.environment import ENVIRONMENT

    total, live = _practices()
    if live:
        print("Refused: there is a practice with real patients here.", file=sys.stderr)
        return 1
    if total:
        print(f"There are practices already; see {path()}.")
        return 0
    load_if_empty(plan(f"http://127.0.0.1:{ENVIRONMENT.port}"), say=print)
    print(f"Loaded; what you need to sign in is in {path()}.")
    return 0
