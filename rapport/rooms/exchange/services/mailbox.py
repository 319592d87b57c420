"""
Codes from a mailbox that the practice connected: kept, opened for one look, and each code handed out once.

The mailbox is looked at before a sign-in (where does it stand?) and while a challenge of factor `email`
is open, or of factor `sms` where the practice says that the texts of that telephone are brought into it. A code becomes the challenge's answer like one that a person gives; a person may still be faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from rapport.kernel.problems import FieldError, Invalid, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import (
    Challenge,
    CodeMailbox,
    Connection,
    SignIn,
    SpentCode,
)
from rapport.rooms.exchange.ports import (
    CodeFound,
    CodeMail,
    Factor,
    Mailbox,
    Mailboxes,
    MailClosed,
    MailMark,
)
from rapport.rooms.exchange.problems import ConsentMissing
from rapport.rooms.exchange.rules import codes
from rapport.rooms.exchange.rules.matters import Matter
from rapport.rooms.exchange.states import MAY_SIGN_IN, ChallengeState, ConnectionState

from . import attention, vault
from .portals import manifest_of
from .signing_in import seal_code

CONSENT_LEAST = 20
"""Fewer letters are no statement."""

_supplied: list[Mailboxes] = []


def supply_mailboxes(reader: Mailboxes) -> None:
    """Name what reads mailboxes. Called by `config.wiring`, in every process: the API checks addresses by it."""
    _supplied[:] = [reader]


def mailboxes() -> Mailboxes:
    """Return what reads mailboxes. :raises RuntimeError: a defect, `supply_mailboxes` was not called"""
    if not _supplied:
        raise RuntimeError("nothing reads mailboxes in this process")
    return _supplied[0]


def connect_mailbox(
    *, scope: Scope, connection_id: UUID, host: str, port: int, username: str, password: str, permits: bool,
    statement: str, now: datetime, texts: Texts | None = None,
) -> Connection:
    """
    Let codes be read from a mailbox. A worker looks at once whether it opens.

    :param texts: the telephone whose texts are brought into it; None: none are
    :raises ConsentMissing: nobody said that it may be read
    :raises Invalid: the server is not one that is called, or the definition reads no mail
    :raises SecretRejectedBefore: the mail server rejected this very password
    """
    scope.require(Permission.CONNECTIONS_MANAGE)
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    if connection.state == ConnectionState.WITHDRAWN:
        raise StateConflict("It was withdrawn. Make a new connection.", current_state=connection.state)
    if not permits or len(statement) < CONSENT_LEAST:
        raise ConsentMissing(
            "Set may_be_read to true, and say in a sentence whose mailbox it is and that codes may be read there.",
            errors=(FieldError("/consent", "required"),), reason="no_consent",
        )  # fmt: skip
    manifest = manifest_of(connection.definition)
    if texts is not None and not (manifest and manifest.code_text):
        raise _not_known("/texts", "text")
    if texts is None and not (manifest and manifest.code_mail):
        raise _not_known("/host", "mail")
    why = mailboxes().allows(host, port)
    if why:
        raise Invalid("1 field is not valid.", errors=(FieldError("/host", "url-not-allowed", why),))
    values = {
        "host": host, "port": port, "username": username, "consent_by": scope.user_id or scope.actor_id,
        "consent_at": now, "consent_words": statement, "text_sender": texts.sender if texts else "",
        "text_telephone": texts.telephone_ends if texts else "",
    }  # fmt: skip
    known = CodeMailbox.objects.visible_to(scope).filter(connection_id=connection.id)
    moved = known.exclude(host=host, port=port, username=username).exists()
    if moved:
        # What another server rejected says nothing of this one.
        vault.erase_secrets(scope=scope, connection=connection, kinds=["mailbox"])
    if not known.update(**values):
        CodeMailbox.objects.create(practice_id=scope.practice_id, connection=connection, **values)
    vault.keep_secret(scope=scope, connection=connection, kind="mailbox", value=password, now=now)
    scope.trail.changed = ["mailbox"]
    scope.trail.extra.append(
        {
            "action": "connection.mailbox_consent", "reason": statement[:200], "target_type": "connection",
            "target_id": connection.id, "target_version": connection.version,
        }
    )  # fmt: skip
    jobs.defer(
        "exchange.check_mailbox", scope, queueing_lock=f"mailbox:{connection.id}", connection_id=connection.id
    )
    return connection


def disconnect_mailbox(*, scope: Scope, connection_id: UUID, now: datetime) -> Connection:
    """Read a mailbox no more, and erase its password."""
    scope.require(Permission.CONNECTIONS_MANAGE)
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    forget_mailbox(scope=scope, connection=connection, now=now)
    scope.trail.changed = ["mailbox"]
    return connection


def forget_mailbox(*, scope: Scope, connection: Connection, now: datetime) -> None:
    """Erase a mailbox with its password."""
    CodeMailbox.objects.visible_to(scope).filter(connection_id=connection.id).delete()
    vault.erase_secrets(scope=scope, connection=connection, kinds=["mailbox"])
    attention.went_away(scope=scope, connection=connection, matters=[Matter.MAILBOX_CLOSED], now=now)


def _not_known(pointer: str, way: str) -> Invalid:
    fault = FieldError(pointer, "not-allowed", f"This portal's definition knows no codes by {way}.")
    return Invalid("1 field is not valid.", errors=(fault,))


def _rule(connection: Connection, row: CodeMailbox, challenge: Challenge) -> CodeMail | None:
    """Return how the mail looks that brings this challenge's code; None: none does, and a person is asked."""
    manifest = manifest_of(connection.definition)
    if manifest is None:
        return None
    if challenge.factor == Factor.EMAIL:
        return manifest.code_mail
    if challenge.factor == Factor.SMS and row.text_sender and manifest.code_text:
        shown = "".join(filter(str.isdigit, challenge.masked_destination))[-len(row.text_telephone) :]
        # A portal that shows another number than the one whose texts come here has sent its code elsewhere.
        return CodeMail((row.text_sender,), manifest.code_text) if row.text_telephone.endswith(shown) else None
    return None


