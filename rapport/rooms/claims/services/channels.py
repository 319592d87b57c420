"""Channels: the practice's ways to its payers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.crypto import aead
from rapport.platform.net.addresses import UrlNotAllowed, check_url
from rapport.rooms.claims import queries
from rapport.rooms.claims.models import Channel

from .numbers import set_last


def _seal(channel: Channel, secret: str | None) -> bytes | None:
    if not secret:
        return None
    return aead.seal(secret.encode(), aad=f"channel|{channel.id}".encode(), purpose="field")


def open_secret(channel: Channel) -> str:
    """Return the channel's password or key, for its driver alone."""
    if not channel.secret_sealed:
        return ""
    return aead.open_(
        bytes(channel.secret_sealed), aad=f"channel|{channel.id}".encode(), purpose="field"
    ).decode()


def _check_address(scope: Scope, settings: Any) -> None:
    """Refuse an address that leads inside. Practices without real patients may use loopback."""
    for name in ("base_url", "answers_url"):
        url = getattr(settings, name)
        if url is None:
            continue
        try:
            check_url(url, local=not scope.livemode)
        except UrlNotAllowed as error:
            raise Invalid(
                "1 field is not valid.",
                errors=(FieldError(f"/settings/{name}", "url-not-allowed", str(error)),),
                reason="ssrf",
            ) from error


def create_channel(*, scope: Scope, now: datetime, body: Any) -> Channel:
    """Add a channel. :param body: `schemas.ChannelIn`; its secret is sealed and never returned"""
    scope.require(Permission.PAYERS_WRITE)
    _check_address(scope, body.settings)
    channel = Channel(
        practice_id=scope.practice_id,
        name=body.name,
        kind=body.kind,
        settings=body.settings.model_dump(exclude_none=True),
        created_at=now,
        updated_at=now,
    )
    channel.secret_sealed = _seal(channel, body.secret)
    channel.save(force_insert=True)
    scope.trail.target("channel", channel.id, channel.version)
    return channel


def change_channel(
    *, scope: Scope, channel_id: UUID, if_match: str, given: Mapping[str, Any], now: datetime
) -> Channel:
    """Change a channel's name, settings, secret; count on from a higher number; or take it out of use."""
    scope.require(Permission.PAYERS_WRITE)
    channel = queries.get_channel(scope=scope, channel_id=channel_id, lock=True)
    etags.check(channel, if_match)
    if given.get("name"):
        channel.name = given["name"]
    if given.get("settings"):
        _check_address(scope, given["settings"])
        channel.settings = given["settings"].model_dump(exclude_none=True)
    if given.get("secret"):
        channel.secret_sealed = _seal(channel, given["secret"])
    if given.get("active") is not None:
        channel.active = given["active"]
    if given.get("last_control_number") is not None:
        set_last(channel, number=given["last_control_number"])
    channel.version += 1
    channel.updated_at = now
    channel.save()
    scope.trail.changed = sorted(given)
    scope.trail.target("channel", channel.id, channel.version)
    return channel
