"""
What a patient's money must be, reckoned from the deeds alone: the oracle of the ledger's programs.

It shares no code with the ledger. Visits are numbers, the older one first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Lines = list[tuple[str, int | None, int]]
"""(account, visit, cents) of an entry."""


@dataclass
class Kept:
    """An entry as it must be."""

    kind: str
    lines: Lines
    payment: int | None = None
    """Which payment it belongs to."""
    undone: bool = False


@dataclass
class Books:
    """One patient's money."""

    entries: list[Kept] = field(default_factory=list)
    paid: list[int] = field(default_factory=list)
    """Of each payment, how many cents it was."""

    def total(self, account: str) -> int:
        return sum(cents for one in self.entries for name, _, cents in one.lines if name == account)

    @property
    def credit(self) -> int:
        return -self.total("unapplied")

    def open(self, account: str = "patient_receivable") -> dict[int | None, int]:
        """Return visit -> cents that are owed for it, the oldest first."""
        sums: dict[int | None, int] = {}
        for one in self.entries:
            for name, visit, cents in one.lines:
                if name == account:
                    sums[visit] = sums.get(visit, 0) + cents
        return {visit: sums[visit] for visit in sorted(sums, key=lambda v: -1 if v is None else v) if sums[visit] > 0}

    def share(self, cents: int, account: str = "patient_receivable") -> list[tuple[int | None, int]]:
        parts = []
        for visit, owed in self.open(account).items():
            part = min(cents, owed)
            if part:
                parts.append((visit, part))
                cents -= part
        return parts

    def keep(self, kind: str, lines: Lines, payment: int | None = None) -> None:
        self.entries.append(Kept(kind, [line for line in lines if line[2]], payment))

    def of_payment(self, number: int, *kinds: str) -> list[Kept]:
        return [one for one in self.entries if one.payment == number and one.kind in kinds and not one.undone]

    def refunded(self, number: int) -> int:
        return sum(cents for one in self.of_payment(number, "refund") for name, _, cents in one.lines if name == "unapplied")

    def is_undone(self, number: int) -> bool:
        return not self.of_payment(number, "patient_payment")

    # What people do. Each returns the code of the refusal, or nothing.

    def pay(self, cents: int) -> str:
        parts = self.share(cents)
        rest = cents - sum(part for _, part in parts)
        pays: Lines = [("patient_receivable", visit, -part) for visit, part in parts]
        self.keep("patient_payment", [("cash", None, cents), *pays, ("unapplied", None, -rest)], len(self.paid))
        self.paid.append(cents)
        return ""

    def use_credit(self) -> str:
        parts = self.share(self.credit)
        if not parts:
            return "nothing-to-apply"
        self.apply(parts, None)
        return ""

    def apply(self, parts: list[tuple[int | None, int]], payment: int | None) -> None:
        pays: Lines = [("patient_receivable", visit, -part) for visit, part in parts]
        self.keep("credit_applied", [("unapplied", None, sum(part for _, part in parts)), *pays], payment)

    def allocate(self, number: int) -> str:
        """Let a payment pay for what is open, the oldest first, as if it were new."""
        if self.is_undone(number):
            return "already-reversed"
        pays: dict[int | None, int] = {}
        for one in self.of_payment(number, "patient_payment", "credit_applied", "credit_released"):
            for name, visit, cents in one.lines:
                if name == "patient_receivable":
                    pays[visit] = pays.get(visit, 0) - cents
        if any(pays.values()):
            opened: Lines = [("patient_receivable", visit, cents) for visit, cents in pays.items()]
            self.keep("credit_released", [*opened, ("unapplied", None, -sum(pays.values()))], number)
        parts = self.share(min(self.paid[number] - self.refunded(number), self.credit))
        if parts:
            self.apply(parts, number)
        return ""

    def write_off(self, cents: int, account: str) -> str:
        if cents > sum(self.open(account).values()):
            return "more-than-owed"
        lines: Lines = []
        for visit, part in self.share(cents, account):
            lines += [("write_offs", visit, part), (account, visit, -part)]
        self.keep("write_off", lines)
        return ""

    def refund(self, number: int, cents: int) -> str:
        if self.is_undone(number) or cents > self.paid[number] - self.refunded(number):
            return "more-than-paid"
        if cents > self.credit:
            return "credit-spent"
        self.keep("refund", [("unapplied", None, cents), ("cash", None, -cents)], number)
        return ""

    def undo(self, place: int) -> str:
        entry = self.entries[place]
        if entry.kind not in ("patient_payment", "credit_applied", "write_off", "refund"):
            return "not-reversible"
        if entry.undone:
            return "already-reversed"
        further: list[Kept] = []
        if entry.kind == "patient_payment":
            assert entry.payment is not None
            if self.refunded(entry.payment):
                return "more-than-paid"
            further = self.of_payment(entry.payment, "credit_released", "credit_applied")[::-1]  # the last one first
        taken = -sum(cents for one in (entry, *further) for name, _, cents in one.lines if name == "unapplied")
        if taken > max(self.credit, 0):
            return "credit-spent"
        for one in (*further, entry):
            one.undone = True
            self.keep("reversal", [(name, visit, -cents) for name, visit, cents in one.lines])
        return ""
