"""The shapes of attachments and of the printer's setting in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta
from pydantic import Field

from rapport.kernel.ids import type_id
from rapport.platform.api.shapes import Input, Instant, Shape, instant, instant_or_none
from rapport.rooms.claims.models import ClaimAttachment, PrintSetting


class AttachmentIn(Input):
    """Which document goes with the claim, what it is to the payer, and how it is sent."""

    document_id: str
    report_type: str = Field(default="OZ", pattern=r"^(0[3-9]|1[0135]|21|A[34]|AM|B3|DS|HC|I5|LA|M1|OZ|PN|PY|PZ|V5)$")
    way: Literal["EL", "FX", "BM", "AA"] = "FX"


class SentIn(Input):
    """How it was sent."""

    how: Literal["portal", "fax", "mail", "hand"]


class AttachmentOut(Shape):
    """A paper that belongs to a claim."""

    object: Literal["claim_attachment"]
    id: str
    claim_id: str
    document_id: str
    report_type: Annotated[str, Meta(description="PWK01.")]
    way: Annotated[str, Meta(description="PWK02.")]
    control_number: Annotated[str, Meta(description="PWK06: write it on what is sent.")]
    state: Annotated[str, Meta(description="`to_send` or `sent`.")]
    sent_how: str | None
    sent_at: Instant | None
    version: int
    created_at: Instant


class PrintSettingChange(Input):
    """How far what is printed is moved, in hundredths of an inch."""

    dx: int = Field(ge=-50, le=50)
    dy: int = Field(ge=-50, le=50)


class PrintSettingOut(Shape):
    """How far the practice's printer is off."""

    object: Literal["print_setting"]
    dx: Annotated[int, Meta(description="To the right, hundredths of an inch.")]
    dy: Annotated[int, Meta(description="Down, hundredths of an inch.")]
    version: int


def attachment_out(row: ClaimAttachment) -> AttachmentOut:
    """Return a claim's paper as the API shows it."""
    return AttachmentOut(
        object="claim_attachment",
        id=type_id("claim_attachment", row.id),
        claim_id=type_id("claim", row.claim_id),
        document_id=type_id("document", row.document_id),
        report_type=row.report_type,
        way=row.way,
        control_number=row.control_number,
        state=row.state,
        sent_how=row.sent_how or None,
        sent_at=instant_or_none(row.sent_at),
        version=row.version,
        created_at=instant(row.created_at),
    )


def print_setting_out(row: PrintSetting) -> PrintSettingOut:
    """Return the printer's setting."""
    return PrintSettingOut(object="print_setting", dx=row.dx, dy=row.dy, version=row.version)
