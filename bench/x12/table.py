"""
`./run bench x12 [--claims 10000] [--runs 3] [--only ours] [--json FILE]`: X12 readers beside one another.

Each reading is a process of its own; shown is CPU time (the median of the runs), since the wall clock tells of the machine's other
work too. The libraries are installed into a folder that is thrown away, each by itself; one that cannot be installed or cannot read
a file that is right is named with the reason. Slow ones read a file of a tenth (marked /10).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support import x12files

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("readers.py")
TIMEOUT = 300
ASKED = {"our_stream": 0.35}
"""CPU seconds asked for, at 10 000 claims."""
ASKED_PACE = {"our_writer": 5.0}
"""MB of file per CPU second asked for."""


@dataclass(frozen=True)
class Reader:
    """One line of the table."""

    function: str
    name: str
    kinds: str
    """`835`, `837P`, both, or `claims` for what writes a file."""
    package: str = ""
    """With its version; empty: the project's Python."""
    tenth: bool = False


READERS = (
    Reader("split_segments", "floor: split into segments", "835 837P"),
    Reader("split_elements", "floor: and into elements", "835 837P"),
    Reader("keep_bytes", "floor: all kept, as bytes", "835 837P"),
    Reader("keep_text", "floor: all kept, as text", "835 837P"),
    Reader("our_segments", "ours: segments with positions", "835 837P"),
    Reader("our_stream", "ours: exact records, balanced, by claim", "835"),
    Reader("our_records", "ours: the same, all kept", "835"),
    Reader("our_claims", "ours: claims", "837P"),
    Reader("our_check", "ours: every rule (x12 check)", "835 837P"),
    Reader("our_writer", "ours: claims written", "claims"),
    Reader("our_batch", "ours: claims scrubbed and written", "claims"),
    Reader("oxedi_parse", "oxedi: document and balance", "835", "oxedi==0.6.0"),
    Reader("lfh_segments", "linuxforhealth-x12: segments", "835 837P", "linuxforhealth-x12==0.57.0 pydantic<2"),
    Reader("x12sdk_segments", "x12sdk: segments", "835 837P", "x12sdk==2.2.0"),
    Reader("x12sdk_models", "x12sdk: models", "835 837P", "x12sdk==2.2.0", tenth=True),
    Reader("pyx12_segments", "pyx12: segments", "835 837P", "pyx12==4.0.0"),
    Reader("pyx12_valid", "pyx12: validation", "835 837P", "pyx12==4.0.0", tenth=True),
    Reader("openx12_835", "openx12: dicts, floats", "835", "openx12==0.2.1"),
    Reader("openx12_837", "openx12: dicts, floats", "837P", "openx12==0.2.1"),
    Reader("edi_835_parser", "edi-835-parser: objects, floats", "835", "edi-835-parser==1.8.0"),
    Reader("rsa_835_parser", "rsa-835-parser: objects, floats", "835", "rsa-835-parser==1.42.0 idna"),
    Reader("ansi_x12", "ansi-x12: envelopes", "835 837P", "ansi-x12==0.2.0"),
    Reader("x12_edi_tools", "x12-edi-tools: segments", "835 837P", "x12-edi-tools==0.1.2"),
    Reader("x12_doctor", "x12-doctor: diagnosis", "835 837P", "x12-doctor==0.1.0"),
    Reader("x12_python", "x12-python: objects", "835 837P", "x12-python==0.1.0"),
    Reader("kw_x12_parser", "kw-x12-parser: table", "837P", "kw-x12-parser==0.1.6 pandas", tenth=True),
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What was measured of one reader with one kind of file."""

    kind: str
    name: str
    seconds: float
    """CPU, scaled to the whole file where a tenth was read."""
    pace: float
    """MB per CPU second."""
    peak: float
    """MB of the process, the interpreter included."""
    read: str
    short: str
    """What was asked for, when it was missed."""


class Libraries:
    """A Python of its own, and one folder for each library."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.refused: dict[str, str] = {}
        self._made: dict[str, Path] = {}

    def folder(self, package: str) -> Path | None:
        """Install a package where nothing else sees it. :return: None when that did not go"""
        if package in self.refused:
            return None
        if package not in self._made:
            if not self._made:
                venv.create(self.home / "python", with_pip=True)
            target = self.home / package.split("==")[0]
            done = subprocess.run(
                [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                 "--no-warn-conflicts", "--target", str(target), *package.split()],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                self.refused[package] = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
                return None
            self._made[package] = target
        return self._made[package]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.home / "python" / "bin" / "python"


def _file(path: Path, pieces: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        file.writelines(pieces)
    return path


def _one(python: str, folder: Path | None, function: str, what: str) -> tuple[float, float, str] | str:
    """Read once in a process. :return: seconds, peak and what was read; or why not"""
    try:
        done = subprocess.run(
            [python, "-W", "ignore", str(SCRIPT), function, what],
            env=os.environ | {"PYTHONPATH": str(folder or ROOT)}, capture_output=True, text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"not done after {TIMEOUT} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:90]
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return said["seconds"], said["peak"], said["read"]


def measure(options: argparse.Namespace) -> Iterator[Reading | str]:
    """Yield each line of the table as soon as it is known; a text says why one is missing."""
    makers: dict[str, Callable[[int], Iterator[bytes]]] = {
        "835": x12files.remittance,
        "837P": x12files.professional,
    }
    with tempfile.TemporaryDirectory(prefix="rapport-bench-x12-") as made:
        home = Path(made)
        libraries = Libraries(home)
        for kind in ("835", "837P", "claims"):
            readers = [one for one in READERS if kind in one.kinds.split() and options.only in one.name]
            for reader in readers:
                claims = max(1, options.claims // (10 if reader.tenth else 1))
                what = str(claims)
                if kind in makers:
                    path = home / f"{kind}-{claims}.edi"
                    if not path.exists():
                        _file(path, makers[kind](claims))
                    what = str(path)
                folder = libraries.folder(reader.package) if reader.package else None
                if reader.package and folder is None:
                    yield f"{kind:7}{reader.name}: not installed: {libraries.refused[reader.package]}"
                    continue
                python = str(libraries.python) if reader.package else sys.executable
                runs = [_one(python, folder, reader.function, what) for _ in range(options.runs)]
                good = [run for run in runs if not isinstance(run, str)]
                if not good:
                    yield f"{kind:7}{reader.name}: {runs[0]}"
                    continue
                seconds = statistics.median(run[0] for run in good)
                peak, read = max(run[1] for run in good), good[0][2]
                size = int(read) if kind == "claims" else Path(what).stat().st_size
                yield _reading(reader, kind, seconds, peak, read, size, options.claims)


def _reading(reader: Reader, kind: str, seconds: float, peak: float, read: str, size: int, claims: int) -> Reading:
    pace = size / 1e6 / max(seconds, 1e-9)
    whole = seconds * (10 if reader.tenth else 1)
    short = ""
    most = ASKED.get(reader.function, float("inf")) * claims / 10_000
    if whole > most:
        short = f"asked: {most:.2f} s"
    if pace < ASKED_PACE.get(reader.function, 0):
        short = f"asked: {ASKED_PACE[reader.function]:.0f} MB/s"
    name = reader.name + (" /10" if reader.tenth else "")
    return Reading(kind, name, whole, pace, peak, f"{read} bytes" if kind == "claims" else read, short)


def main(arguments: list[str]) -> int:
    """Measure and print. :return: 0 always: a figure is a finding, not a failure"""
    parser = argparse.ArgumentParser(prog="./run bench x12", description=(__doc__ or "").splitlines()[1])
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="lines whose name has this, e.g. `ours`")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    print(f"{options.claims} claims; CPU seconds, median of {options.runs}; peak of the process, interpreter included\n")
    print(f"{'':7}{'':42}{'CPU s':>8}{'MB/s':>8}{'peak MB':>9}  read", flush=True)
    readings = []
    for line in measure(options):
        if isinstance(line, str):
            print(line, flush=True)
            continue
        readings.append(line)
        print(
            f"{line.kind:7}{line.name:42}{line.seconds:8.3f}{line.pace:8.1f}{line.peak:9.0f}  {line.read}"
            f"{'  short, ' + line.short if line.short else ''}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in readings], indent=1))
    return 0
