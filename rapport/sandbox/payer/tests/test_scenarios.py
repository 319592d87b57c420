from __future__ import annotations

import json
import random
import re
from decimal import Decimal
from pathlib import Path

import pytest

from rapport.sandbox.payer.scenarios import Scenario, scenario_of
from rapport.sandbox.payer.tests.conftest import Bench
from rapport.sandbox.payer.tests.oracles import (
    adjusted,
    oxedi_diagnostics,
    pyx12_accepts,
    segments_of,
    tagged,
)
from tests.support.claims837 import TestClaim, TestLine, write_837p

ONE = (TestLine(),)
TWO = (TestLine(), TestLine(code="90785", charge="20"))
PAID_AT_ONCE = ["999", "277CA", "835"]


def member(scenario: Scenario) -> str:
    return f"SBX{scenario.value}0017"


def money(file: bytes) -> list[tuple[str, str, str]]:
    """Status, paid and what the patient owes, of every claim."""
    return [(clp[2], clp[4], (clp[5] if len(clp) > 5 else "")) for clp in tagged(file, "CLP")]


def reasons(file: bytes) -> list[str]:
    return [f"{cas[1]}-{cas[i]}" for cas in tagged(file, "CAS") for i in range(2, len(cas), 3)]


def assert_balanced(file: bytes) -> None:
    """Line, claim and check by our own sums, then by a judge that is not ours."""
    segments = segments_of(file)
    starts = [i for i, one in enumerate(segments) if one[0] == "CLP"]
    end = next(i for i, one in enumerate(segments) if one[0] in ("PLB", "SE"))
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        claim = segments[start:stop]
        lines = [i for i, one in enumerate(claim) if one[0] == "SVC"]
        for first, last in zip(lines, [*lines[1:], len(claim)], strict=True):
            line = claim[first:last]
            assert Decimal(line[0][2]) - adjusted(line) == Decimal(line[0][3])
        assert Decimal(claim[0][3]) - adjusted(claim) == Decimal(claim[0][4])
        assert Decimal(claim[0][3]) == sum(Decimal(one[2]) for one in claim if one[0] == "SVC")
    plb = sum(Decimal(one[i]) for one in tagged(file, "PLB") for i in range(4, len(one), 2))
    claims = sum(Decimal(one[4]) for one in tagged(file, "CLP"))
    assert Decimal(tagged(file, "BPR")[0][2]) == claims - plb >= 0
    assert oxedi_diagnostics(file) == []
    assert pyx12_accepts(file)


@pytest.mark.parametrize(
    ("member_id", "scenario"),
    [
        ("W123456789", Scenario.USUAL),
        ("SBX", Scenario.USUAL),
        ("SBXUNKNOWN", Scenario.USUAL),
        ("SBXCO1601", Scenario.DENIED_MISSING_INFORMATION),
        ("SBXCO19701", Scenario.DENIED_NO_AUTHORISATION),
        ("sbxcoin7", Scenario.COINSURANCE),
        ("SBXCOB7", Scenario.SECONDARY_ONLY),
        ("SBXCOPAY7", Scenario.COPAY),
        ("SBX2771", Scenario.REJECTED_MEMBER),
        ("SBX277A31", Scenario.REJECTED_UNPROCESSABLE),
        ("XSBXFULL", Scenario.USUAL),
    ],
)
def test_the_longest_scenario_a_member_id_begins_with_decides(
    member_id: str, scenario: Scenario
) -> None:
    assert scenario_of(member_id) is scenario


@pytest.mark.parametrize("lines", [ONE, TWO], ids=["one line", "two lines"])
@pytest.mark.parametrize("scenario", Scenario)
def test_every_answer_of_every_scenario_is_valid_and_balanced(
    bench: Bench, scenario: Scenario, lines: tuple[TestLine, ...]
) -> None:
    answers = bench.claim(member_id=member(scenario), lines=lines)
    bench.desk.advance()
    for kind, file in [*answers, *bench.answers()]:
        if kind == "835":
            assert_balanced(file)
        elif kind == "999":
            assert pyx12_accepts(file)
        assert file.isascii()


