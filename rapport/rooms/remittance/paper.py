"""Letters to payers, typeset once and kept as documents."""

from __future__ import annotations

from datetime import date

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.paper.typeset import typeset
from rapport.platform.tenancy.queries import get_practice
from rapport.rooms.claims import queries as claims
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.roster import queries as roster

from .models import Denial, RemittanceLine
from .rules import carc
from .rules.denials import argument


def appeal_pdf(*, scope: Scope, denial: Denial, words: str, today: date) -> bytes:
    """
    Return the letter that appeals a denial.

    :param words: the practice's own reasons; empty: those that fit the class of the denial
    """
    practice = get_practice(scope=scope)
    patient = roster.get_patient(scope=scope, patient_id=denial.patient_id)
    claim = claims.get_claim(scope=scope, claim_id=denial.claim_id)
    line = RemittanceLine.objects.visible_to(scope).select_related("remittance").get(id=denial.line_id)
    payer = coverage.get_payer(scope=scope, payer_id=claim.payer_id)
    member = ""
    if claim.policy_id is not None:
        member = coverage.get_policy(scope=scope, policy_id=claim.policy_id).member_id
    place = ", ".join(part for part in (practice.address_line1, practice.city, practice.state_code) if part)
    facts = [
        ["Patient", f"{patient.first_name} {patient.last_name}"],
        ["Born", patient.birth_on.isoformat()],
        ["Member id", member or "not known"],
        ["Your claim number", line.payer_claim_number or "not known"],
        ["Our claim number", claim.control_number],
        ["Day of service", line.service_on.isoformat() if line.service_on else "see claim"],
        ["Service", " ".join([line.service_code, *line.modifiers]).strip() or "see claim"],
        ["Charge", dollars(line.charge_cents)],
        ["In question", dollars(denial.cents)],
        ["Your decision", line.remittance.paid_on.isoformat() if line.remittance.paid_on else "see remittance"],
        ["Your reasons", "; ".join(f"{one}: {carc.kind_of(one.split('-', 1)[1]).says}" for one in denial.reasons)],
    ]
    return typeset(
        "letter",
        {
            "title": "Appeal of a decision on a claim",
            "date": [today.year, today.month, today.day],
            "practice": {"name": practice.name, "address": place, "npi": practice.npi},
            "to": [payer.name, payer.address_line1, " ".join(
                part for part in (payer.city, payer.state_code, payer.postal_code) if part
            )],
            "facts": facts,
            "paragraphs": [
                "We ask you to look again at your decision on the service above.",
                words or argument(denial.kind),
                "Please send your decision to us in writing, and tell us who took it.",
            ],
            "footer": type_id("denial", denial.id),
        },
    )  # fmt: skip


def dollars(cents: int) -> str:
    """Return an amount as letters show it.

    >>> dollars(-123456)
    '-$1,234.56'
    """
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02}"
