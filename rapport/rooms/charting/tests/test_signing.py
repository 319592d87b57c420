"""Signing: what is signed never changes, and exists whole or not at all."""

from __future__ import annotations

import io
from hashlib import sha256
from threading import Barrier, Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from pypdf import PdfReader

from rapport.kernel.ids import new_uuid
from rapport.platform.audit.models import AuditEvent
from rapport.platform.blobs.store import default_store
from rapport.platform.db import sql
from rapport.platform.db.errors import sqlstate
from rapport.platform.outbox.models import OutboxEvent
from rapport.platform.paper.sign import default_signer, verify_pdf
from rapport.rooms.charting.models import ClinicalNote, NoteMove, Signature, SignedText
from rapport.rooms.charting.tests.support import (
    CONTENT,
    Clinic,
    act,
    etag,
    open_clinic,
    uuid_of,
)
from rapport.rooms.documents.models import Document
from tests.support.cast import Api, House


@pytest.fixture
def clinic(willow: House) -> Clinic:
    return open_clinic(willow)


def pdf_of(api: Api, note: str) -> bytes:
    link = api.post(f"/v1/clinical-notes/{note}/document-link", {"single_use": True})
    assert link.status_code == 201, link.content
    answer = Api(None).get(link.json()["url"].removeprefix(settings.RAPPORT.link_base))
    assert answer.status_code == 200, answer.content
    return bytes(answer.content)


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def told(house: House, note: str) -> list[str]:
    with house.entered() as scope:
        events = OutboxEvent.objects.visible_to(scope).filter(
            object_id=uuid_of("clinical_note", note)
        )
        return [event.type for event in events.order_by("sequence")]


def test_a_signed_note_is_a_pdf_that_holds_its_text_and_proves_it(clinic: Clinic) -> None:
    note = clinic.signed()

    assert (note["status"], note["locked"]) == ("signed", True)
    (signature,) = note["signatures"]
    assert (signature["role"], signature["name"]) == ("author", "Maya Chen, PhD")
    pdf = pdf_of(clinic.maya, note["id"])
    text = text_of(pdf)
    for part in (
        "Progress note", "Ana Rivera", "F41.1", "Generalized anxiety disorder",
        CONTENT["subjective"], "Mood: anxious", "none voiced", "Worry time at six.",
        "Maya Chen, PhD", signature["sha256"][:20],
    ):  # fmt: skip
        assert str(part) in text
    assert text.index("Subjective") < text.index("Assessment") < text.index("Plan")
    assert verify_pdf(pdf, signer=default_signer()).valid
    assert told(clinic.house, note["id"]) == ["note.created", "note.signed", "note.locked"]


def test_a_note_with_an_emoji_or_another_script_can_be_signed_and_keeps_it(clinic: Clinic) -> None:
    words = "Texted \U0001f600 and wrote \u6f22 by hand."

    note = clinic.signed(content=CONTENT | {"subjective": words})

    assert note["content"]["subjective"] == words
    printed = text_of(pdf_of(clinic.maya, note["id"]))
    assert "Texted [U+1F600 grinning face] and wrote [U+6F22" in printed


def test_the_pdf_is_made_once_and_given_out_as_it_was(clinic: Clinic) -> None:
    note = clinic.signed()

    assert pdf_of(clinic.maya, note["id"]) == pdf_of(clinic.cleo, note["id"])
    with clinic.house.entered() as scope:
        assert Document.objects.visible_to(scope).filter(kind="clinical_note").count() == 1


def test_what_is_incomplete_cannot_be_signed_and_leaves_nothing(clinic: Clinic) -> None:
    note = clinic.begin(content={"data": "x"}, diagnoses=[])

    answer = act(clinic.maya, note["id"], "sign")

    assert (answer.status_code, answer.json()["code"]) == (409, "note-incomplete")
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/content/plan", "/diagnoses"]
    with clinic.house.entered() as scope:
        assert not Document.objects.visible_to(scope).exists()
        assert not SignedText.objects.visible_to(scope).exists()


