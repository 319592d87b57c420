"""What the payer decides about a claim, in exact decimals, from the claim and its scenario alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rapport.sandbox.payer.claims import Claim, Line
from rapport.sandbox.payer.scenarios import Scenario, scenario_of

ZERO = Decimal(0)
CENT = Decimal("0.01")
COPAY = Decimal("25.00")
COINSURANCE_PERCENT = 20
KEPT = Decimal("10.00")
"""What a second payer leaves to the patient where it has a copay of its own."""
RECOUPED = Decimal("40.00")
INTEREST = Decimal("1.23")

USUAL_RATE_PERCENT = 80
RATE_PERCENT = {"96130": 75, "96131": 75, "96136": 75, "96137": 75, "H0031": 90}
"""The contract: what part of the charge is allowed, where it is not the usual 80 %."""
AFTER_REVIEW_PERCENT = 60
"""What is allowed of a claim whose first payment is taken back."""

Adjustment = tuple[str, str, Decimal]


@dataclass(frozen=True, slots=True)
class LinePaid:
    """One SVC of the 835. Always: charge - sum of adjustments = paid."""

    procedure: str
    charge: Decimal
    paid: Decimal
    units: str
    service_on: str
    control: str
    adjustments: tuple[Adjustment, ...] = ()
    allowed: Decimal | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimPaid:
    """One CLP of the 835."""

    number: str
    status: str
    icn: str
    place: str
    frequency: str
    filing: str
    member_id: str
    last_name: str
    first_name: str
    lines: tuple[LinePaid, ...]
    rendering: tuple[str, ...] = ()
    original_number: str = ""
    interest: Decimal = ZERO
    received_on: str = ""
    forwarded_to: tuple[str, str] = ("", "")
    """Name and id of the payer that the claim was passed on to (NM1*TT)."""

    @property
    def charge(self) -> Decimal:
        """CLP03."""
        return sum((line.charge for line in self.lines), ZERO)

    @property
    def paid(self) -> Decimal:
        """CLP04."""
        return sum((line.paid for line in self.lines), ZERO)

    @property
    def patient_owes(self) -> Decimal:
        """CLP05: everything adjusted to the patient (group PR)."""
        return sum(
            (amount for line in self.lines for group, _, amount in line.adjustments
             if group == "PR"), ZERO,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Provider:
    """A PLB entry: money between the payer and the provider that belongs to no claim."""

    code: str
    reference: str
    amount: Decimal
    """Positive takes money away from the payment, negative adds to it."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Part of a check: claims with what goes beside them. Payments of one key share a check."""

    claims: tuple[ClaimPaid, ...]
    adjustments: tuple[Provider, ...] = ()
    shared: bool = False
    """May be put on one check with the other ordinary claims of the same file."""
    held: bool = False
    """Waits until the sandbox is told to advance."""
    copies: int = 1


@dataclass(slots=True)
class Context:
    """What the payer knows besides the claim itself."""

    icn: str
    received_on: str
    seen_before: bool = False
    original: ClaimPaid | None = None
    """The decision on the claim that REF*F8 names."""


@dataclass(slots=True)
class Decision:
    """What the payer pays, and the last word on the claim (to reverse later)."""

    payments: list[Payment] = field(default_factory=list)
    final: ClaimPaid | None = None


def rate_percent(code: str) -> int:
    """The contracted part of the charge for a procedure code."""
    return RATE_PERCENT.get(code, USUAL_RATE_PERCENT)


def allowed_of(line: Line, percent: int | None = None) -> Decimal:
    """The allowed amount of a line, rounded half up to cents."""
    share = rate_percent(line.code) if percent is None else percent
    return (line.charge * share / 100).quantize(CENT, ROUND_HALF_UP)


def reverse(paid: ClaimPaid) -> ClaimPaid:
    """The reversal of an earlier decision: status 22, the same number, every amount negated."""
    return replace(
        paid,
        status="22",
        interest=-paid.interest,
        lines=tuple(
            replace(
                line,
                charge=-line.charge,
                paid=-line.paid,
                adjustments=tuple((g, r, -amount) for g, r, amount in line.adjustments),
                allowed=None,
                remarks=(),
            )
            for line in paid.lines
        ),
    )


def decide(claim: Claim, context: Context) -> Decision:
    """Adjudicate one accepted claim."""
    scenario = scenario_of(claim.member_id)
    if scenario is Scenario.SILENT:
        return Decision()
    if claim.frequency in ("7", "8") and context.original is not None:
        return _correct(claim, context, context.original, scenario)
    if context.seen_before:
        return _single(_claim(claim, context, _denied(claim, "OA", "18")))
    return _first(claim, context, scenario)


