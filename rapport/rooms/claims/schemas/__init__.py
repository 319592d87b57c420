"""The shapes of claims in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.handed_on import WriteRef
from rapport.platform.api.shapes import (
    Day,
    Input,
    Instant,
    MoneyOut,
    Shape,
    Source,
    instant,
    instant_or_none,
    source_of,
)
from rapport.rooms.claims.at_source import Wanted
from rapport.rooms.claims.models import (
    Acknowledgement,
    Channel,
    Claim,
    ClaimAttachment,
    ClaimHistory,
    ClaimLine,
)
from rapport.rooms.claims.queries import Asked, Sent

from .inquiries import StatusInquiryOut, inquiry_out
from .papers import AttachmentOut, attachment_out


class FindingOut(Struct):
    """One fault of a claim: where it is mended, and its X12 position."""

    code: str
    severity: str
    pointer: str
    position: str
    message: str


class LineOut(Struct, kw_only=True):
    """One service of a claim."""

    id: str
    position: int
    appointment_id: str
    note_id: Annotated[str | None, Meta(description="null: the portal's claim, and it does not say.")]
    service_on: Day
    service_code: str
    modifiers: list[str]
    place_of_service_code: str
    units: int
    charge: MoneyOut
    diagnosis_pointers: list[int]
    control_number: str
    rate_rule: str
    authorization_id: Annotated[str | None, Meta(description="The authorisation that it uses.")]


class SubmissionOut(Struct, kw_only=True):
    """One file that the claim is in: frozen, with what became of it."""

    id: str
    channel_id: str
    attempt: int
    in_batch: Annotated[bool, Meta(description="Whether other claims are in the same file.")]
    set_number: Annotated[int, Meta(description="ST02 of the claim's transaction set.")]
    first_position: Annotated[int, Meta(description="Of the claim's first segment in the set, as a 999 counts: ST is 1.")]
    last_position: int
    state: str
    interchange_number: str
    group_number: int
    sha256: str
    size: int
    substitutions: int
    receipt: str | None
    last_code: str | None
    created_at: Instant
    state_changed_at: Instant
    retry_at: Instant | None


class AcknowledgementOut(Struct, kw_only=True):
    """What one answer said of the claim."""

    kind: str
    """TA1, 999 or 277CA."""
    verdict: str
    codes: list[dict[str, Any]]
    source: str | None
    submission_id: str
    received_at: Instant


class HistoryOut(Struct, kw_only=True):
    """One move of the claim."""

    action: str
    state: str
    at: Instant
    detail: str | None


class ArtefactOut(Struct, kw_only=True):
    """A file that can be had of the claim, by Accept header on the claim itself."""

    kind: str
    media_type: str
    url: str


class ClaimSummary(Shape):
    """A claim in a list."""

    object: Literal["claim"]
    id: str
    state: str
    state_changed_at: Instant
    patient_id: str
    clinician_id: Annotated[str | None, Meta(description="null: the portal's claim, and it does not say.")]
    policy_id: Annotated[str | None, Meta(description="null: the portal's claim, and it does not say.")]
    payer_id: str
    channel_id: str | None
    original_claim_id: str | None
    format: str
    frequency: str
    rank: str
    control_number: str
    payer_claim_number: str | None
    service_from_on: Day
    service_to_on: Day
    charge: MoneyOut
    paid: Annotated[MoneyOut, Meta(description="What the payer paid for it so far.")]
    file_by_on: Annotated[Day | None, Meta(description="Last day on which the payer takes it; null: no limit is known.")]
    findings: list[FindingOut]
    source: Source
    version: int
    created_at: Instant
    updated_at: Instant


class ClaimOut(ClaimSummary):
    """A claim with everything that is known of it."""

    place_of_service_code: str
    diagnosis_codes: list[str]
    hold_reason: str | None
    rules: Annotated[
        list[dict[str, Any]],
        Meta(
            description="What the practice's own rules did, and its word on the payer (`claim-profile/…`), with their"
            " version: [{rule_id, version, do, text, modifier, lines}]; lines count from 0."
        ),
    ]
    attachments: list[AttachmentOut]
    lines: list[LineOut]
    submissions: list[SubmissionOut]
    acknowledgements: list[AcknowledgementOut]
    status_inquiries: list[StatusInquiryOut]
    history: list[HistoryOut]
    artefacts: list[ArtefactOut]


class ChannelOut(Shape):
    """A way to the payers. Its secret is never returned."""

    object: Literal["channel"]
    id: str
    name: str
    kind: str
    settings: dict[str, Any]
    has_secret: bool
    active: bool
    last_fetched_at: Instant | None
    last_control_number: int
    """ISA13 of the last file; numbers are never used again."""
    version: int
    created_at: Instant
    updated_at: Instant


class ClaimIn(Input):
    """Which services to bill, and to whom."""

    appointment_ids: list[str] = Field(min_length=1, max_length=50)
    policy_id: str | None = None
    format: Literal["837p", "cms1500"] = "837p"
    frequency: Literal["original", "replacement", "void"] = "original"
    original_claim_id: str | None = None
    channel_id: str | None = None


class HoldIn(Input):
    """Why the claim is held; without a reason it is let go again."""

    reason: str | None = Field(default=None, max_length=200)


class ClaimReopenIn(Input):
    """Why a claim that was sent is opened again."""

    reason: str = Field(min_length=3, max_length=200, description="No patient's data, please.")


class FindingOverrideIn(Input):
    """Which finding somebody answers for, and why."""

    code: str = Field(min_length=1, max_length=40)
    reason: str = Field(min_length=3, max_length=200, description="No patient's data, please.")
class CarriedIn(Input):
    """What the payer or clearinghouse calls what was carried there."""

    reference: str | None = Field(default=None, max_length=100)


class DoubtIn(Input):
    """What a person saw at the clearinghouse."""

    arrived: bool = Field(description="false: it is certainly not there. It is sent again as it is.")
    reference: str | None = Field(default=None, max_length=100, description="What it is called there.")


class ChannelSettings(Input):
    """How the other side is reached, and the names in the envelope."""

    base_url: str | None = Field(
        default=None, max_length=300, description="`stedi` and `claim_md`: without it, the public address.",
    )
    answers_url: str | None = Field(
        default=None, max_length=300, description="`stedi`: where transactions are listed and fetched.",
    )
    host: str | None = Field(default=None, max_length=200)
    port: int | None = Field(default=None, ge=1, le=65535)
    user: str | None = Field(default=None, max_length=100)
    host_key: str | None = Field(default=None, max_length=2000)
    keeps_received_in: list[str] | None = Field(default=None, max_length=5)
    sender_id: str = Field(min_length=1, max_length=15, pattern=r"^[A-Z0-9]+$")
    sender_qualifier: str = Field(default="ZZ", pattern=r"^[A-Z0-9]{2}$")
    receiver_id: str = Field(min_length=1, max_length=15, pattern=r"^[A-Z0-9]+$")
    receiver_qualifier: str = Field(default="ZZ", pattern=r"^[A-Z0-9]{2}$")
    receiver_name: str = Field(min_length=1, max_length=60)


class ChannelIn(Input):
    """A new way to the payers."""

    name: str = Field(min_length=1, max_length=100)
    kind: Literal["http", "stedi", "claim_md", "sftp", "download", "portal"] = Field(
        description="`stedi` and `claim_md` are unverified: made from public documentation, never used with an account there.",
    )
    settings: ChannelSettings
    secret: str | None = Field(default=None, max_length=500)


class ChannelChange(Input):
    """What to change."""

    name: str | None = Field(default=None, min_length=1, max_length=100)
    settings: ChannelSettings | None = None
    secret: str | None = Field(default=None, max_length=500)
    active: bool | None = None
    last_control_number: int | None = Field(default=None, ge=0, le=999_999_999)
    """After a restore: the last number that the other side has seen. Upwards only."""


def _public(kind: str, id: UUID | None) -> str | None:
    return None if id is None else type_id(kind, id)


def _common(claim: Claim, paid_cents: int) -> dict[str, Any]:
    updated = instant(claim.updated_at)
    return {
        "object": "claim",
        "id": type_id("claim", claim.id),
        "state": claim.state,
        "state_changed_at": instant(claim.state_changed_at),
        "patient_id": type_id("patient", claim.patient_id),
        "clinician_id": _public("clinician", claim.clinician_id),
        "policy_id": _public("insurance_policy", claim.policy_id),
        "payer_id": type_id("payer", claim.payer_id),
        "channel_id": _public("channel", claim.channel_id),
        "original_claim_id": _public("claim", claim.original_id),
        "format": claim.format,
        "frequency": claim.frequency,
        "rank": claim.rank,
        "control_number": claim.control_number,
        "payer_claim_number": claim.payer_claim_number or None,
        "service_from_on": claim.service_from_on,
        "service_to_on": claim.service_to_on,
        "charge": MoneyOut(claim.charge_cents),
        "paid": MoneyOut(paid_cents),
        "file_by_on": claim.file_by_on,
        "findings": [FindingOut(**finding) for finding in claim.findings],
        "source": source_of(
            claim.source_system, claim.source_remote_id, claim.source_as_of, updated
        ),
        "version": claim.version,
        "created_at": instant(claim.created_at),
        "updated_at": updated,
    }


def claim_summary(claim: Claim, *, paid_cents: int) -> ClaimSummary:
    """Return a claim as a list shows it."""
    return ClaimSummary(**_common(claim, paid_cents))


class ClaimAskedOut(Shape):
    """A claim that is being made where the practice's claims are kept (202)."""

    object: Literal["claim"]
    id: None
    patient_id: str
    clinician_id: str
    policy_id: str
    payer_id: str
    service_from_on: Day
    service_to_on: Day
    write: WriteRef


