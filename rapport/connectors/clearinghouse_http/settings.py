"""What has to be known to reach one account at an HTTP clearinghouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """One account. Raises `ValueError` for an address that would send files in the clear."""

    base_url: str
    """Without a path, such as https://edi.example.org."""
    api_key: str = field(repr=False)
    connect_seconds: float = 2
    total_seconds: float = 20
    """For one whole call, from connecting to the last byte of the answer."""
    page_size: int = 50
    """How many files one `list_inbound` fetches at most."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base_url must be an http or https address")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError("base_url must be https: claims never travel in the clear")
        if not self.api_key:
            raise ValueError("api_key is missing")

    @property
    def is_local(self) -> bool:
        """Whether the address is this machine's own, as the sandbox's is."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
