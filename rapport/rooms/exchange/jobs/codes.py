"""Codes from a mailbox, and nods on a phone: what is waited for while a challenge is open."""

from __future__ import annotations

import time
from contextlib import closing
from uuid import UUID

from django.utils import timezone

from rapport.platform.access.scope import Scope
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs
from rapport.rooms.exchange import queries, services
from rapport.rooms.exchange.ports import MailClosed

LOOK_SECONDS = 1.0
ENOUGH_SECONDS = 20.0
"""No code in this time: another one is asked for, once; after that a person is left to it."""


@jobs.task("exchange.check_mailbox", retries=1, outside=True)
def check_mailbox(*, scope: Scope, connection_id: UUID) -> None:
    """See whether a mailbox opens, and tell somebody when it does not."""
    with entered(scope):
        connection = queries.get_connection(scope=scope, connection_id=connection_id)
        box = services.open_mailbox(scope=scope, connection=connection, cause="check")
    if box is None:
        return
    try:
        services.mailboxes().mark(box)
    except MailClosed as problem:
        with entered(scope):
            services.note_closed(scope=scope, connection_id=connection_id, problem=problem, now=timezone.now())
        return
    with entered(scope):
        services.note_open(scope=scope, connection_id=connection_id, now=timezone.now())


def note_where_mail_stands(*, scope: Scope, connection_id: UUID, sign_in_id: UUID) -> None:
    """Before the password is typed: what is in the mailbox now is not the code of this sign-in."""
    with entered(scope):
        connection = queries.get_connection(scope=scope, connection_id=connection_id)
        box = services.open_mailbox(scope=scope, connection=connection, cause="sign_in")
    if box is None:
        return
    try:
        mark = services.mailboxes().mark(box)
    except MailClosed as problem:
        with entered(scope):
            services.note_closed(scope=scope, connection_id=connection_id, problem=problem, now=timezone.now())
        return
    with entered(scope):
        services.note_mark(scope=scope, sign_in_id=sign_in_id, mark=mark)


@jobs.task("exchange.read_code", retries=1, outside=True)
def read_code(*, scope: Scope, connection_id: UUID, challenge_id: UUID) -> dict[str, str] | None:
    """Look into the mailbox until a code of this challenge is there, and hand it over."""
    with entered(scope):
        reading = services.begin_looking(
            scope=scope, connection_id=connection_id, challenge_id=challenge_id, now=timezone.now()
        )
    if reading is None:
        return None
    try:
        if _found(scope, reading):
            return None
    except MailClosed as problem:
        with entered(scope):
            services.note_closed(scope=scope, connection_id=connection_id, problem=problem, now=timezone.now())
        return {"reason": "mailbox_closed"}
    with entered(scope):
        services.ask_for_another(
            scope=scope, connection_id=connection_id, challenge_id=challenge_id, now=timezone.now()
        )
    return {"reason": "no_code_came"}


def _found(scope: Scope, reading: services.Reading) -> bool:
    """Look until a code was handed over, or nobody waits for one any more. :return: False: none came in time"""
    deadline = time.monotonic() + ENOUGH_SECONDS
    looks = services.mailboxes().follow(
        reading.box, rule=reading.rule, since=timezone.now() - reading.good_for
    )
    with closing(looks):
        for found in looks:
            code = services.choose_code(reading=reading, found=found, now=timezone.now())
            with entered(scope):
                if code is not None and services.hand_out(
                    scope=scope, reading=reading, found=code, now=timezone.now()
                ):
                    return True
                if not services.is_awaited(
                    scope=scope, connection_id=reading.connection_id, challenge_id=reading.challenge_id,
                    now=timezone.now(),
                ):  # fmt: skip
                    return True
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_SECONDS)
    return False


@jobs.task("exchange.look_at_push", retries=1, outside=True)
def look_at_push(*, scope: Scope, connection_id: UUID, challenge_id: UUID) -> None:
    """See whether somebody nodded on their phone. The answer asks for the next look, as long as nobody did."""
    with entered(scope):
        services.look_again(
            scope=scope, connection_id=connection_id, challenge_id=challenge_id, now=timezone.now()
        )