def asked_out(wanted: Wanted, *, write: WriteRef) -> ClaimAskedOut:
    """Return a claim as it was asked for."""
    return ClaimAskedOut(
        object="claim", id=None, patient_id=type_id("patient", wanted.patient_id),
        clinician_id=type_id("clinician", wanted.clinician_id),
        policy_id=type_id("insurance_policy", wanted.policy_id), payer_id=type_id("payer", wanted.payer_id),
        service_from_on=wanted.on, service_to_on=wanted.on, write=write,
    )  # fmt: skip


class ClaimSubmittedOut(ClaimOut):
    """A claim that was asked to be sent."""

    write: Annotated[
        WriteRef | None,
        Meta(description="Of a connected practice: the write into its portal, which a person approves first."),
    ]


def submitted_out(shape: ClaimOut, *, write: WriteRef | None) -> ClaimSubmittedOut:
    """Return a claim that was asked to be sent."""
    return ClaimSubmittedOut(**{name: getattr(shape, name) for name in shape.__struct_fields__}, write=write)


def claim_out(
    claim: Claim, *, paid_cents: int, lines: list[ClaimLine], submissions: list[Sent],
    acknowledgements: list[Acknowledgement], inquiries: list[Asked], history: list[ClaimHistory],
    attachments: list[ClaimAttachment],
) -> ClaimOut:  # fmt: skip
    """Return a claim whole."""
    shown = type_id("claim", claim.id)
    artefacts = [
        ArtefactOut(kind="cms1500", media_type="application/pdf", url=f"/v1/claims/{shown}"),
        ArtefactOut(kind="837p", media_type="application/edi-x12", url=f"/v1/claims/{shown}"),
    ]
    return ClaimOut(
        **_common(claim, paid_cents),
        place_of_service_code=claim.place_of_service_code,
        diagnosis_codes=list(claim.diagnosis_codes),
        hold_reason=claim.hold_reason or None,
        rules=list(claim.told_by_rules),
        attachments=[attachment_out(paper) for paper in attachments],
        lines=[_line(line) for line in lines],
        submissions=[_submission(submission) for submission in submissions],
        acknowledgements=[
            AcknowledgementOut(
                kind=ack.kind, verdict=ack.verdict, codes=ack.codes, source=ack.source or None,
                submission_id=type_id("submission", ack.submission_id),
                received_at=instant(ack.received_at),
            )
            for ack in acknowledgements
        ],
        status_inquiries=[inquiry_out(asked) for asked in inquiries],
        history=[
            HistoryOut(action=h.action, state=h.state, at=instant(h.at), detail=h.detail or None)
            for h in history
        ],
        artefacts=[] if claim.mirrored else artefacts,
    )  # fmt: skip