def test_signing_needs_a_key_and_the_version_that_was_read(clinic: Clinic) -> None:
    note = clinic.begin()
    path = f"/v1/clinical-notes/{note['id']}/sign"
    tag = etag(clinic.maya, note["id"])
    clinic.maya.patch(path.removesuffix("/sign"), {"content": {"plan": "Other."}}, if_match=tag)

    bare = clinic.maya.call("POST", path, {}, if_match=tag)
    blind = clinic.maya.post(path)
    stale = clinic.maya.post(path, if_match=tag)

    assert (bare.status_code, bare.json()["code"]) == (400, "idempotency-key-missing")
    assert (blind.status_code, stale.status_code) == (428, 412)


def test_the_second_click_gets_the_first_ones_answer(clinic: Clinic) -> None:
    note = clinic.begin()
    tag, key = etag(clinic.maya, note["id"]), new_uuid().hex
    path = f"/v1/clinical-notes/{note['id']}/sign"

    first = clinic.maya.post(path, if_match=tag, idempotency_key=key)
    again = clinic.maya.post(path, if_match=tag, idempotency_key=key)

    assert first.json() == again.json()
    with clinic.house.entered() as scope:
        assert Signature.objects.visible_to(scope).count() == 1


def test_a_locked_note_takes_addenda_only(clinic: Clinic) -> None:
    """S-070."""
    note = clinic.signed()
    path = f"/v1/clinical-notes/{note['id']}"
    tag = etag(clinic.maya, note["id"])

    for answer in (
        clinic.maya.patch(path, {"content": {"plan": "Changed."}}, if_match=tag),
        clinic.maya.patch(path, {"status": "draft"}, if_match=tag),
        clinic.maya.patch(path, {"patient_id": clinic.patient}, if_match=tag),
        clinic.maya.patch(path, {"service_on": "2026-01-01"}, if_match=tag),
        clinic.maya.patch(path, {"diagnoses": [{"code": "F33.1"}]}, if_match=tag),
        clinic.maya.delete(path, if_match=tag),
        act(clinic.maya, note["id"], "sign"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "note-locked"), answer.content
    assert clinic.maya.call("PUT", path, {}, if_match=tag).status_code == 405
    assert clinic.maya.get(path).json() == note
    with clinic.house.entered() as scope:
        refusals = AuditEvent.objects.visible_to(scope).filter(action="note.update", outcome="deny")
        assert {refusal.reason for refusal in refusals} == {"locked"}


@pytest.mark.parametrize(
    "change",
    [
        """content = '{"plan": "forged"}'""",
        "diagnoses = '[]'",
        "service_on = '2020-01-01'",
        "patient_id = gen_random_uuid()",
        "author_user_id = gen_random_uuid()",
        "type = 'contact'",
        "status = 'draft'",
        "document_id = NULL",
        "signed_at = now()",
    ],
)
def test_the_database_itself_refuses_to_change_a_signed_note(clinic: Clinic, change: str) -> None:
    """S-071."""
    clinic.signed()

    with pytest.raises(Exception) as refused, clinic.house.entered():  # noqa: PT011 - the driver's
        sql.run(f"UPDATE charting_clinicalnote SET {change}")

    assert sqlstate(refused.value) == "42501"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM charting_clinicalnote",
        "DELETE FROM charting_signature",
        "UPDATE charting_signedtext SET text = 'forged'",
        "UPDATE charting_signature SET name = 'somebody'",
        "UPDATE charting_notemove SET reason = 'none'",
        "TRUNCATE charting_clinicalnote CASCADE",
    ],
)
def test_notes_and_signatures_are_never_removed(clinic: Clinic, statement: str) -> None:
    clinic.signed()

    with pytest.raises(Exception) as refused, clinic.house.entered():  # noqa: PT011 - the driver's
        sql.run(statement)

    assert sqlstate(refused.value) == "42501"


def test_no_note_becomes_signed_without_a_signature(clinic: Clinic) -> None:
    clinic.begin()

    with pytest.raises(Exception) as refused, clinic.house.entered():  # noqa: PT011 - the driver's
        sql.run("UPDATE charting_clinicalnote SET status = 'signed'")

    assert sqlstate(refused.value) == "42501"


