"""The shapes of cards and payments in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from pydantic import AwareDatetime, Field, model_validator

from rapport.kernel.ids import type_id
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import (
    Day,
    Input,
    Instant,
    MoneyOut,
    Shape,
    instant,
    instant_or_none,
    refused,
    source_of,
)
from rapport.rooms.ledger import schemas as ledger

from . import queries
from .models import AutopayRule, Card, Enrolment, Payout, Planned, Processor

PaymentState = Literal["pending", "in_doubt", "succeeded", "failed", "disputed", "charged_back"]
_STATES = {"queued": "pending", "sending": "pending"}


class Declined(Struct):
    """Why a card was not charged, or could not be kept."""

    code: Annotated[str, Meta(description="The processor's own code.")]
    message: Annotated[str, Meta(description="The same for people.")]
    try_again: Annotated[bool, Meta(description="The same card may pass on another day.")]


class CardRefundOut(Struct):
    """Money on its way back to the card."""

    id: str
    amount: MoneyOut
    state: Literal["pending", "in_doubt", "succeeded", "failed"]
    decline: Declined | None


class PaymentOut(ledger.BookedPaymentOut):
    """Money that a patient gave, or that is asked of their card."""

    method: Literal["cash", "check", "card_recorded", "card"]  # type: ignore[assignment]
    state: Annotated[
        PaymentState,
        Meta(description="The ledger has it from `succeeded` on; `charged_back` is undone there again."),
    ]
    card_id: str | None
    decline: Declined | None
    fee: Annotated[MoneyOut | None, Meta(description="What the processor keeps; null: not known, or no card.")]
    card_refunds: list[CardRefundOut]
    planned_charge_id: str | None


class PaymentIn(ledger.BookedPaymentIn):
    """A payment as it was received, or a charge of a card on file."""

    method: Literal["cash", "check", "card_recorded", "card"]  # type: ignore[assignment]
    card_id: str | None = Field(default=None, max_length=40, description="With method `card`: which one.")
    payment_plan_id: str | None = Field(
        default=None, max_length=40,
        description="In place of `allocations`: what is open of this plan's visits; what is over becomes credit.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _a_card_for_a_card(self) -> PaymentIn:
        if self.payment_plan_id is not None and self.allocations is not None:
            raise refused("either payment_plan_id or allocations")
        if (self.method == "card") != (self.card_id is not None):
            raise refused("card_id goes with method card, and with no other")
        if self.method == "card" and (self.reference or self.received_on):
            raise refused("a card is charged now, and the processor gives the reference")
        return self


class CardPage(Struct):
    """What the processor's own page needs to ask the patient for the card."""

    processor: str
    publishable_key: str | None
    secret: Annotated[str, Meta(description="Finishes this one asking, and nothing else. Not for logs.")]


class CardOut(Shape):
    """A card on file. Its number was never here."""

    object: Literal["card"]
    id: str
    patient_id: str
    state: Literal["asked", "ready", "active", "failed", "removed"]
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    funding: str | None
    health_account: Annotated[bool, Meta(description="HSA or FSA: pays care, and no fees for missed visits.")]
    page: Annotated[CardPage | None, Meta(description="While `ready`, for whoever may charge.")]
    decline: Declined | None
    version: int
    created_at: Instant
    updated_at: Instant


class CardIn(Input):
    """Whose card is wanted. No number is taken here: the processor's page asks for it."""

    patient_id: str = Field(max_length=40)
    health_account: bool = False


class ProcessorOut(Shape):
    """The practice's account at a card processor. Its secrets are never returned."""

    object: Literal["card_processor"]
    id: str
    kind: Literal["stripe"]
    settings: dict[str, Any]
    has_notice_secret: bool
    notice_path: Annotated[str, Meta(description="Where the processor's signed notices go.")]
    active: bool
    version: int
    created_at: Instant
    updated_at: Instant


class ProcessorSettings(Input):
    """What is not secret."""

    account: str | None = Field(
        default=None, max_length=60, pattern=r"^acct_\w+$", description="A connected account, if one is used."
    )
    publishable_key: str | None = Field(default=None, max_length=200, pattern=r"^pk_\w+$")
    base_url: str | None = Field(
        default=None, max_length=200, description="Another address than the processor's own: of a double."
    )


class ProcessorIn(Input):
    """A new account."""

    kind: Literal["stripe"] = "stripe"
    settings: ProcessorSettings = ProcessorSettings()
    secret_key: str = Field(min_length=8, max_length=300, pattern=r"^[sr]k_\w+$")
    notice_secret: str | None = Field(default=None, max_length=300, pattern=r"^whsec_\w+$")


