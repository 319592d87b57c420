"""The shapes of money between practice and payers: what is open, and what reached the bank."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import Annotated, Literal

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Day, Input, Instant, MoneyIn, MoneyOut, Shape, instant
from rapport.rooms.remittance.models import Deposit, Remittance
from rapport.rooms.remittance.queries import BesideClaims
from rapport.rooms.remittance.rules import provider
from rapport.rooms.remittance.services import Reconciliation


class PayerCode(Struct, kw_only=True):
    """What a payer has moved with one code."""

    code: Annotated[str, Meta(description="Of PLB, or UNMATCHED: money of services that nobody knows.")]
    says: str
    plan: Annotated[str, Meta(description="interest, carried, recovery, payer or review")]
    count: int
    open: Annotated[MoneyOut, Meta(description="What it has added to what was received; negative: taken away.")]
    last_on: Day | None


class PayerBalance(Struct, kw_only=True):
    """Where practice and one payer stand, beside claims."""

    payer_identifier: str
    payer_name: str
    clearing: Annotated[
        MoneyOut,
        Meta(description="All that stands between the two. Below zero: the payer took less than it says, or pays in advance."),
    ]
    carried: Annotated[MoneyOut, Meta(description="Of FB. Zero once every balance that was carried over is collected.")]
    codes: list[PayerCode]


class PayerBalancesOut(Shape):
    """Where practice and payers stand, beside claims."""

    object: Literal["payer_balances"]
    payers: list[PayerBalance]


def payer_balances_out(rows: Iterable[BesideClaims]) -> PayerBalancesOut:
    """Return what is open between practice and payers. Money received is owed: it stands with a minus."""
    payers = []
    for identifier, group in groupby(sorted(rows, key=lambda row: row.payer_identifier), lambda row: row.payer_identifier):
        of_payer = list(group)
        between = [row for row in of_payer if row.code not in provider.INTEREST]
        payers.append(
            PayerBalance(
                payer_identifier=identifier,
                payer_name=of_payer[0].payer_name,
                clearing=MoneyOut(-sum(row.cents for row in between)),
                carried=MoneyOut(-sum(row.cents for row in between if row.code in provider.CARRIED)),
                codes=[
                    PayerCode(
                        code=row.code, says=provider.SAYS.get(row.code, "Nobody knows its claim"),
                        plan=provider.plan_for(row.code), count=row.count, open=MoneyOut(row.cents), last_on=row.last_on,
                    )
                    for row in of_payer
                ],
            )
        )  # fmt: skip
    return PayerBalancesOut(object="payer_balances", payers=payers)


class DepositOut(Shape):
    """Money that the bank says it received."""

    object: Literal["deposit"]
    id: str
    received_on: Day
    amount: MoneyOut
    trace: str | None
    description: str | None
    remittance_id: Annotated[str | None, Meta(description="The check that a person said it is.")]
    version: int
    created_at: Instant


class DepositIn(Input):
    """What the bank's statement says."""

    received_on: date
    amount: MoneyIn
    trace: str = Field(default="", max_length=60, description="Check or EFT number.")
    description: str = Field(default="", max_length=140, description="Who paid. No names of patients.")


class MatchIn(Input):
    """Which check it is."""

    remittance_id: str | None = Field(default=None, max_length=40, description="null: it is none of them.")


class ImportedOut(Shape):
    """What became of a bank's file."""

    object: Literal["deposit_import"]
    added: int
    known: int


class CheckMoney(Struct, kw_only=True):
    """A payer's check."""

    remittance_id: str
    era_file_id: str
    era_state: str
    payer_name: str | None
    trace: str | None
    method: str | None
    paid_on: Day
    total: MoneyOut


class Reconciled(Struct, kw_only=True):
    """A check, and the deposit that it is."""

    remittance_id: str
    deposit_id: str
    how: Annotated[str, Meta(description="by_hand, trace, amount_and_day, or trace_only: the amounts differ")]


class ReconciliationOut(Shape):
    """Checks and deposits of some days."""

    object: Literal["reconciliation"]
    starts_on: Day
    ends_on: Day
    matched: list[Reconciled]
    differing: Annotated[list[Reconciled], Meta(description="The number is the same, the amount is not.")]
    without_deposit: Annotated[list[CheckMoney], Meta(description="The payer says that it paid; the bank shows nothing.")]
    without_remittance: Annotated[list[DepositOut], Meta(description="The bank shows it; no remittance says what for.")]
    not_posted: Annotated[list[CheckMoney], Meta(description="The bank has it, and the ledger does not.")]
    received: MoneyOut
    remitted: MoneyOut


def deposit_out(row: Deposit) -> DepositOut:
    """Return a deposit."""
    return DepositOut(
        object="deposit",
        id=type_id("deposit", row.id),
        received_on=row.received_on,
        amount=MoneyOut(row.cents),
        trace=row.trace or None,
        description=row.description or None,
        remittance_id=type_id("remittance", row.remittance_id) if row.remittance_id else None,
        version=row.version,
        created_at=instant(row.created_at),
    )


def _check(row: Remittance) -> CheckMoney:
    assert row.paid_on is not None
    return CheckMoney(
        remittance_id=type_id("remittance", row.id), era_file_id=type_id("era_file", row.era_file_id),
        era_state=row.era_file.state, payer_name=row.payer_name or None, trace=row.trace or None,
        method=row.method or None, paid_on=row.paid_on, total=MoneyOut(row.total_cents),
    )  # fmt: skip


def reconciliation_out(found: Reconciliation, *, starts_on: date, ends_on: date) -> ReconciliationOut:
    """Return what is on both sides, and what is missing on one."""
    checks, deposits = {row.id for row in found.checks}, {row.id for row in found.deposits}
    pairs = [pair for pair in found.pairs if pair.check_id in checks or pair.deposit_id in deposits]
    shown = [
        (pair.how, Reconciled(
            remittance_id=type_id("remittance", pair.check_id), deposit_id=type_id("deposit", pair.deposit_id),
            how=pair.how,
        ))
        for pair in pairs
    ]  # fmt: skip
    paid, banked = {pair.check_id for pair in pairs}, {pair.deposit_id for pair in pairs}
    return ReconciliationOut(
        object="reconciliation",
        starts_on=starts_on,
        ends_on=ends_on,
        matched=[one for how, one in shown if how != "trace_only"],
        differing=[one for how, one in shown if how == "trace_only"],
        without_deposit=[_check(row) for row in found.checks if row.id not in paid],
        without_remittance=[deposit_out(row) for row in found.deposits if row.id not in banked],
        not_posted=[_check(row) for row in found.checks if row.id in paid and row.era_file.state != "posted"],
        received=MoneyOut(sum(row.cents for row in found.deposits)),
        remitted=MoneyOut(sum(row.total_cents for row in found.checks)),
    )
