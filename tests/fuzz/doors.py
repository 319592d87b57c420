"""
What a reader owes to any bytes: it reads them, or refuses them with a place; it never breaks, and keeps nothing for itself.

Bytes that are no whole file are put into the envelope of the reader's guide, so that mutations reach what stands inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from rapport.protocols.x12 import remit835, show, syntax
from rapport.protocols.x12.check import MAX_FINDINGS, check_bytes, roundtrip
from rapport.protocols.x12.syntax import NotX12

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "x12"
SETS = {
    "837P": ("837", "HC", "005010X222A1"), "835": ("835", "HP", "005010X221A1"), "999": ("999", "FA", "005010X231A1"),
    "277CA": ("277", "HN", "005010X214"), "270": ("270", "HS", "005010X279A1"), "271": ("271", "HB", "005010X279A1"),
    "276": ("276", "HR", "005010X212"), "277": ("277", "HN", "005010X212"),
}  # fmt: skip
"""Guide -> ST01, GS01 and version."""
PARSERS = ("syntax", *SETS, "TA1")
PIECES = (
    b"", b"~", b"*", b":", b"^", b"\n", b"-", b"0", b"9" * 25, b"1E300", b"NaN", b".", b"\xff", b"\xb2", b"ISA*", b"IEA*",
    b"SE*", b"HL*", b"**", b"~~",
)  # fmt: skip


def in_envelope(guide: str, body: bytes) -> bytes:
    """Return a file of one interchange with these segments in it. A whole file stays as it is."""
    if guide == "syntax" or body[:3] == b"ISA":
        return body
    body = body.rstrip(b"~\r\n") + b"~"
    head = b"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260105*0930*^*00501*000000001*0*T*:~"
    if guide == "TA1":
        return head + body + b"IEA*0*000000001~"
    kind, group, version = (word.encode() for word in SETS[guide])
    return (
        head
        + b"GS*%b*SENDER*RECEIVER*20260105*0930*1*X*%b~ST*%b*0001*%b~" % (group, version, kind, version)
        + body
        + b"SE*%d*0001~GE*1*1~IEA*1*000000001~" % (body.count(b"~") + 2)
    )


def feed(guide: str, data: bytes) -> None:
    """
    Put bytes through every door of a reader.

    :raises AssertionError: a door kept less than it owes; any other exception is a defect as well
    """
    data = in_envelope(guide, data)
    report = check_bytes(data)
    assert len(report.findings) <= MAX_FINDINGS
    for finding in report.findings:
        assert finding.segment and finding.position > 0 and finding.rule, finding  # noqa: PT018
    try:
        assert roundtrip(data) == data
        show.records(data)
    except NotX12 as refused:
        _placed(refused, data)
    if guide == "835":
        _by_claim_as_whole(data)


def _placed(refused: NotX12, data: bytes) -> None:
    assert refused.segment and refused.index > 0 and refused.rule, refused  # noqa: PT018
    assert 0 <= refused.offset <= len(data), refused


def _by_claim_as_whole(data: bytes) -> None:
    """A remittance read claim by claim says what it says when it is read whole."""

    def whole() -> list[object]:
        return [(one.claims, one.findings, one.claims_paid) for one in remit835.remittances(syntax.read(data))]

    def by_claim() -> list[object]:
        found: list[object] = []
        claims: list[object] = []
        for remittance, claim in remit835.stream(data):
            if claim is not None:
                claims.append(claim)
            else:
                found.append((claims, remittance.findings, remittance.claims_paid))
                claims = []
        return found

    assert _answer(whole) == _answer(by_claim)


def _answer(read: Callable[[], list[object]]) -> object:
    try:
        return read()
    except NotX12 as refused:
        return refused.rule, refused.index, refused.offset


def seeds(guide: str) -> Iterator[bytes]:
    """Yield files of the corpus to begin with: whole, and only what stands inside their sets."""
    pattern = "*/pass/*.edi" if guide == "syntax" else f"{guide}/*/*.edi"
    for path in sorted(CORPUS.glob(pattern)):
        data = path.read_bytes()
        if len(data) > 6000:
            continue
        yield data
        inside = data.partition(b"ST*")[2].partition(b"~")[2].rpartition(b"SE*")[0]
        if guide == "TA1":
            inside = data[106:].rpartition(b"IEA")[0]
        if inside and guide != "syntax":
            yield inside


def kept(guide: str) -> list[Path]:
    """Return what once broke a reader: files that the fuzzer found, kept for every test run."""
    return sorted((CORPUS / "fuzz" / guide).glob("*"))


def mutated(data: bytes, random: Random) -> bytes:
    """Return the bytes with some pieces of them replaced, moved or doubled."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        length = random.choice((0, 1, 1, 3, 12, 80))
        piece = random.choice(PIECES)
        if random.random() < 0.2:
            other = random.randrange(len(changed) + 1)
            piece = bytes(changed[other : other + 60])
        changed[at : at + length] = piece
    return bytes(changed)
