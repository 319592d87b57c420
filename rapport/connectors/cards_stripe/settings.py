"""What has to be known to reach one account at Stripe."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

BASE_URL = "https://api.stripe.com"
VERSION = "2024-06-20"
"""The version of the API that this driver was written for; every call names it."""


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """One account. Raises `ValueError` for an address that would send the key in the clear."""

    secret_key: str = field(repr=False)
    account: str = ""
    """The connected account (`acct_…`) that is charged for; empty: the key's own."""
    base_url: str = BASE_URL
    connect_seconds: float = 2
    total_seconds: float = 25
    """For one whole call, from connecting to the last byte of the answer."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base_url must be an http or https address")
        if parts.scheme == "http" and not self.is_local:
            raise ValueError("base_url must be https: the key never travels in the clear")
        if not self.secret_key:
            raise ValueError("secret_key is missing")

    @property
    def is_local(self) -> bool:
        """Whether the address is this machine's own, as the double's is."""
        host = urlsplit(self.base_url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False
