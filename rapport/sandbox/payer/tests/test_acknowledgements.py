from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from rapport.sandbox.payer.desk import Desk, NotAnInterchange
from rapport.sandbox.payer.tests.conftest import Bench
from rapport.sandbox.payer.tests.oracles import pyx12_accepts, segments_of, tagged
from tests.support.claims837 import TestClaim, TestLine, write_837p

GOOD = write_837p()
CORPUS = Path(
    os.environ.get("RAPPORT_CORPUS", Path(__file__).resolve().parents[6] / "shared/corpus")
)


def assert_status_report_holds_together(file: bytes) -> None:
    """A judge of our own for the 277CA, for want of a right one: structure, levels and sums."""
    segments = segments_of(file)
    assert [one[0] for one in segments[:2]] == ["ISA", "GS"]
    assert segments[1][1:9:7] == ["HN", "005010X214"]
    opened = [i for i, one in enumerate(segments) if one[0] == "ST"]
    closed = [i for i, one in enumerate(segments) if one[0] == "SE"]
    assert tagged(file, "GE")[0][1] == str(len(opened)) == str(len(closed))
    for first, last in zip(opened, closed, strict=True):
        body = segments[first : last + 1]
        assert body[-1][1:] == [str(len(body)), body[0][2]]
        assert body[1][:3] == ["BHT", "0085", "08"]
        levels = [i for i, one in enumerate(body) if one[0] == "HL"]
        assert [body[i][1] for i in levels] == [str(n + 1) for n in range(len(levels))]
        kinds = [body[i][3] for i in levels]
        assert kinds[:2] == ["20", "21"]
        parents = {"20": "", "21": "20", "19": "21", "PT": "19"}
        by_number = {body[i][1]: body[i][3] for i in levels}
        loops = [body[a:b] for a, b in zip(levels, [*levels[1:], len(body)], strict=True)]
        accepted: list[Decimal] = []
        refused: list[Decimal] = []
        for loop in loops:
            level = loop[0]
            assert by_number.get(level[2], "") == parents[level[3]]
            assert [one[0] for one in loop[1:3]] == ["NM1", "TRN"]
            if level[3] == "PT":
                stc = loop[3]
                (accepted if stc[3] == "WQ" else refused).append(Decimal(stc[4]))
                numbered = any(one[:2] == ["REF", "1K"] for one in loop)
                assert numbered == (stc[3] == "WQ") == stc[1].startswith("A2")
        assert quantities(loops[1]) == expected({"90": accepted, "AA": refused}, "YU", "YY")


def quantities(loop: list[list[str]]) -> dict[str, Decimal]:
    return {one[1]: Decimal(one[2]) for one in loop if one[0] in ("QTY", "AMT")}


def expected(by_code: dict[str, list[Decimal]], *amounts: str) -> dict[str, Decimal]:
    found = {code: Decimal(len(some)) for code, some in by_code.items() if some}
    sums = zip(amounts, by_code.values(), strict=True)
    return {**found, **{code: sum(some, Decimal(0)) for code, some in sums if some}}


def edited(old: bytes, new: bytes, count: int = 1) -> Callable[[bytes], bytes]:
    def edit(file: bytes) -> bytes:
        assert old in file
        return file.replace(old, new, count)

    return edit


@pytest.mark.parametrize(
    ("edit", "note"),
    [
        (edited(b"IEA*1*000000101", b"IEA*1*000000102"), "001"),
        (edited(b"IEA*1*", b"IEA*2*"), "021"),
        (edited(b"IEA*1*000000101~\n", b""), "023"),
        (edited(b"IEA*1*000000101~\n", b"IEA*1*000000101~\nST*837*0002~\n"), "022"),
        (edited(b"*00501*", b"*00401*"), "017"),
        (edited(b"*000000101*0*T", b"*00000010A*0*T"), "018"),
        (edited(b"*0*T*:", b"*7*T*:"), "019"),
        (edited(b"*0*T*:", b"*0*X*:"), "020"),
        (edited(b"*260105*", b"*261305*"), "014"),
        (edited(b"*0930*^", b"*2530*^"), "015"),
    ],
)
def test_a_broken_envelope_is_answered_with_a_ta1_and_nothing_else(
    bench: Bench, edit: Callable[[bytes], bytes], note: str
) -> None:
    bench.send(edit(GOOD))
    [(kind, file)] = bench.answers()

    assert kind == "TA1"
    assert tagged(file, "TA1")[0][4:] == ["R", note]
    # A TA1 repeats the number, day and hour as they came, so it is only as good as they were.
    assert note in ("014", "015", "018") or pyx12_accepts(file)