@pytest.mark.parametrize(
    ("scenario", "paid", "why"),
    [
        (Scenario.USUAL, [("1", "119", "25")], ["CO-45", "PR-3"]),
        (Scenario.COPAY, [("1", "119", "25")], ["CO-45", "PR-3"]),
        (Scenario.PAID_IN_FULL, [("1", "180", "")], []),
        (Scenario.DEDUCTIBLE, [("1", "0", "144")], ["CO-45", "PR-1"]),
        (Scenario.COINSURANCE, [("1", "115.2", "28.8")], ["CO-45", "PR-2"]),
        (Scenario.DENIED_MISSING_INFORMATION, [("4", "0", "")], ["CO-16"]),
        (Scenario.DENIED_LATE, [("1", "0", "")], ["CO-29"]),
        (Scenario.DENIED_NO_AUTHORISATION, [("1", "0", "")], ["CO-197"]),
        (Scenario.DENIED_NOT_COVERED, [("4", "0", "180")], ["PR-204"]),
        (Scenario.SECONDARY_ONLY, [("1", "0", "")], ["CO-22"]),
        (Scenario.PARTLY_PAID, [("1", "47", "25")], ["CO-45", "CO-151", "PR-3"]),
    ],
)
def test_what_180_dollars_come_to(
    bench: Bench, scenario: Scenario, paid: list[tuple[str, str, str]], why: list[str]
) -> None:
    answers = bench.claim(member_id=member(scenario))

    assert [kind for kind, _ in answers] == PAID_AT_ONCE
    assert money(answers[2][1]) == paid
    assert reasons(answers[2][1]) == why


def test_a_payment_echoes_what_it_belongs_to(bench: Bench) -> None:
    answers = dict(bench.claim(member_id="W1", number="ABC123", lines=TWO))
    era, status = answers["835"], answers["277CA"]

    [clp] = tagged(era, "CLP")
    assert clp[1] == "ABC123"
    assert [clp[7]] == [ref[2] for ref in tagged(status, "REF") if ref[1] == "1K"]
    assert [ref[2] for ref in tagged(era, "REF") if ref[1] == "6R"] == ["ABC123L1", "ABC123L2"]
    assert [dtm[2] for dtm in tagged(era, "DTM") if dtm[1] == "472"] == ["20251203", "20251203"]
    assert [amt[2] for amt in tagged(era, "AMT") if amt[1] == "B6"] == ["144", "16"]


def test_a_file_of_claims_is_paid_by_one_check(bench: Bench) -> None:
    claims = [TestClaim(member_id="W1", number=f"C{n}") for n in range(5)]
    bench.send(write_837p(claims))

    [era] = bench.paid()

    assert [clp[1] for clp in tagged(era, "CLP")] == ["C0", "C1", "C2", "C3", "C4"]
    assert tagged(era, "BPR")[0][2] == "595"


def test_every_check_has_its_own_number(bench: Bench) -> None:
    for control in range(101, 106):
        bench.claim(control, member_id="SBXSPLIT1", lines=TWO)
    traces = [
        tagged(bench.desk.file(one.name) or b"", "TRN")[0][2]
        for _, one in bench.desk.files(after=0, limit=999)
        if one.kind == "835"
    ]
    assert len(set(traces)) == len(traces) == 10


def test_a_contract_may_allow_another_part_of_the_charge(bench: Bench) -> None:
    answers = bench.claim(member_id="SBXCOIN1", lines=(TestLine(code="96130", charge="200"),))
    assert money(answers[2][1]) == [("1", "120", "30")]


def test_a_copay_is_taken_once_and_spills_over_small_lines(bench: Bench) -> None:
    small = tuple(TestLine(charge="20") for _ in range(3))
    answers = bench.claim(member_id="W1", lines=small)
    assert money(answers[2][1]) == [("1", "23", "25")]


def test_the_last_of_several_lines_is_bundled_when_partly_paid(bench: Bench) -> None:
    answers = bench.claim(member_id="SBXPART1", lines=TWO)
    assert reasons(answers[2][1]) == ["CO-45", "PR-3", "CO-97"]


def test_a_late_answer_waits_until_the_sandbox_is_told_to_advance(bench: Bench) -> None:
    at_once = [kind for kind, _ in bench.claim(member_id="SBXLATE1")]
    bench.pass_time(86_400)
    nothing = bench.answers()
    released = bench.desk.advance()

    assert (at_once, nothing, released) == (["999", "277CA"], [], 1)
    assert money(bench.paid()[0]) == [("1", "119", "25")]


