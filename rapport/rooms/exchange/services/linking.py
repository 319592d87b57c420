"""What a practice does with a connection: link, give secrets, try again, pause, withdraw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from rapport.kernel.problems import FieldError, Invalid, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.crypto import aead
from rapport.platform.jobs import registry as jobs
from rapport.platform.net.addresses import UrlNotAllowed, check_url
from rapport.platform.tenancy import services as tenancy
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import (
    Artefact,
    AttentionItem,
    Challenge,
    Connection,
    Mirror,
    Write,
)
from rapport.rooms.exchange.ports import Reason
from rapport.rooms.exchange.problems import (
    ConnectionExists,
    ConsentMissing,
    SecretMissing,
)
from rapport.rooms.exchange.rules import canonical
from rapport.rooms.exchange.rules.matters import DRIFT, STOPS
from rapport.rooms.exchange.states import (
    Action,
    ChallengeState,
    ConnectionState,
    WriteState,
)

from . import attention, breakers, pacing, sessions, vault
from .mailbox import forget_mailbox
from .portals import manifest_of
from .signing_in import seal_code

CONSENT_LEAST = 20
"""Fewer letters are no statement."""


def _fault(pointer: str, code: str, detail: str = "") -> Invalid:
    return Invalid("1 field is not valid.", errors=(FieldError(pointer, code, detail),))


def link(
    *, scope: Scope, definition: str, base_url: str, identity: Mapping[str, str], permits: bool,
    statement: str, quiet: tuple[str, str], now: datetime, system_of_record: bool = False,
    exports_every_hours: int = 24,
) -> Connection:
    """
    Link a portal account of the practice. Nothing is asked of the portal before there is a password.

    :param system_of_record: the portal is the practice's truth from now on
    :param exports_every_hours: how often the portal's exports are ordered and compared with its lists; 0: never
    :raises ConsentMissing: nobody said that the practice's contract permits automation
    :raises ConnectionExists: the account is connected already
    :raises Invalid: no such definition here, an address that leads inside, or a part of the identity is missing
    """
    scope.require(Permission.CONNECTIONS_MANAGE)
    if not permits or len(statement) < CONSENT_LEAST:
        raise ConsentMissing(
            "Set contract_permits_automation to true, and say in a sentence on what it rests.",
            errors=(FieldError("/consent", "required"),), reason="no_consent",
        )  # fmt: skip
    manifest = manifest_of(definition)
    if manifest is None:
        raise _fault("/definition", "not-known", "This installation has no such definition.")
    try:
        check_url(base_url, local=not scope.livemode)
    except UrlNotAllowed as error:
        raise _fault("/base_url", "url-not-allowed", str(error)) from error
    missing = [name for name in manifest.identity_fields if not identity.get(name)]
    if missing:
        raise Invalid(
            f"{len(missing)} field(s) are not valid.",
            errors=tuple(FieldError(f"/identity/{name}", "required") for name in missing),
        )
    strange = sorted(set(identity) - set(manifest.identity_fields))
    if strange:
        # A name that is not asked for may be a password in the wrong place: it is not kept.
        raise _fault("/identity", "unknown-field", "Only what the definition asks for.")
    host = base_url.rstrip("/").lower()
    account = canonical.dump({"definition": definition, "host": host, "identity": dict(identity)})
    row = Connection(
        practice_id=scope.practice_id, definition=definition, revision=manifest.revision,
        base_url=base_url.rstrip("/"), identity=dict(identity),
        account_digest=aead.blind_index(account.decode(), context="exchange_account"),
        # A person consents, also where a program of theirs asks.
        consent_by=scope.user_id or scope.actor_id, consent_at=now, consent_words=statement,
        quiet_from=quiet[0], quiet_to=quiet[1], exports_every_hours=exports_every_hours, state_changed_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise ConnectionExists(reason="connection_exists") from error
    pacing.set_pace(scope=scope, connection=row, manifest=manifest, now=now)
    if system_of_record:
        tenancy.connect(scope=scope, now=now)
    scope.trail.target("connection", row.id, row.version)
    scope.trail.extra.append(
        {
            "action": "connection.consent", "reason": statement[:200], "target_type": "connection",
            "target_id": row.id, "target_version": row.version,
        }
    )  # fmt: skip
    return row


def give_secrets(
    *, scope: Scope, connection_id: UUID, password: str | None, totp_seed: str | None, now: datetime
) -> Connection:
    """
    Keep secrets, sealed. A new password is tried at once where the connection waits for one.

    :raises SecretRejectedBefore: the portal rejected this very value
    """
    scope.require(Permission.CONNECTIONS_MANAGE)
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    _refuse_withdrawn(connection)
    given = {"password": password, "totp_seed": totp_seed}
    for kind, value in given.items():
        if value:
            vault.keep_secret(scope=scope, connection=connection, kind=kind, value=value, now=now)
    scope.trail.changed = sorted(kind for kind, value in given.items() if value)
    if password and connection.state in (ConnectionState.LINKING, ConnectionState.ATTENTION):
        _try_again(scope, connection, now)
    return connection


def ask_sign_in(*, scope: Scope, connection_id: UUID, now: datetime) -> Connection:
    """
    Let one sign-in be tried: a person says that what stood in the way is done.

    :raises SecretMissing: there is no password, or only the one that was rejected
    """
    scope.require(Permission.CONNECTIONS_MANAGE)
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    if not connection.allows(Action.TRY_AGAIN):
        raise StateConflict("It is paused or withdrawn.", current_state=connection.state)
    if vault.usable(scope=scope, connection_id=connection.id) is None:
        raise SecretMissing(reason="secret_missing")
    _try_again(scope, connection, now)
    return connection


def _try_again(scope: Scope, connection: Connection, now: datetime) -> None:
    if connection.state == ConnectionState.ATTENTION:
        connection.move(Action.TRY_AGAIN, by=scope.actor_id, at=now)
    breakers.let_one_through(scope=scope, connection=connection, now=now)
    _drop_challenges(scope, connection, now)
    jobs.defer(
        "exchange.sign_in", scope, queueing_lock=f"sign-in:{connection.id}",
        connection_id=connection.id, cause="person",
    )  # fmt: skip


def _drop_challenges(scope: Scope, connection: Connection, now: datetime) -> None:
    """Another sign-in makes the factors that an earlier one waits for worthless."""
    rows = Challenge.objects.visible_to(scope).filter(
        connection_id=connection.id, state__in=[ChallengeState.OPEN, ChallengeState.ANSWERED]
    )
    for row in rows:
        row.move(ChallengeState.EXPIRED, at=now, resume_sealed=None, code_sealed=None)
        attention.went_away(
            scope=scope, connection=connection, matters=[Reason.SECOND_FACTOR_NEEDED], now=now,
            subject_id=row.id,
        )  # fmt: skip


def suspend(*, scope: Scope, connection_id: UUID, now: datetime) -> Connection:
    """Pause a connection: nothing goes out, secrets and mirror stay."""
    scope.require(Permission.CONNECTIONS_MANAGE)
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    connection.move(Action.SUSPEND, by=scope.actor_id, at=now)
    return connection


def resume(*, scope: Scope, connection_id: UUID, now: datetime) -> Connection:
    """Take up a paused connection, with a sign-in. :raises SecretMissing: there is no usable password"""
    scope.require(Permission.CONNECTIONS_MANAGE)
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    if connection.state != ConnectionState.SUSPENDED:
        raise StateConflict("Only a paused connection is taken up.", current_state=connection.state)
    if vault.usable(scope=scope, connection_id=connection.id) is None:
        raise SecretMissing(reason="secret_missing")
    connection.move(Action.RESUME, by=scope.actor_id, at=now)
    _try_again(scope, connection, now)
    return connection


def withdraw(*, scope: Scope, connection_id: UUID, now: datetime) -> Connection:
    """
    Take the consent back: work ends, secrets are erased, the session is ended at the portal.

    The mirror stays: it is part of the practice's record, with its age. Final; a write that may
    have left keeps its place in the journal and is not looked for any more.
    """
    scope.require(Permission.CONNECTIONS_MANAGE)
    # Writes first, then the connection: the journal locks in this order.
    writes = list(
        Write.objects.visible_to(scope)
        .select_for_update()
        .filter(connection_id=connection_id, state__in=[WriteState.INTENDED, WriteState.ARMED])
    )
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    connection.move(Action.WITHDRAW, by=scope.actor_id, at=now)
    forget_mailbox(scope=scope, connection=connection, now=now)
    erased = vault.erase_secrets(scope=scope, connection=connection)
    Connection.objects.visible_to(scope).filter(id=connection.id).update(calibration={})
    _drop_challenges(scope, connection, now)
    for write in writes:
        write.move(WriteState.REFUSED, by=scope.actor_id, at=now, reason="withdrawn")
    AttentionItem.objects.visible_to(scope).filter(
        connection_id=connection.id, resolved_at__isnull=True
    ).update(resolved_at=now, resolved_by=scope.actor_id, resolution="dropped")
    Artefact.objects.visible_to(scope).filter(connection_id=connection.id, document_id=None).delete()
    scope.trail.count = erased
    jobs.defer(
        "exchange.sign_out", scope, queueing_lock=f"sign-out:{connection.id}", connection_id=connection.id
    )
    return connection


def _refuse_withdrawn(connection: Connection) -> None:
    if connection.state == ConnectionState.WITHDRAWN:
        raise StateConflict("It was withdrawn. Make a new connection.", current_state=connection.state)


def answer_challenge(
    *, scope: Scope, connection_id: UUID, challenge_id: UUID, code: str | None, now: datetime
) -> Challenge:
    """
    Give the code of a challenge; it is typed by a worker, and forgotten.

    :param code: None: look whether the push was approved
    :raises StateConflict: it is settled, too late, or an answer is under way
    """
    scope.require(Permission.CONNECTIONS_MANAGE)
    challenge = queries.get_challenge(
        scope=scope, connection_id=connection_id, challenge_id=challenge_id, lock=True
    )
    if challenge.expires_at <= now:
        raise StateConflict("It is too late for this one. Sign in again.", current_state="expired")
    moved = challenge.state == ChallengeState.OPEN and challenge.move(
        ChallengeState.ANSWERED, at=now, answered_by=scope.actor_id,
        code_sealed=seal_code(challenge=challenge, code=code) if code else None,
    )  # fmt: skip
    if not moved:
        raise StateConflict("It is not open.", current_state=challenge.state)
    jobs.defer(
        "exchange.answer_challenge", scope, queueing_lock=f"answer:{challenge.id}",
        connection_id=connection_id, challenge_id=challenge.id,
    )  # fmt: skip
    return challenge


def resolve(
    *, scope: Scope, connection_id: UUID, item_id: UUID, outcome: str, now: datetime
) -> AttentionItem:
    """
    Say that an attention item is done with.

    :param outcome: `done`; or of drift `accepted`: the page is right as it is now, and the next
        reading is what later ones are compared with
    :raises StateConflict: it is resolved, or asks for something else than this
    """
    scope.require(Permission.CONNECTIONS_MANAGE)
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    item = queries.get_item(scope=scope, connection_id=connection_id, item_id=item_id, lock=True)
    if item.resolved_at is not None:
        raise StateConflict("It is resolved.", current_state="resolved")
    if item.matter.startswith("write_to"):
        raise StateConflict("Approve or settle the write itself.", current_state="open")
    if item.matter in STOPS and connection.allows(Action.TRY_AGAIN):
        if item.matter == Reason.SECOND_FACTOR_NEEDED:
            raise StateConflict("Answer the challenge, or sign in again.", current_state="open")
        ask_sign_in(scope=scope, connection_id=connection.id, now=now)
    if item.matter in DRIFT and outcome == "accepted":
        _accept_page(scope, connection, item, now)
    item.resolved_at, item.resolved_by, item.resolution = now, scope.actor_id, outcome
    item.save(update_fields=["resolved_at", "resolved_by", "resolution"])
    scope.trail.target("attention_item", item.id)
    scope.trail.reason = f"{item.matter}:{outcome}"
    return item


def _accept_page(scope: Scope, connection: Connection, item: AttentionItem, now: datetime) -> None:
    kind = item.capability.removesuffix(".read")
    Mirror.objects.visible_to(scope).filter(connection_id=connection.id, kind=kind).update(
        shape={}, coverage={}, fingerprint=""
    )
    breakers.close_breaker(
        scope=scope, connection=connection, kind="drift", capability=item.capability, now=now
    )


def calibrate(
    *, scope: Scope, connection_id: UUID, calibration: Mapping[str, Any], now: datetime
) -> Connection:
    """Keep what calibrating found for this practice: the names of its labels and columns, no values."""
    scope.require(Permission.CONNECTIONS_MANAGE)
    connection = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    _refuse_withdrawn(connection)
    connection.calibration, connection.updated_at = dict(calibration), now
    connection.version += 1
    connection.save(update_fields=["calibration", "updated_at", "version"])
    scope.trail.changed = ["calibration"]
    return connection


def note_probe(*, scope: Scope, connection_id: UUID, permitted: Mapping[str, bool], now: datetime) -> None:
    """
    Remember what the portal's user may do, as it was found by asking.

    A no to what is not asked about here is forgotten: the next use of it asks again.
    """
    row = queries.get_connection(scope=scope, connection_id=connection_id, lock=True)
    known = {name: may for name, may in row.permitted.items() if may}
    Connection.objects.visible_to(scope).filter(id=row.id).update(
        permitted={**known, **permitted}, probed_at=now
    )
    allowed = [name for name, may in permitted.items() if may]
    for name in allowed:
        attention.went_away(
            scope=scope, connection=row, matters=[Reason.NOT_PERMITTED], now=now, capability=name
        )


def forget_session(*, scope: Scope, connection_id: UUID) -> None:
    """Erase what is left of a session after it was ended at the portal, or could not be."""
    sessions.forget(scope=scope, connection_id=connection_id)
