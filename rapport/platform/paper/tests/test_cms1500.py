"""The printed claim, read back."""

from __future__ import annotations

import io

from pypdf import PdfReader

from rapport.platform.paper.cms1500 import _BOXES, _MARKS, render
from rapport.protocols.cms1500.form import layout
from rapport.protocols.cms1500.tests.test_form import CLAIM, FULL, TODAY


def test_what_is_printed_can_be_read_back() -> None:
    pages = layout(CLAIM, today=TODAY)
    data_only = PdfReader(io.BytesIO(render(pages))).pages[0].extract_text()
    copy = PdfReader(io.BytesIO(render(pages, background=True))).pages[0].extract_text()

    for text in ("RIVERA, ANA, M", "90837", "W123-456", "1234567893", "18000"):
        assert text in data_only
        assert text in copy
    assert "COPY" in copy
    assert "COPY" not in data_only


def test_the_same_claim_prints_the_same_bytes() -> None:
    pages = layout(CLAIM, today=TODAY)
    assert render(pages, dx=5, dy=-5) == render(pages, dx=5, dy=-5) != render(pages)


def test_every_text_lies_in_one_drawn_box_and_every_cross_on_a_mark() -> None:
    for claim in (CLAIM, FULL):
        for page in layout(claim, today=TODAY):
            for line, column, text in page:
                if line < 1 or not text:
                    continue
                around = [
                    caption
                    for first, last, left, right, caption in _BOXES
                    if first <= line <= last and left <= column and column + len(text) - 1 <= right
                ]
                assert len(around) == 1, (line, column, text, around)
                if text == "X":
                    assert any((line, column) == mark[:2] for mark in _MARKS), (line, column)


def test_the_drawn_boxes_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for first, last, left, right, caption in _BOXES:
        cells = {(line, column) for line in range(first, last + 1) for column in range(left, right + 1)}
        assert not cells & taken, caption
        taken |= cells


def test_an_offset_moves_the_text_by_hundredths_of_an_inch() -> None:
    def places(pdf: bytes) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = []

        def visit(text: str, _cm: object, tm: list[float], _font: object, _size: object) -> None:
            if text.strip():
                found.append((tm[4], tm[5]))

        PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_text=visit)
        return found

    pages = layout(CLAIM, today=TODAY)
    straight, moved = places(render(pages)), places(render(pages, dx=10, dy=5))

    assert straight
    for (x, y), (to_x, to_y) in zip(straight, moved, strict=True):
        assert abs(to_x - x - 7.2) < 0.01
        assert abs(y - to_y - 3.6) < 0.01
