"""Who takes over what the mirror found: rooms below know nothing of portals, so they are told from above."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.rooms.exchange.rules.changes import Change, Held, Origin


class Recipient(Protocol):
    """Takes the changes of one kind over, in the transaction that publishes them."""

    def __call__(
        self, *, scope: Scope, origin: Origin, changes: Sequence[Change], now: datetime
    ) -> Sequence[Held]:
        """
        Bring a room's tables up.

        What is raised here undoes the whole piece, and the run is refused. What belongs to one
        record only is answered as `Held`.
        """


class FileRecipient(Protocol):
    """Takes a fetched file over, in the transaction that keeps it."""

    def __call__(
        self, *, scope: Scope, origin: Origin, document_id: UUID, data: bytes, remote_id: str, now: datetime
    ) -> None:
        """
        Do with the file what the room does with one that came by another way.

        :raises NotTakenOver: nothing can be done with it; it stays a document, with the reason
        """


_recipients: dict[str, Recipient] = {}
_file_recipients: dict[str, FileRecipient] = {}


def register_recipient(*, kind: str, recipient: Recipient | None) -> None:
    """Name who takes over changes of a kind: `patients`, `appointments`, … None: nobody."""
    if recipient is None:
        _recipients.pop(kind, None)
    else:
        _recipients[kind] = recipient


def register_file_recipient(*, ability: str, recipient: FileRecipient | None) -> None:
    """Name who takes over the files of an ability: `remittances.file`, … None: nobody."""
    if recipient is None:
        _file_recipients.pop(ability, None)
    else:
        _file_recipients[ability] = recipient


def hand_over(
    *, scope: Scope, origin: Origin, kind: str, changes: Sequence[Change], now: datetime
) -> Sequence[Held]:
    """Hand changes to whoever takes them. :return: what could not be taken over"""
    recipient = _recipients.get(kind)
    if recipient is None or not changes:
        return ()
    return recipient(scope=scope, origin=origin, changes=changes, now=now)


def hand_file_over(
    *, scope: Scope, origin: Origin, ability: str, document_id: UUID, data: bytes, remote_id: str,
    now: datetime,
) -> None:
    """Hand a file to whoever takes it."""
    recipient = _file_recipients.get(ability)
    if recipient is not None:
        recipient(
            scope=scope, origin=origin, document_id=document_id, data=data, remote_id=remote_id, now=now
        )
