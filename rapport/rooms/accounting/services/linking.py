"""
The link to a practice's books at QuickBooks Online: who allowed it, its tokens, and which account is which.

Tokens are sealed and open for the worker alone. The code that a person comes back with is kept sealed
until a worker has turned it into tokens: no request speaks to the other side.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import Conflict, FieldError, Invalid, NotFound
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.jobs import registry as jobs
from rapport.platform.outbox.emit import emit
from rapport.rooms.accounting import events
from rapport.rooms.accounting.models import BookLink
from rapport.rooms.accounting.ports import Account, Tokens
from rapport.rooms.accounting.states import LinkState
from rapport.rooms.ledger.states import Account as Ours

_PURPOSE = "connector-books"


NAMED = ("Accounts Receivable", "Accounts Payable")
"""Kinds of accounts there whose lines must name somebody, which no total may."""


class NotAsked(Conflict):
    code, title = "link-not-asked-for", "Nobody asked for this link, or another one was asked for since."


def get_link(*, scope: Scope, lock: bool = False) -> BookLink | None:
    """Return the practice's link, if there ever was one."""
    rows = BookLink.objects.visible_to(scope)
    found: BookLink | None = (rows.select_for_update() if lock else rows).first()
    return found


def ask_for_link(*, scope: Scope, from_on: date, now: datetime) -> tuple[BookLink, str]:
    """
    Begin to link the books. Whoever had been linked stays so until a person comes back.

    :param from_on: first day that is to be sent
    :return: the link, and the text that the person must bring back
    """
    scope.require(Permission.ACCOUNTING_MANAGE)
    text = secrets.token_urlsafe(32)
    link = get_link(scope=scope, lock=True)
    if link is None:
        link = BookLink(
            practice_id=scope.practice_id, id=new_uuid(), state=LinkState.ASKED.value, created_at=now, version=0
        )
    link.move(LinkState.ASKED, at=now, asked_digest=_digest(text), from_on=from_on)
    scope.trail.target("book_link", link.id, link.version)
    return link, text


def come_back(*, scope: Scope, state: str, code: str, company: str, now: datetime) -> BookLink:
    """
    Take what a person came back with; a worker turns it into tokens.

    :raises NotAsked: it does not answer what was asked for last
    """
    scope.require(Permission.ACCOUNTING_MANAGE)
    link = get_link(scope=scope, lock=True)
    if link is None or link.asked_digest is None or not hmac.compare_digest(bytes(link.asked_digest), _digest(state)):
        raise NotAsked()
    link.move(
        LinkState.ASKED, at=now, asked_digest=None, company=company, access_until=None,
        sealed=_seal(link, {"code": code}),
    )  # fmt: skip
    scope.trail.target("book_link", link.id, link.version)
    jobs.defer("accounting.sync", scope, queueing_lock=f"books:{scope.practice_id}")
    return link


def map_accounts(*, scope: Scope, mapping: Mapping[str, str], now: datetime) -> BookLink:
    """
    Say which of our accounts is which there.

    :raises NotFound: there is no link
    :raises Invalid: an account is none of those that were read there
    """
    scope.require(Permission.ACCOUNTING_MANAGE)
    link = get_link(scope=scope, lock=True)
    if link is None:
        raise NotFound()
    kinds = {account["id"]: account["kind"] for account in link.accounts}
    for name, id in mapping.items():
        if name not in set(Ours) or id not in kinds:
            raise _fault(name if name in set(Ours) else "", "unknown-account")
        if kinds[id] in NAMED:
            raise _fault(name, "account-names-people")
    link.move(LinkState(link.state), at=now, mapping=dict(mapping))
    scope.trail.target("book_link", link.id, link.version)
    jobs.defer("accounting.sync", scope, queueing_lock=f"books:{scope.practice_id}")
    return link


def unlink(*, scope: Scope, now: datetime) -> BookLink:
    """Forget the tokens. What was sent stays there, and is known here. :raises NotFound: there is no link"""
    scope.require(Permission.ACCOUNTING_MANAGE)
    link = get_link(scope=scope, lock=True)
    if link is None:
        raise NotFound()
    link.move(LinkState.SIGNED_OUT, at=now, sealed=None, access_until=None, asked_digest=None, last_code="unlinked")
    scope.trail.target("book_link", link.id, link.version)
    return link


def _fault(name: str, code: str) -> Invalid:
    return Invalid("1 field is not valid.", errors=(FieldError(f"/mapping/{name}".rstrip("/"), code),))


# What the worker writes down.


def secret_of(link: BookLink) -> dict[str, str]:
    """Return the tokens, or the code that they are still to be had for. For the worker alone."""
    if link.sealed is None:
        return {}
    opened: dict[str, str] = json.loads(aead.open_(bytes(link.sealed), aad=_place(link), purpose=_PURPOSE))
    return opened


def keep_tokens(*, scope: Scope, tokens: Tokens, now: datetime) -> None:
    """Seal what lets us in, in place of what did before."""
    link = get_link(scope=scope, lock=True)
    assert link is not None
    first = link.state != LinkState.LINKED
    link.move(
        LinkState.LINKED, at=now, sealed=_seal(link, {"access": tokens.access, "renewal": tokens.renewal}),
        access_until=now + timedelta(seconds=tokens.seconds), last_code="",
    )  # fmt: skip
    if first:
        _tell(scope, link, events.BOOKS_LINKED, now)


def keep_accounts(*, scope: Scope, accounts: Sequence[Account], now: datetime) -> None:
    """Keep which accounts there are, and drop from the mapping those that are no more."""
    link = get_link(scope=scope, lock=True)
    assert link is not None
    known = {account.id for account in accounts}
    link.move(
        LinkState(link.state), at=now,
        accounts=[{"id": one.id, "name": one.name, "kind": one.kind} for one in accounts],
        mapping={name: id for name, id in link.mapping.items() if id in known},
    )  # fmt: skip


def sign_out(*, scope: Scope, code: str, now: datetime) -> None:
    """Note that it does not let us in any more."""
    link = get_link(scope=scope, lock=True)
    assert link is not None
    link.move(LinkState.SIGNED_OUT, at=now, sealed=None, access_until=None, last_code=code[:60])
    _tell(scope, link, events.BOOKS_SIGNED_OUT, now)


def _tell(scope: Scope, link: BookLink, event: str, now: datetime) -> None:
    emit(event, scope=scope, object_type="book_link", object_id=link.id, version=link.version, now=now)


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _place(link: BookLink) -> bytes:
    return f"accounting_booklink|{link.practice_id}|{link.id}".encode()


def _seal(link: BookLink, secret: dict[str, Any]) -> bytes:
    return aead.seal(json.dumps(secret).encode(), aad=_place(link), purpose=_PURPOSE)
