"""Files of a portal: asked for, or fetched by themselves; kept as documents, known by their digest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from rapport.kernel.problems import FieldError, Invalid, NotFound
from rapport.platform.access.scope import Scope
from rapport.platform.jobs import registry as jobs
from rapport.platform.tenancy.source import NotTakenOver
from rapport.rooms.documents import services as documents
from rapport.rooms.exchange import queries
from rapport.rooms.exchange.models import Artefact, Connection, Shadow
from rapport.rooms.exchange.ports import GotFile, Reason, Trouble
from rapport.rooms.exchange.problems import ConnectionStands, NotPermittedThere
from rapport.rooms.exchange.rules.changes import Origin
from rapport.rooms.exchange.rules.rights import to_see
from rapport.rooms.exchange.states import WORKS

from . import pacing
from .portals import ability_of
from .recipients import hand_file_over

KINDS = {"notes": "clinical_note"}
"""Kind of record -> kind of document, where reading it takes more than other documents."""

PAPERS = {"notes": "notes.pdf"}
"""Kind of record -> its paper, of which there is one for each record that is signed. They come one after the other."""

AGAIN = timedelta(seconds=30)
"""A file that could not be fetched is asked for again after so long, then after twice that, …"""
LONGEST = timedelta(hours=6)
"""… and at least so often."""
PREPARED = timedelta(minutes=10)
"""What the portal still prepares is asked for less and less, and at least so often."""


def want_files(
    *, scope: Scope, connection: Connection, kind: str, again: Collection[str], now: datetime
) -> None:
    """
    Ask for the files of a kind, where it has some (`eras.file`): of each record once, and of what changed.

    A file is asked for when its record is read, so that it comes on the schedule of its list.

    :param again: the portal's ids of records that are other than they were
    """
    fetch_next_paper(scope=scope, connection_id=connection.id, now=now)
    ability = f"{kind}.file"
    if not _is_fetched(connection, ability):
        return
    mine = {"connection_id": connection.id, "ability": ability}
    asked = Artefact.objects.visible_to(scope).filter(remote_id=OuterRef("remote_id"), **mine)
    rows = Shadow.objects.visible_to(scope).filter(
        Q(remote_id__in=list(again)) | ~Exists(asked), connection_id=connection.id, kind=kind,
        gone_at__isnull=True,
    )  # fmt: skip
    Artefact.objects.bulk_create(
        [
            Artefact(practice_id=scope.practice_id, remote_id=row.remote_id, sha256="", asked_at=now, **mine)
            for row in rows
        ],
        ignore_conflicts=True,
    )
    for wanted in queries.wanted_artefacts(scope=scope, connection_id=connection.id, now=now):
        if wanted.ability not in PAPERS.values():
            defer_fetch(scope=scope, artefact=wanted)


def _is_fetched(connection: Connection, ability: str) -> bool:
    can = ability_of(definition=connection.definition, name=ability)
    if can is None or connection.permitted.get(ability) is False:
        return False
    return can.level != "uncalibrated" or bool(connection.calibration)


def want_papers(
    *, scope: Scope, connection_id: UUID, kind: str, about: Mapping[str, UUID], now: datetime
) -> None:
    """
    Ask for the papers of signed records. A practice has thousands, so each begins when the one before is here.

    :param about: the portal's id of a record -> the patient whom its paper is about
    """
    if not about:
        return
    connection, ability = queries.get_connection(scope=scope, connection_id=connection_id), PAPERS[kind]
    if not _is_fetched(connection, ability):
        return
    Artefact.objects.bulk_create(
        [
            Artefact(
                practice_id=scope.practice_id, connection_id=connection.id, ability=ability, remote_id=remote_id,
                sha256="", asked_at=now, patient_id=patient_id,
            )
            for remote_id, patient_id in about.items()
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    fetch_next_paper(scope=scope, connection_id=connection.id, now=now)


def fetch_next_paper(*, scope: Scope, connection_id: UUID, now: datetime) -> None:
    """Have the paper fetched that was asked for first, if one may be tried now."""
    for wanted in queries.wanted_artefacts(scope=scope, connection_id=connection_id, now=now):
        if wanted.ability in PAPERS.values():
            defer_fetch(scope=scope, artefact=wanted)
            return


def ask_for_file(
    *, scope: Scope, connection_id: UUID, ability: str, remote_id: str, now: datetime,
    patient_id: UUID | None = None,
) -> Artefact:
    """
    Ask for a file; a worker fetches it. What is on its way is not asked for twice.

    :raises Forbidden: the actor may not see what is in it
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    scope.require(to_see(ability))
    if connection.state not in WORKS:
        raise ConnectionStands("See its open attention items.", current_state=connection.state)
    can = ability_of(definition=connection.definition, name=ability)
    if can is None or can.kind != "file":
        raise Invalid(
            "The definition has no such file.", errors=(FieldError("/ability", "not-known"),)
        )
    if connection.permitted.get(ability) is False:
        raise NotPermittedThere(portal_permission=ability, reason="not_permitted")
    pacing.require_room(scope=scope, connection=connection, now=now)
    wanted = {"connection_id": connection.id, "ability": ability, "remote_id": remote_id, "sha256": ""}
    row = Artefact(practice_id=scope.practice_id, patient_id=patient_id, asked_at=now, **wanted)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        row = Artefact.objects.visible_to(scope).get(**wanted)
    defer_fetch(scope=scope, artefact=row)
    return row


