"""Consent, secrets and sign-ins: nothing without the first, nothing twice that was rejected."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import DatabaseError, connections, transaction

from rapport.platform.access.permissions import Role
from rapport.platform.crypto.aead import SealBroken
from rapport.rooms.exchange.jobs.caller import call
from rapport.rooms.exchange.ports import Reason, Trouble
from tests.support.connected import CONSENT, Connected
from tests.support.portal import PASSWORD, SEED, ScriptedPortal


def body(**fields: object) -> dict[str, object]:
    return {
        "definition": "scripted", "base_url": "http://127.0.0.1:9",
        "identity": {"practice_code": "WILLOW", "username": "rapport"}, "consent": CONSENT,
    } | fields  # fmt: skip


def test_without_consent_nothing_is_linked_and_the_answer_says_what_is_missing(connected: Connected) -> None:
    refused = connected.admin.post(
        "/v1/connections", body(consent=CONSENT | {"contract_permits_automation": False})
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "consent-missing")
    assert "contract_permits_automation" in refused.json()["detail"]
    assert connected.admin.get("/v1/connections").json()["data"] == []
    assert connected.admin.post("/v1/connections", body()).status_code == 201, "the control: with it, it is"


def test_consent_is_kept_with_who_when_and_the_words_in_row_and_trail(connected: Connected) -> None:
    made = connected.link()
    member = connected.house.members["admin"]
    row = connected.row()
    assert row.consent_by == member.user_id
    assert row.consent_words == made["consent"]["statement"] == CONSENT["statement"]
    trail = connected.house.auditor.get("/v1/audit-events?action=connection.consent").json()["data"]
    assert [event["reason"] for event in trail] == [CONSENT["statement"]]


def test_an_unknown_definition_an_inner_address_and_a_stray_field_are_refused(connected: Connected) -> None:
    for fault, pointer in (
        (body(definition="nothing"), "/definition"),
        (body(base_url="http://10.0.0.5"), "/base_url"),
        (body(identity={"username": "x"}), "/identity/practice_code"),
        (body(identity={"practice_code": "W", "username": "x", "password": "y"}), "/identity"),
    ):
        answer = connected.admin.post("/v1/connections", fault)
        assert answer.status_code == 422, answer.content
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_one_account_is_linked_once_and_again_after_it_was_withdrawn(connected: Connected) -> None:
    connected.link(base_url=str(body()["base_url"]))
    again = connected.admin.post("/v1/connections", body())
    assert (again.status_code, again.json()["code"]) == (409, "connection-exists")
    connected.admin.post(f"{connected.path}/withdraw")
    assert connected.admin.post("/v1/connections", body()).status_code == 201


def test_a_password_signs_in_and_everything_is_read(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    assert connected.read()["state"] == "healthy"
    assert connected.read()["secrets"] == ["password"]
    assert len(portal.log("sign_in")) == 1
    assert {run["kind"]: run["state"] for run in connected.list("runs")}["patients"] == "published"
    works = {one["name"]: one["works"] for one in connected.read("/capabilities")["data"]}
    assert works["patients.read"]
    assert works["claims.submit"]


def test_a_rejected_password_is_sent_once_whoever_asks_and_a_new_one_heals(
    connected: Connected, portal: ScriptedPortal
) -> None:
    connected.link()
    assert connected.secrets("ZZSECRET-wrong-one").status_code == 202
    connected.work()
    seen = connected.read()
    assert (seen["state"], seen["reason"], seen["owner"]) == ("attention", "credentials_rejected", "practice")
    for _ in range(10):
        answer, _ = call(
            scope=connected.house.scope, connection_id=connected.id, capability="patients.read",
            ask=lambda target, session, now: Trouble(Reason.BUSY),
        )  # fmt: skip
        assert isinstance(answer, Trouble)
    for kind in ("patients", "notes", "claims"):
        connected.admin.post(f"{connected.path}/refresh", {"what": [kind]})
    connected.admin.post(f"{connected.path}/sign-in")
    connected.work()
    assert len(portal.log("sign_in")) == 1, "no further attempt reached the portal"
    same = connected.secrets("ZZSECRET-wrong-one")
    assert (same.status_code, same.json()["code"]) == (409, "secret-rejected")

    id = connected.read()["id"]
    assert connected.secrets(PASSWORD).status_code == 202
    connected.work()
    assert (connected.read()["state"], connected.read()["id"]) == ("healthy", id)
    assert connected.open_items() == []
    assert len(portal.log("sign_in")) == 2


def test_so_many_sign_ins_an_hour_leave_and_no_more(connected: Connected, portal: ScriptedPortal) -> None:
    portal.limits["logins_per_hour"] = 3
    connected.start()
    for _ in range(6):
        portal.end_sessions()
        connected.sync("patients")
    assert len(portal.log("sign_in")) == 3
    assert connected.list("runs")[0]["reason"] == "busy"


def test_a_locked_account_is_left_alone_until_a_person_says_so(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.script("sign_in", {"trouble": "account_locked"})
    connected.start()
    assert connected.read()["reason"] == "account_locked"
    connected.admin.post(f"{connected.path}/sign-in")
    connected.work()
    assert len(portal.log("sign_in")) == 1, "and not before its time, even then"


def test_another_user_than_before_is_not_worked_with(connected: Connected, portal: ScriptedPortal) -> None:
    connected.start()
    portal.end_sessions()
    portal.script("sign_in", {"subject": "somebody-else"})
    run = connected.sync("patients")
    assert run["state"] == "refused"
    assert connected.read()["reason"] == "other_subject"
    assert len(portal.log("sign_out")) == 1, "that session was ended"


def test_secrets_codes_and_sessions_are_nowhere_to_be_read(
    connected: Connected, portal: ScriptedPortal
) -> None:
    portal.script("sign_in", {"challenge": "sms"})
    connected.start(totp_seed=SEED)
    challenge = connected.list("challenges")[0]
    connected.admin.post(f"{connected.path}/challenges/{challenge['id']}/answer", {"code": "246810"})
    connected.work()
    assert connected.read()["state"] == "healthy"
    write = connected.write()
    connected.settle(write)
    marks = (PASSWORD, SEED, "ZZSESSION", "ZZRESUME", "ZZPHI-Ana")
    held = everything(connected.house.id)
    assert not [mark for mark in marks if mark in held or mark.encode().hex() in held]
    assert "Our agreement lets us" in held, "the control: what is not secret is found"
    for part in ("", "/capabilities", "/challenges", "/attention", "/runs", "/writes", "/drift-reports"):
        text = connected.admin.get(f"{connected.path}{part}").content.decode()
        assert not [mark for mark in marks if mark in text], part
    uses = connected.house.auditor.get("/v1/audit-events?action=connection.secret_used&limit=100").json()["data"]
    assert sorted(field for use in uses for field in use["fields"]) == ["password", "totp_seed"]


def everything(practice_id: UUID) -> str:
    """Return every row of the database as text, but those of other practices, whose tests have marks of their own."""
    held = []
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT t::text FROM "{table}" t WHERE coalesce(to_jsonb(t) ->> %s, %s) = %s',
                ["practice_id", str(practice_id), str(practice_id)],
            )
            held += [row[0] for row in cursor.fetchall()]
    return "\n".join(held)


def test_a_secret_opens_in_its_own_place_only(connected: Connected) -> None:
    from rapport.rooms.exchange.models import Secret
    from rapport.rooms.exchange.services import vault

    connected.start(totp_seed=SEED)
    with connected.house.entered() as scope:
        rows = {row.kind: row for row in Secret.objects.visible_to(scope).filter(connection_id=connected.id)}
        opened = vault.open_secrets(scope=scope, connection=connected.row(), cause="test")
        assert opened == {"password": PASSWORD, "totp_seed": SEED}, "the control: both open"
        Secret.objects.visible_to(scope).filter(id=rows["totp_seed"].id).update(sealed=rows["password"].sealed)
        with pytest.raises(SealBroken):
            vault.open_secrets(scope=scope, connection=connected.row(), cause="test")


def test_withdrawn_it_is_signed_out_there_erased_here_and_never_taken_up(
    connected: Connected, portal: ScriptedPortal
) -> None:
    from rapport.rooms.exchange.jobs.duties import tend
    from rapport.rooms.exchange.models import PortalSession, Secret, Shadow

    connected.start(totp_seed=SEED)
    waiting = connected.write()
    assert connected.admin.post(f"{connected.path}/withdraw").status_code == 202
    connected.work()
    assert len(portal.log("sign_out")) == 1
    with connected.house.entered() as scope:
        assert not Secret.objects.visible_to(scope).filter(connection_id=connected.id).exists()
        assert not PortalSession.objects.visible_to(scope).exclude(sealed=None).exists()
        assert Shadow.objects.visible_to(scope).count() == 2, "the practice keeps what it has seen"
        waiting.refresh_from_db()
        assert (waiting.state, waiting.reason) == ("refused", "withdrawn")
    before = len(portal.log("sign_in")), len(portal.log("read:patients"))
    tend()
    connected.work()
    for step in ("sign-in", "resume", "suspend"):
        assert connected.admin.post(f"{connected.path}/{step}").status_code == 409
    assert connected.secrets().status_code == 409
    assert connected.admin.post(f"{connected.path}/refresh", {}).status_code == 409
    assert (len(portal.log("sign_in")), len(portal.log("read:patients"))) == before
    assert len(portal.log("submit")) == 0


def test_paused_nothing_goes_out_and_taken_up_it_works(connected: Connected, portal: ScriptedPortal) -> None:
    from rapport.rooms.exchange.jobs.duties import tend

    connected.start()
    assert connected.admin.post(f"{connected.path}/suspend").json()["state"] == "suspended"
    before = len(portal.log("read:patients"))
    tend()
    connected.work()
    assert connected.admin.post(f"{connected.path}/refresh", {}).status_code == 409
    assert len(portal.log("read:patients")) == before
    assert connected.admin.post(f"{connected.path}/resume").status_code == 202
    connected.work()
    assert connected.read()["state"] == "healthy"
    assert len(portal.log("read:patients")) > before


def test_the_database_itself_keeps_consent_account_and_withdrawal(connected: Connected) -> None:
    from rapport.rooms.exchange.models import Connection

    connected.start()
    connected.admin.post(f"{connected.path}/withdraw")
    for forged in ({"consent_words": "x"}, {"base_url": "https://other.example.org"}, {"state": "healthy"}):
        with pytest.raises(DatabaseError), transaction.atomic(), connected.house.entered() as scope:
            Connection.objects.visible_to(scope).filter(id=connected.id).update(**forged)
    with connected.house.entered() as scope:
        touched = Connection.objects.visible_to(scope).filter(id=connected.id).update(quiet_from="01:00")
    assert touched == 1, "the control: what may change, changes"


def test_a_picture_of_the_page_is_a_document_of_the_item(connected: Connected) -> None:
    from django.utils import timezone

    from rapport.rooms.exchange import services

    connected.start()
    picture = b"\x89PNG painted over"
    with connected.house.entered() as scope:
        services.meet(
            scope=scope, connection=connected.row(), capability="sign_in", now=timezone.now(),
            trouble=Trouble(Reason.TERMS_PENDING, picture=picture),
        )  # fmt: skip
    item = connected.list("attention", matter="terms_pending")[0]
    biller = connected.house.person("everything", *Role)
    link = biller.post(f"/v1/documents/{item['picture_document_id']}/links", {})
    assert link.status_code == 201, link.content
    shown = biller.get(link.json()["url"].partition("/v1")[1] + link.json()["url"].partition("/v1")[2])
    assert (shown["Content-Type"], shown.content) == ("image/png", picture)
