"""
Print a CMS-1500: data only, for pre-printed red forms; or with boxes drawn, as a copy to read.

Payers scan the red forms of licensed printers; a form printed in red by us is not accepted. So
the data-only print is the claim, and the drawn one says COPY.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from rapport.protocols.cms1500.form import Page

_LEFT, _ADVANCE, _LEADING = 21.6, 7.2, 12.0
_FIRST_BASELINE = 93.0
"""Points from the top edge to the baseline of line 1 (CMS print standard)."""
_BOXES = (
    (2, 1, 49, "1. PLAN"), (2, 50, 29, "1a. INSURED'S ID"), (4, 1, 30, "2. PATIENT"), (4, 31, 18, "3. BORN, SEX"),
    (4, 50, 29, "4. INSURED"), (6, 1, 30, "5. PATIENT'S ADDRESS"), (6, 31, 18, "6. RELATIONSHIP"),
    (6, 50, 29, "7. INSURED'S ADDRESS"), (12, 1, 29, "9. OTHER INSURED"), (12, 50, 29, "11. GROUP"),
    (23, 1, 48, "12. PATIENT'S SIGNATURE"), (23, 50, 29, "13. INSURED'S SIGNATURE"), (28, 1, 48, "17. REFERRING"),
    (32, 1, 48, "21. DIAGNOSES"), (32, 50, 29, "22. RESUBMISSION"), (34, 50, 29, "23. AUTHORIZATION"),
    (37, 1, 78, "24. SERVICES: DATES, PLACE, CODE, MODIFIERS, POINTERS, CHARGE, UNITS, NPI"),
    (50, 1, 21, "25. TAX ID"), (50, 23, 14, "26. ACCOUNT"), (50, 52, 9, "28. TOTAL"), (50, 62, 9, "29. PAID"),
    (52, 1, 21, "31. SIGNATURE"), (52, 23, 26, "32. FACILITY"), (52, 50, 15, "33. BILLING PROVIDER"),
)  # fmt: skip
"""Line, column, width and caption of what the copy draws, in our own words."""


def _x(column: float) -> float:
    return _LEFT + _ADVANCE * (column - 1)


def _y(line: float) -> float:
    return float(letter[1]) - (_FIRST_BASELINE + _LEADING * (line - 1))


def render(pages: Iterable[Page], *, dx: int = 0, dy: int = 0, background: bool = False) -> bytes:
    """
    Return the pages as PDF.

    :param dx: move right, in hundredths of an inch; for a printer that is off
    :param dy: move down, in hundredths of an inch
    :param background: draw boxes and captions, and mark the page as a copy
    """
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=True)
    canvas.setTitle("CMS-1500")
    for page in pages:
        if background:
            _draw(canvas)
        canvas.setFont("Courier", 12)
        for line, column, text in page:
            if text.strip():
                canvas.drawString(_x(column) + dx * 0.72, _y(line) - dy * 0.72, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas) -> None:
    canvas.saveState()
    canvas.setStrokeGray(0.7)
    canvas.setFillGray(0.45)
    canvas.setFont("Helvetica", 5.5)
    for line, column, width, caption in _BOXES:
        canvas.drawString(_x(column), _y(line) + 1.5, caption)
        canvas.line(_x(column), _y(line) + 8, _x(column + width), _y(line) + 8)
    canvas.setFont("Helvetica-Bold", 9)
    canvas.drawString(_x(1), _y(-3), "HEALTH INSURANCE CLAIM FORM (02/12) - COPY, NOT FOR SCANNING")
    canvas.restoreState()


__all__ = ["render"]
