"""What remittance does when something happens below it."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from rapport.kernel.problems import Problem
from rapport.platform.access.scope import Scope
from rapport.platform.outbox.emit import Event, on
from rapport.rooms.claims import events as claims
from rapport.rooms.claims import queries
from rapport.rooms.claims import services as claim_services

from . import services

logger = logging.getLogger(__name__)


@on(claims.REMITTANCE_FILE_RECEIVED)
def take_in(scope: Scope, event: Event, now: datetime) -> None:
    """Read an 835 that came through a channel, in the transaction that keeps it."""
    _, data = queries.inbound_bytes(scope=scope, inbound_file_id=event.object_id)
    try:
        with transaction.atomic():
            services.receive(scope=scope, data=data, via="channel", now=now)
    except Problem:
        # One bad file must not stop those behind it. It is kept with its channel, marked so that a
        # person sees it there; what was begun for it is undone by the savepoint.
        logger.warning("a remittance could not be read", extra={"object_id": str(event.object_id)})
        claim_services.mark_unreadable(scope=scope, inbound_file_id=event.object_id)
