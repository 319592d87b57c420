"""
Signing in: one try at a time, written down before it leaves, and never a rejected password again.

begin_sign_in (commit) -> the driver, outside any transaction -> record_sign_in (commit). The caller
holds the connection's sign-in lock all the while, so an epoch has one sign-in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.db import sql
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Challenge, Connection, SignIn
from rapport.rooms.exchange.ports import (
    Challenge as Asked,
)
from rapport.rooms.exchange.ports import (
    Factor,
    Reason,
    SignedIn,
    Target,
    Trouble,
)
from rapport.rooms.exchange.rules.matters import DOWN, STOPS, Matter
from rapport.rooms.exchange.states import MAY_SIGN_IN, Action, ChallengeState, ConnectionState

from . import attention, breakers, pacing, sessions, troubles, vault
from .portals import manifest_of, target_of

HOUR = timedelta(hours=1)
DEFAULT_WAIT = 300
"""Seconds until the next try, where a portal refused to talk and did not say for how long."""
DOWN_WAIT = 15
"""The same, where nobody was there: twice as long each time, up to `DEFAULT_WAIT`, and a little less by chance."""
NOT_BEGUN = "not_begun"
"""Outcome of a try that ended before a secret was typed: the portal saw no sign-in, and none is counted."""
TOTP_SECONDS = 30
TOTP_MARGIN = 3
"""No sign-in begins so shortly before a window ends."""
LOST_SECONDS = 60
"""A try that was never heard of again may have used its code within this time."""
MOST_DOUBLINGS = 6
"""So many times the wait can grow."""
PUSH_EVERY = timedelta(seconds=3)
"""How often it is looked whether a push was answered."""
MOST_TRIES = 3
"""Codes that are typed for one challenge."""


@dataclass(frozen=True, slots=True)
class SigningIn:
    """What a worker needs to sign in, outside any transaction."""

    connection_id: UUID
    sign_in_id: UUID
    target: Target
    password_number: int
    challenge_id: UUID | None = None
    resume: bytes = field(default=b"", repr=False)
    code: str | None = field(default=None, repr=False)
    earlier: bytes | None = field(default=None, repr=False)
    """Of a renewal: the session that ended."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """It may go out, but not before so many seconds: a time window is spent or nearly over."""

    seconds: float


def begin_sign_in(
    *, scope: Scope, connection_id: UUID, cause: str, now: datetime, for_call: bool = False
) -> SigningIn | NotYet | Trouble:
    """
    Write a try down and open what it needs. Commit before calling the driver.

    :param cause: `person` or `renewal`
    :param for_call: a call needs it that no breaker held back
    :return: a trouble: no try may leave, and why
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    if connection.state not in MAY_SIGN_IN:
        return Trouble(Reason.NOT_PERMITTED, detail=f"The connection is {connection.state}.")
    stopped = breakers.gate(scope=scope, connection=connection, capability="sign_in", now=now, for_call=for_call)
    if stopped is not None:
        return stopped
    if connection.sign_in_not_before is not None and connection.sign_in_not_before > now:
        seconds = int((connection.sign_in_not_before - now).total_seconds()) + 1
        reason = Reason.PORTAL_DOWN if _times_down(scope, connection) else Reason.BUSY
        return Trouble(reason, retry_after_seconds=seconds)
    password = vault.usable(scope=scope, connection_id=connection.id)
    if password is None:
        return Trouble(Reason.CREDENTIALS_REJECTED, detail="There is no password that may be sent.")
    manifest = manifest_of(connection.definition)
    if manifest is None:
        trouble = Trouble(Reason.CONNECTOR_OUTDATED, detail="This installation does not have the definition.")
        troubles.meet(scope=scope, connection=connection, capability="sign_in", trouble=trouble, now=now)
        return trouble
    tries = list(
        SignIn.objects.visible_to(scope)
        .filter(connection_id=connection.id, began_at__gt=now - HOUR)
        .exclude(outcome=NOT_BEGUN)
        .order_by("-began_at")[: manifest.logins_per_hour]
    )
    if len(tries) >= manifest.logins_per_hour:
        seconds = int((tries[-1].began_at + HOUR - now).total_seconds()) + 1
        return Trouble(Reason.BUSY, detail="So many sign-ins an hour are allowed.", retry_after_seconds=seconds)
    has_seed = "totp_seed" in queries.has_secret(scope=scope, connection_id=connection.id)
    if has_seed:
        wait = _wait_for_window(_code_used(connection), now=now)
        if wait > 0:
            return NotYet(wait)
    if connection.revision != manifest.revision:
        Connection.objects.visible_to(scope).filter(id=connection.id).update(revision=manifest.revision)
        connection.revision = manifest.revision
    pacing.set_pace(scope=scope, connection=connection, manifest=manifest, now=now)
    attention.went_away(scope=scope, connection=connection, matters=[Reason.NO_BROWSER], now=now)
    row = SignIn.objects.create(
        practice_id=scope.practice_id, connection=connection, cause=cause, began_at=now,
        password_number=password.number, used_totp=has_seed,
    )  # fmt: skip
    secrets = vault.open_secrets(scope=scope, connection=connection, cause=cause)
    # Who gives a new password wants that one tried, and not what an old session may still open.
    earlier = sessions.ended(scope=scope, connection_id=connection.id) if cause == "renewal" else None
    return SigningIn(
        connection.id, row.id, target_of(connection, secrets=secrets), password.number, earlier=earlier
    )


