"""
One reading of one file by one reader: `python readers.py NAME FILE` prints CPU seconds, peak and what was read.

A program of its own: it runs with the project's Python for ours and the floors, and with a throw-away one that has nothing but the
library for each of the others. What a reader needs is imported before the clock starts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Work = Callable[[], Any]
"""What is timed; it returns something countable that it read."""


def split_segments(path: str) -> Work:
    return lambda: len(Path(path).read_bytes().split(b"~"))


def split_elements(path: str) -> Work:
    return lambda: sum(1 for one in Path(path).read_bytes().split(b"~") if one.split(b"*"))


def keep_bytes(path: str) -> Work:
    return lambda: len([one.split(b"*") for one in Path(path).read_bytes().split(b"~")])


def keep_text(path: str) -> Work:
    return lambda: len([one.split("*") for one in Path(path).read_text("ascii").split("~")])


def our_segments(path: str) -> Work:
    from rapport.protocols.x12 import syntax

    def work() -> int:
        with Path(path).open("rb") as file:
            return sum(1 for _ in syntax.read(file))

    return work


def our_stream(path: str) -> Work:
    from rapport.protocols.x12 import remit835

    def work() -> str:
        found: list[Any] = []
        claims = lines = 0
        with Path(path).open("rb") as file:
            for remittance, claim in remit835.stream(file, findings=found):
                if claim is not None:
                    claims += 1
                    lines += len(claim.lines)
                else:
                    found += remittance.findings
        return f"{claims} claims, {lines} lines, {len(found)} findings"

    return work


def our_records(path: str) -> Work:
    from rapport.protocols.x12 import remit835, syntax

    return lambda: sum(len(one.claims) for one in remit835.remittances(syntax.read(Path(path).read_bytes())))


def our_check(path: str) -> Work:
    from rapport.protocols.x12.check import check_bytes

    return lambda: f"{len(check_bytes(Path(path).read_bytes()).findings)} findings"


def our_claims(path: str) -> Work:
    from rapport.protocols.x12 import read837p, syntax

    def work() -> int:
        with Path(path).open("rb") as file:
            return sum(1 for _ in read837p.claims(syntax.read(file)))

    return work


def _batch(path: str, *, scrubbed: bool) -> Work:
    """As many claims as `path` says, made, scrubbed if asked for, and written in sets of 500."""
    from dataclasses import replace

    from rapport.protocols.x12 import claim837p as c
    from rapport.protocols.x12.envelope import Address, Numbers, interchange
    from rapport.protocols.x12.scrub837p import scrub

    at = datetime(2026, 1, 5, 9, 30)  # noqa: DTZ001 - the sender's local time
    submitter = c.Submitter("EXAMPLE BILLING", "CLINICBH01", "BILLING OFFICE", "8605550100", "EXAMPLE", "CH01")
    plain = c.Claim(
        control="", billing=c.Provider(
            c.Name("Example Behavioral Health PLLC"), "1234567893", "261QM0801X", "123456789",
            place=c.Place("100 Main St", "Hartford", "CT", "061030001"),
        ),
        subscriber=c.Person(
            c.Name("Baker", "Eli"), date(1985, 2, 14), "M", c.Place("22 Elm St", "Hartford", "CT", "06105")
        ),
        member_id="W123456789", payer=c.Payer("Example Health Plan", "60054"), place_of_service="10",
        diagnoses=("F411", "F331"), lines=(), rendering=c.Provider(c.Name("Nguyen", "Lena"), "1987654328", "1041C0700X"),
        group_number="GRP10023",
    )  # fmt: skip
    codes = (("90837", Decimal(180)), ("90785", Decimal(20)))

    def claim(number: int) -> c.Claim:
        control = f"BH{number:08}"
        lines = tuple(
            c.Line(code, charge, Decimal(1), date(2025, 12, 3), (1, 2), f"{control}L{place}", ("95",))
            for place, (code, charge) in enumerate(codes[: 1 + number % 2], 1)
        )
        return replace(plain, control=control, trace=control, lines=lines)

    def bodies(total: int) -> Any:
        for first in range(0, total, 500):
            claims = [claim(number) for number in range(first, min(first + 500, total))]
            if scrubbed and any(scrub(one, today=at.date()) for one in claims):
                raise SystemExit("a claim is not clean")
            yield "837", c.write(claims, submitter=submitter, batch_id=f"B{first}", at=at).segments

    def work() -> int:
        return sum(
            len(piece)
            for piece in interchange(
                bodies(int(path)), sender=Address("ZZ", "CLINICBH01"), receiver=Address("ZZ", "CH01"),
                numbers=Numbers(1, 1, 1), at=at, usage="T",
            )
        )  # fmt: skip

    return work


def our_writer(path: str) -> Work:
    return _batch(path, scrubbed=False)


def our_batch(path: str) -> Work:
    return _batch(path, scrubbed=True)


def pyx12_segments(path: str) -> Work:
    from pyx12.x12file import X12Reader

    return lambda: sum(1 for _ in X12Reader(path))


def pyx12_valid(path: str) -> Work:
    import io

    import pyx12.params
    import pyx12.x12n_document

    def work() -> str:
        source = io.StringIO(Path(path).read_text("ascii"))
        good = pyx12.x12n_document.x12n_document(pyx12.params.params(), source, io.StringIO(), None, None)
        return "valid" if good else "NOT valid"

    return work


def oxedi_parse(path: str) -> Work:
    import oxedi

    return lambda: f"{len(list(oxedi.parse(Path(path).read_bytes()).diagnostics))} findings"


def x12sdk_segments(path: str) -> Work:
    from x12sdk.io import X12SegmentReader

    def work() -> int:
        with X12SegmentReader(path) as reader:
            return sum(1 for _ in reader.segments())

    return work


def x12sdk_models(path: str) -> Work:
    from x12sdk.io import X12ModelReader

    def work() -> int:
        with X12ModelReader(path) as reader:
            return sum(1 for _ in reader.models())

    return work


def lfh_segments(path: str) -> Work:
    from linuxforhealth.x12.io import X12SegmentReader

    def work() -> int:
        with X12SegmentReader(path) as reader:
            return sum(1 for _ in reader.segments())

    return work


def openx12_835(path: str) -> Work:
    from openx12 import x835

    return lambda: f"{len(x835.parse(Path(path).read_text()).claims)} claims"


def openx12_837(path: str) -> Work:
    from openx12 import x837p

    return lambda: f"{len(x837p.parse(Path(path).read_text()).claims)} claims"


def edi_835_parser(path: str) -> Work:
    from edi_835_parser import parse

    return lambda: f"{sum(len(one.claims) for one in parse(path).transaction_sets)} claims"


def rsa_835_parser(path: str) -> Work:
    from rsa_835_parser import parse

    return lambda: f"{sum(len(one.claims) for one in parse(path).transaction_sets)} claims"


def ansi_x12(path: str) -> Work:
    from x12 import parse_x12_interchange, tokenize_x12

    return lambda: type(parse_x12_interchange(tokenize_x12(Path(path).read_bytes()))).__name__


def x12_edi_tools(path: str) -> Work:
    from x12_edi_tools.x12_parser import X12Parser

    return lambda: f"{sum(map(len, X12Parser().parse(Path(path).read_text()).values()))} segments"


def x12_doctor(path: str) -> Work:
    from x12doctor import diagnose

    return lambda: f"{len(diagnose(Path(path).read_bytes()).findings)} findings"


def x12_python(path: str) -> Work:
    from x12.core.parser import Parser

    return lambda: f"{len(Parser().parse(Path(path).read_text()).functional_groups)} groups"


def kw_x12_parser(path: str) -> Work:
    from kw_x12_parser import casual_parse_x837p

    return lambda: f"{len(casual_parse_x837p(path))} rows"


def _peak() -> float:
    """Return the most memory this process has held, in MB. (`getrusage` would count its parent's.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def main(name: str, path: str) -> None:
    """Time one reading, and say so as JSON."""
    work = globals()[name](path)
    begun = time.process_time()
    read = work()
    seconds = time.process_time() - begun
    print(json.dumps({"seconds": seconds, "peak": _peak(), "read": str(read)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
