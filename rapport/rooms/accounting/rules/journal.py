"""
The journal as other programs read it: totals of a day and account, and nothing else.

Beancount's format is that of its language reference (v3): `open` directives, and transactions whose
postings add up to zero.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from rapport.rooms.ledger.states import Account

NAMES: Mapping[Account, str] = {
    Account.CASH: "Assets:Cash",
    Account.PATIENT_RECEIVABLE: "Assets:Receivable:Patients",
    Account.INSURANCE_RECEIVABLE: "Assets:Receivable:Insurance",
    Account.REVENUE: "Income:Services",
    Account.CONTRACTUAL_ADJUSTMENTS: "Income:Adjustments:Contractual",
    Account.WRITE_OFFS: "Expenses:WriteOffs",
    Account.UNAPPLIED: "Liabilities:PatientCredit",
    Account.PAYER_CLEARING: "Liabilities:PayerClearing",
    Account.INTEREST: "Income:Interest",
    Account.PROCESSOR_FEES: "Expenses:CardFees",
    Account.REFUNDS_DUE: "Liabilities:RefundsDue",
}
"""What the accounts are called in the export."""


@dataclass(frozen=True, slots=True)
class Total:
    """What was posted to an account on a day; a debit is positive."""

    on: date
    account: Account
    cents: int


def dollars(cents: int) -> str:
    """
    Write cents as dollars, exactly.

    >>> dollars(-5), dollars(123456)
    ('-0.05', '1234.56')
    """
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def as_csv(totals: Iterable[Total]) -> str:
    """Return the journal as CSV (RFC 4180): day, account, debit, credit."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["day", "account", "debit", "credit"])
    for total in totals:
        debit, credit = (total.cents, 0) if total.cents > 0 else (0, -total.cents)
        writer.writerow([total.on.isoformat(), NAMES[total.account], dollars(debit), dollars(credit)])
    return out.getvalue()


def as_beancount(totals: Iterable[Total], *, from_on: date) -> str:
    """Return the journal in Beancount's format, one transaction a day."""
    lines = ['option "operating_currency" "USD"', ""]
    lines += [f"{from_on.isoformat()} open {name} USD" for name in NAMES.values()]
    day: date | None = None
    for total in totals:
        if total.on != day:
            day = total.on
            lines += ["", f'{day.isoformat()} * "Rapport" "Totals of the day"']
        lines.append(f"  {NAMES[total.account]}  {dollars(total.cents)} USD")
    return "\n".join(lines) + "\n"
