"""The shapes of connections in the API. No shape has a secret, a session or a code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.access.scope import Scope
from rapport.platform.api.shapes import Input, Instant, Shape, instant, instant_or_none

from . import services
from .models import (
    Artefact,
    AttentionItem,
    Challenge,
    CodeMailbox,
    Connection,
    DriftReport,
    ExportOrder,
    Mirror,
    SyncRun,
    Write,
    WriteHistory,
)
from .rules import matters, rights


class ConsentOut(Struct, kw_only=True):
    """Who said that the practice's contract permits automation, when, and in which words."""

    by_id: str
    at: Instant
    statement: str


class QuietHours(Struct, kw_only=True):
    """Hours in the practice's zone in which no scheduled work is done."""

    from_time: str
    to_time: str


class MailboxTexts(Struct, kw_only=True):
    """A telephone whose texts are brought into the mailbox."""

    sender: str
    telephone_ends: str


class MailboxOut(Struct, kw_only=True):
    """A mailbox that is read for the portal's codes. Its password is never returned."""

    host: str
    port: int
    username: str
    works: bool
    """False: it did not take the password; another one is needed."""
    texts: MailboxTexts | None
    """Null: no telephone's texts come into it, and codes by text are asked of a person."""
    consent: ConsentOut


class ExportOut(Struct, kw_only=True):
    """The last export of a list that was ordered to compare it with."""

    kind: str
    state: str
    """`ordered`, `preparing`, `fetched`, then `agrees`, `differs`, `unreadable` or `failed`."""
    state_changed_at: Instant
    reason: str | None
    asked_at: Instant
    fetched_at: Instant | None
    artefact_id: str | None
    """Its file."""
    rows: int
    unsettled: int
    """Records that changed while it was made: nothing is said of them."""
    differing: int
    """Records that it has otherwise than the list; with the next one that says so it is an attention item."""


class ConnectionOut(Shape):
    """A portal account of the practice."""

    object: Literal["connection"]
    id: str
    definition: str
    revision: int
    level: str | None
    """`uncalibrated`, `bronze`, `silver` or `gold`; null: the definition is not installed here."""
    base_url: str
    identity: dict[str, str]
    state: str
    state_changed_at: Instant
    reason: str | None
    owner: str | None
    """Who can do something about the reason: `practice`, `us` or `wait`."""
    sentence: str | None
    to_do: str | None
    secrets: list[str]
    """Kinds of secrets that are kept; never their values."""
    mailbox: MailboxOut | None
    """Where codes by e-mail, and by text where it says so, are read; null: they are asked of a person."""
    consent: ConsentOut
    quiet_hours: QuietHours | None
    exports_every_hours: int
    """How often the portal's exports are ordered and compared with its lists; 0: never."""
    exports: list[ExportOut]
    """The last one of each list."""
    fresh_as_of: Instant | None
    """The oldest of what the mirror has."""
    version: int
    created_at: Instant
    updated_at: Instant


class CapabilityOut(Struct, kw_only=True):
    """One thing that the definition can do, and whether it can be done now."""

    name: str
    kind: str
    level: str
    permitted: bool | None
    """What the portal allows its user; null: not asked yet."""
    works: bool
    breaker: str | None
    """`auth`, `transport` or `drift`, where one is open."""
    reason: str | None
    attended: bool
    fresh_as_of: Instant | None
    target_seconds: int | None
    late_since: Instant | None


class CapabilitiesOut(Shape):
    """What a connection can do."""

    object: Literal["capabilities"]
    connection_id: str
    connector: str
    """Definition, revision and level: `sandbox-portal/7 (gold)`."""
    data: list[CapabilityOut]


class ChallengeOut(Shape):
    """A second factor that a portal asked for."""

    object: Literal["challenge"]
    id: str
    factor: str
    masked_destination: str | None
    state: str
    tries: int
    issued_at: Instant
    expires_at: Instant
    state_changed_at: Instant


class AttentionOut(Shape):
    """What somebody has to do."""

    object: Literal["attention_item"]
    id: str
    matter: str
    owner: str
    sentence: str
    to_do: str
    capability: str | None
    subject_id: str | None
    """The write or challenge it is about."""
    detail: str | None
    picture_document_id: str | None
    times: int
    opened_at: Instant
    seen_at: Instant
    resolved_at: Instant | None
    resolution: str | None


class RunOut(Shape):
    """One reading of one kind of record."""

    object: Literal["connector_run"]
    id: str
    kind: str
    near: bool
    state: str
    verdict: str | None
    proof: str | None
    reason: str | None
    tier: str | None
    epoch: int
    connector_revision: int
    pieces: int
    checkpoint: int
    pages: int
    rows: int
    created: int
    changed: int
    gone: int
    held: int
    began_at: Instant
    ended_at: Instant | None


