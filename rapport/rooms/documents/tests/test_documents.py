"""Documents: kept whole, read back checked, given out by links that die soon."""

from __future__ import annotations

import base64
from datetime import timedelta
from hashlib import sha256
from threading import Barrier, Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from rapport.kernel.ids import new_uuid, parse_type_id
from rapport.kernel.problems import Invalid, TooLarge
from rapport.platform.access.permissions import Permission, Role
from rapport.platform.audit.models import AuditEvent
from rapport.platform.blobs.store import default_store
from rapport.platform.db import sql
from rapport.platform.db.errors import sqlstate
from rapport.platform.identity.models import Membership
from rapport.rooms.documents import services
from rapport.rooms.documents.models import Document, DocumentLink, OrphanBlob
from rapport.rooms.roster import examples
from tests.support.cast import Api, House, public

PDF = b"%PDF-1.7 a short document, " + bytes(range(256))
ANYBODY = Api(None)


def keep(house: House, data: bytes = PDF, *, kind: str = "letter") -> Document:
    """Keep a document of a fresh patient."""
    answer = house.scheduler.post("/v1/patients", examples.NEW_PATIENT | {"external_ids": []})
    patient_id = parse_type_id("patient", answer.json()["id"])
    with house.entered() as scope:
        return services.store(
            scope=scope, patient_id=patient_id, kind=kind, data=data,
            content_type="application/pdf", now=timezone.now(),
        )  # fmt: skip


def chief(house: House) -> Api:
    """Return a person who reads every document."""
    return house.person("chief", Role.CLINICAL_ADMINISTRATOR)