def _line(line: ClaimLine) -> LineOut:
    return LineOut(
        id=type_id("claim_line", line.id),
        position=line.position,
        appointment_id=type_id("appointment", line.appointment_id),
        note_id=_public("clinical_note", line.note_id),
        service_on=line.service_on,
        service_code=line.service_code,
        modifiers=list(line.modifiers),
        place_of_service_code=line.place_of_service_code,
        units=line.units,
        charge=MoneyOut(line.charge_cents),
        diagnosis_pointers=list(line.diagnosis_pointers),
        control_number=line.control_number,
        rate_rule=line.rate_rule,
        authorization_id=type_id("authorization", line.authorization_id) if line.authorization_id else None,
    )


def _submission(sent: Sent) -> SubmissionOut:
    row = sent.submission
    return SubmissionOut(
        id=type_id("submission", row.id),
        channel_id=type_id("channel", row.channel_id),
        attempt=sent.row.attempt,
        in_batch=row.claim_id is None,
        set_number=sent.row.set_number,
        first_position=sent.row.first_position,
        last_position=sent.row.last_position,
        state=row.state,
        interchange_number=f"{row.interchange_number:09}",
        group_number=row.group_number,
        sha256=row.sha256,
        size=row.size,
        substitutions=row.substitutions,
        receipt=row.receipt or None,
        last_code=row.last_code or None,
        created_at=instant(row.created_at),
        state_changed_at=instant(row.state_changed_at),
        retry_at=instant_or_none(row.retry_at),
    )


def channel_out(channel: Channel) -> ChannelOut:
    """Return a channel without its secret."""
    return ChannelOut(
        object="channel",
        id=type_id("channel", channel.id),
        name=channel.name,
        kind=channel.kind,
        settings=channel.settings,
        has_secret=channel.secret_sealed is not None,
        active=channel.active,
        last_fetched_at=instant_or_none(channel.last_fetched_at),
        last_control_number=channel.last_interchange,
        version=channel.version,
        created_at=instant(channel.created_at),
        updated_at=instant(channel.updated_at),
    )

