"""No bytes make the codec raise anything but NotX12, and `check` not even that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rapport.protocols.x12 import show, syntax
from rapport.protocols.x12.check import check_bytes, roundtrip
from rapport.protocols.x12.tests.strategies import drawn, file_of, sample_claim

GOOD = file_of(sample_claim())
PIECES = st.sampled_from(
    [b"", b"~", b"*", b":", b"^", b"\n", b"HL", b"-", b"9" * 40, b"\xff", b"ISA*"]
)


def survive(data: bytes) -> None:
    """Put bytes through every door."""
    for finding in check_bytes(data).findings:
        assert finding.segment
        assert finding.position > 0
    places: list[int] = []
    for door in (roundtrip, show.records):
        try:
            door(data)
        except syntax.NotX12 as refused:
            places.append(refused.index)
    assert all(place > 0 for place in places)


@drawn
@given(st.binary(max_size=400))
@example(b"ISA")
@example(b"\xef\xbb\xbf")
def test_random_bytes_are_refused_with_a_place(data: bytes) -> None:
    survive(data)


@settings(parent=drawn, max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 60), PIECES), min_size=1, max_size=4
    )
)
def test_a_damaged_file_is_reported_and_never_breaks_the_reader(
    damages: list[tuple[int, int, bytes]],
) -> None:
    data = GOOD
    for start, length, piece in damages:
        data = data[:start] + piece + data[start + length :]
    survive(data)


@pytest.mark.parametrize("value", [b"\xb2", b"1\xb9", b"", b"-", b"1e5"])
def test_each_element_in_turn_may_be_anything(value: bytes) -> None:
    """A superscript two, for one, is a digit to `isdigit` and nothing to `int`."""
    segments = GOOD.split(b"~")
    for at, segment in enumerate(segments):
        elements = segment.split(b"*")
        for place in range(1, len(elements)):
            changed = b"*".join([*elements[:place], value, *elements[place + 1 :]])
            survive(b"~".join([*segments[:at], changed, *segments[at + 1 :]]))


@drawn
@given(st.integers(0, len(GOOD) - 2))
def test_a_truncated_file_is_never_clean(length: int) -> None:
    assert not check_bytes(GOOD[:length]).clean


def test_a_file_read_in_chunks_is_the_file_read_at_once(tmp_path: Path) -> None:
    many = file_of(*[sample_claim()] * 3000)
    path = tmp_path / "many.edi"
    path.write_bytes(many)
    with path.open("rb") as stream:
        chunked = [(s.elements, s.offset) for s in syntax.read(stream)]
    assert chunked == [(s.elements, s.offset) for s in syntax.read(many)]


@pytest.mark.long
def test_two_million_segments_are_read_in_the_memory_of_a_few() -> None:
    """A child of its own, which says how much it ever held; the control keeps what it reads."""
    program = """
import sys
from pathlib import Path
from rapport.protocols.x12 import remit835, syntax
class File:
    def __init__(self): self.left = 2000
    def read(self, size):
        if self.left == 2000: data = HEAD
        elif self.left > 0: data = b"LX*1~" * 1000
        elif self.left == 0: data = b"SE*1*0001~GE*1*1~IEA*1*000000001~"
        else: data = b""
        self.left -= 1
        return data
HEAD = (b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260105*0930*^*00501*000000001*0*T*:~"
        b"GS*HP*A*B*20260105*0930*1*X*005010X221A1~ST*835*0001~")
findings = []
if sys.argv[1] == "kept":
    read = len(list(syntax.read(File())))
else:
    [(remittance, _)] = remit835.stream(File(), findings=findings)
    assert {one.rule for one in remittance.findings} == {"bpr-missing", "trn-missing"}
    assert [one.rule for one in findings] == ["se-count"]
    assert findings[0].position > 1_990_000
status = Path("/proc/self/status").read_text()
print(next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:")))
"""

    def held(how: str) -> int:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, how], capture_output=True, text=True, check=True
        )  # fmt: skip
        return int(done.stdout)

    assert held("stream") < 60
    assert held("kept") > 300, "the control: what is kept does grow"
