"""
Others' readers of 270, 271, 276, 277 and 277CA: they agree, and where they are wrong it is said.

x12sdk reads what we write. It is known to be wrong in three things about a 271, keeps one service
line of a claim in a 276 and 277, and one III and no question by procedure in a 270; pyx12's map of
the 277CA refuses the guide's own examples. A test shows what the oracle does and what is right.
When an oracle is mended, its test fails, and the exception can go.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
import pyx12.params
import pyx12.x12n_document
from hypothesis import given, settings
from pydantic import ValidationError
from x12sdk.io import X12ModelReader

from rapport.protocols.x12.check import check_bytes
from rapport.protocols.x12.elig270 import Inquiry
from rapport.protocols.x12.elig271 import Answer, Asker, Benefit, Member, Refusal, Source
from rapport.protocols.x12.entities import Contact, Party
from rapport.protocols.x12.status276 import StatusInquiry
from rapport.protocols.x12.status277 import StatusAnswer
from rapport.protocols.x12.tests.strategies import drawn
from rapport.protocols.x12.tests.strategies27x import (
    inquiries,
    status_answers,
    status_inquiries,
    written,
)

CORPUS = Path(__file__).resolve().parents[4] / "tests" / "corpus" / "x12"
few = settings(parent=drawn, max_examples=10)


def models(data: bytes) -> int:
    """Let x12sdk read a file; how many sets it made models of."""
    with X12ModelReader(data.decode("ascii")) as reader:
        return len(list(reader.models()))


@few
@given(inquiries(by_procedure=False, most_facts=0))
def test_x12sdk_reads_every_270_we_write(inquiry: Inquiry) -> None:
    assert models(written("270", inquiry)) == 1


@few
@given(status_inquiries(most_lines=1))
def test_x12sdk_reads_every_276_we_write(inquiry: StatusInquiry) -> None:
    assert models(written("276", inquiry)) == 1


@few
@given(status_answers(most_lines=1))
def test_x12sdk_reads_every_277_we_write(answer: StatusAnswer) -> None:
    assert models(written("277", answer)) == 1


def answer(**member: object) -> Answer:
    """Return a plain 271 of an active member."""
    return Answer(
        Source(Party("PR", "2", "EXAMPLE HEALTH PLAN", id_kind="PI", id="60054")),
        Asker(Party("1P", "2", "EXAMPLE PLLC", id_kind="XX", id="1234567893")),
        Member(
            Party("IL", "1", "BAKER", "ELI", id_kind="MI", id="W123456789"),
            **{"benefits": (Benefit("1", service_types=("30", "MH"), plan="GOLD"),), **member},  # type: ignore[arg-type]
        ),
    )


def test_x12sdk_reads_a_271_we_write() -> None:
    assert models(written("271", answer())) == 1


WITH_CONTACT = replace(
    answer(), payer=replace(answer().payer, contacts=(Contact("DESK", (("TE", "8005550100"),)),))
)
WITH_VISITS = answer(
    benefits=(
        Benefit("F", service_types=("MH",), time="23", quantity_kind="VS", quantity=Decimal(30)),
    )
)
NOT_FOUND = answer(benefits=(), refusals=(Refusal("Y", "75", "C"),))


@pytest.mark.parametrize(
    ("right", "says"),
    [
        pytest.param(WITH_CONTACT, "SE segment count", id="drops PER of 2100A, and miscounts"),
        pytest.param(WITH_VISITS, "quantity_qualifier", id="takes EB09 for a number"),
        pytest.param(NOT_FOUND, "reject_reason_code", id="lacks AAA03 75 in 2100C"),
    ],
)
def test_x12sdk_refuses_a_271_that_is_right(right: Answer, says: str) -> None:
    file = written("271", right)
    assert check_bytes(file).findings == ()
    with pytest.raises(ValidationError, match=says):
        models(file)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("270/pass/one-procedure", "service_type_code"),
        ("277/pass/three-lines", "SE segment count"),
    ],
)
def test_x12sdk_refuses_a_file_that_is_right(name: str, says: str) -> None:
    data = (CORPUS / f"{name}.edi").read_bytes()
    assert check_bytes(data).findings == ()
    with pytest.raises(ValidationError, match=says):
        models(data)


@pytest.mark.parametrize("name", ["accepted", "rejected"])
def test_pyx12_refuses_a_277ca_that_is_right(name: str) -> None:
    """Its map wants 2200C, STC and STC02 at lines, and will not have HL04 empty."""
    data = (CORPUS / "277CA" / "pass" / f"{name}.edi").read_bytes()
    assert check_bytes(data).findings == ()
    source = StringIO(data.decode("ascii"))
    assert not pyx12.x12n_document.x12n_document(
        pyx12.params.params(), source, StringIO(), None, None
    )
