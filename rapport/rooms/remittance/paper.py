"""Letters to payers, typeset once and kept as documents."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.paper.typeset import typeset
from rapport.platform.tenancy.queries import get_practice
from rapport.rooms.claims import queries as claims
from rapport.rooms.coverage import queries as coverage
from rapport.rooms.roster import queries as roster

from .models import Denial, RemittanceLine, Underpayment
from .rules import carc
from .rules.denials import argument


def appeal_pdf(*, scope: Scope, denial: Denial, words: str, today: date) -> bytes:
    """
    Return the letter that appeals a denial.

    :param words: the practice's own reasons; empty: those that fit the class of the denial
    """
    return _letter(
        scope=scope, claim_id=denial.claim_id, line_id=denial.line_id, today=today,
        title="Appeal of a decision on a claim",
        more=[
            ["In question", dollars(denial.cents)],
            ["Your reasons", "; ".join(f"{one}: {carc.kind_of(one.split('-', 1)[1]).says}" for one in denial.reasons)],
        ],
        asks="We ask you to look again at your decision on the service above.",
        words=words or argument(denial.kind),
        footer=type_id("denial", denial.id),
    )  # fmt: skip


def underpayment_pdf(*, scope: Scope, underpayment: Underpayment, words: str, today: date) -> bytes:
    """
    Return the letter that disputes what a payer allowed.

    :param words: the practice's own reasons; empty: that the contract says otherwise
    """
    row = underpayment
    return _letter(
        scope=scope, claim_id=row.claim_id, line_id=row.line_id, today=today,
        title="Dispute of an allowed amount",
        more=[
            ["Units", str(row.units)],
            ["You allowed", dollars(row.allowed_cents)],
            ["Our contract", f"{dollars(row.expected_cents)} ({row.rule})"],
            ["Missing", dollars(row.expected_cents - row.allowed_cents)],
        ],
        asks="We ask you to decide the service above anew, at the rate of our contract, and to pay the difference.",
        words=words or "The amount that you allowed is below the rate that our contract with you names for this service"
        " on that day.",
        footer=type_id("underpayment", row.id),
    )  # fmt: skip


def _letter(
    *, scope: Scope, claim_id: UUID, line_id: UUID, today: date, title: str, more: list[list[str]], asks: str,
    words: str, footer: str,
) -> bytes:  # fmt: skip
    """Return a letter to a claim's payer about one decision of it. :param more: facts beside those of claim and decision"""
    practice = get_practice(scope=scope)
    claim = claims.get_claim(scope=scope, claim_id=claim_id)
    patient = roster.get_patient(scope=scope, patient_id=claim.patient_id)
    line = RemittanceLine.objects.visible_to(scope).select_related("remittance").get(id=line_id)
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
        ["Your decision", line.remittance.paid_on.isoformat() if line.remittance.paid_on else "see remittance"],
        *more,
    ]
    return typeset(
        "letter",
        {
            "title": title,
            "date": [today.year, today.month, today.day],
            "practice": {"name": practice.name, "address": place, "npi": practice.npi},
            "to": [payer.name, payer.address_line1, " ".join(
                part for part in (payer.city, payer.state_code, payer.postal_code) if part
            )],
            "facts": facts,
            "paragraphs": [
                asks,
                words,
                "Please send your decision to us in writing, and tell us who took it.",
            ],
            "footer": footer,
        },
    )  # fmt: skip


def dollars(cents: int) -> str:
    """Return an amount as letters show it.

    >>> dollars(-123456)
    '-$1,234.56'
    """
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02}"