class DriftFindingOut(Struct, kw_only=True):
    """One thing that was noticed on a page: names and shapes, no values."""

    place: str
    seen: str
    expected: str
    note: str


class DriftOut(Shape):
    """What a page looked like before and after."""

    object: Literal["drift_report"]
    id: str
    capability: str
    verdict: str
    reason: str | None
    findings: list[DriftFindingOut]
    shape_before: dict[str, Any]
    shape_after: dict[str, Any]
    picture_document_id: str | None
    connector_revision: int
    at: Instant


class WriteSummary(Shape):
    """A write into the portal, without what it says."""

    object: Literal["connector_write"]
    id: str
    ability: str
    patient_id: str | None
    state: str
    state_changed_at: Instant
    reason: str | None
    attended: bool
    approved_at: Instant | None
    remote_id: str | None
    sends: int
    differs: list[str]
    retry_at: Instant | None
    created_at: Instant


class WriteMove(Struct, kw_only=True):
    """One move of a write."""

    state: str
    reason: str | None
    at: Instant


class WriteOut(WriteSummary):
    """A write with both versions, for whoever may see what it is about."""

    values: dict[str, Any] | None
    """What was to be written; null: the actor may not see it."""
    found: dict[str, Any] | None
    """What the portal had in its place when last looked at."""
    message: dict[str, Any] | None
    """The portal's own words when it refused."""
    history: list[WriteMove]


class CarriedOut(Struct, kw_only=True):
    """A claim in a file that the portal sent to a payer."""

    control_number: str
    claim_id: str | None
    """The portal's claim with that number; null: it is not here."""


class ConnectionArtefactOut(Shape):
    """A file of the portal. Its document gives it out, by signed link."""

    object: Literal["artefact"]
    id: str
    ability: str
    remote_id: str
    document_id: str | None
    sha256: str | None
    reason: str | None
    asked_at: Instant
    fetched_at: Instant | None
    claims: list[CarriedOut] | None
    """Of a claim file, the claims in it; null: it is none, it is not here yet, or the actor may not see claims."""


class RefreshOut(Shape):
    """Which readings were asked for."""

    object: Literal["refresh"]
    connection_id: str
    what: list[str]


class ConnectionConsentIn(Input):
    """That the practice may have a program use this account, and on what it rests."""

    contract_permits_automation: bool
    statement: str = Field(min_length=1, max_length=2000)


class QuietIn(Input):
    """Hours in the practice's zone."""

    from_time: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    to_time: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


class ConnectionIn(Input):
    """A portal account to link. Its password is given afterwards."""

    definition: str = Field(min_length=1, max_length=80)
    base_url: str = Field(min_length=1, max_length=300)
    identity: dict[str, str] = Field(max_length=10)
    consent: ConnectionConsentIn
    quiet_hours: QuietIn | None = None
    exports_every_hours: int = Field(
        default=24, ge=0, le=168,
        description="How often the portal's exports are ordered and compared with its lists; 0: never.",
    )
    system_of_record: bool = Field(
        default=False,
        description="From now on the portal is the practice's truth: the tables here mirror it, and what"
        " is written goes there. Not taken back while anything is mirrored.",
    )


class SecretsIn(Input):
    """What only the portal may learn. Write-only."""

    password: str | None = Field(default=None, min_length=1, max_length=500)
    totp_seed: str | None = Field(default=None, min_length=16, max_length=200, pattern=r"^[A-Za-z2-7= ]+$")


class MailboxConsentIn(Input):
    """That the mailbox may be read for codes, said by somebody of the practice."""

    may_be_read: bool
    statement: str = Field(max_length=1000)


class MailboxTextsIn(Input):
    """A telephone of the practice whose texts are brought into the mailbox, by an app or its provider."""

    sender: str = Field(
        min_length=3, max_length=254, pattern=r"^[^@\s]*@[^@\s]+$",
        description="Who brings them: the address that such a mail comes from, or `@host` for all of a host.",
    )  # fmt: skip
    telephone_ends: str = Field(
        pattern=r"^[0-9]{4}$", description="Its last four digits: a code that the portal sent to another number is not looked for."
    )


class MailboxIn(Input):
    """A mailbox of the practice to which the portal sends its codes. The password is write-only."""

    host: str = Field(min_length=1, max_length=253, description="Name of the IMAP server; TLS from the first byte.")
    port: int = Field(default=993, ge=1, le=65535)
    username: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=500)
    texts: MailboxTextsIn | None = Field(default=None, description="None: codes by text are asked of a person.")
    consent: MailboxConsentIn


class AnswerIn(Input):
    """The code that came; none for a push that was approved elsewhere."""

    code: str | None = Field(default=None, min_length=1, max_length=40)


