"""Sign-ins: one at a time for each connection, whoever needs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.ports import SignedIn, Trouble
from rapport.rooms.exchange.states import ConnectionState

from .codes import note_where_mail_stands
from .locks import held
from .pace import Governed

LOCK_SECONDS = 180.0
"""Longer than a sign-in with all its waiting takes."""


def ensure_epoch(
    *, scope: Scope, connection_id: UUID, seen: int, cause: str, for_call: bool = False
) -> int | Trouble:
    """
    Return the number of an epoch that is newer than the one that was seen to end.

    Whoever comes while somebody signs in waits, and takes what the other one got.

    :param for_call: a call needs it that no breaker held back
    """
    with _alone(scope, connection_id):
        while True:
            with entered(scope):
                standing = services.lease(scope=scope, connection_id=connection_id, now=timezone.now())
                if standing is not None and standing.epoch > seen:
                    return standing.epoch
                unable = services.portal().unable()
                if unable is not None:
                    return services.note_unable(
                        scope=scope, connection_id=connection_id, trouble=unable, now=timezone.now()
                    )
                begun = services.begin_sign_in(
                    scope=scope, connection_id=connection_id, cause=cause, for_call=for_call, now=timezone.now()
                )
            if isinstance(begun, services.NotYet):
                time.sleep(begun.seconds + 0.05)
                continue
            if isinstance(begun, Trouble):
                return begun
            return _sign_in(scope, begun)


@contextmanager
def _alone(scope: Scope, connection_id: UUID) -> Iterator[None]:
    """One sign-in at a time of a connection, and of an account: two practices may share a user of a portal."""
    with entered(scope):
        account = services.account_of(queries.get_connection(scope=scope, connection_id=connection_id))
    with (
        held(connection_id, "sign-in", wait_seconds=LOCK_SECONDS),
        held(account, "account", wait_seconds=LOCK_SECONDS),
    ):
        yield


def _sign_in(scope: Scope, begun: services.SigningIn) -> int | Trouble:
    portal, now = services.portal(), timezone.now()
    target = Governed(scope, begun.connection_id, keep=0).put_into(begun.target)
    if begun.challenge_id is None:
        note_where_mail_stands(
            scope=scope, connection_id=begun.connection_id, sign_in_id=begun.sign_in_id
        )
        answer = portal.sign_in(target, now=now, earlier=begun.earlier)
    else:
        answer = portal.answer(target, resume=begun.resume, code=begun.code, now=now)
    with entered(scope):
        outcome = services.record_sign_in(
            scope=scope, signing=begun, answer=answer, now=timezone.now()
        )
    if isinstance(outcome, Trouble) and isinstance(answer, SignedIn):
        # It stands at the portal and is not ours to use: another user, or withdrawn meanwhile.
        portal.sign_out(begun.target, session=answer.session, now=timezone.now())
    return outcome


@jobs.task("exchange.sign_in", retries=1, outside=True)
def sign_in(*, scope: Scope, connection_id: UUID, cause: str) -> dict[str, str] | None:
    """Sign in because a person asked for it, and read everything once it stands."""
    with entered(scope):
        seen = services.epoch_of(scope=scope, connection_id=connection_id)
    outcome = ensure_epoch(scope=scope, connection_id=connection_id, seen=seen, cause=cause)
    return _after(scope, connection_id, outcome)


@jobs.task("exchange.answer_challenge", retries=1, outside=True)
def answer_challenge(*, scope: Scope, connection_id: UUID, challenge_id: UUID) -> dict[str, str] | None:
    """Type the code that a person gave, in whichever process this is."""
    with held(connection_id, "sign-in", wait_seconds=LOCK_SECONDS):
        with entered(scope):
            unable = services.portal().unable()
            if unable is not None:
                services.note_unable(
                    scope=scope, connection_id=connection_id, trouble=unable, now=timezone.now()
                )
                return {"reason": unable.reason.value}
            begun = services.begin_answer(
                scope=scope, connection_id=connection_id, challenge_id=challenge_id, now=timezone.now()
            )
        if begun is None:
            return None
        outcome = _sign_in(scope, begun)
    return _after(scope, connection_id, outcome)


def _after(scope: Scope, connection_id: UUID, outcome: int | Trouble) -> dict[str, str] | None:
    if isinstance(outcome, Trouble):
        return {"reason": outcome.reason.value}
    with entered(scope):
        jobs.defer(
            "exchange.probe", scope, queueing_lock=f"probe:{connection_id}", connection_id=connection_id
        )
    return None


@jobs.task("exchange.sign_out", retries=2, outside=True)
def sign_out(*, scope: Scope, connection_id: UUID) -> None:
    """End the session at the portal, and erase what is left of it here."""
    with entered(scope):
        connection = queries.get_connection(scope=scope, connection_id=connection_id)
        standing = services.lease(scope=scope, connection_id=connection_id, now=timezone.now())
    if connection.state != ConnectionState.WITHDRAWN:
        return
    try:
        if standing is not None:
            services.portal().sign_out(
                services.target_of(connection), session=standing.session, now=timezone.now()
            )
    finally:
        with entered(scope):
            services.forget_session(scope=scope, connection_id=connection_id)
