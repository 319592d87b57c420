"""Questions to payers about cover, through the practice's channels: answered at once, or as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.platform.tenancy import queries as tenancy
from rapport.protocols.x12.envelope import Address, interchange
from rapport.rooms.claims import queries
from rapport.rooms.claims.models import Channel, Submission
from rapport.rooms.claims.ports import Answered, Clearinghouse, InDoubt, Later, RealTime
from rapport.rooms.claims.rules.ways import ASKED_AGAIN, AT_ONCE, QUESTION_FILES
from rapport.rooms.coverage import ports
from rapport.rooms.coverage.states import AskedBy

from .channels import open_secret
from .freezing import keep_file
from .numbers import take_numbers


class ChannelInquiries:
    """Supplies `coverage.ports.Inquiries` from the practice's channels and their drivers."""

    def __init__(self, driver: Callable[[str, Mapping[str, object], str], Clearinghouse]) -> None:
        """:param driver: kind, settings and secret of a channel -> its driver"""
        self._driver = driver

    def way(self, *, scope: Scope, asked_by: str) -> ports.Way | None:
        """
        Return how a payer is asked: by the one active channel that can; where there are several, by none.

        A file goes by SFTP where there is such a channel, else by one that takes files as they are.
        """
        kinds = dict(Channel.objects.visible_to(scope).filter(active=True).values_list("id", "kind"))

        def only(*wanted: str) -> UUID | None:
            found = [id for id, kind in kinds.items() if kind in wanted]
            return found[0] if len(found) == 1 else None

        at_once = only(*AT_ONCE) if asked_by != AskedBy.FILE else None
        if at_once is not None:
            return ports.Way(at_once, by_file=False)
        by_file = only("sftp") or only(*QUESTION_FILES) if asked_by != AskedBy.AT_ONCE else None
        return None if by_file is None else ports.Way(by_file, by_file=True)

    def hand_in(
        self, *, scope: Scope, channel_id: UUID, id: UUID, segments: Sequence[str], reference: str,
        substitutions: int, now: datetime,
    ) -> bool:  # fmt: skip
        """Keep a file of questions as a submission without claims, and have it sent. :return: False: out of use"""
        if not queries.get_channel(scope=scope, channel_id=channel_id, lock=True).active:
            return False
        submission = keep_file(
            scope=scope, id=id, channel_id=channel_id, bodies=[list(segments)], batch_id=reference, key=reference,
            claim=None, attempt=1, substitutions=substitutions, kind="270", now=now,
        )  # fmt: skip
        jobs.defer(
            "claims.send_submission", scope, queueing_lock=f"send:{submission.id}", submission_id=submission.id
        )
        return True

    def whereabouts(self, *, scope: Scope, ids: Sequence[UUID]) -> Mapping[UUID, ports.Whereabouts]:
        """Return where files of questions are."""
        rows = Submission.objects.visible_to(scope).filter(id__in=list(ids))
        return {
            id: ports.Whereabouts(state, retry_at, code)
            for id, state, retry_at, code in rows.values_list("id", "state", "retry_at", "last_code")
        }

    def asks_again(self, *, scope: Scope, channel_id: UUID) -> bool:
        """Tell whether the same question under the same key asks nothing new on a channel."""
        return queries.get_channel(scope=scope, channel_id=channel_id).kind in ASKED_AGAIN

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