def test_a_lost_acknowledgement_leaves_only_the_payment(bench: Bench) -> None:
    assert [kind for kind, _ in bench.claim(member_id="SBXLOST1")] == ["835"]


def test_silence_is_silence(bench: Bench) -> None:
    answers = bench.claim(member_id="SBXNEVER1")
    assert (answers, bench.desk.advance()) == ([], 0)


def test_a_payment_sent_twice_differs_in_its_envelope_only(bench: Bench) -> None:
    bench.claim(member_id="SBXDUP1")
    bench.cursor = 0
    first, second = bench.paid()

    assert first != second
    assert tagged(first, "ISA")[0][13] != tagged(second, "ISA")[0][13]
    inside = [
        [one for one in segments_of(file) if one[0] not in ("ISA", "GS", "GE", "IEA")]
        for file in (first, second)
    ]
    assert inside[0] == inside[1]


def test_a_takeback_reverses_pays_less_and_collects_the_rest_from_the_next_check(
    bench: Bench,
) -> None:
    first = bench.claim(101, member_id="SBXTAKE1")[2][1]
    bench.desk.advance()
    [second] = bench.paid()
    third = bench.claim(102, member_id="W1")[2][1]
    fourth = bench.claim(103, member_id="W1")[2][1]

    assert money(first) == [("1", "119", "25")]
    assert money(second) == [("22", "-119", ""), ("1", "83", "25")]
    assert tagged(first, "CLP")[0][7] == tagged(second, "CLP")[0][7]
    assert [plb[4] for plb in tagged(second, "PLB")] == ["-36"]
    assert tagged(second, "BPR")[0][1:5] == ["H", "0", "C", "NON"]
    assert [plb[3].split(":")[0] + plb[4] for plb in tagged(third, "PLB")] == ["FB36"]
    assert [file[2] for file in (tagged(third, "BPR")[0], tagged(fourth, "BPR")[0])] == [
        "83",
        "119",
    ]


def test_a_recoupment_takes_money_that_belongs_to_no_claim_of_the_check(bench: Bench) -> None:
    era = bench.claim(member_id="SBXWO1")[2][1]

    [plb] = tagged(era, "PLB")
    assert (plb[3].split(":")[0], plb[4]) == ("WO", "40")
    assert (money(era), tagged(era, "BPR")[0][2]) == ([("1", "119", "25")], "79")


def test_interest_is_paid_beside_the_claim(bench: Bench) -> None:
    era = bench.claim(member_id="SBXINT1")[2][1]

    [plb] = tagged(era, "PLB")
    assert (plb[3].split(":")[0], plb[4]) == ("L6", "-1.23")
    assert ["AMT", "I", "1.23"] in tagged(era, "AMT")
    assert tagged(era, "BPR")[0][2] == "120.23"


def test_a_split_claim_of_one_line_is_pended_then_corrected(bench: Bench) -> None:
    _, _, (_, first), (_, second) = bench.claim(member_id="SBXSPLIT1")

    assert (money(first), reasons(first)[-1]) == ([("1", "59.5", "25")], "OA-133")
    assert money(second) == [("22", "-59.5", ""), ("1", "119", "25")]


def test_a_split_claim_of_two_lines_has_a_line_on_each_check(bench: Bench) -> None:
    _, _, (_, first), (_, second) = bench.claim(member_id="SBXSPLIT1", lines=TWO)

    assert [clp[7] for clp in tagged(first, "CLP")] == [clp[7] for clp in tagged(second, "CLP")]
    controls = [tagged(file, "REF")[-1][2] for file in (first, second)]
    assert controls == ["C101L1", "C101L2"]


PRIMARY = (
    "SBR*P*18*GRP9******CI",
    "AMT*D*119",
    "OI***Y***Y",
    "NM1*IL*1*RIVERA*ANA****MI*P999",
    "NM1*PR*2*FIRST PLAN*****PI*11111",
)
BY_LINE = ("SVD*11111*119*HC:90837**1", "CAS*CO*45*36", "CAS*PR*3*25", "DTP*573*D8*20260110")


