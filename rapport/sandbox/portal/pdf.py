"""A signed note as a PDF whose bytes depend on the note alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from textwrap import wrap

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

LEFT, TOP, LINE = 72, 720, 15
WIDE = 88


def note_pdf(title: str, facts: Sequence[tuple[str, str]], paragraphs: Sequence[str]) -> bytes:
    """Return the PDF. Letters that its font lacks are written as a question mark."""
    out = io.BytesIO()
    # `invariant` leaves out the clock and the random id that a PDF has otherwise.
    canvas = Canvas(out, pagesize=letter, invariant=1)
    canvas.setTitle(title)
    lines = [f"{name}: {value}" for name, value in facts] + [""]
    for paragraph in paragraphs:
        lines += [*wrap(paragraph, WIDE), ""]
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(LEFT, TOP, title)
    height = TOP - 2 * LINE
    canvas.setFont("Helvetica", 11)
    for line in lines:
        if height < LEFT:
            canvas.showPage()
            canvas.setFont("Helvetica", 11)
            height = TOP
        canvas.drawString(LEFT, height, line.encode("cp1252", "replace").decode("cp1252"))
        height -= LINE
    canvas.save()
    return out.getvalue()
