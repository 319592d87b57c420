"""Others' validators agree: pyx12 on every claim we write, oxedi and ours on remittances."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
import pyx12.params
import pyx12.x12n_document
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.protocols.x12.claim837p import Claim
from rapport.protocols.x12.tests.strategies import (
    HOSTILE,
    TEXTS,
    claims,
    drawn,
    file_of,
    sample_claim,
)


def accepted(data: bytes) -> bool:
    """Ask pyx12, whose map of the guide is not ours. Its reader wants text, not a path."""
    source = StringIO(data.decode("ascii"))
    answer = StringIO()
    return bool(
        pyx12.x12n_document.x12n_document(pyx12.params.params(), source, answer, None, None)
    )


@settings(parent=drawn, max_examples=12)
@given(claims(TEXTS | st.sampled_from(HOSTILE)))
def test_pyx12_accepts_every_claim_we_write(claim: Claim) -> None:
    assert accepted(file_of(claim))


def test_pyx12_accepts_fifty_lines_and_counts_the_segments_as_we_do() -> None:
    claim = sample_claim()
    fifty = replace(
        claim,
        lines=tuple(replace(claim.lines[0], control=f"L{number}") for number in range(50)),
    )
    data = file_of(fifty)
    assert data.count(b"~") == file_of(claim).count(b"~") + 49 * 4
    assert accepted(data)


@pytest.mark.parametrize("last", HOSTILE)
def test_pyx12_accepts_a_hostile_name_as_one_name(last: str) -> None:
    claim = sample_claim()
    name = replace(claim.subscriber.name, last=last)
    data = file_of(replace(claim, subscriber=replace(claim.subscriber, name=name)))
    assert data.count(b"~") == file_of(claim).count(b"~")
    assert accepted(data)
