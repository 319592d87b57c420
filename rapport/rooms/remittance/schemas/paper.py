"""The shapes of a paper explanation of benefits, as a person types it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from rapport.platform.api.shapes import Input, MoneyIn


class SignedMoneyIn(Input):
    """An amount of money that may be below zero: a payer takes back."""

    amount: int = Field(ge=-(10**12), le=10**12, strict=True, description="Cents.", examples=[-2500])
    currency: Literal["USD"] = "USD"


class AdjustmentIn(Input):
    """One reason why less was paid. A positive amount reduces the payment."""

    group: Literal["CO", "PR", "OA", "PI"]
    reason: str = Field(pattern=r"^[A-Z0-9]{1,5}$", examples=["45"])
    amount: SignedMoneyIn


class PaperLineIn(Input):
    """One service as the payer decided it: its charge less the adjustments is what was paid."""

    claim_line: int | None = Field(default=None, ge=1, le=50, description="Position of the claim's service, where it is known.")
    service_code: str | None = Field(default=None, pattern=r"^[A-Z0-9]{5}$")
    modifiers: list[str] = Field(default=[], max_length=4)
    service_on: date | None = None
    units: int = Field(default=1, ge=0, le=999)
    charge: SignedMoneyIn
    paid: SignedMoneyIn
    allowed: SignedMoneyIn | None = None
    adjustments: list[AdjustmentIn] = Field(default=[], max_length=20)
    remarks: list[str] = Field(default=[], max_length=10)


class PaperClaimIn(Input):
    """One claim. Name ours, or the number that the payer prints."""

    claim_id: str | None = Field(default=None, max_length=40)
    control_number: str | None = Field(default=None, max_length=38)
    status_code: Literal["1", "2", "3", "4", "19", "20", "21", "22"] = "1"
    payer_claim_number: str = Field(default="", max_length=50)
    adjustments: list[AdjustmentIn] = Field(default=[], max_length=20, description="Of the claim as a whole.")
    lines: list[PaperLineIn] = Field(min_length=1, max_length=50)


class BesideIn(Input):
    """Money of no claim (PLB). A positive amount takes money away."""

    reason: str = Field(pattern=r"^[A-Z0-9]{2}$", examples=["WO"])
    reference: str = Field(default="", max_length=50)
    amount: SignedMoneyIn


class PaperIn(Input):
    """One check or EFT with what it is for."""

    payer_name: str = Field(min_length=1, max_length=60)
    payer_identifier: str = Field(default="", max_length=30, description="The payer's tax id, as its 835s have it.")
    trace: str = Field(min_length=1, max_length=50, description="Number of the check or EFT.")
    method: Literal["CHK", "ACH", "FWT", "NON"] = "CHK"
    paid_on: date
    total: MoneyIn
    claims: list[PaperClaimIn] = Field(min_length=1, max_length=200)
    provider_adjustments: list[BesideIn] = Field(default=[], max_length=50)
