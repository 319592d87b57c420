"""Claims over HTTP. A view turns a request into one service call, and does nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from rapport.kernel.outcomes import Done, Refused
from rapport.kernel.problems import NotAcceptable, NotAtSource, ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags, handed_on
from rapport.platform.api.lists import Filter, ListSpec, Sort
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, Nothing, path_id
from rapport.rooms.claims import at_source, examples, queries, services
from rapport.rooms.claims import schemas as s
from rapport.rooms.claims.models import Acknowledgement, Channel, ClaimHistory
from rapport.rooms.claims.paper import cms1500
from rapport.rooms.claims.queries import desk

from .base import X12, router

PDF = "application/pdf"


def whole(scope: Scope, claim_id: UUID, *, status: int | None = None) -> Answer:
    claim = queries.get_claim(scope=scope, claim_id=claim_id)
    mine = {"claim_id": claim.id}
    return Answer(
        s.claim_out(
            claim,
            paid_cents=queries.paid_for(scope=scope, claims=[claim])[claim.id],
            lines=queries.lines_of(scope=scope, claim_id=claim.id),
            submissions=queries.submissions_of(scope=scope, claim_id=claim.id),
            acknowledgements=list(
                Acknowledgement.objects.visible_to(scope).filter(**mine).order_by("received_at", "id")
            ),
            inquiries=queries.inquiries_of(scope=scope, claim_id=claim.id),
            attachments=desk.attachments_of(scope=scope, claim_ids=[claim.id]).get(claim.id, []),
            history=list(ClaimHistory.objects.visible_to(scope).filter(**mine).order_by("at", "id")),
        ),
        etag=etags.of(claim.id, claim.version),
        status=status,
    )


def _page(ids: Sequence[UUID], scope: Scope) -> list[s.ClaimSummary]:
    claims = queries.claims_of(scope=scope, claim_ids=ids)
    paid = queries.paid_for(scope=scope, claims=claims)
    return [s.claim_summary(claim, paid_cents=paid[claim.id]) for claim in claims]


CLAIMS = ListSpec(
    route="claims",
    columns="c.id",
    source="claims_claim c",
    id_column="c.id",
    practice_column="c.practice_id",
    sorts={
        "created_at": Sort("c.created_at", "timestamptz"),
        "updated_at": Sort("c.updated_at", "timestamptz"),
        "service_from_on": Sort("c.service_from_on", "date"),
    },
    default_sort="-created_at",
    filters={
        "state": Filter("c.state", "text", ("eq", "in")),
        "patient_id": Filter("c.patient_id", "id:patient"),
        "payer_id": Filter("c.payer_id", "id:payer"),
        "clinician_id": Filter("c.clinician_id", "id:clinician"),
        "service_from_on": Filter("c.service_from_on", "date", ("gte", "lt")),
        "file_by_on": Filter("c.file_by_on", "date", ("gte", "lt")),
        "updated_at": Filter("c.updated_at", "instant", ("gte", "lt")),
        "appointment_id": Filter(
            "", "id:appointment",
            condition="EXISTS (SELECT 1 FROM claims_claimline l WHERE l.practice_id = c.practice_id"
            " AND l.claim_id = c.id AND l.appointment_id = {value})",
        ),
    },
    build_page=_page,
)  # fmt: skip


def _created_at_source(request: ScopedRequest, body: s.ClaimIn) -> Answer:
    scope = request.auth
    wanted = at_source.create(scope=scope, body=body, now=timezone.now(), key=handed_on.key_of(request))
    how = handed_on.HandedOn(
        status=201, show=lambda id: whole(scope, id), asked=lambda write: s.asked_out(wanted, write=write),
        wait=at_source.wait, pointers=at_source.POINTERS,
        take_over=lambda house, done: at_source.mirror_done(scope=house, outcome=done, now=timezone.now()),
    )  # fmt: skip
    return handed_on.answer(request, wanted.outcome, how=how)


def _submitted(scope: Scope, claim_id: UUID, write: handed_on.WriteRef | None) -> Answer:
    answer = whole(scope, claim_id)
    answer.body = s.submitted_out(answer.body, write=write)
    return answer


def _submitted_at_source(request: ScopedRequest, id: UUID) -> Answer:
    """Nobody can wait for a person who approves: it is noted, and that is said."""
    scope = request.auth
    outcome = at_source.submit(
        scope=scope, claim_id=id, if_match=request.edge.if_match, now=timezone.now(), key=handed_on.key_of(request)
    )
    if isinstance(outcome, Refused):
        raise handed_on.refusal(outcome, {})
    if isinstance(outcome, Done):
        at_source.mirror_done(scope=scope, outcome=outcome, now=timezone.now())
        return _submitted(scope, id, handed_on.WriteRef(outcome.write_id, handed_on.CONFIRMED))
    return _submitted(scope, id, handed_on.WriteRef(outcome.write_id, outcome.state))


@router.get(
    "/claims",
    summary="List claims",
    needs=Permission.CLAIMS_READ,
    action="claim.list",
    returns=(200, s.ClaimSummary),
    list_spec=CLAIMS,
    example=examples.page(examples.SUMMARY),
)
def list_claims(request: ScopedRequest) -> Answer:
    """
    The practice's claims, newest first. `state=rejected` is the rejection queue, `state=unknown`
    what waits until it is known whether the file arrived; `file_by_on[lt]` finds those whose payer's time limit is near.
    """
    return CLAIMS.run(request, scope=request.auth)


@router.post(
    "/claims",
    summary="Assemble a claim",
    needs=Permission.CLAIMS_WRITE,
    action="claim.create",
    returns=(201, s.ClaimOut),
    key="required",
    key_days=30,
    problems=(services.DuplicateClaim, services.OtherSubmitter, ReferenceNotFound, StateConflict, *handed_on.PROBLEMS),
    connected="port",
    accepted=(s.ClaimAskedOut, examples.ASKED),
    example=examples.CLAIM,
    request_example={"appointment_ids": ["appt_01h455vb4pex5vsknk084sn031"]},
)
def create_claim(request: ScopedRequest, body: s.ClaimIn) -> Answer:
    """
    Assemble a claim from completed appointments whose notes are signed.

    Lines, modifiers, places of service and rates follow from the visits. Everything missing is
    named at once (422). A service that this payer is already asked for, here or through the practice's portal, is
    refused with `duplicate-claim`; one to a payer whose claims the portal sends, with `other-submitter`. The answer carries `findings`: those of severity `error` block sending.
    In a connected practice it is made at the portal, of one visit, and is the portal's.
    """
    if request.auth.connected:
        return _created_at_source(request, body)
    claim = services.create_claim(scope=request.auth, now=timezone.now(), body=body)
    return whole(request.auth, claim.id)


@router.get(
    "/claims/{claim_id}",
    summary="Read a claim",
    needs=Permission.CLAIMS_READ,
    action="claim.read",
    returns=(200, s.ClaimOut),
    problems=(NotAcceptable, NotAtSource, StateConflict),
    example=examples.CLAIM,
    other_types={X12: "The exact bytes that were or will be sent.", PDF: "CMS-1500 (02/12)."},
    parameters={"background": "For PDF: `true` draws the form (a copy to read); else data only."},
)
def get_claim(request: ScopedRequest, claim_id: str) -> Answer:
    """
    A claim with its findings, lines, submissions, acknowledgements and history.

    `Accept: application/edi-x12` gives the exact bytes of the latest submission (of a claim that left in a
    batch: that claim alone, under the file's numbers), and `Accept: application/pdf` the paper form.
    """
    id = path_id("claim", claim_id)
    wanted = request.headers.get("Accept", "")
    if X12 in wanted:
        claim = queries.get_claim(scope=request.auth, claim_id=id)
        sent = queries.submissions_of(scope=request.auth, claim_id=claim.id)
        if not sent:
            raise StateConflict("Nothing was made to be sent yet.", current_state=claim.state)
        row, submission = sent[-1].row, sent[-1].submission
        if submission.claim_id is None:
            alone = services.alone(scope=request.auth, row=row, submission=submission)
            return Answer(b"".join(alone), content_type=X12)
        return Answer(queries.submission_bytes(submission=submission), content_type=X12)
    if PDF in wanted:
        claim = queries.get_claim(scope=request.auth, claim_id=id)
        if claim.mirrored:
            raise NotAtSource("The portal has this claim, and its form.")
        setting = desk.print_setting(scope=request.auth)
        record = services.build_record(scope=request.auth, claim=claim)
        return Answer(
            cms1500(
                record, today=request.auth.day_of(timezone.now()),
                background=request.GET.get("background") == "true", state=claim.state,
                dx=setting.dx, dy=setting.dy,
            ),
            content_type=PDF,
            headers={"Content-Disposition": f'attachment; filename="{claim_id}.pdf"'},
        )  # fmt: skip
    return whole(request.auth, id)


@router.post(
    "/claims/{claim_id}/validate",
    summary="Validate a claim",
    needs=Permission.CLAIMS_WRITE,
    action="claim.validate",
    returns=(200, s.ClaimOut),
    problems=(StateConflict,),
    example=examples.CLAIM,
    request_example={},
)
def validate_claim(request: ScopedRequest, claim_id: str, body: Nothing | None = None) -> Answer:
    """Look for faults again after something was mended. A rejected claim becomes a draft first."""
    claim = services.validate_claim(
        scope=request.auth, claim_id=path_id("claim", claim_id), now=timezone.now()
    )
    return whole(request.auth, claim.id)


@router.post(
    "/claims/{claim_id}/submit",
    summary="Submit a claim",
    needs=Permission.CLAIMS_SUBMIT,
    action="claim.submit",
    returns=(202, s.ClaimSubmittedOut),
    match=True,
    key="required",
    key_days=30,
    problems=(
        services.ClaimNotClean, services.DuplicateClaim, services.NoChannel, services.NumbersUsedUp,
        services.OtherSubmitter, StateConflict,
        *handed_on.PROBLEMS,
    ),
    connected="port",
    example=examples.CLAIM | {"write": None},
    request_example={},
)
def submit_claim(request: ScopedRequest, claim_id: str, body: Nothing | None = None) -> Answer:
    """
    Freeze the claim into a submission and queue it to be sent.

    Answers 202: the file is made and kept, and not yet with the payer. Listen for
    `claim.submitted`, `claim.acknowledged`, `claim.accepted`, `claim.rejected`, `claim.unknown`.
    In a connected practice it leaves from the portal, once a person has approved the `write`.
    """
    if request.auth.connected:
        return _submitted_at_source(request, path_id("claim", claim_id))
    claim = services.submit_claim(
        scope=request.auth, claim_id=path_id("claim", claim_id), if_match=request.edge.if_match,
        now=timezone.now(),
    )  # fmt: skip
    return _submitted(request.auth, claim.id, None)


@router.post(
    "/claims/{claim_id}/inquire-status",
    summary="Ask the payer what became of a claim",
    needs=Permission.CLAIMS_WRITE,
    action="claim.inquire_status",
    returns=(202, s.ClaimOut),
    problems=(NotAtSource, services.NoChannel, services.NumbersUsedUp, StateConflict),
    example=examples.CLAIM,
    request_example={},
)
def inquire_status(request: ScopedRequest, claim_id: str, body: Nothing | None = None) -> Answer:
    """
    Send the payer a status inquiry (276). Its answer (277) is filed in `status_inquiries`, and told by
    `claim.status_told` or by the event of the move it makes. An answer moves a claim forwards only: that the payer has it,
    or turned it away. What was paid or denied is decided by a remittance.

    While a question waits for its answer, that one stands and none is sent. Claims are also asked for by
    schedule when no decision came in time.
    """
    id = path_id("claim", claim_id)
    services.inquire_status(scope=request.auth, claim_id=id, now=timezone.now())
    return whole(request.auth, id, status=202)


@router.post(
    "/claims/{claim_id}/mark-submitted",
    summary="Say that a claim was carried to the payer",
    needs=Permission.CLAIMS_SUBMIT,
    action="claim.mark_submitted",
    returns=(200, s.ClaimOut),
    match=True,
    problems=(StateConflict,),
    example=examples.CLAIM | {"state": "submitted"},
    request_example={"reference": "PORTAL-4711"},
)
def mark_submitted(request: ScopedRequest, claim_id: str, body: s.CarriedIn | None = None) -> Answer:
    """
    A person says that they carried a queued claim there: the file of a `download` channel uploaded by hand, or the
    claim typed into the payer's `portal`. The payer's reference is kept; every claim of the same file is `submitted`.
    """
    claim = services.mark_submitted(
        scope=request.auth, claim_id=path_id("claim", claim_id), if_match=request.edge.if_match,
        reference=(body.reference or "") if body else "", now=timezone.now(),
    )  # fmt: skip
    return whole(request.auth, claim.id)


@router.post(
    "/claims/{claim_id}/settle-doubt",
    summary="Say whether a claim in doubt arrived",
    needs=Permission.CLAIMS_SUBMIT,
    action="claim.settle_doubt",
    returns=(200, s.ClaimOut),
    match=True,
    problems=(StateConflict,),
    example=examples.CLAIM | {"state": "submitted"},
    request_example={"arrived": True, "reference": "4711"},
)
def settle_doubt(request: ScopedRequest, claim_id: str, body: s.DoubtIn) -> Answer:
    """
    A person looked at the clearinghouse whether the file of a claim that is `unknown` is there. It is asked by
    itself first; not every one can say. `arrived: false` sends the file again, as it is, for every claim in it.
    """
    claim = services.settle_doubt(
        scope=request.auth, claim_id=path_id("claim", claim_id), if_match=request.edge.if_match,
        arrived=body.arrived, reference=body.reference or "", now=timezone.now(),
    )  # fmt: skip
    return whole(request.auth, claim.id)


@router.post(
    "/claims/{claim_id}/reopen",
    summary="Reopen a claim that no payer answers for",
    needs=Permission.CLAIMS_SUBMIT,
    action="claim.reopen",
    returns=(200, s.ClaimOut),
    match=True,
    problems=(NotAtSource, StateConflict),
    example=examples.CLAIM,
    request_example={"reason": "the payer says it has no such claim"},
)
def reopen_claim(request: ScopedRequest, claim_id: str, body: s.ClaimReopenIn) -> Answer:
    """
    Open a claim again that is `submitted` or `acknowledged`, since its payer does not have it or never answers. It is looked
    through anew; then it can be mended, sent anew under new file numbers, or withdrawn and its visits billed anew.

    **It takes nothing back: the payer may have the claim after all**, and decide what is sent anew as a duplicate. Ask it first
    (`inquire-status`, or a call). If it says before the claim is sent anew that it has it, by a 277CA, 277 or a remittance,
    the claim is where it was. 409 while a file is in doubt, and once the payer has it.
    """
    claim = services.reopen_claim(
        scope=request.auth, claim_id=path_id("claim", claim_id), if_match=request.edge.if_match, reason=body.reason,
        now=timezone.now(),
    )  # fmt: skip
    return whole(request.auth, claim.id)


@router.post(
    "/claims/{claim_id}/hold",
    summary="Hold a claim, or let it go",
    needs=Permission.CLAIMS_WRITE,
    action="claim.hold",
    returns=(200, s.ClaimOut),
    match=True,
    problems=(StateConflict,),
    example=examples.CLAIM,
    request_example={"reason": "waiting for the new card"},
)
def hold_claim(request: ScopedRequest, claim_id: str, body: s.HoldIn | None = None) -> Answer:
    """Hold a claim back, with a reason; without a reason a held claim is let go again."""
    claim = services.hold_claim(
        scope=request.auth, claim_id=path_id("claim", claim_id), if_match=request.edge.if_match,
        reason=body.reason if body else None, now=timezone.now(),
    )  # fmt: skip
    return whole(request.auth, claim.id)


@router.post(
    "/claims/{claim_id}/void",
    summary="Withdraw a claim that no payer has",
    needs=Permission.CLAIMS_WRITE,
    action="claim.void",
    returns=(200, s.ClaimOut),
    match=True,
    problems=(StateConflict,),
    example=examples.CLAIM,
    request_example={},
)
def void_claim(request: ScopedRequest, claim_id: str, body: Nothing | None = None) -> Answer:
    """
    Withdraw a claim before any payer has it; its services can be billed anew. For a claim that a
    payer has decided, assemble one with `frequency: void` instead.
    """
    claim = services.void_claim(
        scope=request.auth, claim_id=path_id("claim", claim_id), if_match=request.edge.if_match,
        now=timezone.now(),
    )  # fmt: skip
    return whole(request.auth, claim.id)


CHANNELS = ListSpec(
    route="channels",
    columns="c.id",
    source="claims_channel c",
    id_column="c.id",
    practice_column="c.practice_id",
    sorts={"name": Sort("c.name", "text")},
    default_sort="name",
    filters={"active": Filter("c.active", "bool")},
    build_page=lambda ids, scope: [
        s.channel_out(channel) for channel in queries.channels_of(scope=scope, channel_ids=ids)
    ],
)  # fmt: skip


def _channel(channel: Channel) -> Answer:
    return Answer(s.channel_out(channel), etag=etags.of(channel.id, channel.version))


@router.get(
    "/channels",
    summary="List channels",
    needs=Permission.PAYERS_READ,
    action="channel.list",
    returns=(200, s.ChannelOut),
    list_spec=CHANNELS,
    example=examples.page(examples.CHANNEL),
)
def list_channels(request: ScopedRequest) -> Answer:
    """The practice's ways to its payers. Secrets are never returned."""
    return CHANNELS.run(request, scope=request.auth)


@router.get(
    "/channels/{channel_id}",
    summary="Read a channel",
    needs=Permission.PAYERS_READ,
    action="channel.read",
    returns=(200, s.ChannelOut),
    example=examples.CHANNEL,
)
def get_channel(request: ScopedRequest, channel_id: str) -> Answer:
    """One channel, and when it was last asked for answers."""
    id = path_id("channel", channel_id)
    return _channel(queries.get_channel(scope=request.auth, channel_id=id))


@router.post(
    "/channels",
    summary="Add a channel",
    needs=Permission.PAYERS_WRITE,
    action="channel.create",
    connected="kept",
    returns=(201, s.ChannelOut),
    example=examples.CHANNEL,
    request_example=examples.NEW_CHANNEL,
)
def create_channel(request: ScopedRequest, body: s.ChannelIn) -> Answer:
    """
    Add a way to the payers: a clearinghouse by SFTP or by its API, or files carried by hand.

    `stedi` (one claim a call, so no batches) and `claim_md` (2 000 in a file) take claims and no questions. Both are
    unverified: made from public documentation, and never used with an account there.
    """
    return _channel(services.create_channel(scope=request.auth, now=timezone.now(), body=body))


@router.patch(
    "/channels/{channel_id}",
    summary="Change a channel",
    needs=Permission.PAYERS_WRITE,
    action="channel.update",
    connected="kept",
    returns=(200, s.ChannelOut),
    match=True,
    example=examples.CHANNEL,
    request_example={"active": False},
)
def change_channel(request: ScopedRequest, channel_id: str, body: s.ChannelChange) -> Answer:
    """Change a channel's name, settings or secret, or take it out of use."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    return _channel(
        services.change_channel(
            scope=request.auth, channel_id=path_id("channel", channel_id),
            if_match=request.edge.if_match, given=given, now=timezone.now(),
        )
    )  # fmt: skip
