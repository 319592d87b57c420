"""A note as PDF: every character literal, signed, and no change goes unseen."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pypdf import PdfReader

from rapport.platform.paper import sign
from rapport.platform.paper.glyphs import COVERED, showable
from rapport.platform.paper.typeset import TEMPLATES, CannotTypeset, typeset

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


def note_of(text: str) -> str:
    return text_of(typeset("note", DATA | {"sections": [{"heading": "Plan", "text": text}]}))


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("glad \U0001f600 today", "glad [U+1F600 grinning face] today"),
        ("name \u6f22", "name [U+6F22 cjk unified ideograph-6f22]"),
        ("bell\x07end", "bell[U+0007]end"),
        ("no\x00thing", "no[U+0000]thing"),
        ("half \ud800", "half [U+D800]"),
        ("not \u202etaerht a", "not [U+202E right-to-left override]taerht a"),
        ("key 1\ufe0f\u20e3", "[U+20E3 combining enclosing keycap]"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("one\r\ntwo\ttabbed", "two tabbed"),
    ],
)
def test_a_character_without_a_glyph_is_named_and_never_stops_the_note(written: str, printed: str) -> None:
    assert printed in " ".join(note_of(written).split())


def test_twenty_thousand_characters_are_all_there() -> None:
    text = note_of(" ".join(f"w{n:05d}" for n in range(2858)))
    assert all(f"w{n:05d}" in text for n in range(2858))


def test_every_character_said_to_be_covered_can_be_typeset() -> None:
    letters = " ".join(sorted(c for c in COVERED if showable(c) == c))
    assert "U+" not in note_of(letters)


def test_only_templates_of_the_folder_are_used_and_none_names_a_package() -> None:
    for name in ("../tests/note", "/etc/passwd", "absent", ""):
        with pytest.raises(CannotTypeset):
            typeset(name, DATA)
    for template in TEMPLATES.glob("*.typ"):
        code = "\n".join(line for line in template.read_text().splitlines() if not line.startswith("//"))
        assert "@" not in code
        assert "import" not in code
        assert "eval" not in code


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

    assert sign.verify_pdf(twice, signer=signer) == sign.Verification(True, 2, ("Author", "Co-signed"), True)


def test_what_is_added_after_the_signature_makes_it_invalid(tmp_path: Path) -> None:
    signer = sign.signer_from(tmp_path)
    pdf = sign.sign_pdf(typeset("note", DATA), signer=signer, reason="Author", name="Maya Chen")

    for added in (b"\n", b"\n% more\n", pdf[-560:]):
        verdict = sign.verify_pdf(pdf + added, signer=signer)
        assert (verdict.valid, verdict.covers_whole_file) == (False, False)


def test_no_flipped_bit_of_what_is_signed_goes_unseen_and_no_damage_raises(tmp_path: Path) -> None:
    signer = sign.signer_from(tmp_path)
    pdf = sign.sign_pdf(typeset("note", DATA), signer=signer, reason="Author", name="Maya Chen")
    start = pdf.index(b"/ByteRange [") + len(b"/ByteRange [")
    _, first, second, _ = (int(n) for n in pdf[start : pdf.index(b"]", start)].split())
    covered = [*range(0, first, first // 60), *range(second, len(pdf), 29)]

    for position in covered:
        broken = bytearray(pdf)
        broken[position] ^= 1
        assert not sign.verify_pdf(bytes(broken), signer=signer).valid, position
    for length in (0, 9, first, second, len(pdf) - 1):
        assert not sign.verify_pdf(pdf[:length], signer=signer).valid


def test_a_signature_of_another_installation_is_not_trusted(tmp_path: Path) -> None:
    pdf = sign.sign_pdf(
        typeset("note", DATA), signer=_signer(tmp_path / "theirs"), reason="Author", name="Maya Chen"
    )
    assert not sign.verify_pdf(pdf, signer=_signer(tmp_path / "ours")).valid


def _signer(home: Path) -> sign.Signer:
    home.mkdir()
    return sign.signer_from(home)


def test_the_signing_key_lies_sealed_on_disk_for_us_alone(tmp_path: Path) -> None:
    sign.signer_from(tmp_path)
    (file,) = tmp_path.iterdir()

    assert file.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE KEY" not in file.read_bytes()
