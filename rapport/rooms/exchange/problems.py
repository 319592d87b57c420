"""What can go wrong with portals in a way that a caller can act on."""

from __future__ import annotations

from rapport.kernel.problems import Conflict, Invalid, TooMany, Unavailable


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


class ConnectionStands(Conflict):
    code = "connection-stands-still"
    title = "The connection stands still until somebody acts."


class WriteKeyReused(Conflict):
    code = "write-key-reused"
    title = "The key belongs to another write."


class WriteUnderWay(Conflict):
    code = "write-under-way"
    title = "Another write of the same thing is not settled yet."


class NotPermittedThere(Conflict):
    code = "not-permitted-by-portal"
    title = "The portal's user may not do this."


class Uncalibrated(Conflict):
    code = "connector-uncalibrated"
    title = "The definition was not calibrated for this portal, so nothing is written with it."


class PortalPace(TooMany):
    code = "portal-pace"
    title = "The portal is asked as fast as it allows. Wait, then try again."


class ConnectorDrift(Unavailable):
    code = "connector-drift"
    title = "The portal has changed, and this part waits until that is understood."
