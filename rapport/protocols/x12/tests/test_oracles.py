"""Others' validators agree: pyx12 on every claim we write, oxedi and ours on remittances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
import pyx12.params
import pyx12.x12n_document
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.claim837p import Claim, Name, Provider
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


@settings(parent=drawn, max_examples=4)
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


def each_line(claim: Claim, **change: object) -> Claim:
    return replace(claim, lines=tuple(replace(line, **change) for line in claim.lines))  # type: ignore[arg-type]


def telehealth(claim: Claim) -> Claim:
    return each_line(replace(claim, place_of_service="10"), modifiers=("95",), place_of_service="")


def supervision(claim: Claim) -> Claim:
    supervisor = Provider(Name("OKAFOR", "ADA"), "1000000004")
    trainee = Provider(Name("LEE", "KIM"), "1987654328", "390200000X")
    return replace(claim, supervising=supervisor, rendering=trainee)


def replacement(claim: Claim) -> Claim:
    return replace(claim, frequency="7", payer_claim_number="26005000000001")


def void(claim: Claim) -> Claim:
    return replace(claim, frequency="8", payer_claim_number="26005000000001")


def group_therapy(claim: Claim) -> Claim:
    plain = replace(claim, place_of_service="11", group_number="GRP10023")
    return each_line(plain, procedure="90853", modifiers=("HQ",), place_of_service="")


def fifty_lines(claim: Claim) -> Claim:
    lines = (claim.lines * 50)[:50]
    return replace(
        claim,
        others=(),
        rank="P",
        lines=tuple(
            replace(line, control=f"{claim.control}L{number}", adjudications=())
            for number, line in enumerate(lines, 1)
        ),
    )


KINDS: dict[str, tuple[Callable[[Claim], Claim], st.SearchStrategy[Claim]]] = {
    "telehealth": (telehealth, claims()),
    "supervision": (supervision, claims()),
    "a second payer": (lambda claim: claim, claims().filter(lambda claim: bool(claim.others))),
    "replacement": (replacement, claims()),
    "void": (void, claims()),
    "group therapy": (group_therapy, claims()),
    "fifty lines": (fifty_lines, claims(most_lines=2)),
    "odd characters": (lambda claim: claim, claims(TEXTS | st.sampled_from(HOSTILE))),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(parent=drawn, max_examples=3)
@given(data=st.data())
def test_pyx12_and_we_accept_every_kind_of_claim(kind: str, data: st.DataObject) -> None:
    change, drawn_claims = KINDS[kind]
    file = file_of(
        *(
            change(claim)
            for claim in data.draw(
                st.lists(
                    drawn_claims, min_size=1, max_size=3, unique_by=lambda claim: claim.control
                )
            )
        )
    )
    assert [one for one in check_bytes(file).findings if one.severity == "error"] == []
    assert accepted(file)


def test_the_control_pyx12_refuses_a_claim_without_its_service_day() -> None:
    data = file_of(sample_claim())
    start = data.index(b"DTP*472")
    assert not accepted(data[:start] + data[data.index(b"REF*6R") :])
