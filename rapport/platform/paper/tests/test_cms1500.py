"""The printed claim, read back."""

from __future__ import annotations

import io

from pypdf import PdfReader

from rapport.platform.paper.cms1500 import render
from rapport.protocols.cms1500.form import layout
from rapport.protocols.cms1500.tests.test_form import CLAIM, TODAY


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
