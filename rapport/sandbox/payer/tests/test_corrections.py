from __future__ import annotations

from rapport.sandbox.payer.tests.conftest import Bench
from rapport.sandbox.payer.tests.oracles import tagged
from rapport.sandbox.payer.tests.test_scenarios import assert_balanced, money, reasons
from tests.support.claims837 import TestLine


def icn_of(answers: list[tuple[str, bytes]]) -> str:
    return tagged(dict(answers)["835"], "CLP")[0][7]


def test_a_replacement_reverses_what_was_paid_and_pays_anew(bench: Bench) -> None:
    first = icn_of(bench.claim(101, number="A1"))
    bigger = (TestLine(charge="200"),)
    answers = bench.claim(102, number="A2", frequency="7", original=first, lines=bigger)
    era = dict(answers)["835"]

    assert money(era) == [("22", "-119", ""), ("1", "135", "25")]
    assert [clp[1] for clp in tagged(era, "CLP")] == ["A1", "A2"]
    assert tagged(era, "CLP")[0][7] == first != tagged(era, "CLP")[1][7]
    assert ["REF", "F8", first] in tagged(era, "REF")
    assert tagged(era, "BPR")[0][2] == "16"
    assert_balanced(era)


def test_a_void_takes_the_money_back_out_of_later_checks(bench: Bench) -> None:
    first = icn_of(bench.claim(101, number="A1"))
    voided = dict(bench.claim(102, number="A2", frequency="8", original=first))["835"]
    later = dict(bench.claim(103, number="A3", member_id="SBXFULL1"))["835"]

    assert money(voided) == [("22", "-119", "")]
    assert tagged(voided, "BPR")[0][2] == "0"
    assert tagged(later, "BPR")[0][2] == "61"
    assert_balanced(voided)
    assert_balanced(later)


def test_a_claim_is_replaced_or_voided_once_and_the_replacement_can_be_again(bench: Bench) -> None:
    first = icn_of(bench.claim(101, number="A1"))
    replaced = dict(bench.claim(102, number="A2", frequency="7", original=first))["835"]
    again = bench.claim(103, number="A3", frequency="7", original=first)
    second = tagged(replaced, "CLP")[1][7]
    voided = bench.claim(104, number="A4", frequency="8", original=second)

    assert [kind for kind, _ in again] == ["999", "277CA"]
    assert money(dict(voided)["835"]) == [("22", "-119", "")]


def test_a_claim_accepted_before_is_denied_as_a_duplicate_and_counted(bench: Bench) -> None:
    bench.claim(101, number="A1")
    era = dict(bench.claim(102, number="A1"))["835"]

    assert (money(era), reasons(era)) == ([("1", "0", "")], ["OA-18"])
    account = bench.desk.accepted()
    assert account["claims"][0]["accepted_count"] == 2
    assert account["counts"]["claims_accepted_more_than_once"] == 1
    assert_balanced(era)


def test_a_claim_that_was_rejected_can_be_sent_again_under_its_number(bench: Bench) -> None:
    bench.claim(101, number="A1", charge="999")
    era = dict(bench.claim(102, number="A1"))["835"]

    assert money(era) == [("1", "119", "25")]