class ProcessorChange(Input):
    """What to change."""

    settings: ProcessorSettings | None = None
    secret_key: str | None = Field(default=None, min_length=8, max_length=300, pattern=r"^[sr]k_\w+$")
    notice_secret: str | None = Field(default=None, max_length=300, pattern=r"^whsec_\w+$")
    active: bool | None = None


class NoticeOut(Shape):
    """A notice that was taken in."""

    object: Literal["processor_notice"]
    new: Annotated[bool, Meta(description="False: it was told before, and does nothing.")]


class PayoutLineOut(Struct):
    """One part of a payout."""

    kind: Literal["charge", "refund", "dispute", "fee", "other"]
    payment_id: str | None
    amount: Annotated[int, Meta(description="Cents, signed.")]
    fee: Annotated[int, Meta(description="Cents that the processor keeps, signed.")]
    net: Annotated[int, Meta(description="Cents, signed: amount less fee.")]


class PayoutOut(Shape):
    """Money that the processor sent to the practice's bank."""

    object: Literal["payout"]
    id: str
    reference: Annotated[str, Meta(description="The processor's number.")]
    amount: Annotated[int, Meta(description="Cents, signed: what the bank is to show.")]
    currency: Literal["USD"]
    arrives_on: Day
    state: Literal["pending", "paid", "failed"]
    lines: list[PayoutLineOut]
    difference: Annotated[int, Meta(description="Cents by which the lines do not add up to it: 0 when all is told.")]
    unknown: Annotated[int, Meta(description="Cents of charges and refunds that were not made here.")]
    version: int
    created_at: Instant
    updated_at: Instant


class AutopayRuleOut(Shape):
    """When the practice charges those who are enrolled."""

    object: Literal["autopay_rule"]
    active: bool
    copays: Annotated[bool, Meta(description="Also before the payer has decided.")]
    notice_days: Annotated[int, Meta(description="Days between planning, which is told, and charging.")]
    day_of_month: Annotated[int | None, Meta(description="Null: any day.")]
    max_per_month: Annotated[MoneyOut | None, Meta(description="For one patient; null: no rule yet.")]
    retry_days: Annotated[list[int], Meta(description="Days after the first decline, the second …")]
    version: int


class AutopayRuleIn(Input):
    """The whole rule."""

    active: bool
    copays: bool = False
    notice_days: int = Field(default=3, ge=1, le=30)
    day_of_month: int | None = Field(default=None, ge=1, le=28)
    max_per_month: ledger.PositiveMoneyIn
    retry_days: list[Annotated[int, Field(ge=1, le=30)]] = Field(default=[3, 7], max_length=5)


class AutoPayConsentIn(Input):
    """What was consented to, by whom, and when."""

    words: str = Field(min_length=20, max_length=4000, description="As they were shown.")
    given_by: str = Field(min_length=2, max_length=200, description="The patient, or who may for them.")
    given_at: AwareDatetime


class EnrolmentIn(Input):
    """A consent that a card on file is charged for what the patient owes."""

    patient_id: str = Field(max_length=40)
    card_id: str = Field(max_length=40)
    consent: AutoPayConsentIn
    max_per_month: ledger.PositiveMoneyIn | None = Field(
        default=None, description="The most in a calendar month that was consented to."
    )


class PaymentReasonIn(Input):
    """Why."""

    reason: str = Field(min_length=3, max_length=200)


class Consent(Struct):
    """What was consented to, by whom, and when."""

    words: str
    given_by: str
    given_at: Instant


class EnrolmentOut(Shape):
    """A patient's consent to AutoPay. It charges nothing by itself."""

    object: Literal["autopay_enrolment"]
    id: str
    patient_id: str
    card_id: str
    state: Literal["active", "revoked"]
    consent: Consent
    recorded_by_type: str
    max_per_month: MoneyOut | None
    revoked_at: Instant | None
    revoke_reason: str | None
    version: int
    created_at: Instant
    updated_at: Instant


