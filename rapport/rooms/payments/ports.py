"""
What this room needs of a card processor, in its own words.

Four answers: done (`Taken`, `Gone` …), `Refused`, `Later`, `InDoubt`. No card number passes here, in
either direction: the processor's own page takes it, and gives back what stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Refused:
    """The processor answered, and the answer was no. No money moved."""

    code: str
    """The processor's decline code, or ours for a refusal that is no decline."""
    words: str
    """The same for people, without a technical term."""
    again: bool = False
    """True: the same card may pass on another day. False: it takes another card, or a mended setting."""


@dataclass(frozen=True, slots=True)
class Later:
    """It certainly was not done: nobody there, or too busy. Ask again with the same key."""

    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class InDoubt:
    """
    No clear answer: a timeout, a broken connection, a reply nobody can read.

    Money may have moved. Nothing is asked for again until a look-up has settled it.
    """

    detail: str
    over: bool = False
    """The other side has ended the call: if nothing is there now, nothing of it can still come."""


@dataclass(frozen=True, slots=True)
class NotThere:
    """The processor has no such thing. To ask again with the same key cannot make two of it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The processor's page may now ask the patient for a card."""

    payer: str
    """What the processor calls the patient; it knows no name."""
    setup: str
    """What it calls this asking."""
    page_secret: str
    """Lets a page finish this one asking, and nothing else."""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What may be kept of a card: enough for a person to know it again, nothing to pay with elsewhere."""

    method: str
    """What the processor calls it; it pays in this account only."""
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    funding: str
    """`credit`, `debit`, `prepaid` or `unknown`."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The page has not been finished yet."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The processor has forgotten the card, or never knew it."""


@dataclass(frozen=True, slots=True)
class ChargeAsk:
    """One charge. `key` and `mark` belong to it for good, so that every repeat is known as one."""

    key: str
    """Idempotency key."""
    mark: str
    """Our id, kept with the charge at the processor: by this it is looked up."""
    payer: str
    method: str
    cents: int
    since: datetime
    """When it was first asked for: a look-up need not go further back."""


@dataclass(frozen=True, slots=True)
class RefundAsk:
    """One refund to the card that paid."""

    key: str
    mark: str
    receipt: str
    """Of the charge."""
    cents: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Money moved: from the card, or back to it."""

    receipt: str
    """What the processor calls it."""
    fee_cents: int | None = None
    """What the processor keeps; None: it does not say yet."""


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """One part of a payout. `net_cents` of all add up to it."""

    ref: str
    kind: str
    """`charge`, `refund`, `dispute`, `fee` or `other`."""
    about: str
    """Receipt of the charge or refund; empty where it is about none."""
    gross_cents: int
    fee_cents: int
    net_cents: int


@dataclass(frozen=True, slots=True)
class PayoutFacts:
    """Money on its way to the practice's bank, and what it is made of."""

    ref: str
    cents: int
    arrives_on: date
    state: str
    """`pending`, `paid` or `failed`."""
    lines: tuple[PayoutLine, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """
    Something that the processor tells by itself, its signature checked.

    It says what to look at. Only of a dispute does it say how that stands.
    """

    ref: str
    """Unique for good: the same notice twice carries the same."""
    kind: str
    """`charge`, `refund`, `dispute`, `setup`, `payout`, or `other`."""
    about: str
    """What it is about, by the processor's name: charge, refund, setup or payout; of a dispute the charge."""
    mark: str
    """Our id, where the thing carries it."""
    state: str
    """Of a dispute: `open`, `won` or `lost`; else empty."""
    cents: int | None
    at: datetime
    facts: Mapping[str, str] = field(default_factory=dict)


class Processor(Protocol):
    """
    One account at one card processor.

    Never raises for what the other side did or failed to do: that is what the answers are for. No call
    may be made inside a database transaction; each ends within the connector's time limit.
    """

    def prepare_card(self, *, key: str, mark: str) -> Prepared | Refused | Later | InDoubt:
        """Have the processor's page ask for a card. Again with the same key is the same asking."""
        ...

    def read_card(self, *, setup: str) -> CardFacts | Waiting | Refused | Later:
        """Read what became of an asking."""
        ...

    def forget_card(self, *, method: str) -> Gone | Refused | Later:
        """Have a card forgotten. Again does no harm."""
        ...

    def charge(self, *, ask: ChargeAsk) -> Taken | Refused | Later | InDoubt:
        """Take money from a card, once."""
        ...

    def find_charge(self, *, ask: ChargeAsk) -> Taken | Refused | NotThere | InDoubt:
        """Look up by our mark what became of a charge; `InDoubt` whenever absence cannot be proved."""
        ...

    def refund(self, *, ask: RefundAsk) -> Taken | Refused | Later | InDoubt:
        """Give money back to the card, once."""
        ...

    def find_refund(self, *, ask: RefundAsk) -> Taken | Refused | NotThere | InDoubt:
        """Look up by our mark what became of a refund."""
        ...

    def read_payout(self, *, ref: str) -> PayoutFacts | Refused | Later:
        """Read a payout with all its lines."""
        ...


class Notices(Protocol):
    """How a kind of processor signs and words what it tells by itself. Pure: no network."""

    header: str
    """The request header that carries the signature."""

    def read(self, *, body: bytes, signature: str, secret: str, now: datetime) -> Notice | None:
        """Return what was told; None: the signature is wrong or old, or nobody can read it."""
        ...
