"""What is to be said of a payer's enrolment, and of who is credentialed with it. Plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rapport.rooms.coverage.states import EnrollmentState, Transaction

from .notices import Notice


@dataclass(frozen=True, slots=True)
class Enrollment:
    """How the practice stands with a payer for one kind of transaction."""

    transaction: Transaction
    needed: bool
    """The payer takes it from enrolled practices only. False: nothing is to be said."""
    state: EnrollmentState
    effective_on: date | None
    """From when the state holds."""


def not_enrolled(one: Enrollment, *, on: date) -> Notice | None:
    """Return what is to be said when a transaction is used on a day; None: all is well."""
    if not one.needed:
        return None
    code, name = f"not-enrolled-{one.transaction.lower()}", one.transaction.value
    if one.state is EnrollmentState.ACTIVE:
        if one.effective_on is None or one.effective_on <= on:
            return None
        return Notice(code, f"The enrolment for {name} with this payer begins on {one.effective_on}.", False)
    if one.state is EnrollmentState.REFUSED:
        # Without enrolment for remittances the claim is still paid, on paper.
        serious = one.transaction is not Transaction.REMITTANCE
        return Notice(code, f"This payer refused the practice's enrolment for {name}.", serious)
    wait = "was asked for, and is not active yet" if one.state is EnrollmentState.REQUESTED else "is missing"
    return Notice(code, f"The enrolment for {name} with this payer {wait}.", False)


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when a clinician is credentialed."""

    mine: bool
    """Of the clinician who is asked about; else of another one, with the same payer."""
    starts_on: date
    ends_on: date | None


def not_credentialed(spans: Sequence[Span], *, days: Sequence[date]) -> Notice | None:
    """
    Return what is to be said of a clinician who renders services on days.

    :param spans: all of one payer; none: the practice does not keep them for this payer, and nothing is said
    """
    if not spans:
        return None
    mine = [span for span in spans if span.mine]
    for day in sorted(set(days)):
        if not any(span.starts_on <= day and (span.ends_on is None or day <= span.ends_on) for span in mine):
            # Where a span is known its gap is known; where none is, one may be missing here only.
            return Notice(
                "clinician-not-credentialed", f"The clinician is not credentialed with this payer on {day}.",
                bool(mine),
            )  # fmt: skip
    return None