def open_mailbox(*, scope: Scope, connection: Connection, cause: str) -> Mailbox | None:
    """Return the mailbox for one look, noted in the trail; None: there is none that may be opened."""
    row = CodeMailbox.objects.visible_to(scope).filter(connection_id=connection.id).first()
    if row is None:
        return None
    opened = vault.open_secrets(scope=scope, connection=connection, cause=cause, kinds=["mailbox"])
    if not opened:
        return None
    return Mailbox(row.host, row.port, row.username, opened["mailbox"])


def note_mark(*, scope: Scope, sign_in_id: UUID, mark: MailMark) -> None:
    """Keep where the mailbox stood before a sign-in."""
    SignIn.objects.visible_to(scope).filter(id=sign_in_id).update(
        mail_mark=f"{mark.validity}:{mark.next_uid}"
    )


def note_closed(*, scope: Scope, connection_id: UUID, problem: MailClosed, now: datetime) -> None:
    """Tell somebody that the mailbox could not be read. A password that it rejected is not sent again."""
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    secret = vault.usable(scope=scope, connection_id=connection.id, kind="mailbox")
    if problem.rejected and secret is not None:
        vault.reject(scope=scope, connection=connection, number=secret.number, now=now, kind="mailbox")
    attention.call_for(
        scope=scope, connection=connection, matter=Matter.MAILBOX_CLOSED, now=now, detail=problem.detail
    )


def note_open(*, scope: Scope, connection_id: UUID, now: datetime) -> None:
    """The mailbox could be read."""
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    attention.went_away(scope=scope, connection=connection, matters=[Matter.MAILBOX_CLOSED], now=now)


@dataclass(frozen=True, slots=True)
class Texts:
    """A telephone whose texts are brought into a mailbox."""

    sender: str
    """Who brings them: an address, or `@host` for all of a host."""
    telephone_ends: str
    """Its last four digits."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a worker needs to look for the code of one challenge, outside any transaction."""

    connection_id: UUID
    challenge_id: UUID
    box: Mailbox
    rule: CodeMail
    mark: MailMark | None
    issued_at: datetime
    good_for: timedelta
    spent: frozenset[tuple[int, int]]
    resent: bool


