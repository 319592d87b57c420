"""What can be done to the ledger. Entries are added; nothing is ever changed or removed."""

from __future__ import annotations

from .by_hand import (
    AlreadyReversed,
    BalanceChanged,
    CreditSpent,
    MoreThanOwed,
    MoreThanPaid,
    NothingToApply,
    allocate_payment,
    apply_credit,
    keep_payment,
    record_payment,
    refund_payment,
    reverse_by_hand,
    write_off,
)
from .closing import NotEarlier, NotLater, close_books, reopen_books
from .posting import (
    BooksClosed,
    NotReversible,
    Posted,
    PostedDifferently,
    post,
    post_charge,
    post_many,
    reverse,
    reverse_many,
)

__all__ = [
    "AlreadyReversed",
    "BalanceChanged",
    "BooksClosed",
    "CreditSpent",
    "MoreThanOwed",
    "MoreThanPaid",
    "NotEarlier",
    "NotLater",
    "NotReversible",
    "NothingToApply",
    "Posted",
    "PostedDifferently",
    "allocate_payment",
    "apply_credit",
    "close_books",
    "keep_payment",
    "post",
    "post_charge",
    "post_many",
    "record_payment",
    "refund_payment",
    "reopen_books",
    "reverse",
    "reverse_by_hand",
    "reverse_many",
    "write_off",
]