class AttentionResolveIn(Input):
    """How an item was done with; `accepted`: the page is right as it is now."""

    outcome: Literal["done", "accepted"] = "done"


class ConnectionRefreshIn(Input):
    """Kinds to read; none: all."""

    what: list[str] = Field(default_factory=list, max_length=20)


class WriteSettleIn(Input):
    """What a person has seen at the portal."""

    outcome: Literal["happened", "did_not_happen", "dropped"]
    remote_id: str | None = Field(default=None, min_length=1, max_length=200)


class FileIn(Input):
    """Which file to fetch."""

    ability: str = Field(min_length=1, max_length=60)
    remote_id: str = Field(min_length=1, max_length=200)


def connection_out(
    connection: Connection, *, secrets: frozenset[str], mirrors: dict[str, Mirror],
    mailbox: tuple[CodeMailbox, bool] | None, exports: list[ExportOrder],
) -> ConnectionOut:
    """Return the shape of a connection."""
    manifest = services.manifest_of(connection.definition)
    call = matters.CALLS.get(connection.reason)
    fresh = [mirror.fresh_at for mirror in mirrors.values() if mirror.fresh_at]
    quiet = None
    if connection.quiet_from:
        quiet = QuietHours(from_time=connection.quiet_from, to_time=connection.quiet_to)
    return ConnectionOut(
        object="connection", id=type_id("connection", connection.id), definition=connection.definition,
        revision=connection.revision, level=manifest.level if manifest else None,
        base_url=connection.base_url, identity=connection.identity, state=connection.state,
        state_changed_at=instant(connection.state_changed_at), reason=connection.reason or None,
        owner=call.owner.value if call else None, sentence=call.sentence if call else None,
        to_do=call.to_do if call else None, secrets=sorted(secrets),
        mailbox=_mailbox_out(*mailbox) if mailbox else None,
        consent=ConsentOut(
            by_id=type_id("user", connection.consent_by), at=instant(connection.consent_at),
            statement=connection.consent_words,
        ),
        quiet_hours=quiet, exports_every_hours=connection.exports_every_hours,
        exports=[_export_out(one) for one in exports], fresh_as_of=instant_or_none(min(fresh, default=None)),
        version=connection.version, created_at=instant(connection.created_at),
        updated_at=instant(connection.updated_at),
    )  # fmt: skip


def _export_out(row: ExportOrder) -> ExportOut:
    return ExportOut(
        kind=row.kind, state=row.state, state_changed_at=instant(row.state_changed_at), reason=row.reason or None,
        asked_at=instant(row.asked_at), fetched_at=instant_or_none(row.fetched_at),
        artefact_id=type_id("artefact", row.artefact_id) if row.artefact_id else None,
        rows=row.rows, unsettled=row.unsettled, differing=row.differing,
    )  # fmt: skip


def _mailbox_out(row: CodeMailbox, works: bool) -> MailboxOut:
    return MailboxOut(
        host=row.host, port=row.port, username=row.username, works=works,
        texts=MailboxTexts(sender=row.text_sender, telephone_ends=row.text_telephone) if row.text_sender else None,
        consent=ConsentOut(
            by_id=type_id("user", row.consent_by), at=instant(row.consent_at), statement=row.consent_words
        ),
    )  # fmt: skip


def capabilities_out(
    connection: Connection, *, mirrors: dict[str, Mirror], breakers: list[Any], works: bool
) -> CapabilitiesOut:
    """Return what a connection can do: ability, portal's permission, breaker, freshness, level."""
    manifest = services.manifest_of(connection.definition)
    stands = {breaker.capability: breaker for breaker in breakers}
    found = []
    for one in manifest.abilities if manifest else ():
        breaker = stands.get("*") or stands.get(one.name)
        kind = one.name.removesuffix(".read")
        mirror = mirrors.get(kind) if one.kind == "read" else None
        permitted = connection.permitted.get(one.name)
        found.append(
            CapabilityOut(
                name=one.name, kind=one.kind, permitted=permitted,
                level="calibrated" if connection.calibration else one.level,
                works=works and breaker is None and permitted is not False,
                breaker=breaker.kind if breaker else None,
                reason=(breaker.reason if breaker else connection.reason) or None,
                attended=one.attended, fresh_as_of=instant_or_none(mirror.fresh_at if mirror else None),
                target_seconds=services.promised_seconds(connection=connection, kind=kind) if one.kind == "read" else None,
                late_since=instant_or_none(mirror.late_since if mirror else None),
            )
        )  # fmt: skip
    level = manifest.level if manifest else "not installed"
    return CapabilitiesOut(
        object="capabilities", connection_id=type_id("connection", connection.id),
        connector=f"{connection.definition}/{connection.revision} ({level})", data=found,
    )  # fmt: skip