def _single(paid: ClaimPaid, **options: Any) -> Decision:
    return Decision([Payment((paid,), **{"shared": True, **options})], paid)


def _correct(claim: Claim, context: Context, original: ClaimPaid, scenario: Scenario) -> Decision:
    undone = reverse(original)
    if claim.frequency == "8":
        return Decision([Payment((undone,))], None)
    again = replace(_usual(claim, context, scenario), original_number=original.icn)
    return Decision([Payment((undone, again))], again)


def _first(claim: Claim, context: Context, scenario: Scenario) -> Decision:
    paid = _usual(claim, context, scenario)
    match scenario:
        case Scenario.LATE:
            return _single(paid, shared=False, held=True)
        case Scenario.PAID_TWICE:
            return _single(paid, shared=False, copies=2)
        case Scenario.TAKEN_BACK:
            lines = _with_copay(claim, percent=AFTER_REVIEW_PERCENT)
            corrected = replace(paid, lines=lines)
            return Decision(
                [Payment((paid,)), Payment((reverse(paid), corrected), held=True)], corrected
            )
        case Scenario.RECOUPED:
            taken = min(RECOUPED, paid.paid)
            entry = Provider("WO", f"OP{context.icn}", taken)
            return _single(paid, shared=False, adjustments=(entry,) if taken else ())
        case Scenario.INTEREST:
            with_interest = replace(paid, interest=INTEREST)
            entry = Provider("L6", context.icn, -INTEREST)
            return _single(with_interest, shared=False, adjustments=(entry,))
        case Scenario.SPLIT:
            return _split(paid)
        case _:
            return _single(paid)


def _usual(claim: Claim, context: Context, scenario: Scenario) -> ClaimPaid:
    """The claim as decided at once, whatever happens to its check."""
    if claim.payer_rank in ("S", "T") and _prior_paid_known(claim):
        status = "2" if claim.payer_rank == "S" else "3"
        return _claim(claim, context, _after_prior_payer(claim, scenario), status)
    match scenario:
        case Scenario.FORWARDED:
            paid = _claim(claim, context, _with_copay(claim), "19")
            return replace(paid, forwarded_to=("SECOND PLAN", claim.next_payer_id or "SECND"))
        case Scenario.PAID_IN_FULL:
            return _claim(claim, context, tuple(_line(one, one.charge, ()) for one in claim.lines))
        case Scenario.DEDUCTIBLE:
            lines = tuple(
                _line(one, allowed_of(one), _owed("1", allowed_of(one))) for one in claim.lines
            )
            return _claim(claim, context, lines)
        case Scenario.COINSURANCE:
            return _claim(claim, context, tuple(_coinsured(one) for one in claim.lines))
        case Scenario.DENIED_MISSING_INFORMATION:
            return _claim(claim, context, _denied(claim, "CO", "16", "N382"), "4")
        case Scenario.DENIED_LATE:
            return _claim(claim, context, _denied(claim, "CO", "29"))
        case Scenario.DENIED_NO_AUTHORISATION:
            return _claim(claim, context, _denied(claim, "CO", "197"))
        case Scenario.DENIED_NOT_COVERED:
            return _claim(claim, context, _denied(claim, "PR", "204", "N130"), "4")
        case Scenario.SECONDARY_ONLY:
            return _claim(claim, context, _denied(claim, "CO", "22", "N4"))
        case Scenario.PARTLY_PAID:
            return _claim(claim, context, _partly(claim))
        case _:
            return _claim(claim, context, _with_copay(claim))


def _claim(
    claim: Claim, context: Context, lines: tuple[LinePaid, ...], status: str = "1"
) -> ClaimPaid:
    rendering = claim.rendering.elements if claim.rendering is not None else ()
    return ClaimPaid(
        number=claim.number, status=status, icn=context.icn, place=claim.place,
        frequency=claim.frequency, filing=claim.filing, member_id=claim.member_id,
        last_name=claim.last_name, first_name=claim.first_name, lines=lines,
        rendering=rendering, received_on=context.received_on,
    )  # fmt: skip


def _line(
    line: Line,
    allowed: Decimal | None,
    patient: tuple[Adjustment, ...],
    others: tuple[Adjustment, ...] = (),
    remarks: tuple[str, ...] = (),
) -> LinePaid:
    """A line: the contractual part first, then `others`, then what the patient owes."""
    adjustments: list[Adjustment] = []
    if allowed is not None and allowed != line.charge:
        adjustments.append(("CO", "45", line.charge - allowed))
    adjustments += [*others, *patient]
    paid = line.charge - sum((amount for *_, amount in adjustments), ZERO)
    return LinePaid(
        line.procedure, line.charge, paid, line.units, line.service_on, line.control,
        tuple(adjustments), allowed, remarks,
    )  # fmt: skip


