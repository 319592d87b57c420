"""A note as PDF: every character literal, signed, and no change goes unseen."""

from __future__ import annotations

import io
from pathlib import Path

from pypdf import PdfReader

from rapport.platform.paper import sign
from rapport.platform.paper.typeset import typeset

HOSTILE = "#panic() $x$ \\ *bold* _it_ @ref <label> \"quotes\" // comment #read(\"/etc/passwd\") {{7*7}}"
DATA = {
    "title": "Progress note",
    "date": [2026, 3, 2],
    "practice": {"name": "Willow & Sons #1", "address": "100 Willow Street, Portland OR"},
    "facts": [["Patient", "Ana Rivera"], ["Born", "1990-04-12"]],
    "diagnoses": [{"code": "F41.1", "label": "Generalized anxiety disorder"}],
    "sections": [{"heading": "Subjective", "text": HOSTILE + "\nsecond line"}, {"heading": "Plan", "text": "word " * 4000}],
    "signatures": [{"name": "Maya Chen, PhD", "at": "2026-03-02 10:00 PST", "statement": "Signed."}],
    "footer": "note_01h455vb4pex5vsknk084sn02q",
}


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_hostile_text_is_shown_and_never_obeyed() -> None:
    text = " ".join(text_of(typeset("note", DATA)).split())

    for part in ("#panic()", "$x$", "*bold*", "@ref", "<label>", "{{7*7}}", "/etc/passwd", "second line"):
        assert part in text
    assert "root:" not in text
    assert "Page 2 of" in text


def test_a_signature_holds_until_one_byte_changes(tmp_path: Path) -> None:
    signer = sign.signer_from(tmp_path)
    pdf = sign.sign_pdf(typeset("note", DATA), signer=signer, reason="Signed by the author", name="Maya Chen")

    assert sign.verify_pdf(pdf, signer=sign.signer_from(tmp_path)).valid
    assert sign.verify_pdf(pdf, signer=signer).reasons == ("Signed by the author",)
    broken = bytearray(pdf)
    broken[len(pdf) // 4] ^= 1
    assert not sign.verify_pdf(bytes(broken), signer=signer).valid
    assert not sign.verify_pdf(typeset("note", DATA), signer=signer).valid


def test_a_second_signature_leaves_the_first_one_valid(tmp_path: Path) -> None:
    signer = sign.signer_from(tmp_path)
    once = sign.sign_pdf(typeset("note", DATA), signer=signer, reason="Author", name="In Tern")
    twice = sign.sign_pdf(once, signer=signer, reason="Co-signed", name="Su Pervisor")

    assert sign.verify_pdf(twice, signer=signer) == sign.Verification(True, 2, ("Author", "Co-signed"))