class PlannedChargeOut(Shape):
    """A charge that leaves on a day, unless somebody cancels it."""

    object: Literal["planned_charge"]
    id: str
    patient_id: str
    enrolment_id: str
    amount: Annotated[MoneyOut, Meta(description="At most; less where less is owed by then.")]
    allocations: list[ledger.AllocationOut]
    due_on: Day
    payment_plan_id: Annotated[str | None, Meta(description="Of which it is an instalment; null: of no plan.")]
    instalment: int | None
    state: Annotated[
        Literal["planned", "charging", "paid", "cancelled", "overtaken", "given_up"],
        Meta(description="`given_up`: somebody has to talk to the patient; cancel it to close it."),
    ]
    tries: int
    payment_id: Annotated[str | None, Meta(description="The last charge it made.")]
    decline: Declined | None
    reason: str | None
    version: int
    created_at: Instant
    updated_at: Instant


PAYMENT_SOURCE = (
    "(SELECT l.practice_id, l.id, l.patient_id, l.cents, l.method, l.reference, l.received_on, l.created_at,"
    " l.entry_id, l.source_system, l.source_remote_id, l.source_as_of FROM ledger_payment l UNION ALL"
    " SELECT q.practice_id, q.id, q.patient_id, q.cents, 'card', '', q.asked_on, q.created_at, NULL, 'rapport',"
    " NULL, NULL FROM payments_charge q WHERE q.state IN ('queued', 'sending', 'in_doubt', 'failed')) y"
    " LEFT JOIN payments_charge c ON c.practice_id = y.practice_id AND c.id = y.id"
)
"""What was paid, and what is asked of cards: each once."""

_OWN = (
    "c.state, c.card_id, c.decline_code, c.decline_words, c.decline_again, c.fee_cents, c.version, c.planned_id,"
    " (SELECT jsonb_agg(jsonb_build_array(f.id, f.cents, f.state, f.decline_code, f.decline_words)"
    " ORDER BY f.created_at, f.id)::text FROM payments_refund f WHERE f.practice_id = c.practice_id"
    " AND f.charge_id = c.id)"
)
PAYMENT_COLUMNS = f"{ledger.PAYMENT_COLUMNS}, {_OWN}"
"""What `payment_out` reads, in its order."""
_BOOKED = 12
"""How many of them are the ledger's; nine are ours; a list appends its sort keys."""


def _declined(code: str | None, words: str | None, again: bool | None) -> Declined | None:
    return Declined(code, words or "", bool(again)) if code else None


def payment_out(row: tuple[Any, ...], scope: Scope) -> PaymentOut:
    """Return the shape of a payment from a row of `PAYMENT_COLUMNS`."""
    state, card_id, code, words, again, fee, version, planned, refunds = row[_BOOKED : _BOOKED + 9]
    booked = ledger.payment_out(row[:_BOOKED], scope) if row[7] is not None else _asked(row)
    values = {name: getattr(booked, name) for name in booked.__struct_fields__}
    values["version"] = booked.version + (version or 0)
    return PaymentOut(
        **values,
        state=_STATES.get(state, state) or "succeeded",
        card_id=card_id and type_id("card", card_id),
        decline=_declined(code, words, again),
        fee=None if fee is None else MoneyOut(fee),
        card_refunds=[
            CardRefundOut(
                type_id("card_refund", UUID(id)), MoneyOut(cents), _STATES.get(stands, stands),
                _declined(why, said, False),
            )
            for id, cents, stands, why, said in (msgspec.json.decode(refunds) if refunds else [])
        ],
        planned_charge_id=planned and type_id("planned_charge", planned),
    )  # fmt: skip


def _asked(row: tuple[Any, ...]) -> ledger.BookedPaymentOut:
    """Return a charge that the ledger does not have: it pays for nothing."""
    created = instant(row[6])
    return ledger.BookedPaymentOut(
        object="payment", id=type_id("payment", row[0]), patient_id=type_id("patient", row[1]),
        amount=MoneyOut(row[2]), method="card",  # type: ignore[arg-type]
        reference=None, received_on=row[5], allocations=[], unapplied=MoneyOut(0), refunded=MoneyOut(0),
        reversed=False, ledger_entry_ids=[], source=source_of("rapport", None, None, created), version=0,
        created_at=created,
    )  # fmt: skip


def card_out(scope: Scope, card: Card) -> CardOut:
    """Return the shape of a card; the page's secret is for whoever may charge."""
    page = None
    if card.state == "ready" and scope.allows(Permission.PAYMENTS_WRITE):
        processor = queries.get_processor(scope=scope, processor_id=card.processor_id)
        page = CardPage(
            processor.kind, processor.settings.get("publishable_key"), queries.open_sealed(card, column="page_secret_sealed")
        )
    return CardOut(
        object="card", id=type_id("card", card.id), patient_id=type_id("patient", card.patient_id),
        state=card.state,  # type: ignore[arg-type]
        brand=card.brand or None, last4=card.last4 or None, exp_month=card.exp_month, exp_year=card.exp_year,
        funding=card.funding or None, health_account=card.health_account, page=page,
        decline=_declined(card.decline_code, "The card could not be kept.", card.state == "ready"),
        version=card.version, created_at=instant(card.created_at), updated_at=instant(card.updated_at),
    )  # fmt: skip


