"""What a file says, before anything of it is kept: its checks, its faults, and what holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256

from rapport.kernel.money import Money, NotMoney
from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.scope import Scope
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12 import remit835 as x
from rapport.protocols.x12.envelope import check
from rapport.protocols.x12.syntax import Finding, NotX12, Segment, read


@lru_cache(maxsize=10_000)
def cents(value: Decimal) -> int:
    """
    Return an amount in whole cents. What was asked is remembered: a payer's file has few amounts, many times each.

    :raises NotMoney: it has a fraction of one
    """
    return Money.from_decimal(value).cents


def content(data: bytes) -> tuple[str, list[x.Remittance], list[Finding]]:
    """Read a file. :return: digest of what it says without its envelope, its checks, its faults"""
    findings: list[Finding] = []
    digest = sha256()

    def said(segments: Iterable[Segment]) -> Iterator[Segment]:
        """Hand the segments on, and add what they say to the digest."""
        for segment in segments:
            parts = segment.elements
            # Control numbers belong to the envelope: a file sent again gets new ones.
            if segment.position:
                if parts[0] in ("ST", "SE"):
                    parts = parts[:2]
                digest.update("\x1f".join(parts).encode("latin-1") + b"\x1e")
            yield segment

    try:
        checks = list(x.remittances(said(check(read(data), findings=findings))))
    except NotX12 as error:
        raise Invalid(
            "The file cannot be read as X12.",
            errors=(FieldError(f"/segments/{error.index}", error.rule, error.message),),
            reason="parse",
        ) from error
    if not checks:
        raise Invalid(
            "The file holds no remittance (835).",
            errors=(FieldError("", "no-remittance"),),
            reason="parse",
        )
    for one in checks:
        findings.extend(one.findings)
    return digest.hexdigest(), checks, findings


def holds(*, scope: Scope, checks: Iterable[x.Remittance]) -> list[Finding]:
    """Return what keeps the whole file from being posted, beside what the reader found."""
    practice = tenancy.get_practice(scope=scope)
    held = []
    for one in checks:
        by_tax_id = not one.payee_npi and practice.tax_id and one.payee_tax_id == practice.tax_id
        if not by_tax_id and (not practice.npi or one.payee_npi != practice.npi):
            held.append(
                Finding("N1", 0, "04", "payee-not-ours", "error", "The payee is not this practice.")
            )
        for place, index, amount in _amounts(one):
            try:
                cents(amount)
            except NotMoney:
                held.append(
                    Finding(
                        place, index, "", "amount", "error", "An amount has a fraction of a cent."
                    )
                )
    return held


def _amounts(one: x.Remittance) -> Iterable[tuple[str, int, Decimal]]:
    """Yield every amount of a check with its segment and position."""
    yield "BPR", 0, one.total
    for provider in one.provider_adjustments:
        yield "PLB", provider.index, provider.amount
    for claim in one.claims:
        yield "CLP", claim.index, claim.charge
        yield "CLP", claim.index, claim.paid
        for adjustment in claim.adjustments:
            yield "CAS", claim.index, adjustment.amount
        for line in claim.lines:
            yield "SVC", line.index, line.charge
            yield "SVC", line.index, line.paid
            yield "AMT", line.index, line.allowed or Decimal(0)
            for adjustment in line.adjustments:
                yield "CAS", line.index, adjustment.amount


def faulty(findings: Iterable[Finding]) -> bool:
    """Tell whether a file has any error: what does not balance is not posted in parts."""
    return any(finding.severity == "error" for finding in findings)
