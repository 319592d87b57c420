"""
Test cards, by the names of Stripe's public testing page: each decides what becomes of it.

Written after docs.stripe.com/testing (cards, declined payments, disputes, refunds); nothing was run against the service.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TestCard:
    """One card and its fate. Codes are `code` or `code/decline_code`; empty: it goes well."""

    brand: str
    last4: str
    funding: str = "credit"
    setup: str = ""
    """What the bank says when the card is to be kept."""
    charge: str = ""
    """What the bank says when it is charged while the patient is away."""
    then: str = ""
    """`dispute`: the charge is contested at once; `refund_fails`: what is given back bounces."""


CARDS: dict[str, TestCard] = {
    "pm_card_visa": TestCard("visa", "4242"),
    "pm_card_visa_debit": TestCard("visa", "5556", "debit"),
    "pm_card_mastercard": TestCard("mastercard", "4444"),
    "pm_card_amex": TestCard("amex", "0005"),
    "pm_card_chargeDeclined": TestCard("visa", "0002", setup="card_declined/generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": TestCard("visa", "9995", setup="card_declined/insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": TestCard("visa", "0069", setup="expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": TestCard("visa", "0127", setup="incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": TestCard("visa", "0119", setup="processing_error"),
    "pm_card_chargeCustomerFail": TestCard("visa", "0341", charge="card_declined/generic_decline"),
    "pm_card_authenticationRequired": TestCard("visa", "3184", charge="authentication_required"),
    "pm_card_createDispute": TestCard("visa", "0259", then="dispute"),
    "pm_card_refundFail": TestCard("visa", "5126", then="refund_fails"),
}
