"""
Remittances: exact records -> 005010X221A1 (835), one transaction set per check.

What a practice types from a paper explanation of benefits becomes the file that a payer would have
sent, so that it is checked, balanced and posted as every other. Text is folded by `clean`.
"""

from __future__ import annotations

from .claim837p import amount
from .envelope import Writer, clean
from .records835 import Adjustment, ClaimPayment, Remittance, ServiceLine

_A_SEGMENT = 6
"""Reasons in one CAS, and pairs in one PLB, at most."""


def body(remittance: Remittance) -> list[str]:
    """
    Return the segments between ST and SE.

    :raises ValueError: an element would hold a delimiter
    """
    w, r = Writer(), remittance
    day = f"{r.paid_on:%Y%m%d}" if r.paid_on else ""
    w.add("BPR", r.handling or "I", amount(r.total), "C" if r.credit else "D", r.method, *[""] * 11, day)
    w.add("TRN", "1", _text(r.trace), _text(r.payer_tax_id))
    w.add("N1", "PR", _text(r.payer_name), *(("XV", _text(r.payer_id)) if r.payer_id else ()))
    if r.payee_npi:
        w.add("N1", "PE", _text(r.payee_name), "XX", r.payee_npi)
        if r.payee_tax_id:
            w.add("REF", "TJ", r.payee_tax_id)
    else:
        w.add("N1", "PE", _text(r.payee_name), "FI", r.payee_tax_id)
    w.add("LX", "1")
    for claim in r.claims:
        _claim(w, claim)
    for start in range(0, len(r.provider_adjustments), _A_SEGMENT):
        part = r.provider_adjustments[start : start + _A_SEGMENT]
        pairs = [
            text for one in part
            for text in (w.composite(_text(one.reason), _text(one.reference)), amount(one.amount))
        ]  # fmt: skip
        w.add("PLB", _text(part[0].provider), part[0].fiscal_year_end, *pairs)
    return w.segments


def _text(value: str) -> str:
    return clean(value)[0]


def _claim(w: Writer, claim: ClaimPayment) -> None:
    w.add(
        "CLP", _text(claim.control), claim.status, amount(claim.charge), amount(claim.paid),
        amount(claim.patient_responsibility) if claim.patient_responsibility else "",
        claim.filing_indicator, _text(claim.payer_claim_number), claim.place_of_service, claim.frequency,
    )  # fmt: skip
    _reasons(w, claim.adjustments)
    if claim.remarks:
        w.add("MOA", "", "", *(_text(one) for one in claim.remarks[:5]))
    if claim.service_on:
        w.add("DTM", "232", f"{claim.service_on:%Y%m%d}")
    for line in claim.lines:
        _service(w, line)


def _service(w: Writer, line: ServiceLine) -> None:
    code = w.composite("HC", _text(line.procedure), *(_text(one) for one in line.modifiers))
    w.add("SVC", code, amount(line.charge), amount(line.paid), "", amount(line.units))
    if line.service_on:
        w.add("DTM", "472", f"{line.service_on:%Y%m%d}")
    _reasons(w, line.adjustments)
    if line.control:
        w.add("REF", "6R", _text(line.control))
    if line.allowed is not None:
        w.add("AMT", "B6", amount(line.allowed))
    for remark in line.remarks:
        w.add("LQ", "HE", _text(remark))


def _reasons(w: Writer, adjustments: list[Adjustment]) -> None:
    """Add the reasons, those of a group together, six to a segment."""
    by_group: dict[str, list[str]] = {}
    for one in adjustments:
        quantity = amount(one.quantity) if one.quantity is not None else ""
        by_group.setdefault(one.group, []).extend((_text(one.reason), amount(one.amount), quantity))
    for group, triplets in by_group.items():
        for start in range(0, len(triplets), 3 * _A_SEGMENT):
            w.add("CAS", group, *triplets[start : start + 3 * _A_SEGMENT])
