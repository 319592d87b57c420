"""What has to be known to speak to QuickBooks Online: the installation's own key, and addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class QuickBooksSettings:
    """
    The installation's key at Intuit. Raises `ValueError` for an address that would send in the clear.

    The addresses are those that Intuit publishes (its discovery document of OAuth 2.0).
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    """Where Intuit sends a person back to, as registered there."""
    api_url: str = "https://quickbooks.api.intuit.com"
    authorize_url: str = "https://appcenter.intuit.com/connect/oauth2"
    token_url: str = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 - an address
    connect_seconds: float = 2
    total_seconds: float = 20
    """For one whole call."""

    def __post_init__(self) -> None:
        for url in (self.api_url, self.authorize_url, self.token_url):
            parts = urlsplit(url)
            if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
                raise ValueError("addresses must be https: tokens never travel in the clear")
        if not (self.client_id and self.client_secret and self.redirect_uri):
            raise ValueError("the key of QuickBooks Online is not complete")

    @property
    def is_local(self) -> bool:
        """Whether the API is this machine's own, as its double is."""
        return _is_loopback(urlsplit(self.api_url).hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
