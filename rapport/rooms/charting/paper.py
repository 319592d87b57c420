"""Notes and addenda as PDF: typeset once, when they are signed, and never again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.paper.sign import default_signer, sign_pdf
from rapport.platform.paper.typeset import typeset
from rapport.platform.tenancy.queries import get_practice
from rapport.rooms.roster import queries as roster

from .models import ClinicalNote
from .rules.text import heading_of, ordered, printed
from .rules.types import RULES
from .states import NoteType, SignatureRole

STATEMENTS = {
    SignatureRole.AUTHOR: "I wrote this note, and sign it electronically as its author.",
    SignatureRole.COSIGNER: "I have reviewed this note, and co-sign it electronically as supervisor.",
}
"""What a signature says; kept with each signature as it was said."""

_REASONS = {
    SignatureRole.AUTHOR: "Signed by the author",
    SignatureRole.COSIGNER: "Co-signed by the supervisor",
}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as printed."""

    role: SignatureRole
    name: str
    at: datetime


def note_pdf(
    *, scope: Scope, note: ClinicalNote, content: Mapping[str, Any], sha256: str,
    signatures: Sequence[Signed],
) -> bytes:  # fmt: skip
    """
    Return a note's PDF with one PAdES signature per signature.

    :param sha256: digest of the canonical text; printed in the footer
    """
    sections = [
        {"heading": heading_of(name), "text": printed(value)}
        for name, value in ordered(content).items()
    ]
    return _pdf(
        scope=scope, note=note, title=RULES[NoteType(note.type)].title, sections=sections,
        diagnoses=note.diagnoses, sha256=sha256, signatures=signatures,
    )  # fmt: skip


def addendum_pdf(
    *, scope: Scope, note: ClinicalNote, text: str, sha256: str, signature: Signed
) -> bytes:
    """Return an addendum's PDF, signed by its author."""
    return _pdf(
        scope=scope, note=note, title=f"Addendum to {RULES[NoteType(note.type)].title.lower()}",
        sections=[{"heading": "Addendum", "text": text}], diagnoses=[], sha256=sha256,
        signatures=[signature],
    )  # fmt: skip


def _pdf(
    *, scope: Scope, note: ClinicalNote, title: str, sections: Sequence[Mapping[str, str]],
    diagnoses: Sequence[Mapping[str, Any]], sha256: str, signatures: Sequence[Signed],
) -> bytes:  # fmt: skip
    practice = get_practice(scope=scope)
    patient = roster.get_patient(scope=scope, patient_id=note.patient_id)
    clinician = roster.get_clinician(scope=scope, clinician_id=note.clinician_id)
    place = ", ".join(
        part for part in (practice.address_line1, practice.city, practice.state_code) if part
    )
    facts = [
        ["Patient", f"{patient.first_name} {patient.last_name}"],
        ["Born", patient.birth_on.isoformat()],
        ["Service", note.service_on.isoformat()],
        ["Clinician", clinician.display_name],
    ]
    pdf = typeset(
        "note",
        {
            "title": title,
            "date": [note.service_on.year, note.service_on.month, note.service_on.day],
            "practice": {"name": practice.name, "address": place},
            "facts": facts,
            "diagnoses": [{"code": d["code"], "label": d["label"]} for d in diagnoses],
            "sections": list(sections),
            "signatures": [
                {
                    "name": signed.name,
                    "at": f"{signed.at.astimezone(scope.time_zone):%Y-%m-%d %H:%M:%S %Z}",
                    "statement": STATEMENTS[signed.role],
                }
                for signed in signatures
            ],
            "footer": f"{type_id('clinical_note', note.id)} · revision {note.revision} · "
            f"SHA-256 {sha256}",
        },
    )
    for signed in signatures:
        pdf = sign_pdf(pdf, signer=default_signer(), reason=_REASONS[signed.role], name=signed.name)
    return pdf
