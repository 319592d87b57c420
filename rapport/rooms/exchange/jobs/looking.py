"""Once a day: the same page over HTTP and in a real browser."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import services
from rapport.rooms.exchange.ports import Target, Trouble, Views

from .caller import call


@jobs.task("exchange.look", retries=0, outside=True)
def look(*, scope: Scope, connection_id: UUID) -> dict[str, object] | None:
    """Compare what is watched. A machine without a browser leaves it to the next hour: sign-ins say that it has none."""
    with entered(scope):
        asked = services.begin_look(
            scope=scope, connection_id=connection_id, today=scope.day_of(timezone.now()), now=timezone.now()
        )
    if not asked or services.portal().unable() is not None:
        return None

    def ask(target: Target, session: bytes, now: datetime) -> Views | Trouble:
        return services.portal().look(target, asked=asked, session=session, now=now)

    answer, _ = call(scope=scope, connection_id=connection_id, capability="look", ask=ask, sync=True)
    if isinstance(answer, Trouble):
        return {"reason": answer.reason.value}
    with entered(scope):
        different = services.record_look(scope=scope, connection_id=connection_id, views=answer, now=timezone.now())
    return {"different": different}