def link_to_file(
    *, scope: Scope, connection_id: UUID, artefact_id: UUID, seconds: int, single_use: bool, now: datetime
) -> documents.MintedLink:
    """
    Make a link to a fetched file, for whoever may see what it is about.

    :raises NotFound: there is no such file, or it was not fetched yet
    :raises Forbidden: the actor may not see what is in it
    """
    connection = queries.get_connection(scope=scope, connection_id=connection_id)
    row = Artefact.objects.visible_to(scope).filter(
        id=artefact_id, connection_id=connection.id, document_id__isnull=False
    ).first()  # fmt: skip
    if row is None:
        raise NotFound(_sought=[("artefact", artefact_id)])
    return documents.mint_link(
        scope=scope, document_id=row.document_id, seconds=seconds, single_use=single_use, now=now,
        needs=to_see(row.ability),
    )  # fmt: skip


def defer_fetch(*, scope: Scope, artefact: Artefact) -> None:
    """Ask a worker for a file, unless one was asked."""
    jobs.defer(
        "exchange.fetch", scope, queueing_lock=f"fetch:{artefact.id}",
        connection_id=artefact.connection_id, artefact_id=artefact.id,
    )  # fmt: skip


def wanted_file(*, scope: Scope, artefact_id: UUID) -> Artefact | None:
    """Return a file that is still wanted, or None: it is here, or nobody wants it any more."""
    row: Artefact | None = (
        Artefact.objects.visible_to(scope).filter(id=artefact_id, document_id__isnull=True).first()
    )
    return row


def keep_file(*, scope: Scope, artefact_id: UUID, got: GotFile, now: datetime) -> Artefact | None:
    """
    Keep a file as a document and hand it to whoever takes it. The same bytes are kept once, under
    whatever name they come again.

    :return: None when nobody wants it any more
    """
    row = wanted_file(scope=scope, artefact_id=artefact_id)
    if row is None:
        return None
    connection = queries.get_connection(scope=scope, connection_id=row.connection_id, lock=True)
    alike = Artefact.objects.visible_to(scope).filter(
        connection_id=connection.id, ability=row.ability, sha256=sha256(got.content).hexdigest()
    )
    same: Artefact | None = alike.filter(remote_id=row.remote_id).first()
    if same is not None:
        row.delete()
        return same
    other = alike.filter(patient_id=row.patient_id).first()
    if other is not None:
        row.document_id, row.sha256 = other.document_id, other.sha256
    else:
        kind = KINDS.get(row.ability.partition(".")[0], "portal_file")
        document = documents.store(
            scope=scope, patient_id=row.patient_id, kind=kind, data=got.content,
            content_type=got.content_type, now=now,
        )  # fmt: skip
        row.document_id, row.sha256 = document.id, document.sha256
    row.reason, row.retry_at = "", None
    row.page_signature, row.fetched_at = got.page.signature[:300], now
    row.save()
    try:
        with transaction.atomic():
            hand_file_over(
                scope=scope, origin=Origin(connection.id, connection.definition), ability=row.ability,
                document_id=row.document_id, data=got.content, remote_id=row.remote_id, now=now,
            )  # fmt: skip
    except NotTakenOver as reason:
        Artefact.objects.visible_to(scope).filter(id=row.id).update(reason=reason.code[:30])
    scope.trail.target("artefact", row.id)
    return row


def note_no_file(*, scope: Scope, artefact_id: UUID, trouble: Trouble, now: datetime) -> None:
    """Note why a file could not be fetched; it stays wanted, and is asked for again after a while."""
    row = wanted_file(scope=scope, artefact_id=artefact_id)
    if row is None:
        return
    wait = min(AGAIN * 2 ** min(row.tries, 10), LONGEST)
    if trouble.retry_after_seconds is not None:
        wait = timedelta(seconds=trouble.retry_after_seconds)
    if trouble.reason is Reason.NOT_READY:
        wait = min(wait * 2 ** min(row.tries, 10), PREPARED)
    row.reason, row.tries, row.retry_at = trouble.reason.value, row.tries + 1, now + wait
    row.save(update_fields=["reason", "tries", "retry_at"])