def processor_out(row: Processor) -> ProcessorOut:
    """Return the shape of an account, without its secrets."""
    id = type_id("card_processor", row.id)
    return ProcessorOut(
        object="card_processor", id=id, kind=row.kind,  # type: ignore[arg-type]
        settings=row.settings, has_notice_secret=bool(row.notice_secret_sealed),
        notice_path=f"/v1/card-processors/{id}/notices", active=row.active, version=row.version,
        created_at=instant(row.created_at), updated_at=instant(row.updated_at),
    )  # fmt: skip


def payout_out(scope: Scope, row: Payout) -> PayoutOut:
    """Return the shape of a payout with its lines."""
    lines = queries.lines_of(scope=scope, payout_id=row.id)
    return PayoutOut(
        object="payout", id=type_id("payout", row.id), reference=row.ref, amount=row.cents, currency="USD",
        arrives_on=row.arrives_on, state=row.state,  # type: ignore[arg-type]
        lines=[
            PayoutLineOut(
                line.kind, line.charge_id and type_id("payment", line.charge_id),  # type: ignore[arg-type]
                line.gross_cents, line.fee_cents, line.net_cents,
            )
            for line in lines
        ],
        difference=row.cents - sum(line.net_cents for line in lines),
        unknown=sum(line.net_cents for line in lines if line.charge_id is None and line.kind in ("charge", "refund")),
        version=row.version, created_at=instant(row.created_at), updated_at=instant(row.updated_at),
    )  # fmt: skip


def rule_out(row: AutopayRule | None) -> AutopayRuleOut:
    """Return the shape of the rule; without one nothing is charged."""
    if row is None:
        return AutopayRuleOut(
            object="autopay_rule", active=False, copays=False, notice_days=3, day_of_month=None, max_per_month=None,
            retry_days=[], version=0,
        )  # fmt: skip
    return AutopayRuleOut(
        object="autopay_rule", active=row.active, copays=row.copays, notice_days=row.notice_days,
        day_of_month=row.day_of_month, max_per_month=MoneyOut(row.max_cents), retry_days=list(row.retry_days),
        version=row.version,
    )  # fmt: skip


def enrolment_out(row: Enrolment) -> EnrolmentOut:
    """Return the shape of a consent."""
    return EnrolmentOut(
        object="autopay_enrolment", id=type_id("autopay_enrolment", row.id),
        patient_id=type_id("patient", row.patient_id), card_id=type_id("card", row.card_id),
        state="revoked" if row.revoked_at else "active",
        consent=Consent(row.consent_words, row.consented_by, instant(row.consented_at)),
        recorded_by_type=row.recorded_by_type,
        max_per_month=None if row.max_cents is None else MoneyOut(row.max_cents),
        revoked_at=instant_or_none(row.revoked_at), revoke_reason=row.revoke_reason or None, version=row.version,
        created_at=instant(row.created_at), updated_at=instant(row.updated_at),
    )  # fmt: skip


def planned_out(row: Planned) -> PlannedChargeOut:
    """Return the shape of a planned charge."""
    return PlannedChargeOut(
        object="planned_charge", id=type_id("planned_charge", row.id),
        patient_id=type_id("patient", row.patient_id), enrolment_id=type_id("autopay_enrolment", row.enrolment_id),
        amount=MoneyOut(row.cents),
        allocations=[
            ledger.AllocationOut(None if visit == "None" else type_id("appointment", UUID(visit)), MoneyOut(cents))
            for visit, cents in row.visits
        ],
        due_on=row.due_on, payment_plan_id=type_id("payment_plan", row.plan_id) if row.plan_id else None,
        instalment=row.instalment, state=row.state,  # type: ignore[arg-type]  # written from its enum alone
        tries=row.tries, payment_id=type_id("payment", row.charge_id) if row.charge_id else None,
        decline=_declined(row.decline_code, row.decline_words, row.state == "planned"), reason=row.reason or None,
        version=row.version, created_at=instant(row.created_at), updated_at=instant(row.updated_at),
    )  # fmt: skip
