"""What the ledger refuses, where more than one of its files says so."""

from __future__ import annotations

from rapport.kernel.problems import Conflict


class PostedDifferently(Conflict):
    code = "posted-differently"
    title = "The same source was posted before with other amounts."


class NotReversible(Conflict):
    code = "not-reversible"
    title = "An entry of this kind is undone where it came from, not by hand."


class BooksClosed(Conflict):
    code, title = "books-closed", "The books of that day are closed."
