"""Our own corpus: what is right is clean and written back, what is wrong is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.protocols.x12 import show
from rapport.protocols.x12.check import check_bytes, roundtrip

CORPUS = Path(__file__).resolve().parent / "corpus" / "x12"
GUIDES = ("837P", "835", "999", "277CA", "TA1", "270", "271", "276", "277")
EXPECTED = {
    name: rest.split()
    for name, _, rest in (
        line.partition(" ") for line in (CORPUS / "expected.txt").read_text().splitlines()
    )
}
"""`guide/name` -> segment, position, element (`-`: the segment) and rule that must be found."""


def files(kind: str) -> list[Path]:
    return sorted(CORPUS.glob(f"*/{kind}/*.edi"))


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("kind", ["pass", "fail"])
def test_no_folder_of_the_corpus_is_empty(guide: str, kind: str) -> None:
    assert list((CORPUS / guide / kind).glob("*.edi"))


@pytest.mark.parametrize("path", files("pass"), ids=lambda p: f"{p.parent.parent.name}/{p.stem}")
def test_a_correct_file_is_clean_shown_and_written_back(path: Path) -> None:
    data = path.read_bytes()
    report = check_bytes(data, path.name)
    assert report.findings == ()
    assert {summary.guide for summary in report.transactions} == {path.parent.parent.name}
    assert show.records(data)
    assert roundtrip(data) == data


@pytest.mark.parametrize("path", files("fail"), ids=lambda p: f"{p.parent.parent.name}/{p.stem}")
def test_a_wrong_file_is_told_its_fault_and_the_place_of_it(path: Path) -> None:
    found = check_bytes(path.read_bytes(), path.name).findings
    places = [[f.segment, str(f.position), f.element or "-", f.rule] for f in found]
    assert EXPECTED[f"{path.parent.parent.name}/{path.stem}"] in places


def test_a_remittance_for_a_claim_never_sent_is_found_by_who_knows_what_was_sent() -> None:
    data = (CORPUS / "835" / "pass" / "copay-and-contract.edi").read_bytes()
    assert check_bytes(data, known_controls={"BH1001"}).clean
    [finding] = check_bytes(data, known_controls={"BH9999"}).findings
    assert (finding.segment, finding.element, finding.rule) == ("CLP", "01", "claim-unknown")


def test_an_acknowledgement_of_a_group_never_sent_is_found_by_who_knows_what_was_sent() -> None:
    data = (CORPUS / "999" / "pass" / "accepted.edi").read_bytes()
    assert check_bytes(data, known_groups={"7"}).clean
    [finding] = check_bytes(data, known_groups={"8"}).findings
    assert (finding.segment, finding.element, finding.rule) == ("AK1", "02", "group-unknown")
