"""Questions to payers that are answered at once, through the practice's channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12.envelope import Address, interchange
from rapport.rooms.claims import queries
from rapport.rooms.claims.models import Channel
from rapport.rooms.claims.ports import Answered, Clearinghouse, InDoubt, Later, RealTime
from rapport.rooms.coverage import ports

from .channels import open_secret
from .numbers import take_numbers

AT_ONCE = "http"
"""The kind of channel on which a question is answered in the same call."""


class ChannelInquiries:
    """Supplies `coverage.ports.Inquiries` from the practice's channels and their drivers."""

    def __init__(self, driver: Callable[[str, Mapping[str, object], str], Clearinghouse]) -> None:
        """:param driver: kind, settings and secret of a channel -> its driver"""
        self._driver = driver

    def channel(self, *, scope: Scope) -> UUID | None:
        """Return the one active channel that answers at once; None: there is none, or there are several."""
        active = list(Channel.objects.visible_to(scope).filter(active=True, kind=AT_ONCE)[:2])
        return active[0].id if len(active) == 1 else None

    def envelope(
        self, *, scope: Scope, channel_id: UUID, kind: str, segments: Iterable[str], at: datetime
    ) -> bytes:
        """Return an interchange, with the next numbers of the channel. :raises NumbersUsedUp: it has none left"""
        channel = queries.get_channel(scope=scope, channel_id=channel_id, lock=True)
        numbers = take_numbers(channel)
        settings = channel.settings
        return b"".join(
            interchange(
                [(kind, list(segments))],
                sender=Address(settings.get("sender_qualifier", "ZZ"), settings["sender_id"]),
                receiver=Address(settings.get("receiver_qualifier", "ZZ"), settings["receiver_id"]),
                numbers=numbers,
                at=at,
                usage="P" if tenancy.get_practice(scope=scope).livemode else "T",
            )
        )

    def ask(
        self, *, scope: Scope, channel_id: UUID, file: bytes, key: str
    ) -> ports.Answered | ports.Refused | ports.Later | ports.InDoubt:
        """Hand a question over and wait for its answer, outside of any transaction."""
        with entered(scope):
            channel = queries.get_channel(scope=scope, channel_id=channel_id)
            secret = open_secret(channel)
        if not channel.active:
            return ports.Refused("channel-inactive")
        driver = self._driver(channel.kind, channel.settings, secret)
        if not isinstance(driver, RealTime):
            return ports.Refused("not-at-once")
        match driver.ask(file=file, key=key):
            case Answered(data):
                return ports.Answered(data)
            case Later(seconds):
                return ports.Later(seconds)
            case InDoubt(detail):
                return ports.InDoubt(detail)
            case refused:
                return ports.Refused(refused.reason_code)
