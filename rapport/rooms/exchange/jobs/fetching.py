"""Files of a portal, and what is read out of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import services
from rapport.rooms.exchange.ports import GotFile, Target, Trouble

from .caller import call


@jobs.task("exchange.fetch", retries=2, outside=True)
def fetch(*, scope: Scope, connection_id: UUID, artefact_id: UUID) -> dict[str, str] | None:
    """Fetch one file and keep it as a document."""
    with entered(scope):
        row = services.wanted_file(scope=scope, artefact_id=artefact_id)
    if row is None:
        return None

    def ask(target: Target, session: bytes, now: datetime) -> GotFile | Trouble:
        return services.portal().fetch(
            target, ability=row.ability, remote_id=row.remote_id, session=session, now=now
        )

    answer, _ = call(scope=scope, connection_id=connection_id, capability=row.ability, ask=ask)
    with entered(scope):
        if isinstance(answer, Trouble):
            services.note_no_file(
                scope=scope, artefact_id=artefact_id, trouble=answer, now=timezone.now()
            )
            return {"reason": answer.reason.value}
        services.keep_file(scope=scope, artefact_id=artefact_id, got=answer, now=timezone.now())
        services.fetch_next_paper(scope=scope, connection_id=connection_id, now=timezone.now())
    return None


@jobs.task("exchange.compare_export", retries=1, outside=True)
def compare_export(*, scope: Scope, connection_id: UUID, order_id: UUID) -> None:
    """Compare an export with the list it is an export of. The portal is asked nothing."""
    with entered(scope):
        work = services.export_to_compare(scope=scope, connection_id=connection_id, order_id=order_id)
    if work is None:
        return
    answer = services.portal().rows_in(
        services.target_of(work.connection), ability="exports.file", kind=work.kind, remote_id=work.remote_id,
        content=work.content, now=timezone.now(),
    )  # fmt: skip
    with entered(scope):
        services.note_comparison(scope=scope, work=work, answer=answer, now=timezone.now())
