"""Work of this room that waits for a portal. No call is made inside a transaction."""

from __future__ import annotations

from rapport.rooms.exchange.services.mailbox import supply_mailboxes
from rapport.rooms.exchange.services.portals import supply

from . import codes, duties, fetching, looking, signing, syncing, writing  # noqa: F401 - registers the tasks

__all__ = ["supply", "supply_mailboxes"]
