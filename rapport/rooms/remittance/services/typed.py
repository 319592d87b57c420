"""A payer's decision on paper, typed by a person: checked, balanced and posted as every other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rapport.kernel.ids import parse_type_id
from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12 import write835
from rapport.protocols.x12.envelope import Address, Numbers, Sealed, interchange
from rapport.protocols.x12.records835 import (
    Adjustment,
    ClaimPayment,
    ProviderAdjustment,
    Remittance,
    ServiceLine,
)
from rapport.protocols.x12.syntax import Finding
from rapport.rooms.claims import queries as claims
from rapport.rooms.remittance.models import EraFile
from rapport.rooms.remittance.rules.policy import DAYS_AHEAD

from .reading import content, faulty
from .receiving import receive

_ZERO = Decimal(0)


def receive_typed(*, scope: Scope, body: Any, now: datetime) -> tuple[EraFile, bool]:
    """
    Take in what a person typed from a paper explanation of benefits: the file a payer would have sent.

    :param body: `schemas.paper.PaperIn`
    :return: the file, and whether it is new: the same typed again is not
    :raises Invalid: it does not balance, or is dated too far ahead; nothing is kept
    :raises ReferenceNotFound: it names a claim that is not here
    """
    scope.require(Permission.REMITTANCES_POST)
    if body.paid_on > scope.day_of(now) + DAYS_AHEAD:
        fault = FieldError("/paid_on", "in-the-future", f"At most {DAYS_AHEAD.days} days ahead.")
        raise Invalid("1 field is not valid.", errors=(fault,))
    practice = tenancy.get_practice(scope=scope)
    typed = [_claim(scope, one, place) for place, one in enumerate(body.claims)]
    check = Remittance(
        Sealed("", "", "", "", "", ""), "", handling="I", total=_dollars(body.total), method=body.method,
        paid_on=body.paid_on, trace=body.trace, payer_tax_id=body.payer_identifier or body.payer_name,
        payer_name=body.payer_name, payee_name=practice.name, payee_npi=practice.npi, payee_tax_id=practice.tax_id,
        claims=typed,
        provider_adjustments=[
            ProviderAdjustment(
                practice.npi or practice.tax_id, f"{body.paid_on.year}1231", one.reason, one.reference,
                _dollars(one.amount), 0,
            )
            for one in body.provider_adjustments
        ],
    )  # fmt: skip
    data = b"".join(
        interchange(
            [("835", write835.body(check))], sender=Address("ZZ", "PAPER"), receiver=Address("ZZ", "PRACTICE"),
            numbers=Numbers(1, 1, 1), at=datetime(body.paid_on.year, body.paid_on.month, body.paid_on.day, tzinfo=now.tzinfo),
            usage="P" if scope.livemode else "T",
        )
    )  # fmt: skip
    _, read, findings = content(data)
    if faulty(findings):
        wrong = [one for one in findings if one.severity == "error"]
        raise Invalid(
            "It does not balance, or holds what a remittance cannot.",
            errors=tuple(FieldError(_place(one, read), one.rule, one.message) for one in wrong[:20]),
        )
    return receive(scope=scope, data=data, via="paper", now=now)


def _place(one: Finding, checks: Sequence[Remittance]) -> str:
    """
    Return the part of the body that a segment comes from.

    :param checks: the file that was made of the body, read again: its claims and services are in the body's order
    """
    if one.segment in (parts := {"BPR": "/total", "PLB": "/provider_adjustments"}):
        return parts[one.segment]
    for check in checks:
        for place, claim in enumerate(check.claims):
            if claim.index == one.position:
                return f"/claims/{place}"
            for number, line in enumerate(claim.lines):
                if line.index == one.position:
                    return f"/claims/{place}/lines/{number}"
    return "/claims"


def _dollars(money: Any) -> Decimal:
    return Decimal(money.amount) / 100


def _claim(scope: Scope, one: Any, place: int) -> ClaimPayment:
    control, ours = one.control_number or "", None
    if one.claim_id is not None:
        pointer = f"/claims/{place}/claim_id"
        row = claims.refer_to_claim(scope=scope, claim_id=parse_type_id("claim", one.claim_id), pointer=pointer)
        ours, control = claims.facts_of(scope=scope, claims=[row])[row.id], row.control_number
    if not control:
        raise Invalid("1 field is not valid.", errors=(FieldError(f"/claims/{place}/claim_id", "required"),))
    lines = [_line(line, ours, f"/claims/{place}/lines/{number}") for number, line in enumerate(one.lines)]
    adjusted = _adjustments(one.adjustments)
    owed = sum((a.amount for a in (*adjusted, *(a for line in lines for a in line.adjustments)) if a.group == "PR"), _ZERO)
    return ClaimPayment(
        control, one.status_code, sum((line.charge for line in lines), _ZERO),
        sum((line.paid for line in lines), _ZERO) - sum((a.amount for a in adjusted), _ZERO),
        _ZERO if one.status_code == "22" else owed, "ZZ", one.payer_claim_number, "11", "1", 0, adjustments=adjusted, lines=lines,
    )  # fmt: skip


def _line(one: Any, ours: claims.ClaimFacts | None, pointer: str) -> ServiceLine:
    mine = None
    if one.claim_line is not None:
        mine = next((line for line in ours.lines if line.position == one.claim_line), None) if ours else None
        if mine is None:
            raise Invalid("1 field is not valid.", errors=(FieldError(f"{pointer}/claim_line", "unknown"),))
    code = one.service_code or (mine.service_code if mine else "")
    if not code:
        raise Invalid("1 field is not valid.", errors=(FieldError(f"{pointer}/service_code", "required"),))
    return ServiceLine(
        code, tuple(one.modifiers) or (mine.modifiers if mine else ()), _dollars(one.charge), _dollars(one.paid),
        Decimal(one.units), "", 0, service_on=one.service_on or (mine.service_on if mine else None),
        adjustments=_adjustments(one.adjustments), control=mine.control_number if mine else "",
        allowed=_dollars(one.allowed) if one.allowed else None, remarks=list(one.remarks),
    )  # fmt: skip


def _adjustments(given: Sequence[Any]) -> list[Adjustment]:
    return [Adjustment(one.group, one.reason, _dollars(one.amount), None) for one in given]
