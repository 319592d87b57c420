"""Linking, secrets, mailbox, and what is done to a whole connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from rapport.kernel.problems import StateConflict
from rapport.platform.access.scope import Scope
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.exchange import examples, queries, services
from rapport.rooms.exchange import problems as p
from rapport.rooms.exchange import schemas as s
from rapport.rooms.exchange.models import (
    Connection,
)
from rapport.rooms.exchange.states import WORKS

from .base import MANAGE, READ, router


def _shape(scope: Scope, connection: Connection) -> s.ConnectionOut:
    return s.connection_out(
        connection,
        secrets=queries.has_secret(scope=scope, connection_id=connection.id),
        mirrors=queries.mirrors_of(scope=scope, connection_id=connection.id),
        mailbox=queries.mailbox_of(scope=scope, connection_id=connection.id),
        exports=queries.last_exports(scope=scope, connection_id=connection.id),
    )


def _connection(scope: Scope, connection: Connection) -> Answer:
    return Answer(_shape(scope, connection))


CONNECTIONS = ListSpec(
    route="connections",
    columns="c.id",
    source="exchange_connection c",
    id_column="c.id",
    practice_column="c.practice_id",
    sorts={"created_at": Sort("c.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={"state": Filter("c.state", "text", ("eq", "in")), "definition": Filter("c.definition", "text")},
    build_page=lambda ids, scope: [
        _shape(scope, row) for row in queries.rows_of(Connection, scope=scope, ids=ids)
    ],
)  # fmt: skip


@router.get(
    "/connections",
    summary="List connections",
    needs=READ,
    action="connection.list",
    returns=(200, s.ConnectionOut),
    list_spec=CONNECTIONS,
    example=examples.page(examples.CONNECTION),
)
def list_connections(request: ScopedRequest) -> Answer:
    """The practice's portal accounts, newest first, with state and what to do. Secrets are never returned."""
    return CONNECTIONS.run(request, scope=request.auth)


@router.post(
    "/connections",
    summary="Link a portal account",
    needs=MANAGE,
    action="connection.create",
    returns=(201, s.ConnectionOut),
    problems=(p.ConsentMissing, p.ConnectionExists),
    example=examples.CONNECTION,
    request_example=examples.NEW_CONNECTION,
)
def create_connection(request: ScopedRequest, body: s.ConnectionIn) -> Answer:
    """
    Link a user of the practice's own at a portal.

    The practice confirms that its contract permits automation, and says on what that rests: who, when
    and in which words is kept, here and in the trail. Without it nothing is linked
    (`consent-missing`). Nothing is asked of the portal before a password is given.
    """
    quiet = (body.quiet_hours.from_time, body.quiet_hours.to_time) if body.quiet_hours else ("", "")
    row = services.link(
        scope=request.auth, definition=body.definition, base_url=body.base_url, identity=body.identity,
        permits=body.consent.contract_permits_automation, statement=body.consent.statement, quiet=quiet,
        now=timezone.now(), system_of_record=body.system_of_record, exports_every_hours=body.exports_every_hours,
    )  # fmt: skip
    return _connection(request.auth, row)


@router.get(
    "/connections/{connection_id}",
    summary="Read a connection",
    needs=READ,
    action="connection.read",
    returns=(200, s.ConnectionOut),
    example=examples.CONNECTION,
)
def get_connection(request: ScopedRequest, connection_id: str) -> Answer:
    """One connection: its state, and where it stands still, who has to do what."""
    id = path_id("connection", connection_id)
    return _connection(request.auth, queries.get_connection(scope=request.auth, connection_id=id))


@router.get(
    "/connections/{connection_id}/capabilities",
    summary="What a connection can do",
    needs=READ,
    action="connection.capabilities",
    returns=(200, s.CapabilitiesOut),
    example=examples.CAPABILITIES,
)
def get_capabilities(request: ScopedRequest, connection_id: str) -> Answer:
    """
    Every ability of the definition: whether the portal allows it to this user, whether a breaker is
    open, how fresh its records are, and how well the definition is proven.
    """
    id = path_id("connection", connection_id)
    connection = queries.get_connection(scope=request.auth, connection_id=id)
    return Answer(
        s.capabilities_out(
            connection,
            mirrors=queries.mirrors_of(scope=request.auth, connection_id=id),
            breakers=queries.breakers_of(scope=request.auth, connection_id=id),
            works=connection.state in WORKS,
        )
    )