def challenge_out(row: Challenge) -> ChallengeOut:
    """Return the shape of a challenge."""
    return ChallengeOut(
        object="challenge", id=type_id("challenge", row.id), factor=row.factor,
        masked_destination=row.masked_destination or None, state=row.state, tries=row.tries,
        issued_at=instant(row.issued_at), expires_at=instant(row.expires_at),
        state_changed_at=instant(row.state_changed_at),
    )  # fmt: skip


def attention_out(row: AttentionItem) -> AttentionOut:
    """Return the shape of an attention item, with its sentence."""
    call = matters.CALLS[row.matter]
    kind = "connector_write" if row.matter.startswith("write_") else "challenge"
    return AttentionOut(
        object="attention_item", id=type_id("attention_item", row.id), matter=row.matter,
        owner=call.owner.value, sentence=call.sentence, to_do=call.to_do,
        capability=row.capability or None,
        subject_id=type_id(kind, row.subject_id) if row.subject_id else None,
        detail=row.detail or None,
        picture_document_id=type_id("document", row.picture_id) if row.picture_id else None,
        times=row.times, opened_at=instant(row.opened_at), seen_at=instant(row.seen_at),
        resolved_at=instant_or_none(row.resolved_at), resolution=row.resolution or None,
    )  # fmt: skip


def run_out(row: SyncRun) -> RunOut:
    """Return the shape of a reading."""
    return RunOut(
        object="connector_run", id=type_id("connector_run", row.id), kind=row.kind, near=row.near,
        state=row.state, verdict=row.verdict or None, proof=row.proof or None,
        reason=row.reason or None, tier=row.tier or None, epoch=row.epoch,
        connector_revision=row.revision, pieces=len(row.pieces), checkpoint=row.checkpoint,
        pages=row.pages, rows=row.rows, created=row.created, changed=row.changed, gone=row.gone,
        held=row.held, began_at=instant(row.began_at), ended_at=instant_or_none(row.ended_at),
    )  # fmt: skip


def drift_out(row: DriftReport) -> DriftOut:
    """Return the shape of a drift report."""
    return DriftOut(
        object="drift_report", id=type_id("drift_report", row.id), capability=row.capability,
        verdict=row.verdict, reason=row.reason or None,
        findings=[DriftFindingOut(**finding) for finding in row.findings],
        shape_before=row.shape_before, shape_after=row.shape_after,
        picture_document_id=type_id("document", row.picture_id) if row.picture_id else None,
        connector_revision=row.revision, at=instant(row.at),
    )  # fmt: skip


def _write(row: Write) -> dict[str, Any]:
    return {
        "object": "connector_write", "id": type_id("connector_write", row.id), "ability": row.ability,
        "patient_id": type_id("patient", row.patient_id) if row.patient_id else None,
        "state": row.state, "state_changed_at": instant(row.state_changed_at),
        "reason": row.reason or None, "attended": row.attended,
        "approved_at": instant_or_none(row.approved_at), "remote_id": row.remote_id or None,
        "sends": row.sends, "differs": list(row.differs), "retry_at": instant_or_none(row.retry_at),
        "created_at": instant(row.created_at),
    }  # fmt: skip


def write_summary(row: Write) -> WriteSummary:
    """Return a write as lists show it."""
    return WriteSummary(**_write(row))


def write_out(scope: Scope, row: Write, *, history: list[WriteHistory]) -> WriteOut:
    """Return a write; what it says only to those who may see records of its kind."""
    sees = scope.allows(rights.to_see(row.ability))
    body = services.opened(write=row, part="values") if sees else None
    return WriteOut(
        **_write(row),
        values=body["values"] if body else None,
        found=services.opened(write=row, part="found") if sees else None,
        message=services.opened(write=row, part="message") if sees else None,
        history=[
            WriteMove(state=one.state, reason=one.reason or None, at=instant(one.at)) for one in history
        ],
    )


def artefact_out(row: Artefact, *, carried: Sequence[tuple[str, UUID | None]] | None = None) -> ConnectionArtefactOut:
    """Return the shape of a file of the portal, with the claims that it carries to a payer."""
    return ConnectionArtefactOut(
        object="artefact", id=type_id("artefact", row.id), ability=row.ability, remote_id=row.remote_id,
        document_id=type_id("document", row.document_id) if row.document_id else None,
        sha256=row.sha256 or None, reason=row.reason or None, asked_at=instant(row.asked_at),
        fetched_at=instant_or_none(row.fetched_at),
        claims=None if carried is None else [
            CarriedOut(control_number=number, claim_id=type_id("claim", id) if id else None) for number, id in carried
        ],
    )  # fmt: skip


