"""Remittances: a large one is read in a stream of memory, and oxedi agrees that ours balance."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from random import Random

import oxedi
import pytest

from rapport.protocols.x12 import remit835, syntax
from rapport.protocols.x12.envelope import check
from rapport.protocols.x12.remit835 import Remittance
from tests.support import x12files

CORPUS = Path(__file__).resolve().parents[4] / "tests" / "corpus" / "x12" / "835"


@pytest.mark.parametrize(
    "path", sorted((CORPUS / "pass").glob("*.edi")), ids=lambda path: path.stem
)
def test_oxedi_finds_nothing_in_the_remittances_we_call_clean(path: Path) -> None:
    assert list(oxedi.parse(path.read_bytes()).diagnostics) == []


def test_a_reversal_and_its_correction_come_to_the_payment() -> None:
    data = (CORPUS / "pass" / "reversal-and-correction.edi").read_bytes()
    [remittance] = remit835.remittances(syntax.read(data))
    assert [claim.status for claim in remittance.claims] == ["22", "1"]
    assert remittance.claims_paid == remittance.total == Decimal(15)


def test_money_of_no_claim_is_kept_apart_from_the_claims() -> None:
    data = (CORPUS / "pass" / "recovery-and-interest.edi").read_bytes()
    [remittance] = remit835.remittances(syntax.read(data))
    assert [(one.reason, one.amount) for one in remittance.provider_adjustments] == [
        ("WO", Decimal(10)),
        ("L6", Decimal(-3)),
    ]
    assert remittance.claims_paid - remittance.withheld == remittance.total


class Pieces:
    """A file that is made while it is read: nobody holds all of it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def read(self, size: int) -> bytes:
        return next(self._pieces, b"")


def streamed(data: bytes) -> tuple[list[Remittance], list[syntax.Finding]]:
    """Read claim by claim, and put the claims where `remittances` keeps them."""
    findings: list[syntax.Finding] = []
    whole: list[Remittance] = []
    claims = []
    for remittance, claim in remit835.stream(data, findings=findings):
        if claim is not None:
            assert remittance.trace, "the head is known with the first claim"
            claims.append(claim)
        else:
            assert remittance.claims == []
            remittance.claims, claims = claims, []
            whole.append(remittance)
    return whole, findings


def kept(data: bytes) -> tuple[list[Remittance], list[syntax.Finding]]:
    findings: list[syntax.Finding] = []
    return list(remit835.remittances(check(syntax.read(data), findings=findings))), findings


def test_a_large_remittance_balances_in_our_reading_and_in_oxedis() -> None:
    data = b"".join(x12files.remittance(300))
    [remittance], findings = streamed(data)
    assert (len(remittance.claims), findings, remittance.findings) == (300, [], [])
    assert all(claim.balanced for claim in remittance.claims)
    assert list(oxedi.parse(data).diagnostics) == []


def test_claim_by_claim_says_what_the_whole_says_of_damaged_files_too() -> None:
    good = b"".join(x12files.remittance(12))
    random, refused, different = Random(7), 0, set()
    for _ in range(150):
        damaged = bytearray(good)
        for _ in range(random.randint(0, 3)):
            at = random.randrange(106, len(damaged))
            damaged[at : at + random.choice((0, 1, 6))] = random.choice(
                (b"~", b"*", b"", b"9", b"-", b"SE*")
            )
        answers = []
        for door in (kept, streamed):
            try:
                answers.append(door(bytes(damaged)))
            except syntax.NotX12 as error:
                refused += 1
                answers.append((error.rule, error.index, error.offset))  # type: ignore[arg-type]
        assert answers[0] == answers[1]
        different.add(str(answers[0]))
    assert refused, "the control: the damages do matter"
    assert len(different) > 50


def test_a_claim_that_does_not_balance_says_so_itself() -> None:
    data = b"".join(x12files.remittance(3))
    first = data.index(b"CAS*CO*45*") + len(b"CAS*CO*45*")
    [remittance], _ = streamed(data[:first] + b"1" + data[first:])
    assert [claim.balanced for claim in remittance.claims] == [False, True, True]
    assert {one.rule for one in remittance.findings} == {"balance-line", "balance-claim"}


@pytest.mark.parametrize(("apart", "noticed"), [(0, 1), (9_000, 1), (30_000, 0)])
def test_a_claim_that_stands_twice_is_noticed_within_ten_thousand(apart: int, noticed: int) -> None:
    def claim(number: int) -> bytes:
        return b"CLP*C%d*1*10*10**12*P%d~" % (number, number)

    def file() -> Iterable[bytes]:
        yield b"".join(x12files.remittance(0)).split(b"PLB", 1)[0]
        yield claim(1)
        for number in range(apart):
            yield claim(number + 2)
        yield claim(1) + b"SE*1*0001~GE*1*1~IEA*1*000000001~"

    *_, (remittance, _) = remit835.stream(Pieces(file()))  # type: ignore[arg-type]
    assert [one.rule for one in remittance.findings].count("claim-twice") == noticed


def test_a_thousand_doubts_do_not_hide_an_error() -> None:
    doubtful = b"CLP*C1*1*10*10*5*12*P1~" * 3000
    data = b"".join(x12files.remittance(0)).replace(
        b"PLB*", doubtful + b"CLP*C2*1*10*9**12*P2~PLB*"
    )
    *_, (remittance, _) = remit835.stream(data)
    assert len(remittance.findings) == remit835.MAX_FINDINGS + 2
    assert [one.rule for one in remittance.findings if one.severity == "error"] == [
        "balance-claim", "balance-transaction",
    ]  # fmt: skip


def test_memory_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is remembered has a limit: low, so that a small file reaches it.
    monkeypatch.setattr(remit835, "_CACHED", 50)
    monkeypatch.setattr(remit835, "_REMEMBERED", 30)

    def by_claim(file: Pieces) -> int:
        return sum(claim is not None for _, claim in remit835.stream(file))  # type: ignore[arg-type]

    def whole(file: Pieces) -> int:
        return sum(len(one.claims) for one in remit835.remittances(syntax.read(file)))  # type: ignore[arg-type]

    def peak(read: Callable[[Pieces], int], claims: int) -> int:
        file = Pieces(x12files.remittance(claims))
        tracemalloc.start()
        try:
            assert read(file) == claims
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    by_claim(Pieces(x12files.remittance(10)))
    assert peak(by_claim, 400) < peak(by_claim, 100) + 20_000
    assert peak(whole, 400) > peak(whole, 100) * 3, "the control: claims that are kept do grow"
