"""Money: integer cents in a type that no float can enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

LIMIT_CENTS = 10**12
"""No single amount may be larger than this, in either direction."""


class NotMoney(ValueError):
    """The value cannot be money: a fraction of a cent, too large, or not a number."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of US dollars in whole cents. The sign is the caller's to explain."""

    cents: int

    def __post_init__(self) -> None:
        if isinstance(self.cents, bool) or not isinstance(self.cents, int):
            raise NotMoney("money is made from whole cents")
        if abs(self.cents) > LIMIT_CENTS:
            raise NotMoney("the amount is out of range")

    @classmethod
    def from_decimal(cls, value: Decimal) -> Self:
        """Convert dollars exactly. :raises NotMoney: the value has a fraction of a cent."""
        cents = value * 100
        if not cents.is_finite() or cents != cents.to_integral_value():
            raise NotMoney("the amount has a fraction of a cent")
        return cls(int(cents))

    def to_decimal(self) -> Decimal:
        """Return dollars with two decimals."""
        return Decimal(self.cents).scaleb(-2)

    def __add__(self, other: Money) -> Money:
        return Money(self.cents + other.cents)

    def __sub__(self, other: Money) -> Money:
        return Money(self.cents - other.cents)

    def __neg__(self) -> Money:
        return Money(-self.cents)


def portion(total: Money, basis_points: int) -> tuple[Money, Money]:
    """
    Return a percentage of an amount, half a cent rounded away from zero, and the rest: together the whole.

    :param basis_points: hundredths of a percent, 0 to 10 000
    :raises ValueError: less than nothing, or more than all of it

    >>> [part.cents for part in portion(Money(1001), 5000)]
    [501, 500]
    """
    if not 0 <= basis_points <= 10_000:
        raise ValueError("a portion is between nothing and the whole")
    size = (2 * abs(total.cents) * basis_points + 10_000) // 20_000
    part = Money(-size if total.cents < 0 else size)
    return part, total - part


def split(total: Money, weights: Sequence[int]) -> tuple[Money, ...]:
    """
    Share an amount by weights; remainders go one cent at a time to the first shares in order.

    :raises ValueError: no weight is above zero, or one is below

    >>> [share.cents for share in split(Money(100), [1, 1, 1])]
    [34, 33, 33]
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative and must not all be zero")
    sign = -1 if total.cents < 0 else 1
    size = abs(total.cents)
    shares = [size * weight // whole for weight in weights]
    left = size - sum(shares)
    for position, weight in enumerate(weights):
        if left == 0:
            break
        if weight:
            shares[position] += 1
            left -= 1
    return tuple(Money(sign * share) for share in shares)
