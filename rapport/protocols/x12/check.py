"""
The whole check of a file: syntax, envelope, guide, and the rules between the elements.

`check_bytes` never raises anything for any bytes: what cannot be read is a finding as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from . import envelope, syntax
from .envelope import TransactionSet
from .rules import Context, transaction_findings
from .syntax import Finding, NotX12, Segment

MAX_FINDINGS = 1000
"""Of one file; a wrong file repeats itself."""

NAMES = {
    "005010X222": "837P",
    "005010X223": "837I",
    "005010X224": "837D",
    "005010X221": "835",
    "005010X231": "999",
    "005010X214": "277CA",
    "005010X212": "277",
    "005010X279": "270",
}
"""Version without its addenda -> our word for the guide; 270/271 and 276/277 share one each."""


def guide_of(transaction: TransactionSet) -> str:
    """Return the guide a transaction set follows: `837P`, `835`, `277CA` …; else its ST01."""
    kind = transaction.kind
    version = transaction.st.get(3) or transaction.envelope.version
    name = NAMES.get(version[:10]) or NAMES.get(transaction.envelope.version[:10], "")
    return name if name.startswith(kind) else kind


@dataclass(frozen=True, slots=True)
class Summary:
    """One transaction set of the file, or one TA1."""

    guide: str
    control: str
    """ST02; for a TA1 the interchange it is about."""
    position: int
    """Of its ST in the file."""
    segments: int
    """From ST to SE."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found."""

    file: str
    transactions: tuple[Summary, ...]
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Nothing was found, not even a warning."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON knows it; every finding names the file."""
        return {
            "file": self.file,
            "clean": self.clean,
            "transactions": [asdict(summary) for summary in self.transactions],
            "findings": [
                {"file": self.file, **asdict(finding), "snip": finding.snip}
                for finding in self.findings
            ],
        }


def check_bytes(
    data: bytes,
    name: str = "",
    *,
    known_controls: Collection[str] | None = None,
    known_groups: Collection[str] | None = None,
) -> Report:
    """
    Check a file against everything we know.

    :param name: stands in the report
    :param known_controls: claim control numbers (CLM01) we have sent; a remittance or claim
        acknowledgement about another one is then a finding
    :param known_groups: group control numbers (GS06) we have sent; a 999 about another one is
        then a finding
    """
    findings: list[Finding] = []
    summaries: list[Summary] = []
    context = Context(known_controls=known_controls, known_groups=known_groups)
    try:
        segments = envelope.check(_seen(data, findings), findings=findings)
        for unit in envelope.transaction_sets(segments):
            if isinstance(unit, Segment):
                summaries.append(Summary("TA1", unit.get(1), unit.index, 1))
            else:
                summaries.append(
                    Summary(guide_of(unit), unit.st.get(2), unit.st.index, len(unit.body) + 2)
                )
            if len(findings) < MAX_FINDINGS:
                findings.extend(transaction_findings(unit, summaries[-1].guide, context))
    except NotX12 as unreadable:
        findings.append(
            Finding(
                unreadable.segment, unreadable.index, "", unreadable.rule, "error",
                f"{unreadable.message} (byte {unreadable.offset})",
            )
        )  # fmt: skip
    findings.sort(key=lambda finding: finding.position)
    return Report(name, tuple(summaries), tuple(findings[:MAX_FINDINGS]))


def _seen(data: bytes, findings: list[Finding]) -> Iterator[Segment]:
    """Read, and look at what stands between the segments."""
    reported: set[str] = set()

    def add(segment: Segment, rule: str, severity: str, message: str) -> None:
        if rule not in reported:
            reported.add(rule)
            findings.append(Finding(segment.tag, segment.index, "", rule, severity, message))

    for gap, segment in _with_gaps(data):
        if b" " in gap or b"\t" in gap:
            add(segment, "indentation", "warning", "Blanks stand between the segments.")
        if segment.index > 1 and segment.delimiters.terminator.encode("latin-1") in gap.strip(
            b"\r\n"
        ):
            add(segment, "empty-segment", "error", "A segment is empty.")
        yield segment


def _with_gaps(data: bytes) -> Iterator[tuple[bytes, Segment]]:
    """Yield each segment and the decoration before it: line breaks, blanks, a byte order mark."""
    end = 0
    for segment in syntax.read(data):
        yield data[end : segment.offset], segment
        end = segment.offset + sum(map(len, segment.elements)) + len(segment.elements)


def roundtrip(data: bytes) -> bytes:
    """
    Return the file as written from what was read, in its own delimiters and line breaks.

    :raises NotX12: it cannot be read
    """
    out: list[bytes] = []
    for gap, segment in _with_gaps(data):
        out.append(gap)
        out.append(syntax.write([segment]))
    out.append(data[sum(map(len, out)) :])  # white space after the last IEA
    return b"".join(out)