@router.post(
    "/connections/{connection_id}/secrets",
    summary="Give a password or a TOTP seed",
    needs=MANAGE,
    action="connection.secrets",
    returns=(202, s.ConnectionOut),
    problems=(p.SecretRejectedBefore, StateConflict),
    key="none",
    example=examples.CONNECTION,
    request_example={"password": "what the portal's administrator set"},
)
def give_secrets(request: ScopedRequest, connection_id: str, body: s.SecretsIn) -> Answer:
    """
    Keep what only the portal may learn: sealed, never returned, each use in the trail. Where the
    connection waits for a password, a sign-in is tried at once. A password that the portal has
    rejected is not taken again (`secret-rejected`).
    """
    row = services.give_secrets(
        scope=request.auth, connection_id=path_id("connection", connection_id),
        password=body.password, totp_seed=body.totp_seed, now=timezone.now(),
    )  # fmt: skip
    return _connection(request.auth, row)


@router.post(
    "/connections/{connection_id}/mailbox",
    summary="Connect a mailbox for codes",
    needs=MANAGE,
    action="connection.mailbox",
    returns=(202, s.ConnectionOut),
    problems=(p.ConsentMissing, p.SecretRejectedBefore, StateConflict),
    key="none",
    example=examples.WITH_MAILBOX,
    request_example=examples.NEW_MAILBOX,
)
def connect_mailbox(request: ScopedRequest, connection_id: str, body: s.MailboxIn) -> Answer:
    """
    Let the codes that the portal mails be read by IMAP, in place of asking a person: a mailbox of the
    practice's own, best one that gets nothing else. Where an app or the provider brings the texts of a telephone
    into it, `texts` says so, and codes by text are read there too. Somebody says that it may be read; who, when and in
    which words is kept. TLS only, and public servers only. Nothing in it is changed. Whether it opens is
    tried at once; if not, an attention item says so. Given again, it replaces the one before.
    """
    row = services.connect_mailbox(
        scope=request.auth, connection_id=path_id("connection", connection_id), host=body.host,
        port=body.port, username=body.username, password=body.password,
        permits=body.consent.may_be_read, statement=body.consent.statement, now=timezone.now(),
        texts=services.Texts(body.texts.sender, body.texts.telephone_ends) if body.texts else None,
    )  # fmt: skip
    return _connection(request.auth, row)


@router.delete(
    "/connections/{connection_id}/mailbox",
    summary="Disconnect the mailbox for codes",
    needs=MANAGE,
    action="connection.mailbox_removed",
    returns=(204, None),
    example=None,
)
def disconnect_mailbox(request: ScopedRequest, connection_id: str) -> None:
    """Read the mailbox no more, and erase its password. Codes are asked of a person again."""
    services.disconnect_mailbox(
        scope=request.auth, connection_id=path_id("connection", connection_id), now=timezone.now()
    )


def _do(name: str, words: str, summary: str, deed: Callable[..., Connection], *problems: Any) -> None:
    """Declare a route that does one thing to a whole connection."""

    def view(request: ScopedRequest, connection_id: str) -> Answer:
        id = path_id("connection", connection_id)
        return _connection(request.auth, deed(scope=request.auth, connection_id=id, now=timezone.now()))

    view.__doc__, view.__name__ = words, name.replace("-", "_") + "_connection"
    router.post(
        f"/connections/{{connection_id}}/{name}",
        summary=summary, needs=MANAGE, action=f"connection.{name.replace('-', '_')}",
        returns=(202, s.ConnectionOut), problems=(StateConflict, *problems),
        example=examples.CONNECTION,
    )(view)  # fmt: skip


_do(
    "sign-in",
    "Try one sign-in now: a person says that what stood in the way is done. The answer comes later, as\n"
    "the connection's state, a challenge or an attention item.",
    "Sign in at the portal",
    services.ask_sign_in,
    p.SecretMissing,
)
_do(
    "suspend",
    "Pause a connection: nothing goes out to the portal any more. Secrets, mirror and journal stay.",
    "Pause a connection",
    services.suspend,
)
_do(
    "resume",
    "Take a paused connection up again, beginning with a sign-in.",
    "Take up a paused connection",
    services.resume,
    p.SecretMissing,
)
_do(
    "withdraw",
    "Take the consent back. The session is ended at the portal, secrets and sessions are erased, work\n"
    "stops. Final: another link is another connection. The mirror stays, with its age.",
    "Withdraw the consent",
    services.withdraw,
)
