"""The one driver that knows portals, and what its definitions say of themselves."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.rooms.exchange.models import Connection
from rapport.rooms.exchange.ports import Ability, Manifest, Pace, Portal, Target

_supplied: list[Portal] = []


class NoPortal(RuntimeError):
    """A defect: this process works on connections, and `supply` was not called in it."""


def supply(portal: Portal) -> None:
    """Name the driver. Called by `config.wiring`, in every process: the API reads its manifests."""
    _supplied[:] = [portal]


def portal() -> Portal:
    """Return the driver. :raises NoPortal: there is none"""
    if not _supplied:
        raise NoPortal
    return _supplied[0]


def manifest_of(definition: str) -> Manifest | None:
    """Return what a definition says of itself, or None: it is not installed, or its signature is broken."""
    if not _supplied:
        return None
    return next((one for one in portal().manifests() if one.definition == definition), None)


def ability_of(*, definition: str, name: str) -> Ability | None:
    """Return one ability of a definition, or None."""
    manifest = manifest_of(definition)
    if manifest is None:
        return None
    return next((one for one in manifest.abilities if one.name == name), None)


def target_of(
    connection: Connection, *, secrets: Mapping[str, str] | None = None, pace: Pace | None = None
) -> Target:
    """Return a connection as the driver takes it; with secrets for a sign-in only."""
    return Target(
        definition=connection.definition, base_url=connection.base_url, identity=connection.identity,
        secrets=secrets or {}, calibration=connection.calibration, pace=pace,
    )  # fmt: skip
