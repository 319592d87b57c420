"""What is written is read back as it was, and what is written is clean by our own rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.protocols.x12 import read837p, scrub837p, syntax
from rapport.protocols.x12.check import check_bytes, roundtrip
from rapport.protocols.x12.claim837p import Claim
from rapport.protocols.x12.envelope import clean
from rapport.protocols.x12.tests.strategies import (
    AT,
    HOSTILE,
    TEXTS,
    claims,
    drawn,
    file_of,
    sample_claim,
)


@drawn
@given(st.lists(claims(), min_size=1, max_size=3, unique_by=lambda claim: claim.control))
def test_claims_read_back_are_the_claims_written(written: list[Claim]) -> None:
    assert list(read837p.claims(syntax.read(file_of(*written)))) == written


@drawn
@given(claims())
def test_a_claim_without_scrub_findings_is_clean_when_it_is_read(claim: Claim) -> None:
    errors = [one for one in scrub837p.scrub(claim, today=AT.date()) if one.severity == "error"]
    assert errors == []
    assert check_bytes(file_of(claim)).findings == ()


@drawn
@given(claims(TEXTS | st.sampled_from(HOSTILE)))
def test_hostile_text_never_makes_another_segment_or_element(claim: Claim) -> None:
    data = file_of(claim)
    assert check_bytes(data).findings == ()
    [back] = read837p.claims(syntax.read(data))
    assert len(back.lines) == len(claim.lines)
    assert back.subscriber.name.last == clean(claim.subscriber.name.last)[0][:60].strip()


@pytest.mark.parametrize("newline", ["", "\n", "\r\n"])
@drawn
@given(claim=claims())
def test_a_file_is_written_back_byte_for_byte(newline: str, claim: Claim) -> None:
    data = file_of(claim, newline=newline)
    assert roundtrip(data) == data
    decorated = syntax.BYTE_ORDER_MARK.encode("latin-1") + data + b"\n\n"
    assert roundtrip(decorated) == decorated


@pytest.mark.parametrize("last", HOSTILE)
def test_a_hostile_last_name_stays_one_element(last: str) -> None:
    claim = sample_claim()
    plain = file_of(claim)
    name = replace(claim.subscriber.name, last=last)
    hostile = file_of(replace(claim, subscriber=replace(claim.subscriber, name=name)))
    assert hostile.count(b"~") == plain.count(b"~")
    [plain_name, name_segment] = (
        next(s for s in syntax.read(data) if s.get(1) == "IL") for data in (plain, hostile)
    )
    assert len(name_segment.elements) == len(plain_name.elements)


def test_a_name_x12_can_carry_nothing_of_is_scrubbed_before_it_is_sent() -> None:
    claim = sample_claim()
    nameless = replace(claim.subscriber, name=replace(claim.subscriber.name, last="日本"))
    [found] = scrub837p.scrub(replace(claim, subscriber=nameless), today=AT.date())
    assert (found.segment, found.element, found.rule) == ("NM1", "03", "name-missing")
