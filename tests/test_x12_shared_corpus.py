"""
The corpus of real-world samples, where it is at hand: everything good reads and writes back, and
everything bad ends in a finding with its place.

The samples are not ours to publish: they are looked for beside the repository, or where
RAPPORT_SHARED says.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rapport.protocols.x12 import show, syntax
from rapport.protocols.x12.check import check_bytes, roundtrip

SHARED = Path(
    os.environ.get("RAPPORT_SHARED") or Path(__file__).resolve().parents[1].parent / "shared"
)
CORPUS = SHARED / "corpus" / "x12"
GUIDES = ("837P", "835", "999", "277CA", "TA1", "270", "271", "276", "277")
NOT_X12 = {
    "837P/oopfactory__ST1309-XX.edi": "the IEA has no terminator",
    "TA1/oopfactory__TechnicalAcknowledgment-SampleFromJeffN825.edi": "the IEA has no terminator",
    "835/stupidedi__recover.edi": "made to be broken: a segment begins with no identifier",
}
"""Files of the good folders that are not X12 as they stand, and why."""
CONTEXT: dict[str, dict[str, set[str]]] = {
    "835__bh__unknown-claim-number.edi": {"known_controls": {"BH1001"}},
    "999__bh__control-number-unknown.edi": {"known_groups": {"1"}},
}
"""Files whose fault shows only to those who know what was sent."""

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")


def files(*folders: str) -> list[str]:
    """Return the files of some folders, as `folder/name`."""
    return [
        f"{folder}/{path.name}"
        for folder in folders
        for path in sorted((CORPUS / folder).glob("*.edi"))
    ]


def bare(data: bytes) -> bytes:
    """Take away what is decoration: a byte order mark, line breaks and indentation."""
    return re.sub(rb"[\r\n][ \t]*", b"", data.removeprefix(b"\xef\xbb\xbf")).strip()


@pytest.mark.parametrize("name", [one for one in files(*GUIDES) if one not in NOT_X12])
def test_a_sample_is_read_shown_and_written_back(name: str) -> None:
    data = (CORPUS / name).read_bytes()
    assert roundtrip(data) == data
    assert bare(syntax.write(syntax.read(data))) == bare(data)
    assert show.records(data)
    assert check_bytes(data, name).transactions


@pytest.mark.parametrize("name", [one for one in NOT_X12 if (CORPUS / one).is_file()])
def test_a_sample_that_is_not_x12_says_where(name: str) -> None:
    with pytest.raises(syntax.NotX12) as refused:
        roundtrip((CORPUS / name).read_bytes())
    assert refused.value.segment
    assert refused.value.index


@pytest.mark.parametrize("name", [one for one in files(*GUIDES) if "/bh__" in one])
def test_a_correct_sample_has_no_finding(name: str) -> None:
    assert check_bytes((CORPUS / name).read_bytes()).findings == ()


@pytest.mark.parametrize("name", files("bad"))
def test_a_bad_sample_ends_in_a_finding_with_its_place(name: str) -> None:
    report = check_bytes((CORPUS / name).read_bytes(), name, **CONTEXT.get(name[4:], {}))
    assert report.findings
    for finding in report.findings:
        assert finding.segment
        assert finding.position > 0
        assert finding.rule
        assert finding.message