def begin_looking(*, scope: Scope, connection_id: UUID, challenge_id: UUID, now: datetime) -> Reading | None:
    """Open the mailbox for an open challenge. :return: None: there is nothing to look for any more, or nowhere"""
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    row = queries.get_challenge(scope=scope, connection_id=connection_id, challenge_id=challenge_id)
    kept = CodeMailbox.objects.visible_to(scope).filter(connection_id=connection_id).first()
    rule = _rule(connection, kept, row) if kept is not None else None
    if rule is None or not _is_awaited(connection, row, now):
        return None
    box = open_mailbox(scope=scope, connection=connection, cause="challenge")
    if box is None:
        return None
    said = SignIn.objects.visible_to(scope).values_list("mail_mark", flat=True).get(id=row.sign_in_id)
    validity, _, uid = said.partition(":")
    spent = SpentCode.objects.visible_to(scope).filter(connection_id=connection_id)
    return Reading(
        connection_id, challenge_id, box, rule, MailMark(int(validity), int(uid)) if said else None,
        row.issued_at, row.expires_at - row.issued_at, frozenset(spent.values_list("validity", "uid")),
        row.resent,
    )  # fmt: skip


def _is_awaited(connection: Connection, row: Challenge, now: datetime) -> bool:
    return (
        connection.state in MAY_SIGN_IN
        and row.state == ChallengeState.OPEN
        and row.factor in (Factor.EMAIL, Factor.SMS)
        and row.expires_at > now
    )


def is_awaited(*, scope: Scope, connection_id: UUID, challenge_id: UUID, now: datetime) -> bool:
    """Tell whether a challenge still waits for a code: a person may have been faster."""
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    row = queries.get_challenge(scope=scope, connection_id=connection_id, challenge_id=challenge_id)
    return _is_awaited(connection, row, now)


def choose_code(*, reading: Reading, found: Sequence[CodeFound], now: datetime) -> CodeFound | None:
    """Return the code for this challenge among those that are there, or None: wait."""
    return codes.choose(
        found, mark=reading.mark, issued_at=reading.issued_at, good_for=reading.good_for,
        spent=reading.spent, now=now,
    )  # fmt: skip


def hand_out(*, scope: Scope, reading: Reading, found: CodeFound, now: datetime) -> bool:
    """
    Give a code to its challenge and to no other.

    :return: False when a person was faster, or another sign-in has it
    """
    row = queries.get_challenge(
        scope=scope, connection_id=reading.connection_id, challenge_id=reading.challenge_id, lock=True
    )
    if row.state != ChallengeState.OPEN:
        return False
    try:
        with transaction.atomic():
            SpentCode.objects.create(
                practice_id=scope.practice_id, connection_id=reading.connection_id, challenge=row,
                validity=found.validity, uid=found.uid, at=now,
            )  # fmt: skip
    except IntegrityError:
        return False
    row.move(
        ChallengeState.ANSWERED, at=now, answered_by=scope.actor_id,
        code_sealed=seal_code(challenge=row, code=found.code),
    )  # fmt: skip
    _defer_answer(scope, row)
    return True


def ask_for_another(*, scope: Scope, connection_id: UUID, challenge_id: UUID, now: datetime) -> bool:
    """No code came: let the portal's own button for another one be pressed, once. :return: whether it will be"""
    row = queries.get_challenge(
        scope=scope, connection_id=connection_id, challenge_id=challenge_id, lock=True
    )
    if row.resent or row.state != ChallengeState.OPEN:
        return False
    row.move(ChallengeState.ANSWERED, at=now, answered_by=scope.actor_id, resent=True)
    _defer_answer(scope, row)
    return True


def _defer_answer(scope: Scope, row: Challenge) -> None:
    jobs.defer(
        "exchange.answer_challenge", scope, queueing_lock=f"answer:{row.id}",
        connection_id=row.connection_id, challenge_id=row.id,
    )  # fmt: skip
