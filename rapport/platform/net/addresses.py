"""
Which addresses a webhook may go to: plain functions of plain values.

The rule is an allow-list: globally routable unicast, less the ranges that lead back inside by
translation or tunnel. (IANA special-purpose registries; what was measured of other libraries
stands in the decision record on outbound calls.)
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED = [
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24", "192.88.99.0/24", "64:ff9b::/32", "2002::/16", "2001::/32", "fec0::/10",
        "::/96", "::ffff:0:0/96", "100::/64", "3fff::/20", "5f00::/16",
    )
]  # fmt: skip


class UrlNotAllowed(ValueError):
    """The address is not one that we call. Says the rule, never what a lookup found."""


def is_public(address: Address) -> bool:
    """
    Tell whether an address may be called.

    >>> is_public(ipaddress.ip_address("93.184.216.34")), is_public(ipaddress.ip_address("10.0.0.5"))
    (True, False)
    """
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return is_public(address.ipv4_mapped)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _REFUSED if network.version == address.version)


def check_url(url: str, *, local: bool = False) -> tuple[str, str, int]:
    """
    Check an address before anything is looked up.

    :param local: also allow http and any port on this machine's loopback (demo and tests)
    :return: scheme, host and port
    :raises UrlNotAllowed: it is not https to a named public host on port 443
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise UrlNotAllowed("This is no address.") from error
    if any(c.isspace() or ord(c) < 32 for c in url) or not url.isascii():
        raise UrlNotAllowed("An address has no spaces, control characters or letters beyond ASCII.")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise UrlNotAllowed("An address must not carry a user name or password.")
    if not host or parts.fragment:
        raise UrlNotAllowed("An address needs a host and has no fragment.")
    if local and host in ("127.0.0.1", "localhost", "::1") and parts.scheme in ("http", "https"):
        return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)
    if parts.scheme != "https":
        raise UrlNotAllowed("Only https is called.")
    if port not in (None, 443):
        raise UrlNotAllowed("Only port 443 is called.")
    literal = _literal(host)
    if literal is not None:
        if not is_public(literal):
            raise UrlNotAllowed("That address is not public.")
    elif host.endswith(".") or "." not in host or not _is_name(host):
        raise UrlNotAllowed("The host must be a full public name.")
    elif host.rsplit(".", 1)[1] in ("localhost", "local", "internal", "home", "lan", "arpa", "onion"):
        raise UrlNotAllowed("The host must be a full public name.")
    return "https", host, 443


def _is_name(host: str) -> bool:
    labels = host.split(".")
    # A last label of digits, or a hexadecimal one, is an old way of writing an IPv4 address.
    return all(
        label and len(label) < 64 and label.replace("-", "a").isalnum() for label in labels
    ) and labels[-1].isalpha()


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return None
