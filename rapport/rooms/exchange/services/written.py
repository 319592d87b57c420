"""What was written and seen in the portal goes into the room's tables at once, and not with the next reading."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from rapport.platform.access.scope import Scope
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Connection, Write
from rapport.rooms.exchange.rules.changes import Change, Origin
from rapport.rooms.exchange.rules.finding import kind_of

from .recipients import hand_over
from .shadows import note_written

logger = logging.getLogger(__name__)


def tell_room(
    *, scope: Scope, connection: Connection, write: Write, values: Mapping[str, Any], aside: Mapping[str, Any],
    now: datetime,
) -> None:
    """
    Tell the room whose record it is. What it cannot take over comes again with the next reading.

    :param values: as the portal shows it; a page of one record may show less than a list does
    :param aside: what the caller wanted back with it
    """
    kind = kind_of(write.read_back if write.parent_id else write.ability)
    known = queries.mirrored(scope=scope, connection_id=connection.id, kind=kind, remote_id=write.remote_id)
    before = known.values if known is not None else None
    change = Change(
        "created" if write.makes_new else "changed", kind, write.remote_id, {**(before or {}), **aside, **values},
        before, {}, now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            held = hand_over(
                scope=scope, origin=Origin(connection.id, connection.definition), kind=kind, changes=[change], now=now
            )
            note_written(
                scope=scope, connection=connection, kind=kind, remote_id=write.remote_id, values=values, now=now,
                made_by=write.id if write.makes_new and not write.parent_id else None, held=held,
            )
    except Exception:
        # That it is written is proved, and stays so whatever the room makes of it.
        logger.exception("a written record was not taken over", extra={"write_id": str(write.id)})
