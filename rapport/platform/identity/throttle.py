"""
Limits on failed proofs, counted in PostgreSQL, so that all processes of all hosts count together.

Only failures are counted, and a try that is refused here is not one: a limit ends fifteen minutes
after the failures that made it, however long somebody goes on. What is counted is kept as an
HMAC: no login, address or password in clear. (OWASP ASVS 6.3; security S-028, S-032.)
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from rapport.kernel.problems import TooManyAttempts
from rapport.platform.crypto import aead
from rapport.platform.db import sql


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures in any such window."""

    kind: str
    most: int
    window: timedelta = timedelta(minutes=15)


MFA_OF_PERSON = Limit("mfa:user", 10)
"""Second factors of one person, whichever way they are given."""
PASSWORD_HERE = Limit("pwd:login+ip", 10)
"""Passwords for one login from one address."""
PASSWORD_OF_LOGIN = Limit("pwd:login", 30)
"""Passwords for one login from anywhere. Addresses the person has used are exempt."""
PASSWORD_FROM_ADDRESS = Limit("pwd:ip", 50)
"""Passwords for any login from one address."""
PASSWORD_SPRAYED = Limit("pwd:spray", 20)
"""The same wrong password for any login from anywhere. Addresses the person has used are exempt."""
RESET_OF_LOGIN = Limit("reset:login", 5, timedelta(hours=1))
"""Asking for a new password, for one login. Every asking counts."""
RESET_FROM_ADDRESS = Limit("reset:ip", 30, timedelta(hours=1))
"""Asking for new passwords, from one address. Every asking counts."""
CODES_MAILED = Limit("mail:user", 10, timedelta(hours=1))
"""Codes mailed to one person."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one limit counts together."""

    limit: Limit
    digest: bytes


def bucket(limit: Limit, *parts: str) -> Bucket:
    """Return the bucket of a limit for these parts (a login, an address …)."""
    return Bucket(limit, aead.blind_index("\x00".join(parts), context=limit.kind))


def network(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 of an IPv6 one.

    >>> network("2001:db8:1:2:3:4:5:6")
    '2001:db8:1:2::/64'
    """
    ip = ipaddress.ip_address(address or "0.0.0.0")  # noqa: S104 - no address is known
    if ip.version == 6:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def short(password: str) -> str:
    """
    Return 20 bits of a password's HMAC: enough to see one password tried on many logins.

    Too little to test guesses against, should the table and the key both be taken.
    """
    return str(int.from_bytes(aead.blind_index(password, context="pwd:spray")[:3]) >> 4)


def hold(bucket: Bucket) -> None:
    """Let nobody else judge this bucket until the transaction ends, so that no try slips by."""
    key = int.from_bytes(bucket.digest[:8], "big", signed=True)
    sql.rows("SELECT pg_advisory_xact_lock(%s)", (key,))


_OLDEST = """
SELECT at FROM identity_attempt WHERE bucket = %s AND at > %s ORDER BY at DESC OFFSET %s LIMIT 1
"""


def refuse_if_full(*buckets: Bucket, now: datetime, reason: str) -> None:
    """
    Pass if every bucket has room.

    :param reason: for the trail
    :raises TooManyAttempts: one is full; Retry-After says when it will have room
    """
    wait = 0.0
    for one in buckets:
        row = sql.one(_OLDEST, (one.digest, now - one.limit.window, one.limit.most - 1))
        if row is not None:
            wait = max(wait, (row[0] + one.limit.window - now).total_seconds())
    if wait > 0:
        raise TooManyAttempts(reason=reason, headers={"Retry-After": str(int(wait) + 1)})


def count(*buckets: Bucket, now: datetime) -> None:
    """Count a failure in every bucket, in the present transaction."""
    for one in buckets:
        sql.run("INSERT INTO identity_attempt (bucket, at) VALUES (%s, %s)", (one.digest, now))
