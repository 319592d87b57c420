"""What can go wrong with portals in a way that a caller can act on; what other rooms' writes may meet too is the kernel's."""

from __future__ import annotations

from rapport.kernel.problems import (
    Conflict,
    ConnectionStands,
    ConnectorDrift,
    Invalid,
    NotPermittedThere,
    PortalPace,
    Uncalibrated,
    WriteUnderWay,
)


class ConsentMissing(Invalid):
    code = "consent-missing"
    title = "The practice has to confirm that its contract permits automation; until then nothing is connected."


class ConnectionExists(Conflict):
    code = "connection-exists"
    title = "This account is connected already."


class SecretRejectedBefore(Conflict):
    code = "secret-rejected"
    title = "The portal rejected this very password. Give another one: it is not sent again."


class SecretMissing(Conflict):
    code = "secret-missing"
    title = "There is no password to sign in with. Give one first."


class WriteKeyReused(Conflict):
    code = "write-key-reused"
    title = "The key belongs to another write."


__all__ = [
    "ConnectionExists", "ConnectionStands", "ConnectorDrift", "ConsentMissing", "NotPermittedThere", "PortalPace",
    "SecretMissing", "SecretRejectedBefore", "Uncalibrated", "WriteKeyReused", "WriteUnderWay",
]  # fmt: skip
