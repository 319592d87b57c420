"""Speaking to the practice's books elsewhere, outside of any transaction; and looking at payment plans."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from rapport.kernel.problems import Conflict
from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.db import sql
from rapport.platform.db.crashpoints import Crashpoint, crashpoint
from rapport.platform.db.session import entered
from rapport.platform.jobs import registry as jobs

from . import queries, services
from .models import BookEntry, BookLink
from .ports import Books, InDoubt, Later, Line, Refused, SignedOut, Tokens
from .services import linking, syncing
from .states import EntryState

LEASE = timedelta(seconds=120)
"""For one worker to speak to one practice's books; longer than what it does in one go."""
AT_ONCE = 20
"""Entries that are sent in one go."""
EARLY = timedelta(minutes=5)
"""So long before its end an access token is renewed."""

_books: list[Books] = []


class NotConfigured(Conflict):
    code, title = "quickbooks-not-configured", "This installation has no key of QuickBooks Online."


def supply(driver: Books | None) -> None:
    """Name the driver. Called by `config.wiring`. :param driver: None: there is none here"""
    _books[:] = [driver] if driver is not None else []


def books() -> Books:
    """Return the driver. :raises NotConfigured: there is none"""
    if not _books:
        raise NotConfigured
    return _books[0]


@jobs.task("accounting.sync", retries=5, outside=True)
def sync(*, scope: Scope) -> None:
    """
    Bring the practice's books elsewhere up to its closed days.

    One worker at a time. An entry in doubt is looked for before anything is sent again.
    """
    if not _books:
        return
    now = timezone.now()
    with entered(scope):
        taken = BookLink.objects.visible_to(scope).exclude(leased_until__gt=now).update(leased_until=now + LEASE)
    if not taken:
        return
    try:
        access = _let_in(scope)
        if access is not None:
            _send(scope, access)
    finally:
        with entered(scope):
            BookLink.objects.visible_to(scope).update(leased_until=None)


def _let_in(scope: Scope) -> str | None:
    """Return a token that works; None: there is none for now."""
    with entered(scope):
        link = linking.get_link(scope=scope)
        assert link is not None
        secret = linking.secret_of(link)
    now = timezone.now()
    if "code" in secret:
        answer: Tokens | Refused | Later = books().exchange(code=secret["code"])
    elif not secret:
        return None
    elif link.access_until is not None and link.access_until - EARLY > now:
        return secret["access"]
    else:
        answer = books().renew(renewal=secret["renewal"])
    with entered(scope):
        if isinstance(answer, Tokens):
            linking.keep_tokens(scope=scope, tokens=answer, now=timezone.now())
        elif isinstance(answer, Refused):
            linking.sign_out(scope=scope, code=answer.code, now=timezone.now())
    if not isinstance(answer, Tokens):
        return None
    if "code" in secret:
        _read_accounts(scope, answer.access, link.company)
    return answer.access


def _read_accounts(scope: Scope, access: str, company: str) -> None:
    found = books().accounts(access=access, company=company)
    if isinstance(found, tuple):
        with entered(scope):
            linking.keep_accounts(scope=scope, accounts=found, now=timezone.now())


def _send(scope: Scope, access: str) -> None:
    with entered(scope):
        link = linking.get_link(scope=scope)
        assert link is not None
        if not link.accounts:
            missing = True
        else:
            missing = False
            syncing.plan_days(scope=scope, link=link, now=timezone.now())
        entries = syncing.due(scope=scope, company=link.company, now=timezone.now())
    if missing:
        _read_accounts(scope, access, link.company)
        return
    for entry in entries[:AT_ONCE]:
        if not all(account in link.mapping for account, _ in entry.lines):
            return  # days go in order: one whose accounts are not mapped waits, and so do those after it
        if not _one(scope, link, entry, access):
            return


def _one(scope: Scope, link: BookLink, entry: BookEntry, access: str) -> bool:
    """Send one entry, or find out what became of it. :return: False: nothing more for now"""
    if entry.state != EntryState.READY:
        found = books().find(access=access, company=link.company, number=entry.number)
        with entered(scope):
            syncing.settle(scope=scope, entry_id=entry.id, answer=found, now=timezone.now())
            if isinstance(found, SignedOut):
                _expire(scope)
        return not isinstance(found, SignedOut | Later | InDoubt)
    with entered(scope):
        syncing.begin(scope=scope, entry_id=entry.id, now=timezone.now())
    crashpoint(Crashpoint.BOOKS_BEFORE_SEND)
    answer = books().post(
        access=access, company=link.company, key=entry.key, number=entry.number, on=entry.on,
        lines=[Line(link.mapping[account], cents) for account, cents in entry.lines],
    )  # fmt: skip
    crashpoint(Crashpoint.BOOKS_AFTER_SEND)
    with entered(scope):
        syncing.record(scope=scope, entry_id=entry.id, answer=answer, now=timezone.now())
        if isinstance(answer, SignedOut):
            _expire(scope)
    return not isinstance(answer, SignedOut | Later | InDoubt)


def _expire(scope: Scope) -> None:
    """Renew the token before it is used again: it was refused before its time."""
    BookLink.objects.visible_to(scope).update(access_until=timezone.now())


@jobs.periodic("accounting.books", seconds=60)
def look() -> None:
    """Take up every practice's books that are linked, or were left in the middle by a dead worker."""
    if not _books:
        return
    with transaction.atomic():
        practices = [row[0] for row in sql.rows("SELECT practice_id FROM rapport_book_practices()")]
    for practice_id in practices:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
        with entered(scope):
            jobs.defer("accounting.sync", scope, queueing_lock=f"books:{practice_id}")


LOOK_EVERY = timedelta(hours=1)
"""How often a plan is looked at when nothing has told that something changed: so late an instalment is told overdue."""


@jobs.task("accounting.plans", retries=1, outside=True)
def plans(*, scope: Scope) -> None:
    """See what has become of payment plans; each in a transaction of its own."""
    now = timezone.now()
    with entered(scope):
        found = queries.plans_to_look_at(scope=scope, before=now - LOOK_EVERY)
    for plan_id in found:
        with entered(scope):
            services.notice(scope=scope, plan_id=plan_id, now=now)


@jobs.periodic("accounting.plans", seconds=60)
def plans_everywhere() -> None:
    """Have payment plans looked at, in each practice that has one to be looked at."""
    with transaction.atomic():
        found = sql.rows("SELECT practice_id FROM rapport_plan_practices(%s)", (timezone.now() - LOOK_EVERY,))
    for (practice_id,) in found:
        scope = system_scope(practice_id=practice_id, actor_id=practice_id, time_zone=ZoneInfo("UTC"))
        with entered(scope):
            jobs.defer("accounting.plans", scope, lock="plans", queueing_lock="plans")


__all__ = ["NotConfigured", "books", "plans", "supply", "sync"]
