"""
`./run fuzz [syntax 837P 835 …] [--seconds 60]`: a fuzzer that sees which lines run (atheris), on one reader after the other.

Each reader runs in a process of its own with bounded memory. What breaks one is kept in `tests/corpus/x12/fuzz`, where every test
run reads it again (`tests/test_x12_fuzz.py`).
"""

from __future__ import annotations

import argparse
import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from tests.fuzz import doors

MEMORY_MB = 700
"""Of the process, the fuzzer and its corpus included."""
LONGEST = 8000
"""Bytes of one input."""
WORDS = "ISA GS ST SE GE IEA HL NM1 CLM CLP SVC CAS PLB BPR TRN AK1 AK2 IK3 IK4 IK5 AK9 TA1 STC EB AAA REF DTM AMT QTY LX SV1 SVD SBR".split()


def child(guide: str, seconds: int, home: Path) -> None:
    """Fuzz one reader until the time is over, or it breaks."""
    import atheris  # an import of its own: every other door works without it

    with atheris.instrument_imports(include=["rapport.protocols"]):
        # Read anew, so that the fuzzer sees their branches.
        for name in [name for name in sys.modules if name.startswith("rapport.protocols")]:
            del sys.modules[name]
        del sys.modules["tests.fuzz.doors"]
        watched = importlib.import_module("tests.fuzz.doors")
    arguments = [
        sys.argv[0], str(home / "corpus"), f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={home}/found-", f"-dict={home}/words", "-print_final_stats=1", "-timeout=20", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup(arguments, lambda data: watched.feed(guide, data))
    atheris.Fuzz()


def run(guide: str, seconds: int) -> bool:
    """Fuzz one reader in a process; keep what broke it. :return: whether nothing did"""
    with tempfile.TemporaryDirectory(prefix="rapport-fuzz-") as made:
        home = Path(made)
        (home / "corpus").mkdir()
        for data in [*doors.seeds(guide), *(path.read_bytes() for path in doors.kept(guide))]:
            (home / "corpus" / sha256(data).hexdigest()[:16]).write_bytes(data)
        (home / "words").write_text("".join(f'"{word}*"\n"~{word}*"\n' for word in WORDS))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.fuzz", guide, "--seconds", str(seconds), "--child", str(home)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        found = sorted(home.glob("found-*"))
        number = {key: int(value) for key, value in re.findall(r"stat::(\w+):\s+(\d+)", said)}
        branches = re.findall(r"cov: (\d+)", said)
        runs, peak = number.get("number_of_executed_units", 0), number.get("peak_rss_mb", 0)
        good = not found and done.returncode == 0 and bool(branches)
        print(f"{guide:7}{'held  ' if good else 'BROKEN'}  {runs:8} inputs, {branches[-1] if branches else 0} branches, peak {peak} MB", flush=True)
        for path in found:
            kept = doors.CORPUS / "fuzz" / guide / sha256(path.read_bytes()).hexdigest()[:16]
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)
            print(f"  kept: {kept}")
        if not good:
            print(said[-3000:])
        return good


def main() -> int:
    """Fuzz what was asked for. :return: 1 when a reader broke, 2 without the fuzzer"""
    parser = argparse.ArgumentParser(prog="./run fuzz", description=(__doc__ or "").splitlines()[1])
    parser.add_argument("parsers", nargs="*", choices=[*doors.PARSERS, []], help="only these")
    parser.add_argument("--seconds", type=int, default=60, help="for each")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(options.parsers[0], options.seconds, options.child)
        return 0
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("The fuzzer (atheris) has no build for this Python or machine; the replay in the tests needs none.")
        return 2
    held = [run(guide, options.seconds) for guide in options.parsers or doors.PARSERS]
    print(f"{sum(held)} of {len(held)} held.")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
