"""Attachments of claims, and the printer's setting, over HTTP."""

from __future__ import annotations

from django.utils import timezone

from rapport.kernel.problems import NotAtSource, ReferenceNotFound, StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.api import etags
from rapport.platform.api.router import ScopedRequest
from rapport.platform.api.shapes import Answer, path_id
from rapport.rooms.claims import examples, services
from rapport.rooms.claims.models import ClaimAttachment, PrintSetting
from rapport.rooms.claims.paper import alignment_page
from rapport.rooms.claims.queries import desk
from rapport.rooms.claims.schemas import papers as s

from .base import router


def _one(paper: ClaimAttachment) -> Answer:
    return Answer(s.attachment_out(paper), etag=etags.of(paper.id, paper.version))


@router.post(
    "/claims/{claim_id}/attachments",
    summary="Let a claim name a paper",
    needs=Permission.CLAIMS_WRITE,
    action="claim.attach",
    returns=(201, s.AttachmentOut),
    problems=(NotAtSource, ReferenceNotFound, StateConflict),
    example=examples.ATTACHMENT,
    request_example={"document_id": "doc_01h455vb4pex5vsknk084sn02q", "report_type": "OZ", "way": "FX"},
)
def attach(request: ScopedRequest, claim_id: str, body: s.AttachmentIn) -> Answer:
    """
    Name a stored document of the patient in the claim (837P 2300 PWK), with a control number of its own.

    Write that number on what is sent beside the claim, by the payer's portal, fax or mail, and say so when it was sent.
    """
    return _one(
        services.attach(scope=request.auth, claim_id=path_id("claim", claim_id), body=body, now=timezone.now())
    )


@router.get(
    "/claim-attachments/{claim_attachment_id}",
    summary="Read a claim's paper",
    needs=Permission.CLAIMS_READ,
    action="claim_attachment.read",
    returns=(200, s.AttachmentOut),
    example=examples.ATTACHMENT,
)
def get_attachment(request: ScopedRequest, claim_attachment_id: str) -> Answer:
    """Which document it is, by what number the payer knows it, and whether it was sent."""
    id = path_id("claim_attachment", claim_attachment_id)
    return _one(desk.get_attachment(scope=request.auth, claim_attachment_id=id))


@router.post(
    "/claim-attachments/{claim_attachment_id}/sent",
    summary="Say that a paper was sent",
    needs=Permission.CLAIMS_WRITE,
    action="claim_attachment.sent",
    returns=(200, s.AttachmentOut),
    match=True,
    problems=(StateConflict,),
    example=examples.ATTACHMENT | {"state": "sent", "sent_how": "fax"},
    request_example={"how": "fax"},
)
def mark_attachment_sent(request: ScopedRequest, claim_attachment_id: str, body: s.SentIn) -> Answer:
    """Write down that a paper was sent beside its claim: who says so, when, and by which way. It is said once."""
    return _one(
        services.mark_attachment_sent(
            scope=request.auth, claim_attachment_id=path_id("claim_attachment", claim_attachment_id),
            if_match=request.edge.if_match, how=body.how, now=timezone.now(),
        )
    )  # fmt: skip


def _setting(setting: PrintSetting) -> Answer:
    return Answer(s.print_setting_out(setting), etag=etags.of(setting.id, setting.version))


@router.get(
    "/print-setting",
    summary="Read how far the printer is off",
    needs=Permission.CLAIMS_READ,
    action="print_setting.read",
    returns=(200, s.PrintSettingOut),
    example=examples.PRINT_SETTING,
    other_types={"application/pdf": "A page to align a pre-printed CMS-1500 by."},
)
def get_print_setting(request: ScopedRequest) -> Answer:
    """
    How far CMS-1500 forms are moved on paper. `Accept: application/pdf` gives a page to align by: printed on a red
    form, its crosses stand in the boxes beside PICA at the top, and in the corners of the last line.
    """
    setting = desk.print_setting(scope=request.auth)
    if "application/pdf" in request.headers.get("Accept", ""):
        return Answer(
            alignment_page(dx=setting.dx, dy=setting.dy), content_type="application/pdf",
            headers={"Content-Disposition": 'attachment; filename="alignment.pdf"'},
        )  # fmt: skip
    return _setting(setting)


@router.put(
    "/print-setting",
    summary="Say how far the printer is off",
    needs=Permission.CLAIMS_WRITE,
    action="print_setting.update",
    connected="kept",
    returns=(200, s.PrintSettingOut),
    match=True,
    example=examples.PRINT_SETTING,
    request_example={"dx": 4, "dy": -2},
)
def change_print_setting(request: ScopedRequest, body: s.PrintSettingChange) -> Answer:
    """Move what is printed on forms, for every claim of the practice."""
    return _setting(
        services.change_print_setting(
            scope=request.auth, if_match=request.edge.if_match, dx=body.dx, dy=body.dy, now=timezone.now()
        )
    )
