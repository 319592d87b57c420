"""What can stand against a charge, a refund or a card."""

from __future__ import annotations

from rapport.kernel.problems import Conflict, Unauthenticated


class NoProcessor(Conflict):
    code, title = "no-card-processor", "The practice has no card processor, or it is switched off."


class CardNotUsable(Conflict):
    code, title = "card-not-usable", "The card cannot be charged: it was removed, or was never finished."


class ChargeUnderWay(Conflict):
    code = "charge-under-way"
    title = "Another charge of this patient is not settled yet."


class NotRefundable(Conflict):
    code, title = "not-refundable", "Nothing was taken, or it is contested at the bank."


class ProcessorExists(Conflict):
    code, title = "card-processor-exists", "The practice has a card processor; switch it off first."


class NoticeRefused(Unauthenticated):
    code, title = "notice-refused", "The signature is wrong or old."


class AlreadyEnrolled(Conflict):
    code, title = "already-enrolled", "The patient is enrolled; revoke that first."
