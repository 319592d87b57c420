"""What the routes of accounting share."""

from __future__ import annotations

from rapport.platform.access.permissions import Permission
from rapport.platform.api.router import RoomRouter, ScopedRequest
from rapport.platform.api.shapes import Answer

router = RoomRouter(connected="refused", tag="Accounting")

READ, MANAGE = Permission.ACCOUNTING_READ, Permission.ACCOUNTING_MANAGE
PDF, CSV, BEANCOUNT = "application/pdf", "text/csv", "text/x-beancount"


def wants(request: ScopedRequest, kind: str) -> bool:
    """Tell whether the caller accepts this type first of all: by name, in the header Accept."""
    return kind in request.headers.get("Accept", "")


def file(data: bytes, kind: str, name: str) -> Answer:
    """Return a file to keep. :param name: without any person's data"""
    return Answer(data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

