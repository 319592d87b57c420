"""
Breakers: why nothing is asked of a portal for now. In the database, so that all processes obey.

`auth` stops the whole connection and never tries by itself: a person acts first. `transport` lets
one call through per interval, with the sign-in that it needs. `drift` stops one capability until there
is a new revision of the definition, or a person accepts the page. `cut` stops nothing: it counts how often
in a row a page broke off, until that is taken for drift.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rapport.platform.access.scope import Scope
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Breaker, Connection
from rapport.rooms.exchange.ports import Reason, Trouble
from rapport.rooms.exchange.states import Action, ConnectionState

from .portals import manifest_of

ALL = "*"
FAILURES = 3
"""So often in a row nobody was there: then it is asked less often."""
FIRST_INTERVAL = timedelta(seconds=30)
LONGEST_INTERVAL = timedelta(minutes=5)
CUTS = 3
"""So often in a row a page broke off: then that is how it is now, and somebody has to look."""
CUT_COUNTED_EACH = timedelta(seconds=60)
"""Those that come sooner are the same trouble."""


def _locked(scope: Scope, connection: Connection, capability: str, kind: str) -> Breaker:
    Breaker.objects.bulk_create(
        [Breaker(practice_id=scope.practice_id, connection=connection, capability=capability, kind=kind)],
        ignore_conflicts=True,
    )
    row: Breaker = (
        Breaker.objects.visible_to(scope)
        .select_for_update()
        .get(connection_id=connection.id, capability=capability, kind=kind)
    )
    return row


def open_breaker(
    *, scope: Scope, connection: Connection, kind: str, reason: str, now: datetime,
    capability: str = ALL, probe_in: timedelta | None = None,
) -> None:
    """
    Stop asking.

    :param probe_in: when one call may try again; None: only a person or a new revision closes it
    """
    row = _locked(scope, connection, capability, kind)
    row.reason, row.failures = reason, row.failures + 1
    row.opened_at = row.opened_at or now
    row.probe_at = now + probe_in if probe_in else None
    row.revision = connection.revision
    row.save()
    _show(scope, connection, now)


def count_failure(*, scope: Scope, connection: Connection, reason: str, now: datetime, at_once: bool) -> None:
    """Count that nobody was there; open the transport breaker at the third time, or at once."""
    row = _locked(scope, connection, ALL, "transport")
    if row.opened_at is not None and now < row.opened_at + FIRST_INTERVAL:
        return  # it was on its way when the breaker opened, and says nothing new
    row.reason, row.failures = reason, row.failures + 1
    if at_once or row.failures >= FAILURES:
        beyond = max(0, row.failures - (1 if at_once else FAILURES))
        row.opened_at = row.opened_at or now
        row.probe_at = now + min(LONGEST_INTERVAL, FIRST_INTERVAL * 2 ** min(beyond, 6))
    row.save()
    _show(scope, connection, now)


def count_cut(*, scope: Scope, connection: Connection, capability: str, now: datetime) -> bool:
    """Count that a page broke off. :return: whether it has done so too often to be the network's doing"""
    row = _locked(scope, connection, capability, "cut")
    if row.probe_at is not None and row.probe_at > now:
        return False
    row.failures, row.probe_at = row.failures + 1, now + CUT_COUNTED_EACH
    often = row.failures >= CUTS
    if often:
        row.failures, row.probe_at = 0, None
    row.save()
    return often


def close_breaker(
    *, scope: Scope, connection: Connection, kind: str, now: datetime, capability: str = ALL
) -> None:
    """Ask again: a call worked, a person acted, or the definition is a new one."""
    Breaker.objects.visible_to(scope).filter(
        connection_id=connection.id, capability=capability, kind=kind
    ).update(opened_at=None, probe_at=None, failures=0, reason="")
    _show(scope, connection, now)


def note_worked(*, scope: Scope, connection: Connection, capability: str, now: datetime) -> None:
    """A call went well: whoever was not there is there again, and that page came whole."""
    Breaker.objects.visible_to(scope).filter(
        connection_id=connection.id, capability=capability, kind="cut", failures__gt=0
    ).update(failures=0, probe_at=None)
    failing = Breaker.objects.visible_to(scope).filter(
        connection_id=connection.id, kind="transport", failures__gt=0
    )
    if failing.exists():
        # The connection first: whoever publishes locks in this order.
        locked = queries.get_connection(scope=scope, connection_id=connection.id, lock=True)
        close_breaker(scope=scope, connection=locked, kind="transport", now=now)


def let_one_through(*, scope: Scope, connection: Connection, now: datetime) -> None:
    """A person acted on what stopped the connection: one sign-in may try."""
    Breaker.objects.visible_to(scope).filter(
        connection_id=connection.id, kind="auth", opened_at__isnull=False
    ).update(probe_at=now)


def gate(
    *, scope: Scope, connection: Connection, capability: str, now: datetime, for_call: bool = False
) -> Trouble | None:
    """
    Tell whether a call may go out; the one that may probe takes the probe with it.

    :param for_call: it is the sign-in of a call that was let out: the probe of a portal that was down is in its hands
    :return: None: it may; else why not
    """
    rows = Breaker.objects.visible_to(scope).select_for_update().filter(
        connection_id=connection.id, capability__in=[ALL, capability], opened_at__isnull=False
    )
    for row in rows:
        if for_call and row.kind == "transport":
            continue
        if row.kind == "drift" and _is_newer(connection, row):
            close_breaker(scope=scope, connection=connection, kind="drift", capability=row.capability, now=now)
        elif row.probe_at is None:
            return Trouble(_reason(row), detail="It stands still until somebody acts.")
        elif row.kind == "auth" and capability != "sign_in":
            return Trouble(_reason(row), detail="Somebody acted; a sign-in is tried first.")
        elif row.probe_at > now:
            seconds = max(1, int((row.probe_at - now).total_seconds()))
            return Trouble(_reason(row), retry_after_seconds=seconds)
        else:
            # The next one waits a whole interval, whatever becomes of this call.
            row.probe_at = None if row.kind == "auth" else now + FIRST_INTERVAL
            row.save(update_fields=["probe_at"])
    return None


def _reason(row: Breaker) -> Reason:
    return Reason(row.reason) if row.reason in set(Reason) else Reason.NOT_PERMITTED


def _is_newer(connection: Connection, row: Breaker) -> bool:
    manifest = manifest_of(connection.definition)
    return manifest is not None and manifest.revision > row.revision


def _show(scope: Scope, connection: Connection, now: datetime) -> None:
    """Let the connection's state say whether a part of it does not work."""
    broken = (
        Breaker.objects.visible_to(scope)
        .filter(connection_id=connection.id, opened_at__isnull=False, kind__in=["transport", "drift"])
        .exists()
    )
    connection.refresh_from_db(fields=["state", "reason"])
    if broken and connection.state == ConnectionState.HEALTHY:
        connection.move(Action.BREAK, by=scope.actor_id, at=now)
    elif not broken and connection.state == ConnectionState.DEGRADED:
        connection.move(Action.MEND, by=scope.actor_id, at=now)