def mint(house: House, document: Document, **body: Any) -> dict[str, Any]:
    answer = chief(house).post(f"/v1/documents/{public('document', document.id)}/links", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def path_of(link: dict[str, Any]) -> str:
    return str(link["url"]).removeprefix(settings.RAPPORT.link_base)


def trail(house: House, action: str) -> list[tuple[str, str | None]]:
    with house.entered() as scope:
        events = AuditEvent.objects.visible_to(scope).filter(action=action).order_by("id")
        return [(event.outcome, event.reason) for event in events]


def test_a_document_is_read_back_byte_for_byte(willow: House) -> None:
    document = keep(willow)

    with willow.entered() as scope:
        assert services.open_(scope=scope, document_id=document.id) == PDF
    body = chief(willow).get(f"/v1/documents/{public('document', document.id)}").json()
    assert body["sha256"] == sha256(PDF).hexdigest()
    assert body["size_bytes"] == len(PDF)
    assert "Rivera" not in body["file_name"]


def test_a_flipped_bit_is_noticed_and_the_file_is_not_given_out(willow: House) -> None:
    document = keep(willow)
    link = mint(willow, document)
    raw = default_store().raw
    broken = bytearray(raw.read(document.blob_key))
    broken[-20] ^= 1
    raw.write(document.blob_key, bytes(broken))

    answer = ANYBODY.get(path_of(link))

    assert (answer.status_code, answer.json()["code"]) == (410, "document-corrupted")
    assert trail(willow, "document_link.use") == [("deny", "hash_mismatch")]


def test_a_file_that_took_anothers_place_is_noticed(willow: House) -> None:
    mine, other = keep(willow), keep(willow, PDF + b"other")
    raw = default_store().raw
    raw.write(mine.blob_key, raw.read(other.blob_key))

    with willow.entered() as scope, pytest.raises(services.DocumentCorrupted):
        services.open_(scope=scope, document_id=mine.id)


@pytest.mark.parametrize(
    ("data", "media", "problem"),
    [
        (b"x" * (services.MAX_BYTES + 1), "application/pdf", TooLarge),
        (b"<script>", "text/html", Invalid),
        (b"<svg/>", "image/svg+xml", Invalid),
    ],
)
def test_what_is_too_large_or_could_run_is_not_kept(
    willow: House, data: bytes, media: str, problem: type[Exception]
) -> None:
    with willow.entered() as scope, pytest.raises(problem):
        services.store(
            scope=scope, patient_id=None, kind="upload", data=data, content_type=media,
            now=timezone.now(),
        )  # fmt: skip


def test_rows_of_documents_never_change(willow: House) -> None:
    document = keep(willow)

    with pytest.raises(Exception) as refused, willow.entered():  # noqa: PT011 - the driver's own
        sql.run("UPDATE documents_document SET sha256 = 'x' WHERE id = %s", (document.id,))

    assert sqlstate(refused.value) == "42501"


def test_a_link_gives_the_file_with_its_digest_and_a_harmless_name(willow: House) -> None:
    document = keep(willow)

    answer = ANYBODY.get(path_of(mint(willow, document)))

    assert answer.status_code == 200
    assert answer.content == PDF
    digest = base64.b64encode(sha256(PDF).digest()).decode()
    assert answer["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer["Content-Disposition"] == f'attachment; filename="{document.file_name}"'
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert trail(willow, "document_link.create") == [("allow", None)]
    assert trail(willow, "document_link.use") == [("allow", None)]


def expire(house: House) -> None:
    """Let time pass: the trigger lets nobody prolong or shorten a link, so the owner's clock moves."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE documents_documentlink DISABLE TRIGGER documents_link_stays")
        cursor.execute(
            "UPDATE documents_documentlink SET expires_at = now() - interval '1 s' WHERE practice_id = %s",
            [house.id],
        )
        cursor.execute("ALTER TABLE documents_documentlink ENABLE TRIGGER documents_link_stays")


def test_every_bad_link_gets_the_same_answer_but_an_expired_one(
    willow: House, aspen: House
) -> None:
    document = keep(willow)
    drop = ("instance", "request_id")

    def refused(path: str, api: Api = ANYBODY) -> dict[str, Any]:
        answer = api.get(path)
        assert answer.status_code == 403, answer.content
        return {k: v for k, v in answer.json().items() if k not in drop}

    used = mint(willow, document, single_use=True)
    assert ANYBODY.get(path_of(used)).status_code == 200
    revoked = mint(willow, document)
    chief(willow).delete(f"/v1/documents/{revoked['document_id']}/links/{revoked['id']}")
    good = path_of(mint(willow, document))
    changed = good[:-1] + ("A" if good[-1] != "A" else "B")

    answers = [
        refused(path_of(used)),
        refused(path_of(revoked)),
        refused(changed),
        refused(f"{good}?disposition=inline"),
        refused(good, aspen.admin),
        refused(good, willow.scheduler),
        refused(good, Api("rat_of_nobody")),
        refused("/v1/document-links/x"),
    ]

    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["code"] == "link-invalid"
    assert ANYBODY.get(good).status_code == 200
    assert chief(willow).get(good).status_code == 200
    reasons = {
        reason for outcome, reason in trail(willow, "document_link.use") if outcome == "deny"
    }
    assert reasons == {"used", "revoked", "tampered", "other_actor"}
    expire(willow)
    late = ANYBODY.get(good)
    assert (late.status_code, late.json()["code"]) == (410, "link-expired")


def test_a_look_without_reading_does_not_spend_a_link(willow: House) -> None:
    path = path_of(mint(willow, keep(willow), single_use=True))

    assert ANYBODY.call("HEAD", path).status_code == 405
    assert ANYBODY.call("POST", path).status_code == 405
    assert ANYBODY.get(path, range="bytes=999999-").content == PDF


def test_a_single_use_link_opens_for_one_of_many_at_once(willow: House) -> None:
    path = path_of(mint(willow, keep(willow), single_use=True))
    together = Barrier(6)
    statuses: list[int] = []

    def use() -> None:
        together.wait()
        statuses.append(ANYBODY.get(path).status_code)
        connection.close()

    threads = [Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 403, 403, 403, 403, 403]


def test_a_link_dies_with_the_membership_of_whoever_made_it(willow: House) -> None:
    path = path_of(mint(willow, keep(willow)))
    with willow.entered() as scope:
        Membership.objects.visible_to(scope).filter(id=willow.members["chief"].id).update(
            active=False
        )

    assert ANYBODY.get(path).status_code == 403


def test_a_link_cannot_be_prolonged_or_pointed_elsewhere(willow: House) -> None:
    document, other = keep(willow), keep(willow)
    mint(willow, document)

    for change in ("expires_at = now() + interval '1 year'", f"document_id = '{other.id}'"):
        with pytest.raises(Exception) as refused, willow.entered():  # noqa: PT011 - the driver's own
            sql.run(f"UPDATE documents_documentlink SET {change}")
        assert sqlstate(refused.value) == "42501"


def test_a_link_lives_five_minutes_at_most(willow: House) -> None:
    document = keep(willow)
    path = f"/v1/documents/{public('document', document.id)}/links"

    assert chief(willow).post(path, {"expires_in_seconds": 301}).status_code == 422
    with willow.entered() as scope:
        now = timezone.now()
        row = services.mint_link(
            scope=scope, document_id=document.id, seconds=10**6, single_use=False, now=now
        ).row
    assert row.expires_at == now + timedelta(seconds=300)


def test_the_token_itself_is_kept_nowhere(willow: House) -> None:
    token = path_of(mint(willow, keep(willow))).rpartition("/")[2]

    with willow.entered() as scope:
        row = DocumentLink.objects.visible_to(scope).get()
    assert token.encode() not in bytes(row.digest)


def test_documents_of_others_are_not_there(willow: House, aspen: House) -> None:
    document = keep(willow)
    theirs = keep(aspen)
    id = public("document", document.id)
    link = mint(willow, document)
    maya = willow.person("maya", Role.CLINICIAN, clinician_id=new_uuid())

    for api in (chief(aspen), maya):
        assert api.get(f"/v1/documents/{id}").status_code == 404
        assert api.post(f"/v1/documents/{id}/links", {}).status_code == 404
        assert api.get("/v1/documents?kind=letter").json()["data"] in (
            [], [api.get(f"/v1/documents/{public('document', theirs.id)}").json()],
        )  # fmt: skip
    other = keep(willow)
    mixed = chief(willow).delete(f"/v1/documents/{public('document', other.id)}/links/{link['id']}")
    assert mixed.status_code == 404
    assert ANYBODY.get(path_of(link)).status_code == 200


def test_reading_and_linking_need_their_permissions(willow: House) -> None:
    letter, note = keep(willow), keep(willow, kind="clinical_note")
    chief(willow)
    key = willow.key("chief", Permission.DOCUMENTS_READ)

    assert willow.biller.get("/v1/documents").status_code == 403
    assert willow.auditor.get(f"/v1/documents/{public('document', letter.id)}").status_code == 403
    assert key.post(f"/v1/documents/{public('document', letter.id)}/links", {}).status_code == 201
    answer = key.post(f"/v1/documents/{public('document', note.id)}/links", {})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")


def test_a_file_whose_transaction_failed_is_swept_and_no_other(willow: House) -> None:
    kept = keep(willow)
    store = default_store()
    before = set(store.raw.keys())
    with pytest.raises(RuntimeError), willow.entered() as scope:  # noqa: PT012 - fails at its end
        services.store(
            scope=scope, patient_id=None, kind="letter", data=b"lost", content_type="text/plain",
            now=timezone.now(),
        )  # fmt: skip
        raise RuntimeError
    (lost,) = set(store.raw.keys()) - before
    now = timezone.now()

    services.sweep_orphans(now=now)
    assert lost in store.raw.keys()
    services.sweep_orphans(now=now + timedelta(hours=23))
    assert lost in store.raw.keys()
    assert services.sweep_orphans(now=now + timedelta(hours=25)) >= 1

    assert lost not in store.raw.keys()
    assert kept.blob_key in store.raw.keys()
    assert not OrphanBlob.objects.exists()


def test_a_file_that_any_other_table_names_is_nobodys_orphan() -> None:
    store = default_store()
    key = store.put(data=b"raw remittance", aad="elsewhere").key
    now = timezone.now()
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE elsewhere (raw_blob_key text)")
        cursor.execute("INSERT INTO elsewhere VALUES (%s)", [key])
    try:
        services.sweep_orphans(now=now)
        services.sweep_orphans(now=now + timedelta(hours=25))
        assert key in store.raw.keys()
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("DROP TABLE elsewhere")
