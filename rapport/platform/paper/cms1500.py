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
    (2, 3, 1, 49, "1. PLAN"), (2, 3, 50, 78, "1a. INSURED'S ID"),
    (4, 5, 1, 30, "2. PATIENT"), (4, 5, 31, 49, "3. BORN, SEX"), (4, 5, 50, 78, "4. INSURED"),
    (6, 7, 1, 30, "5. PATIENT'S ADDRESS"), (6, 7, 31, 49, "6. PATIENT IS INSURED'S"),
    (6, 7, 50, 78, "7. INSURED'S ADDRESS"),
    (8, 9, 1, 25, "CITY"), (8, 9, 26, 30, "STATE"), (8, 11, 31, 49, "8. RESERVED"),
    (8, 9, 50, 73, "CITY"), (8, 9, 74, 78, "STATE"),
    (10, 11, 1, 14, "ZIP"), (10, 11, 15, 30, "PHONE"), (10, 11, 50, 64, "ZIP"), (10, 11, 65, 78, "PHONE"),
    (12, 13, 1, 30, "9. OTHER INSURED"), (12, 13, 31, 49, "10. CONDITION RELATED TO"),
    (12, 13, 50, 78, "11. GROUP NUMBER"),
    (14, 15, 1, 30, "9a. OTHER GROUP NUMBER"), (14, 15, 31, 49, "10a. WORK"),
    (14, 15, 50, 78, "11a. INSURED BORN, SEX"),
    (16, 17, 1, 30, "9b. RESERVED"), (16, 17, 31, 49, "10b. CAR ACCIDENT, STATE"),
    (16, 17, 50, 78, "11b. OTHER CLAIM ID"),
    (18, 19, 1, 30, "9c. RESERVED"), (18, 19, 31, 49, "10c. OTHER ACCIDENT"), (18, 19, 50, 78, "11c. PLAN NAME"),
    (20, 21, 1, 29, "9d. OTHER PLAN"), (20, 21, 30, 49, "10d. CODES"), (20, 21, 50, 78, "11d. ANOTHER PLAN"),
    (22, 25, 1, 49, "12. PATIENT'S SIGNATURE"), (22, 25, 50, 78, "13. INSURED'S SIGNATURE"),
    (26, 27, 1, 29, "14. CURRENT ILLNESS"), (26, 27, 30, 49, "15. OTHER DATE"), (26, 27, 50, 78, "16. UNABLE TO WORK"),
    (28, 29, 1, 28, "17. REFERRED OR SUPERVISED BY"), (28, 29, 29, 49, "17a, 17b. NPI"), (28, 29, 50, 78, "18. HOSPITAL DATES"),
    (30, 31, 1, 49, "19. MORE"), (30, 31, 50, 78, "20. OUTSIDE LAB, CHARGES"),
    (32, 35, 1, 49, "21. DIAGNOSES A-L, ICD"), (32, 33, 50, 61, "22. RESUBMISSION"),
    (32, 33, 62, 78, "ORIGINAL REFERENCE"), (34, 35, 50, 78, "23. AUTHORIZATION"),
    (36, 49, 1, 18, "24A. FROM, TO"), (36, 49, 19, 22, "B. PLACE"), (36, 49, 23, 24, "C."),
    (36, 49, 25, 44, "D. CODE, MODIFIERS"), (36, 49, 45, 49, "E. DX"), (36, 49, 50, 58, "F. CHARGE"),
    (36, 49, 59, 62, "G. UNITS"), (36, 49, 63, 67, "H, I."), (36, 49, 68, 78, "J. RENDERING NPI"),
    (50, 51, 1, 22, "25. TAX ID"), (50, 51, 23, 37, "26. ACCOUNT"), (50, 51, 38, 49, "27. ASSIGNMENT"),
    (50, 51, 50, 61, "28. TOTAL"), (50, 51, 62, 70, "29. PAID"), (50, 51, 71, 78, "30. RESERVED"),
    (52, 55, 1, 22, "31. CLINICIAN'S SIGNATURE"), (52, 55, 23, 49, "32. PLACE OF SERVICE"),
    (52, 55, 50, 78, "33. BILLING PROVIDER"),
    (56, 56, 1, 22, ""), (56, 56, 23, 49, ""), (56, 56, 50, 78, ""),
)  # fmt: skip
"""First and last line, first and last column, and caption of what the copy draws; own words."""
_MARKS = (
    *((3, column, label) for column, label in (
        (1, "MEDICARE"), (8, "MEDICAID"), (15, "TRICARE"), (24, "CHAMPVA"), (31, "GROUP"), (39, "FECA"), (45, "OTHER"),
    )),
    (5, 42, "M"), (5, 47, "F"), (7, 33, "SELF"), (7, 38, "SPOUSE"), (7, 42, "CHILD"), (7, 47, "OTHER"),
    *((line, column, label) for line in (15, 17, 19) for column, label in ((35, "YES"), (41, "NO"))),
    (15, 68, "M"), (15, 75, "F"), (21, 52, "YES"), (21, 57, "NO"), (31, 52, "YES"), (31, 57, "NO"),
    (51, 17, "SSN"), (51, 19, "EIN"), (51, 38, "YES"), (51, 43, "NO"),
)  # fmt: skip
"""Where a cross may stand, and what it means."""


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
    canvas.setFillGray(0.9)
    canvas.setFont("Helvetica-Bold", 150)
    canvas.saveState()
    canvas.translate(letter[0] / 2, letter[1] / 2)
    canvas.rotate(50)
    canvas.drawCentredString(0, -50, "COPY")
    canvas.restoreState()
    canvas.setFillGray(0.3)
    canvas.setFont("Helvetica-Bold", 9)
    canvas.drawString(_x(1), _y(-4), "HEALTH INSURANCE CLAIM FORM (02/12) - COPY, NOT FOR SCANNING")
    canvas.setStrokeGray(0.6)
    canvas.setLineWidth(0.5)
    for row in range(38, 50, 2):
        canvas.setFillGray(0.93)
        canvas.rect(_x(1) - 2, _y(row) - 2.5, _ADVANCE * 78, _LEADING, stroke=0, fill=1)
        canvas.line(_x(1) - 2, _y(row) + 9.5, _x(79) - 2, _y(row) + 9.5)
    canvas.setFillGray(0.35)
    for first, last, left, right, caption in _BOXES:
        canvas.rect(_x(left) - 2, _y(last) - 2.5, _ADVANCE * (right + 1 - left), _LEADING * (last + 1 - first))
        canvas.setFont("Helvetica", 4.8)
        canvas.drawString(_x(left), _y(first) + 4.2, caption)
    canvas.setFont("Helvetica", 3.8)
    for line, column, label in _MARKS:
        canvas.rect(_x(column) - 0.6, _y(line) - 1.2, 8.4, 9)
        canvas.drawString(_x(column), _y(line) + 9.2, label)
    canvas.restoreState()


__all__ = ["render"]
