"""The paper claim, from the same record as the file."""

from __future__ import annotations

from datetime import date

from rapport.kernel.problems import StateConflict
from rapport.platform.paper.cms1500 import render
from rapport.protocols.cms1500.form import DoesNotFit, Text, layout
from rapport.protocols.x12.claim837p import Claim


def cms1500(
    record: Claim, *, today: date, background: bool, state: str, dx: int = 0, dy: int = 0
) -> bytes:
    """
    Return the CMS-1500 (02/12) of a claim as PDF.

    :param background: draw the form too (a copy to read); else data only, for pre-printed forms
    :param dx: moved to the right, :param dy: down; hundredths of an inch
    :param state: of the claim, for the answer when it cannot be printed
    :raises StateConflict: a number is wider than its box; cut, it would be another number
    """
    try:
        pages = layout(record, today=today)
    except DoesNotFit as error:
        raise StateConflict(f"{error} Send the claim electronically.", current_state=state) from error
    return render(pages, dx=dx, dy=dy, background=background)


def alignment_page(*, dx: int, dy: int) -> bytes:
    """Return a page to align pre-printed forms by: crosses beside PICA, and in the corners of the last line."""
    page = (Text(1, 1, "XXX"), Text(1, 76, "XXX"), Text(56, 1, "X"), Text(56, 78, "X"))
    return render((page,), dx=dx, dy=dy)