def account_of(connection: Connection) -> UUID:
    """Return what stands for the account at the portal, the same in every practice that has it."""
    return UUID(bytes=bytes(connection.account_digest)[:16])


def _code_used(connection: Connection) -> datetime | None:
    """Return when a code of this account may have been used last, by whichever practice; None: within no hour."""
    row = sql.one(
        "SELECT rapport_account_code_used(%s, make_interval(secs => %s))",
        (bytes(connection.account_digest), LOST_SECONDS),
    )
    return row[0] if row else None


def _wait_for_window(used: datetime | None, *, now: datetime) -> float:
    """Return the seconds until a code can be computed that no earlier sign-in may have used."""
    at = now.timestamp()
    window = int(at // TOTP_SECONDS)
    if used is not None:
        spent = int(used.timestamp() // TOTP_SECONDS)
        if spent >= window:
            return (spent + 1) * TOTP_SECONDS - at
    left = (window + 1) * TOTP_SECONDS - at
    return left if left < TOTP_MARGIN else 0.0


def begin_answer(*, scope: Scope, connection_id: UUID, challenge_id: UUID, now: datetime) -> SigningIn | None:
    """
    Take up a challenge with the code that a person gave. Commit before calling the driver.

    :return: None when there is nothing to do: settled, expired, or no answer is here
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    challenge = queries.get_challenge(
        scope=scope, connection_id=connection_id, challenge_id=challenge_id, lock=True
    )
    if challenge.state != ChallengeState.ANSWERED or challenge.resume_sealed is None:
        return None
    if connection.state not in MAY_SIGN_IN:
        return None
    if challenge.expires_at <= now:
        expire(scope=scope, challenge=challenge, now=now)
        return None
    code = None
    if challenge.code_sealed is not None:
        code = aead.open_(
            bytes(challenge.code_sealed), aad=_challenge_place(challenge), purpose="connector-code"
        ).decode()
    resume = aead.open_(
        bytes(challenge.resume_sealed), aad=_challenge_place(challenge), purpose=sessions.PURPOSE
    )
    Challenge.objects.visible_to(scope).filter(id=challenge.id).update(
        code_sealed=None, tries=challenge.tries + (1 if code is not None else 0)
    )
    attention.went_away(scope=scope, connection=connection, matters=[Reason.NO_BROWSER], now=now)
    number = SignIn.objects.visible_to(scope).get(id=challenge.sign_in_id).password_number
    return SigningIn(
        connection.id, challenge.sign_in_id, target_of(connection), number, challenge.id, resume, code
    )


def _challenge_place(challenge: Challenge) -> bytes:
    return f"exchange_challenge|{challenge.practice_id}|{challenge.id}".encode()


def seal_code(*, challenge: Challenge, code: str) -> bytes:
    """Return a code as it is kept until it is typed."""
    return aead.seal(code.encode(), aad=_challenge_place(challenge), purpose="connector-code")


def record_sign_in(
    *, scope: Scope, signing: SigningIn, answer: SignedIn | Asked | Trouble, now: datetime
) -> int | Trouble:
    """
    Write down what came of a try.

    :return: the epoch that it began, or why there is none
    """
    connection = queries.get_connection(scope=scope, connection_id=signing.connection_id, lock=True)
    if connection.state not in MAY_SIGN_IN:
        _end_try(scope, signing, "withdrawn", 0, now)
        return Trouble(Reason.NOT_PERMITTED, detail=f"The connection is {connection.state}.")
    if isinstance(answer, SignedIn):
        return _signed_in(scope, connection, signing, answer, now)
    if isinstance(answer, Asked):
        return _challenged(scope, connection, signing, answer, now)
    return _failed(scope, connection, signing, answer, now)


def _end_try(scope: Scope, signing: SigningIn, outcome: str, epoch: int, now: datetime) -> None:
    SignIn.objects.visible_to(scope).filter(id=signing.sign_in_id).update(
        ended_at=now, outcome=outcome, epoch=epoch
    )


def _signed_in(
    scope: Scope, connection: Connection, signing: SigningIn, answer: SignedIn, now: datetime
) -> int | Trouble:
    subject = aead.blind_index(answer.subject, context=f"exchange_subject|{connection.id}")
    known = sessions.row_of(scope=scope, connection=connection).subject_digest
    if known is not None and bytes(known) != subject:
        _end_try(scope, signing, Matter.OTHER_SUBJECT, 0, now)
        _settle_challenge(scope, signing, ChallengeState.FAILED, now)
        troubles.stop(scope=scope, connection=connection, matter=Matter.OTHER_SUBJECT, now=now)
        return Trouble(Reason.NOT_PERMITTED, detail="The portal says that another user is signed in.")
    epoch = sessions.begin_epoch(
        scope=scope, connection=connection, session=answer.session, idle_seconds=answer.idle_seconds,
        subject_digest=subject, now=now,
    )  # fmt: skip
    _end_try(scope, signing, "signed_in", epoch, now)
    _settle_challenge(scope, signing, ChallengeState.PASSED, now)
    breakers.close_breaker(scope=scope, connection=connection, kind="auth", now=now)
    breakers.close_breaker(scope=scope, connection=connection, kind="transport", now=now)
    if connection.state in (ConnectionState.LINKING, ConnectionState.ATTENTION):
        connection.move(Action.SIGNED_IN, by=scope.actor_id, at=now)
    attention.went_away(
        scope=scope, connection=connection, matters=[*STOPS, Reason.SESSION_TAKEN], now=now
    )
    if answer.findings:
        troubles.drifted(
            scope=scope, connection=connection, capability="sign_in", verdict="healed", now=now,
            matter=Matter.DRIFT_HEALED, findings=answer.findings,
        )  # fmt: skip
    return epoch


def _challenged(
    scope: Scope, connection: Connection, signing: SigningIn, answer: Asked, now: datetime
) -> Trouble:
    again = signing.challenge_id is not None
    if again:
        row = queries.get_challenge(
            scope=scope, connection_id=connection.id, challenge_id=signing.challenge_id or connection.id,
            lock=True,
        )  # fmt: skip
        if signing.code is not None and row.tries >= MOST_TRIES:
            trouble = Trouble(Reason.SECOND_FACTOR_DENIED, detail="The portal did not take the codes.")
            return _failed(scope, connection, signing, trouble, now)
    else:
        row = Challenge(practice_id=scope.practice_id, connection=connection, sign_in_id=signing.sign_in_id)
    values: dict[str, object] = {
        "factor": Factor(answer.factor).value, "masked_destination": answer.masked_destination[:60],
        "issued_at": answer.issued_at, "expires_at": answer.expires_at,
        "resume_sealed": aead.seal(answer.resume, aad=_challenge_place(row), purpose=sessions.PURPOSE),
    }  # fmt: skip
    if again:
        row.move(ChallengeState.OPEN, at=now, **values)
    else:
        row.state_changed_at = now
        for name, value in values.items():
            setattr(row, name, value)
        row.save(force_insert=True)
    _end_try(scope, signing, "challenge", 0, now)
    if not again or signing.code is not None:
        troubles.stop(
            scope=scope, connection=connection, matter=Reason.SECOND_FACTOR_NEEDED, now=now, subject_id=row.id
        )
    _await(scope, row)
    return Trouble(Reason.SECOND_FACTOR_NEEDED)


def _await(scope: Scope, row: Challenge) -> None:
    """Look for the answer where it may come without a person's help: in a mailbox, or on a phone."""
    what = {
        Factor.EMAIL: "exchange.read_code", Factor.SMS: "exchange.read_code", Factor.PUSH: "exchange.look_at_push",
    }.get(Factor(row.factor))  # fmt: skip
    if what is not None:
        jobs.defer(
            what, scope, queueing_lock=f"await:{row.id}", connection_id=row.connection_id,
            challenge_id=row.id, schedule_in=PUSH_EVERY if row.factor == Factor.PUSH else None,
        )  # fmt: skip


def look_again(*, scope: Scope, connection_id: UUID, challenge_id: UUID, now: datetime) -> None:
    """Let a worker see whether a push was answered."""
    row = queries.get_challenge(
        scope=scope, connection_id=connection_id, challenge_id=challenge_id, lock=True
    )
    if row.state == ChallengeState.OPEN and row.expires_at > now:
        row.move(ChallengeState.ANSWERED, at=now, answered_by=scope.actor_id)
        jobs.defer(
            "exchange.answer_challenge", scope, queueing_lock=f"answer:{row.id}",
            connection_id=connection_id, challenge_id=row.id,
        )  # fmt: skip


def _failed(
    scope: Scope, connection: Connection, signing: SigningIn, trouble: Trouble, now: datetime
) -> Trouble:
    down = trouble.reason in DOWN
    _end_try(scope, signing, NOT_BEGUN if down and trouble.gave_nothing else trouble.reason, 0, now)
    _settle_challenge(scope, signing, ChallengeState.FAILED, now)
    if trouble.reason is Reason.CREDENTIALS_REJECTED:
        vault.reject(
            scope=scope, connection=connection, number=signing.password_number, now=now
        )
    if not down and trouble.reason is not Reason.BUSY:
        # What the old session led to is no way in: the next try begins with nothing.
        sessions.forget(scope=scope, connection_id=connection.id)
    if down or trouble.reason in (Reason.BUSY, Reason.ACCOUNT_LOCKED):
        usual = _down_wait(_times_down(scope, connection)) if down else DEFAULT_WAIT
        wait = timedelta(seconds=trouble.retry_after_seconds or usual)
        troubles.stay_away(scope=scope, connection=connection, until=now + wait)
    if down and trouble.gave_nothing:
        # What a person acted on was not tried: it still may be.
        breakers.let_one_through(scope=scope, connection=connection, now=now)
    troubles.meet(scope=scope, connection=connection, capability="sign_in", trouble=trouble, now=now)
    return trouble


def is_to_come_back(*, scope: Scope, connection: Connection, now: datetime) -> bool:
    """Tell whether a sign-in that a person asked for found nobody there, and may be tried again by now."""
    if connection.state != ConnectionState.LINKING or (connection.sign_in_not_before or now) > now:
        return False
    return _times_down(scope, connection) > 0


def _times_down(scope: Scope, connection: Connection) -> int:
    """Return how many of the latest tries found nobody there, one after the other."""
    latest = SignIn.objects.visible_to(scope).filter(connection_id=connection.id).order_by("-began_at")
    outcomes = latest.exclude(ended_at=None).values_list("outcome", flat=True)[:MOST_DOUBLINGS]
    return len(list(takewhile(lambda outcome: outcome == NOT_BEGUN or outcome in set(DOWN), outcomes)))


def _down_wait(times: int) -> float:
    """Return the seconds until the next try. Several practices of one portal do not come back together."""
    longest = min(float(DEFAULT_WAIT), DOWN_WAIT * 2.0 ** (max(times, 1) - 1))
    return longest * random.uniform(0.8, 1.0)  # noqa: S311 - jitter, no secret


def _settle_challenge(scope: Scope, signing: SigningIn, to: ChallengeState, now: datetime) -> None:
    if signing.challenge_id is None:
        return
    row = Challenge.objects.visible_to(scope).select_for_update().get(id=signing.challenge_id)
    row.move(to, at=now, resume_sealed=None, code_sealed=None)


def expire(*, scope: Scope, challenge: Challenge, now: datetime) -> None:
    """Nobody answered in time: say so, and let the connection wait for a person."""
    connection = queries.get_connection(scope=scope, connection_id=challenge.connection_id, lock=True)
    if not challenge.move(ChallengeState.EXPIRED, at=now, resume_sealed=None, code_sealed=None):
        return
    attention.went_away(
        scope=scope, connection=connection, matters=[Reason.SECOND_FACTOR_NEEDED], now=now,
        subject_id=challenge.id,
    )  # fmt: skip
    if connection.state == ConnectionState.ATTENTION:
        troubles.stop(scope=scope, connection=connection, matter=Reason.SECOND_FACTOR_EXPIRED, now=now)


def expire_challenges(*, scope: Scope, connection_id: UUID, now: datetime) -> None:
    """Expire what is too late."""
    rows = Challenge.objects.visible_to(scope).filter(
        connection_id=connection_id, expires_at__lte=now,
        state__in=[ChallengeState.OPEN, ChallengeState.ANSWERED],
    )  # fmt: skip
    for row in rows:
        expire(scope=scope, challenge=row, now=now)
