"""What accounting needs of the program in which a practice keeps its books, in this room's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lets us in. The one for renewal changes each time it is used."""

    access: str = field(repr=False)
    renewal: str = field(repr=False)
    seconds: int
    """How long the first one works."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the practice's books there."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """A part of an entry: an account there, and cents; a debit is positive."""

    account_id: str
    cents: int


@dataclass(frozen=True, slots=True)
class Kept:
    """It has the entry, under this id of its own."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """It has no entry of that number."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It said no, and will say so again. :param code: its own code, no text"""

    code: str


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was done; ask again."""

    seconds: int


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Nobody can say whether it was done."""

    why: str


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The token does not let us in any more."""


class Books(Protocol):
    """The practice's books elsewhere. No call is made inside a transaction."""

    def authorize_url(self, *, state: str) -> str:
        """Return where a person allows us in. Speaks to nobody."""

    def exchange(self, *, code: str) -> Tokens | Refused | Later:
        """Turn the code that the person came back with into tokens."""

    def renew(self, *, renewal: str) -> Tokens | Refused | Later:
        """Get new tokens."""

    def accounts(self, *, access: str, company: str) -> tuple[Account, ...] | Refused | Later | SignedOut:
        """Return the accounts of the books."""

    def post(
        self, *, access: str, company: str, key: str, number: str, on: date, lines: Sequence[Line]
    ) -> Kept | Refused | Later | InDoubt | SignedOut:
        """Keep an entry. :param key: the same key is kept once; :param number: shown there, to find it by"""

    def find(
        self, *, access: str, company: str, number: str
    ) -> Kept | NotThere | Later | InDoubt | SignedOut:
        """Look for an entry by its number."""