@pytest.mark.parametrize("member_id", ["W1", "SBXCOB1"])
def test_a_second_payer_pays_what_the_first_left_to_the_patient(
    bench: Bench, member_id: str
) -> None:
    lines = (TestLine(prior=BY_LINE),)
    era = bench.claim(member_id=member_id, rank="S", other_payer=PRIMARY, lines=lines)[2][1]

    assert money(era) == [("2", "25", "")]
    assert (reasons(era), adjusted(segments_of(era))) == (["OA-23"], Decimal(155))
    assert_balanced(era)


@pytest.mark.parametrize(
    ("member_id", "paid", "found"),
    [("SBXKEEP1", "15", ["OA-23", "PR-3"]), ("SBXPR2041", "0", ["OA-23", "PR-204"]), ("SBXCO1971", "0", ["OA-23", "CO-197"])],
)
def test_a_second_payer_may_have_a_rule_of_its_own(
    bench: Bench, member_id: str, paid: str, found: list[str]
) -> None:
    lines = (TestLine(prior=BY_LINE),)
    era = bench.claim(member_id=member_id, rank="S", other_payer=PRIMARY, lines=lines)[2][1]

    assert (money(era)[0][1], sorted(reasons(era))) == (paid, sorted(found))
    assert_balanced(era)


SECOND = (
    "SBR*S*18*GRP8******CI",
    "AMT*D*15",
    "OI***Y***Y",
    "NM1*IL*1*RIVERA*ANA****MI*S999",
    "NM1*PR*2*SECOND PLAN*****PI*22222",
)
SECOND_BY_LINE = ("SVD*22222*15*HC:90837**1", "CAS*OA*23*155", "CAS*PR*3*10", "DTP*573*D8*20260115")


def test_a_third_payer_pays_what_the_second_left(bench: Bench) -> None:
    lines = (TestLine(prior=(*BY_LINE, *SECOND_BY_LINE)),)
    era = bench.claim(member_id="W1", rank="T", other_payer=(*PRIMARY, *SECOND), lines=lines)[2][1]

    assert money(era) == [("3", "10", "")]
    assert_balanced(era)


def test_a_claim_that_is_passed_on_names_the_next_payer(bench: Bench) -> None:
    undecided = (SECOND[0], *SECOND[2:])
    era = bench.claim(member_id="SBXCROSS1", other_payer=undecided)[2][1]

    assert money(era) == [("19", "119", "25")]
    assert [row[9] for row in tagged(era, "NM1") if row[1] == "TT"] == ["22222"]
    assert_balanced(era)


def test_a_first_payer_who_decided_on_the_claim_as_a_whole_is_taken_into_account(
    bench: Bench,
) -> None:
    other = (
        PRIMARY[0],
        "CAS*CO*45*40",
        "CAS*PR*3*25",
        "AMT*D*135",
        *PRIMARY[2:],
        "DTP*573*D8*20260110",
    )
    era = bench.claim(member_id="W1", rank="S", other_payer=other, lines=TWO)[2][1]

    assert money(era) == [("2", "25", "")]
    assert_balanced(era)


@pytest.mark.parametrize("seed", range(12))
def test_any_claim_balances_to_the_cent(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)
    claims = [
        TestClaim(
            member_id=member(chance.choice(list(Scenario)))
            if (claims_seed := chance.random()) < 0.7
            else f"W{claims_seed}"[:10],
            number=f"C{number}",
            lines=tuple(
                TestLine(
                    code=chance.choice(("90837", "96130", "H0031", "90785")),
                    charge=str(Decimal(chance.randrange(1, 50_000)) / 100),
                )
                for _ in range(chance.randrange(1, 7))
            ),
        )
        for number in range(12)
    ]
    claims = [one for one in claims if "SBX999" not in one.member_id]
    file = write_837p(claims)
    assert pyx12_accepts(file)
    bench.send(file)
    bench.desk.advance()
    for era in bench.paid():
        assert_balanced(era)


def test_every_scenario_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text().partition("| the 271 |")[0]
    listed = set(re.findall(r"^\| `SBX(\w+)…` \|", readme, re.MULTILINE))
    assert listed == {one.value for one in Scenario if one.value}


def test_a_decision_survives_being_written_down(bench: Bench) -> None:
    bench.claim(member_id="SBXINT1")
    row = bench.desk.store.row("SELECT decision FROM claim")
    assert row is not None
    assert json.loads(row["decision"])["interest"] == "1.23"
