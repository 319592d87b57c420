"""What a file says, written down: its checks, and each service with what was found for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import rows
from rapport.protocols.x12 import remit835 as x
from rapport.rooms.claims import queries as claims
from rapport.rooms.remittance import queries
from rapport.rooms.remittance.models import EraFile, Remittance, RemittanceLine

from .matching import match_claim, match_services
from .reading import cents

Facts = dict[tuple[str, str], claims.ClaimFacts]


@dataclass(slots=True)
class Loaded:
    """A check and its services in order."""

    check: Remittance
    lines: list[RemittanceLine]
    written: bool = True
    """Its services are in the database. Those of a new file are written once it is known what was posted for them."""


def load(*, scope: Scope, file: EraFile) -> list[Loaded]:
    """Return the checks of a file with their services."""
    checks = queries.remittances_of(scope=scope, era_file_id=file.id)
    lines = queries.lines_by_check(scope=scope, remittance_ids=[check.id for check in checks])
    return [Loaded(check, lines[check.id]) for check in checks]


def known_claims(*, scope: Scope, checks: Sequence[x.Remittance]) -> Facts:
    """Return the claims of ours that checks speak of, by what they are called there."""
    return claims.find_for_remittance(
        scope=scope, named=[(one.control, one.payer_claim_number) for check in checks for one in check.claims]
    )


def keep(
    *, scope: Scope, file: EraFile, checks: Sequence[x.Remittance], now: datetime
) -> list[Loaded]:
    """Write down the checks of a file; return them with their services, which are matched, not planned, not written."""
    facts = known_claims(scope=scope, checks=checks)
    kept = []
    for position, one in enumerate(checks, 1):
        check = Remittance(
            practice_id=scope.practice_id, era_file=file, position=position, payer_name=one.payer_name[:80],
            payer_identifier=one.payer_tax_id[:80], payee_npi=one.payee_npi[:10], trace=one.trace[:60],
            method=one.method[:3], paid_on=one.paid_on, total_cents=cents(one.total),
            provider_adjustments=[
                {"reason": p.reason, "reference": p.reference, "cents": cents(p.amount)}
                for p in one.provider_adjustments
            ],
            same_trace=bool(queries.same_trace(
                scope=scope, payer_identifier=one.payer_tax_id[:80], trace=one.trace[:60], but=file.id
            )),
            created_at=now,
        )  # fmt: skip
        check.save(force_insert=True)
        lines = [
            line
            for number, payment in enumerate(one.claims, 1)
            for line in _lines(scope, check, number, payment, facts.get((payment.control, payment.payer_claim_number)))
        ]
        scope.trail.patient_ids.update(line.patient_id for line in lines if line.patient_id)
        kept.append(Loaded(check, lines, written=False))
    return kept


def _lines(
    scope: Scope, check: Remittance, number: int, payment: x.ClaimPayment, facts: claims.ClaimFacts | None
) -> list[RemittanceLine]:
    found: list[RemittanceLine] = []
    if payment.adjustments or not payment.lines:
        found.append(_line(scope, check, number, 0, payment, None, facts, match_claim(payment, facts=facts)))
    for position, (line, match) in enumerate(
        zip(payment.lines, match_services(payment, facts=facts), strict=True), 1
    ):
        found.append(_line(scope, check, number, position, payment, line, facts, match))
    return found


def _line(
    scope: Scope, check: Remittance, number: int, position: int, payment: x.ClaimPayment,
    line: x.ServiceLine | None, facts: claims.ClaimFacts | None, match: tuple[claims.LineFacts | None, str],
) -> RemittanceLine:  # fmt: skip
    ours, how = match
    return rows.made(RemittanceLine, {
        "id": new_uuid(), "practice_id": scope.practice_id, "remittance_id": check.id, "claim_position": number,
        "position": position, "control_number": payment.control[:38], "status_code": payment.status[:2],
        "payer_claim_number": payment.payer_claim_number[:50],
        "claim_id": _meant(facts, payment),
        "claim_line": ours.position if ours and position else 0,
        "appointment_id": ours.appointment_id if ours else None,
        "patient_id": facts.patient_id if facts else None,
        "service_code": line.procedure[:48] if line else "",
        "modifiers": [m[:2] for m in line.modifiers] if line else [],
        "units": line.units if line else 1,
        "service_on": (line.service_on if line else None) or payment.service_on,
        "charge_cents": cents(line.charge if line else payment.charge),
        # Services carry the claim's money; the claim's own row carries it only when there are none.
        "paid_cents": cents(line.paid) if line else (0 if payment.lines else cents(payment.paid)),
        "allowed_cents": cents(line.allowed) if line and line.allowed is not None else None,
        "adjustments": [
            {"group": a.group, "reason": a.reason, "cents": cents(a.amount),
             "quantity": "" if a.quantity is None else f"{a.quantity:f}", "plan": "", "rule": ""}
            for a in (line.adjustments if line else payment.adjustments)
        ],
        "said": {
            "segment": payment.index, "crossover": payment.crossover,
            "remarks": [r[:10] for r in payment.remarks],
        },
        "remarks": [r[:10] for r in (line.remarks if line else payment.remarks)],
        "matched_by": how, "ledger_entry_ids": [], "set_aside": False, "by_hand": [],
    })  # fmt: skip


def _meant(facts: claims.ClaimFacts | None, payment: x.ClaimPayment) -> UUID | None:
    return facts.meant(reversal=payment.status == "22") if facts else None


def match_lines(*, scope: Scope, loaded: Sequence[Loaded], checks: Sequence[x.Remittance]) -> bool:
    """
    Match the services that were matched to none anew. What was matched stays as it was.

    :param checks: the file, read again
    :return: whether one more is known
    """
    facts = known_claims(scope=scope, checks=checks)
    better = False
    for one in loaded:
        payments = checks[one.check.position - 1].claims
        for line in one.lines:
            if line.claim_id is not None and line.appointment_id is not None:
                continue
            payment = payments[line.claim_position - 1]
            known = facts.get((payment.control, payment.payer_claim_number))
            ours, how = (
                match_services(payment, facts=known)[line.position - 1] if line.position
                else match_claim(payment, facts=known)
            )  # fmt: skip
            found: tuple[UUID | None, int, UUID | None, UUID | None, str] = (
                _meant(known, payment), ours.position if ours and line.position else 0,
                ours.appointment_id if ours else None, known.patient_id if known else None, how,
            )  # fmt: skip
            if found != (line.claim_id, line.claim_line, line.appointment_id, line.patient_id, line.matched_by):
                line.claim_id, line.claim_line, line.appointment_id, line.patient_id, line.matched_by = found
                line.save(
                    update_fields=["claim_id", "claim_line", "appointment_id", "patient_id", "matched_by"]
                )
                better = True
    return better
