"""What has to be known to reach one account."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rapport.connectors.clearinghouse_http.settings import HttpSettings

BASE_URL = "https://svc.claim.md"


@dataclass(frozen=True, slots=True)
class ClaimMdSettings:
    """One account. Raises `ValueError` for an address that would send files in the clear."""

    account_key: str = field(repr=False)
    sender_id: str
    """ISA06 of what we send: statuses are written down as addressed to it."""
    base_url: str = BASE_URL
    connect_seconds: float = 2
    total_seconds: float = 20
    ask_seconds: float = 65
    """For a question, which is answered when the payer has answered."""
    page_size: int = 20
    """How many remittances one `list_inbound` fetches at most."""

    def __post_init__(self) -> None:
        _ = self.line, self.questions

    @property
    def line(self) -> HttpSettings:
        """The way there."""
        return HttpSettings(
            base_url=self.base_url, api_key=self.account_key, connect_seconds=self.connect_seconds,
            total_seconds=self.total_seconds,
        )  # fmt: skip

    @property
    def questions(self) -> HttpSettings:
        """The way to where questions are answered while one waits."""
        return replace(self.line, total_seconds=self.ask_seconds)