def test_a_ta1_says_yes_only_when_it_was_asked_for(bench: Bench) -> None:
    bench.send(write_837p(control=101, ask_ta1=True))
    bench.send(write_837p([TestClaim(number="C2")], control=102))

    assert [kind for kind, _ in bench.answers()] == [
        "TA1",
        "999",
        "277CA",
        "835",
        "999",
        "277CA",
        "835",
    ]
    assert tagged(bench.desk.file("00000001_TA1.x12") or b"", "TA1")[0] == [
        "TA1", "000000101", "260105", "0930", "A", "000",
    ]  # fmt: skip


@pytest.mark.parametrize("same_bytes", [True, False])
def test_a_control_number_used_before_is_never_adjudicated_again(
    bench: Bench, same_bytes: bool
) -> None:
    bench.send(GOOD)
    bench.answers()
    bench.send(GOOD if same_bytes else write_837p([TestClaim(number="OTHER")]))
    [(kind, file)] = bench.answers()

    assert (kind, tagged(file, "TA1")[0][4:]) == ("TA1", ["R", "025"])
    assert bench.desk.accepted()["counts"] == {
        "interchanges": 2,
        "accepted": 1,
        "duplicates": 1,
        "claims": 1,
        "claims_accepted_more_than_once": 0,
    }


def test_a_control_number_is_free_again_after_a_broken_envelope_and_for_another_sender(
    bench: Bench,
) -> None:
    bench.send(edited(b"IEA*1*", b"IEA*2*")(GOOD))
    bench.send(GOOD)
    bench.send(write_837p([TestClaim(number="C2")], sender="ANOTHER"))

    assert bench.desk.accepted()["counts"]["accepted"] == 2


def test_bytes_that_are_no_interchange_are_not_taken(bench: Bench) -> None:
    for data in (b"", b"<html>", b"ISA*short~", GOOD[:100], GOOD[1:], b"ISA" + b"\0" * 200):
        assert isinstance(bench.desk.receive(data, channel="http"), NotAnInterchange)
    assert bench.desk.accepted()["counts"]["interchanges"] == 0


@pytest.mark.parametrize(
    ("left_out", "faults"),
    [
        ("BHT", [("BHT", "5", "1000", "3")]),
        ("NM1*41", [("NM1", "5", "1000", "3")]),
        ("REF*EI", [("REF", "11", "2010", "3")]),
        ("N4*HARTFORD*CT*061030001", [("N4", "11", "2010", "3")]),
        ("SBR", [("SBR", "18", "2010", "3")]),
        ("NM1*PR", [("NM1", "18", "2010", "3")]),
        ("HI", [("HI", "23", "2300", "3")]),
        ("SV1", [("SV1", "27", "2400", "3")]),
        ("DTP*472", [("DTP", "27", "2400", "3")]),
    ],
)
def test_a_missing_segment_is_named_with_its_place(
    bench: Bench, left_out: str, faults: list[tuple[str, ...]]
) -> None:
    bench.send(write_837p(leave_out=left_out))
    [(kind, file)] = bench.answers()

    assert kind == "999"
    assert [tuple(ik3[1:]) for ik3 in tagged(file, "IK3")] == faults
    assert (tagged(file, "IK5")[0][1:], tagged(file, "AK9")[0][1]) == (["R", "5"], "R")
    assert pyx12_accepts(file)


@pytest.mark.parametrize(
    ("edit", "element"),
    [
        (edited(b"CLM*CLAIM1*", b"CLM**"), ["1", "1028", "1"]),
        (edited(b"CLM*CLAIM1*", b"CLM*" + b"X" * 21 + b"*"), ["1", "1028", "5", "X" * 21]),
        (edited(b"*180***11", b"*ABC***11"), ["2", "782", "6", "ABC"]),
        (edited(b"11:B:1", b"11:B:9"), ["5:3", "1325", "7", "9"]),
        (edited(b"D8*20251203", b"D8*20251341"), ["3", "1251", "8", "20251341"]),
        (edited(b"DMG*D8*19850214", b"DMG*D8*1985"), ["2", "1251", "8", "1985"]),
        (edited(b"*MI*W123456789", b""), ["9", "67", "1"]),
    ],
)
def test_an_element_at_fault_is_named_with_its_number(
    bench: Bench, edit: Callable[[bytes], bytes], element: list[str]
) -> None:
    bench.send(edit(GOOD))
    [(_, file)] = bench.answers()

    assert [ik4[1:] for ik4 in tagged(file, "IK4")] == [element]
    assert pyx12_accepts(file)


