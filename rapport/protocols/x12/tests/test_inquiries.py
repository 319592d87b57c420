"""270, 271, 276 and 277: what is written is read back as it was, and is clean by our own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.protocols.x12 import elig270, elig271, status276, status277, syntax
from rapport.protocols.x12.check import check_bytes, roundtrip
from rapport.protocols.x12.elig271 import Answer
from rapport.protocols.x12.envelope import TransactionSet, transaction_sets
from rapport.protocols.x12.tests.strategies import HOSTILE, drawn
from rapport.protocols.x12.tests.strategies27x import (
    answers,
    inquiries,
    status_answers,
    status_inquiries,
    written,
)
from rapport.protocols.x12.tests.test_robustness import survive

CORPUS = Path(__file__).resolve().parents[4] / "tests" / "corpus" / "x12"
DRAWN: dict[str, st.SearchStrategy[object]] = {
    "270": inquiries(),
    "271": answers(),
    "276": status_inquiries(),
    "277": status_answers(),
}
READ: dict[str, Callable[[TransactionSet], Iterator[object]]] = {
    "270": elig270.read,
    "271": elig271.read,
    "276": status276.read,
    "277": status277.read,
}


def payer(record: object) -> object:
    return record.payer  # type: ignore[attr-defined]


def records(kind: str, data: bytes) -> list[object]:
    [unit] = transaction_sets(syntax.read(data))
    assert isinstance(unit, TransactionSet)
    return list(READ[kind](unit))


@pytest.mark.parametrize("kind", ["270", "271", "276", "277"])
@settings(parent=drawn, max_examples=15)
@given(data=st.data())
def test_what_is_written_is_clean_and_read_back_as_it_was(kind: str, data: st.DataObject) -> None:
    made = data.draw(st.lists(DRAWN[kind], min_size=1, max_size=2, unique_by=payer))
    file = written(kind, *made)
    # Traces are drawn apart from one another, so that two patients may share one by chance.
    assert [one for one in check_bytes(file).findings if one.rule != "trace-twice"] == []
    assert records(kind, file) == made
    assert roundtrip(file) == file


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_message_stays_one_element(text: str) -> None:
    """A payer's message is anything; what we write of it never becomes a segment."""
    row = elig271.Benefit("1", service_types=("30",), plan=text, messages=(text,))
    answer = Answer(
        elig271.Source(elig270.Party("PR", "2", "PLAN", id_kind="PI", id="60054")),
        elig271.Asker(elig270.Party("1P", "2", "US", id_kind="XX", id="1234567893")),
        elig271.Member(elig270.Party("IL", "1", text, "ELI", id_kind="MI", id="W1")),
    )
    assert answer.subscriber is not None
    member = elig271.Member(answer.subscriber.party, benefits=(row,))
    file = written("271", Answer(answer.payer, answer.provider, member))
    assert check_bytes(file).findings == ()
    assert file.count(b"MSG*") == 1
    assert file.count(b"~") == 15


@pytest.mark.parametrize(
    "name", ["270/pass/one-procedure", "271/pass/carved-out", "276/pass/two-patients-and-a-line",
             "277/pass/pending-denied-and-by-line"],
)  # fmt: skip
@pytest.mark.parametrize("value", [b"\xb2", b"", b"-", b"1e5"])
def test_each_element_in_turn_may_be_anything(name: str, value: bytes) -> None:
    segments = (CORPUS / f"{name}.edi").read_bytes().split(b"~")
    for at, segment in enumerate(segments):
        elements = segment.split(b"*")
        for place in range(1, len(elements)):
            changed = b"*".join([*elements[:place], value, *elements[place + 1 :]])
            survive(b"~".join([*segments[:at], changed, *segments[at + 1 :]]))


def test_a_payment_number_where_its_day_belongs_is_read_as_a_number() -> None:
    segment = syntax.Segment(
        "STC*F1:65*20260105**180*105*20260105**EFT1".split("*"), 1, 0, syntax.Delimiters()
    )
    status = status277.Status.of(segment)
    assert (status.payment_number, status.paid_on) == ("EFT1", None)
    assert status.standing == "paid"


def test_the_newest_status_of_a_claim_says_where_it_stands() -> None:
    def stc(text: str) -> status277.Status:
        return status277.Status.of(syntax.Segment(text.split("*"), 1, 0, syntax.Delimiters()))

    old, new = stc("STC*P1:20*20260103"), stc("STC*F2:84*20260105")
    assert status277.ClaimStatus("T1", (old, new)).standing == "denied"
    assert status277.ClaimStatus("T1", (new, old)).standing == "denied"
    assert status277.ClaimStatus("T1", ()).standing == "unknown"