def _owed(reason: str, amount: Decimal) -> tuple[Adjustment, ...]:
    return (("PR", reason, amount),) if amount else ()


def _with_copay(claim: Claim, percent: int | None = None) -> tuple[LinePaid, ...]:
    """One copay for the visit, taken from the first lines that have room for it."""
    left = COPAY
    lines = []
    for line in claim.lines:
        allowed = allowed_of(line, percent)
        part = min(left, allowed)
        left -= part
        lines.append(_line(line, allowed, _owed("3", part)))
    return tuple(lines)


def _coinsured(line: Line) -> LinePaid:
    allowed = allowed_of(line)
    part = (allowed * COINSURANCE_PERCENT / 100).quantize(CENT, ROUND_HALF_UP)
    return _line(line, allowed, _owed("2", part))


def _denied(claim: Claim, group: str, reason: str, *remarks: str) -> tuple[LinePaid, ...]:
    return tuple(
        _line(line, None, (), ((group, reason, line.charge),) if line.charge else (), remarks)
        for line in claim.lines
    )


def _partly(claim: Claim) -> tuple[LinePaid, ...]:
    """The last line of several is denied as bundled; a single line is paid for half."""
    if len(claim.lines) > 1:
        kept = replace(claim, lines=claim.lines[:-1])
        last = claim.lines[-1]
        refused = _line(last, None, (), (("CO", "97", last.charge),), ("M15",))
        return (*_with_copay(kept), refused)
    line = claim.lines[0]
    allowed = allowed_of(line)
    withheld = (allowed / 2).quantize(CENT, ROUND_HALF_UP)
    copay = min(COPAY, allowed - withheld)
    return (_line(line, allowed, _owed("3", copay), (("CO", "151", withheld),), ("N362",)),)


def _prior_paid_known(claim: Claim) -> bool:
    return claim.prior_paid is not None or any(line.prior_paid is not None for line in claim.lines)


def _after_prior_payer(claim: Claim, scenario: Scenario) -> tuple[LinePaid, ...]:
    """
    Pay what the earlier payer left to the patient; OA-23 stands for the rest of the charge.

    Line decisions (2430) are used where they came. Otherwise the claim's paid amount and its
    adjustments, other than the patient's, are used up line by line. Some plans leave a part, or
    all, to the patient or to the provider.
    """
    pool = (claim.prior_paid or ZERO) + sum(
        (amount for group, _, amount in claim.prior_adjustments if group != "PR"), ZERO
    )
    keeps = KEPT
    lines = []
    for line in claim.lines:
        if line.prior_paid is not None:
            owed: dict[str, Decimal] = {}
            for payer, group, _, amount in line.prior_adjustments:
                owed[payer] = owed.get(payer, ZERO) + (amount if group == "PR" else ZERO)
            # Of several payers before, the last one says what is left.
            left = min(max(owed.get(line.prior_payer, ZERO), ZERO), line.charge)
        else:
            effect = min(pool, line.charge)
            pool -= effect
            left = line.charge - effect
        others = (("OA", "23", line.charge - left),) if left != line.charge else ()
        own: tuple[Adjustment, ...] = ()
        match scenario:
            case Scenario.KEEPS_A_COPAY:
                part = min(keeps, left)
                keeps -= part
                own = _owed("3", part)
            case Scenario.DENIED_NOT_COVERED:
                own = _owed("204", left)
            case Scenario.DENIED_NO_AUTHORISATION if left:
                own = (("CO", "197", left),)
            case _:
                pass
        lines.append(_line(line, None, own, others))
    return tuple(lines)


def _split(paid: ClaimPaid) -> Decision:
    """
    Two checks. Several lines: the first half on one, the rest on the other. One line: half is
    pended (OA-133) on the first check; the second reverses that and pays the whole.
    """
    if len(paid.lines) > 1:
        middle = (len(paid.lines) + 1) // 2
        halves = (paid.lines[:middle], paid.lines[middle:])
        return Decision([Payment((replace(paid, lines=half),)) for half in halves], paid)
    line = paid.lines[0]
    pended = (line.paid / 2).quantize(CENT, ROUND_HALF_UP)
    first = replace(
        line, paid=line.paid - pended, adjustments=(*line.adjustments, ("OA", "133", pended))
    )
    interim = replace(paid, lines=(first,))
    return Decision([Payment((interim,)), Payment((reverse(interim), paid))], paid)