@pytest.mark.parametrize(
    ("edit", "group_codes", "set_codes"),
    [
        (edited(b"SE*28*0001", b"SE*30*0001"), [], ["4"]),
        (edited(b"SE*28*0001", b"SE*28*0002"), [], ["3"]),
        (edited(b"GE*1*101", b"GE*1*102"), ["4"], []),
        (edited(b"GE*1*101", b"GE*2*101"), ["5"], []),
        (edited(b"005010X222A1~\nST", b"005010X223A2~\nST"), ["2"], []),
    ],
)
def test_counts_and_numbers_that_do_not_agree_reject_the_group_or_the_set(
    bench: Bench, edit: Callable[[bytes], bytes], group_codes: list[str], set_codes: list[str]
) -> None:
    bench.send(edit(GOOD))
    [(_, file)] = bench.answers()

    assert tagged(file, "AK9")[0][1] == "R"
    assert tagged(file, "AK9")[0][5:] == group_codes
    assert tagged(file, "IK5")[0][2:] == set_codes


def test_an_unknown_segment_is_named(bench: Bench) -> None:
    bench.send(edited(b"SE*28", b"ZZZ*1~\nSE*29")(GOOD))
    assert [ik3[1:] for ik3 in tagged(bench.answers()[0][1], "IK3")] == [["ZZZ", "28", "2400", "1"]]


def test_a_group_with_one_bad_set_is_accepted_in_part(bench: Bench) -> None:
    lines = GOOD.decode().splitlines()
    st, se = 2, next(i for i, line in enumerate(lines) if line.startswith("SE"))
    second = [line.replace("0001", "0002", 1) if line[:2] in ("ST", "SE") else line
              for line in lines[st : se + 1]]  # fmt: skip
    second = [line.replace("CLAIM1", "CLAIM2").replace("11:B:1", "11:B:9") for line in second]
    file = "\n".join([*lines[: se + 1], *second, "GE*2*101~", lines[-1]]).encode()
    bench.send(file)
    answers = dict(bench.answers())

    assert [ik5[1] for ik5 in tagged(answers["999"], "IK5")] == ["A", "R"]
    assert tagged(answers["999"], "AK9")[0][1:] == ["P", "2", "2", "1"]
    assert [trn[2] for trn in tagged(answers["277CA"], "TRN") if trn[1] == "2"] == [
        "B101",
        "CLAIM1",
    ]
    assert pyx12_accepts(answers["999"])


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"member_id": "SBX2771"}, "A7:164:IL"),
        ({"member_id": "SBX277A31"}, "A3:21:IL"),
        ({"charge": "181"}, "A7:400:85"),
        ({"lines": (TestLine(pointer="2"),)}, "A7:477:85"),
        ({"frequency": "7"}, "A6:464:PR"),
        ({"frequency": "8", "original": "NOSUCH"}, "A7:464:PR"),
    ],
)
def test_a_claim_the_payer_cannot_use_is_returned_by_the_277ca(
    bench: Bench, facts: dict[str, object], status: str
) -> None:
    answers = bench.claim(**facts)  # type: ignore[arg-type]

    assert [kind for kind, _ in answers] == ["999", "277CA"]
    [stc] = [one for one in tagged(answers[1][1], "STC") if one[1] == status]
    assert stc[3] == "U"
    assert_status_report_holds_together(answers[1][1])


def test_an_npi_without_its_check_digit_is_returned(bench: Bench) -> None:
    bench.send(write_837p(npi="1234567890"))
    assert [kind for kind, _ in bench.answers()] == ["999", "277CA"]


def test_a_status_report_adds_up_over_good_and_bad_claims(bench: Bench) -> None:
    members = ["W1", "SBX2771", "SBXFULL1", "SBX277A31", "SBXDED1"]
    bench.send(write_837p([TestClaim(member_id=m, number=f"C{n}") for n, m in enumerate(members)]))

    report = dict(bench.answers())["277CA"]

    assert_status_report_holds_together(report)
    assert quantities(segments_of(report)) == {
        "90": 3, "AA": 2, "QA": 3, "QC": 2, "YU": 540, "YY": 360,
    }  # fmt: skip


def test_acknowledgements_name_what_they_answer(bench: Bench) -> None:
    bench.send(write_837p(control=777))
    answers = dict(bench.answers())

    assert tagged(answers["999"], "AK1")[0][1:3] == ["HC", "777"]
    assert tagged(answers["999"], "AK2")[0][1:3] == ["837", "0001"]
    assert ["TRN", "2", "B777"] in tagged(answers["277CA"], "TRN")
    assert ["REF", "D9", "TCLAIM1"] in tagged(answers["277CA"], "REF")


@pytest.mark.parametrize("folder", ["837P", "bad"])
def test_no_file_of_the_corpus_breaks_the_sandbox(tmp_path: Path, folder: str) -> None:
    files = sorted((CORPUS / "x12" / folder).glob("*.edi"))
    if not files:
        pytest.skip("the corpus is not on this machine")
    desk = Desk(tmp_path)
    for path in files:
        desk.receive(path.read_bytes(), channel="http")
    desk.work()
    assert desk.accepted()["counts"]["interchanges"] > len(files) / 2