def test_a_note_verifies_until_one_byte_of_it_changes(clinic: Clinic) -> None:
    """S-073 and I9."""
    note = clinic.signed()
    act(clinic.maya, note["id"], "addenda", {"text": "One more thing."})
    path = f"/v1/clinical-notes/{note['id']}/verify"
    good = clinic.maya.get(path).json()
    assert good["valid"] is True
    assert good["sha256"] == note["signatures"][0]["sha256"]

    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE charting_clinicalnote DISABLE TRIGGER charting_note_is_frozen")
        cursor.execute(
            "UPDATE charting_clinicalnote SET content = replace(content::text, 'six', 'ten')::jsonb"
            " WHERE practice_id = %s",
            [clinic.house.id],
        )
        cursor.execute("ALTER TABLE charting_clinicalnote ENABLE TRIGGER charting_note_is_frozen")

    bad = clinic.maya.get(path).json()
    assert (bad["valid"], bad["text"], bad["record"], bad["document"]) == (False, False, True, True)
    with clinic.house.entered() as scope:
        alarm = AuditEvent.objects.visible_to(scope).get(action="note.verify", outcome="error")
        assert alarm.reason == "hash_mismatch"


def test_a_flipped_bit_of_the_pdf_is_noticed(clinic: Clinic) -> None:
    note = clinic.signed()
    with clinic.house.entered() as scope:
        key = Document.objects.visible_to(scope).get(kind="clinical_note").blob_key
    raw = default_store().raw
    broken = bytearray(raw.read(key))
    broken[len(broken) // 2] ^= 1
    raw.write(key, bytes(broken))

    verdict = clinic.maya.get(f"/v1/clinical-notes/{note['id']}/verify").json()

    assert (verdict["valid"], verdict["text"], verdict["document"]) == (False, True, False)


def test_an_interns_note_waits_for_their_supervisor(clinic: Clinic) -> None:
    """S-074."""
    note = clinic.signed(clinic.ivo)
    id = note["id"]
    assert (note["status"], note["cosign_required"], note["document"]) == (
        "pending_review",
        True,
        None,
    )

    alone = act(clinic.ivo, id, "sign")
    self_approved = act(clinic.ivo, id, "cosign")
    edited = clinic.ivo.patch(
        f"/v1/clinical-notes/{id}", {"content": {}}, if_match=etag(clinic.ivo, id)
    )
    other_team = act(clinic.otto, id, "cosign")
    returned = act(clinic.otto, id, "return", {"comment": "Not yours"})

    assert (alone.status_code, alone.json()["code"]) == (409, "cosign-required")
    assert self_approved.status_code == 403
    assert (edited.status_code, edited.json()["code"]) == (409, "note-locked")
    assert (other_team.status_code, other_team.json()["code"]) == (403, "not-supervisor")
    assert returned.status_code == 403
    done = act(clinic.sue, id, "cosign")
    assert done.status_code == 200, done.content
    assert done.json()["status"] == "signed"
    assert [s["role"] for s in done.json()["signatures"]] == ["author", "cosigner"]
    assert len({s["sha256"] for s in done.json()["signatures"]}) == 1
    pdf = pdf_of(clinic.sue, id)
    assert verify_pdf(pdf, signer=default_signer()).signatures == 2
    assert "Ivo Chen, MA" in text_of(pdf)
    assert "Sue Chen, LCSW" in text_of(pdf)
    assert clinic.sue.get(f"/v1/clinical-notes/{id}/verify").json()["valid"] is True
    assert told(clinic.house, id) == ["note.created", "note.signed", "note.cosigned", "note.locked"]


def test_a_note_that_was_sent_back_is_corrected_and_signed_again(clinic: Clinic) -> None:
    id = clinic.signed(clinic.ivo)["id"]
    back = act(clinic.sue, id, "return", {"comment": "Name the risk."}).json()
    assert (back["status"], back["return_comment"], back["signatures"]) == (
        "needs_revision",
        "Name the risk.",
        [],
    )

    changed = clinic.ivo.patch(
        f"/v1/clinical-notes/{id}",
        {"content": {"risk": "None voiced."}},
        if_match=etag(clinic.ivo, id),
    )
    again = act(clinic.ivo, id, "sign")
    done = act(clinic.sue, id, "cosign")

    assert (changed.status_code, again.status_code, done.status_code) == (200, 200, 200)
    assert done.json()["return_comment"] is None
    assert "None voiced." in text_of(pdf_of(clinic.sue, id))
    with clinic.house.entered() as scope:
        texts = SignedText.objects.visible_to(scope).order_by("attempt")
        assert [(text.revision, text.attempt) for text in texts] == [(1, 1), (1, 2)]
        assert all(sha256(text.text.encode()).hexdigest() == text.sha256 for text in texts)


def test_an_unlocked_note_keeps_what_was_signed_and_is_signed_anew(clinic: Clinic) -> None:
    note = clinic.signed()
    id = note["id"]
    before = pdf_of(clinic.maya, id)
    assert act(clinic.maya, id, "unlock", {"reason": "Typing error"}).status_code == 403

    opened = act(clinic.cleo, id, "unlock", {"reason": "Typing error"}).json()
    assert (opened["status"], opened["revision"], opened["signatures"]) == ("unlocked", 2, [])
    assert pdf_of(clinic.maya, id) == before
    clinic.maya.patch(f"/v1/clinical-notes/{id}", {"content": {"plan": "Worry time at seven."}}, if_match=etag(clinic.maya, id))  # fmt: skip
    done = act(clinic.maya, id, "sign").json()

    assert (done["status"], done["revision"]) == ("signed", 2)
    assert done["document"]["id"] != note["document"]["id"]
    assert "seven" in text_of(pdf_of(clinic.maya, id))
    with clinic.house.entered() as scope:
        first = SignedText.objects.visible_to(scope).get(revision=1)
        assert "at six" in first.text
        reasons = NoteMove.objects.visible_to(scope).filter(action="unlock")
        assert [move.reason for move in reasons] == ["Typing error"]


def test_an_addendum_has_its_own_author_and_paper_and_leaves_the_note_alone(
    clinic: Clinic,
) -> None:
    note = clinic.signed()

    answer = clinic.cleo.post(
        f"/v1/clinical-notes/{note['id']}/addenda", {"text": "The sister called on Tuesday."}
    )

    assert answer.status_code == 201, answer.content
    body = answer.json()
    (addendum,) = body["addenda"]
    assert (addendum["author_name"], addendum["text"]) == ("Cleo", "The sister called on Tuesday.")
    assert addendum["sha256"] == sha256(b"The sister called on Tuesday.").hexdigest()
    assert (body["content"], body["signatures"], body["document"]) == (
        note["content"], note["signatures"], note["document"],
    )  # fmt: skip
    minted = clinic.cleo.post(f"/v1/documents/{addendum['document_id']}/links", {}).json()
    pdf = Api(None).get(minted["url"].removeprefix(settings.RAPPORT.link_base)).content
    assert "The sister called on Tuesday." in text_of(pdf)
    assert verify_pdf(pdf, signer=default_signer()).valid
    biller = clinic.house.biller.get(f"/v1/clinical-notes/{note['id']}")
    assert "sister" not in biller.content.decode()
    assert told(clinic.house, note["id"])[-1] == "note.addended"


BRING = {
    "draft": lambda c: c.begin(c.ivo)["id"],
    "pending_review": lambda c: c.signed(c.ivo)["id"],
    "needs_revision": lambda c: act(c.sue, c.signed(c.ivo)["id"], "return", {"comment": "Again"}).json()["id"],
    "signed": lambda c: act(c.sue, c.signed(c.ivo)["id"], "cosign").json()["id"],
    "unlocked": lambda c: act(c.cleo, BRING["signed"](c), "unlock", {"reason": "Typing"}).json()["id"],
    "void": lambda c: act(c.cleo, BRING["signed"](c), "void", {"reason": "Wrong chart"}).json()["id"],
}  # fmt: skip

OUTCOMES = {
    # state            change discard sign  cosign return unlock void  addenda link
    "draft":          ("200", "200", "200", "409", "409", "409", "409", "409", "409"),
    "pending_review": ("lock", "lock", "cos", "200", "200", "409", "409", "409", "409"),
    "needs_revision": ("200", "200", "200", "409", "409", "409", "409", "409", "409"),
    "signed":         ("lock", "lock", "lock", "409", "409", "200", "200", "201", "201"),
    "unlocked":       ("200", "409", "200", "409", "409", "409", "200", "409", "201"),
    "void":           ("lock", "lock", "lock", "409", "409", "409", "409", "409", "201"),
}  # fmt: skip
_CODES = {"409": "state-conflict", "lock": "note-locked", "cos": "cosign-required"}


@pytest.mark.slow
@pytest.mark.parametrize("state", OUTCOMES)
def test_every_action_in_every_state(clinic: Clinic, state: str) -> None:
    reason = {"reason": "Because"}
    deeds: list[Any] = [
        lambda id, tag: clinic.ivo.patch(f"/v1/clinical-notes/{id}", {"content": {"plan": "x"}}, if_match=tag),
        lambda id, tag: clinic.ivo.delete(f"/v1/clinical-notes/{id}", if_match=tag),
        lambda id, tag: act(clinic.ivo, id, "sign", if_match=tag),
        lambda id, tag: act(clinic.sue, id, "cosign", if_match=tag),
        lambda id, tag: act(clinic.sue, id, "return", {"comment": "Again"}, if_match=tag),
        lambda id, tag: act(clinic.cleo, id, "unlock", reason, if_match=tag),
        lambda id, tag: act(clinic.cleo, id, "void", reason, if_match=tag),
        lambda id, tag: act(clinic.ivo, id, "addenda", {"text": "More"}, if_match=tag),
        lambda id, tag: act(clinic.ivo, id, "document-link", {}, if_match=tag),
    ]  # fmt: skip
    id = BRING[state](clinic)
    for deed, expected in zip(deeds, OUTCOMES[state], strict=True):
        before = clinic.cleo.get(f"/v1/clinical-notes/{id}").json()
        assert before["status"] == state
        answer = deed(id, etag(clinic.cleo, id))
        if expected in _CODES:
            assert (answer.status_code, answer.json()["code"]) == (409, _CODES[expected])
            assert clinic.cleo.get(f"/v1/clinical-notes/{id}").json() == before
        else:
            assert str(answer.status_code) == expected, answer.content
        if clinic.cleo.get(f"/v1/clinical-notes/{id}").json()["status"] != state:
            id = BRING[state](clinic)


def together(*deeds: Any) -> list[Any]:
    """Do things at the same moment, each on a connection of its own."""
    barrier = Barrier(len(deeds))
    answers: list[Any] = [None] * len(deeds)

    def run(number: int) -> None:
        barrier.wait()
        try:
            answers[number] = deeds[number]()
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_signing_while_another_tab_saves_signs_what_was_shown_or_nothing(clinic: Clinic) -> None:
    """R-51."""
    for _ in range(4):
        note = clinic.begin()
        id = note["id"]
        tag = etag(clinic.maya, id)

        signed, saved = together(
            lambda id=id, tag=tag: act(clinic.maya, id, "sign", if_match=tag),
            lambda id=id, tag=tag: clinic.maya.patch(
                f"/v1/clinical-notes/{id}", {"content": {"plan": "Late."}}, if_match=tag
            ),
        )

        now = clinic.maya.get(f"/v1/clinical-notes/{id}").json()
        if signed.status_code == 200:
            assert saved.status_code in (409, 412)
            assert now["content"] == note["content"]
            assert clinic.maya.get(f"/v1/clinical-notes/{id}/verify").json()["valid"]
        else:
            assert (signed.status_code, saved.status_code) == (412, 200)
            assert (now["status"], now["content"]["plan"]) == ("draft", "Late.")


def test_signing_and_cosigning_at_once_gives_one_signature_each(clinic: Clinic) -> None:
    """R-51."""
    id = clinic.begin(clinic.ivo)["id"]
    tag = etag(clinic.ivo, id)
    signed = together(*[lambda: act(clinic.ivo, id, "sign", if_match=tag)] * 4)
    tag = etag(clinic.ivo, id)
    approved = together(*[lambda: act(clinic.sue, id, "cosign", if_match=tag)] * 3)

    assert sorted(answer.status_code for answer in signed).count(200) == 1
    assert sorted(answer.status_code for answer in approved).count(200) == 1
    with clinic.house.entered() as scope:
        assert Signature.objects.visible_to(scope).count() == 2
        note = ClinicalNote.objects.visible_to(scope).get()
        assert note.document_id is not None
        assert Document.objects.visible_to(scope).filter(kind="clinical_note").count() == 1
