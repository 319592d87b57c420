"""The paper claim, from the same record as the file."""

from __future__ import annotations

from datetime import date

from rapport.platform.paper.cms1500 import render
from rapport.protocols.cms1500.form import layout
from rapport.protocols.x12.claim837p import Claim


def cms1500(record: Claim, *, today: date, background: bool) -> bytes:
    """
    Return the CMS-1500 (02/12) of a claim as PDF.

    :param background: draw the form too (a copy to read); else data only, for pre-printed forms
    """
    return render(layout(record, today=today), background=background)
