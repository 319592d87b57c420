"""What has to be known to reach one account."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rapport.connectors.clearinghouse_http.settings import HttpSettings

CLAIMS_URL = "https://healthcare.us.stedi.com/2024-04-01"
CORE_URL = "https://core.us.stedi.com/2023-08-01"


@dataclass(frozen=True, slots=True)
class StediSettings:
    """One account. Raises `ValueError` for an address that would send files in the clear."""

    api_key: str = field(repr=False)
    sender_id: str
    """ISA06 of what we send: a 999 is ours only when it is addressed to it."""
    base_url: str = CLAIMS_URL
    """Where claims are handed in, with its version."""
    answers_url: str = CORE_URL
    """Where transactions are listed and fetched, with its version."""
    connect_seconds: float = 2
    total_seconds: float = 20
    ask_seconds: float = 65
    """For a question: a payer may take a minute to answer, and the call ends no earlier."""
    page_size: int = 50

    def __post_init__(self) -> None:
        # Both are looked at when the channel is used for the first time, and not at the second call.
        _ = self.claims, self.questions, self.core

    @property
    def claims(self) -> HttpSettings:
        """The way to where claims are handed in."""
        return self._to(self.base_url)

    @property
    def questions(self) -> HttpSettings:
        """The way to where questions are answered while one waits."""
        return replace(self._to(self.base_url), total_seconds=self.ask_seconds)

    @property
    def core(self) -> HttpSettings:
        """The way to what came of them."""
        return self._to(self.answers_url)

    def _to(self, url: str) -> HttpSettings:
        return HttpSettings(
            base_url=url, api_key=self.api_key, connect_seconds=self.connect_seconds,
            total_seconds=self.total_seconds, page_size=self.page_size,
        )  # fmt: skip
