"""
`./run bench connect`: reads of a portal by the driver, beside a bare loop over the same calls.

    ./run bench connect [--rounds 5] [--patients 1058] [--json FILE]

The sandbox portal runs as a program. The bare loop is httpx with the session's cookie over the addresses that the
driver asked for, and throws away what comes; the driver follows, proves, decodes and judges. Both take turns. Before
anything is timed, both had every id. No database is asked and no pace is kept.

Where other programs use the machine too, times say little: each millisecond of work waits for theirs. So the work of
all three programs is shown as well, and how many cores others kept busy.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATIO, FIRST_PAGE_MS, OVERHEAD_MS = 1.5, 150.0, 15.0
"""What is asked: of the loop's time, of a sealed session's first page, of each request."""
_ROW = re.compile(rb'<tr[^>]* data-id="(\d+)"')


@dataclass(frozen=True)
class Turn:
    """One reading of the whole list."""

    seconds: float
    cpu: float
    portal_cpu: float
    others: float
    """Cores that other programs kept busy meanwhile."""
    pages: int
    ids: frozenset[str]


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. :return: 0 always: a figure is a finding, not a failure"""
    parser = argparse.ArgumentParser(prog="./run bench connect", description=(__doc__ or "").splitlines()[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patients", type=int, default=1058)
    parser.add_argument("--per-page", type=int, default=25)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    figures = measure(rounds=options.rounds, patients=options.patients, per_page=options.per_page)
    report(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


def measure(*, rounds: int, patients: int, per_page: int) -> dict[str, float]:
    """Return the figures, each a median of its rounds."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as home:
        _settle(home)
        from rapport.connectors.portals.driver import PortalDriver
        from rapport.connectors.portals.tests.live import Stage
        from tests.support.sandbox_portal import Portal

        stage = Stage(Portal(Path(home) / "portal", patients=patients), PortalDriver(local=True))
        try:
            stage.set(per_page=str(per_page), rotate="0")
            session = stage.session()
            with no_browser() as seen:
                asked = _addresses(stage, session)
                turns = [(_bare(stage, asked), _driver(stage, session)) for _ in range(rounds + 1)][1:]
                first = [_first_page(stage, session) for _ in range(4 * rounds)]
        finally:
            stage.portal.kill()
    for bare, ours in turns:
        if bare.ids != ours.ids or len(bare.ids) != patients or bare.pages != ours.pages:
            raise SystemExit("bench: the two did not read the same")
    pages = turns[0][0].pages
    at_portal = statistics.median(one.portal_cpu for turn in turns for one in turn)
    return {
        "rows": patients, "requests": pages,
        "bare_seconds": statistics.median(bare.seconds for bare, _ in turns),
        "ours_seconds": statistics.median(ours.seconds for _, ours in turns),
        "ratio": statistics.median(ours.seconds / bare.seconds for bare, ours in turns),
        "overhead_ms": statistics.median((ours.seconds - bare.seconds) / pages * 1000 for bare, ours in turns),
        "bare_cpu_ms": statistics.median(bare.cpu / pages * 1000 for bare, _ in turns),
        "ours_cpu_ms": statistics.median(ours.cpu / pages * 1000 for _, ours in turns),
        "portal_cpu_ms": at_portal / pages * 1000,
        "work_ratio": statistics.median((at_portal + ours.cpu) / (at_portal + bare.cpu) for bare, ours in turns),
        "others_cores": statistics.median(one.others for turn in turns for one in turn),
        "first_page_ms": statistics.median(first), "first_page_worst_ms": max(first), "browsers": max(seen),
    }  # fmt: skip


def _settle(home: str) -> None:
    os.environ.update(RAPPORT_MODE="test", RAPPORT_HOME=home, DJANGO_SETTINGS_MODULE="rapport.config.settings")
    for name in ("RAPPORT_DATABASE_URL", "RAPPORT_APP_DATABASE_URL"):
        os.environ.pop(name, None)
    import django

    django.setup()


def _addresses(stage: Any, session: bytes) -> list[str]:
    """Return what the driver asks for when it reads the list."""
    stage.portal.order("DELETE", "request")
    _driver(stage, session)
    return [one["path"] for one in stage.portal.rows("request")]


def _bare(stage: Any, addresses: list[str]) -> Turn:
    browser = stage.portal.signed_in("nick")
    clock = _Clock(stage)
    bodies = [browser.get(address).content for address in addresses]
    work = clock.read()
    ids = {one.decode() for body in bodies for one in _ROW.findall(body)}
    return Turn(*work, len(bodies), frozenset(ids))


def _driver(stage: Any, session: bytes) -> Turn:
    clock = _Clock(stage)
    got = stage.read("patients.read", session)
    work = clock.read()
    if not hasattr(got, "rows"):
        raise SystemExit(f"bench: the driver did not read: {got.reason} {got.detail}")
    return Turn(*work, len(got.pages), frozenset(row.remote_id for row in got.rows))


class _Clock:
    """Time and work from now on: of this program, of the portal, and of all others."""

    def __init__(self, stage: Any) -> None:
        self._portal = Path(f"/proc/{stage.portal.process.pid}/stat")
        self._began = self._now()

    def read(self) -> tuple[float, float, float, float]:
        """Return the seconds that went by, of work here, of work at the portal, and the cores that others used."""
        seconds, here, portal, busy = (now - began for now, began in zip(self._now(), self._began, strict=True))
        return seconds, here, portal, max(0.0, (busy - here - portal) / seconds)

    def _now(self) -> tuple[float, float, float, float]:
        a_second = os.sysconf("SC_CLK_TCK")
        of_portal = self._portal.read_text().rpartition(")")[2].split()
        of_all = [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        idle = of_all[3] + of_all[4]
        return (
            time.perf_counter(), time.process_time(), (int(of_portal[11]) + int(of_portal[12])) / a_second,
            (sum(of_all) - idle) / a_second,
        )  # fmt: skip


def _first_page(stage: Any, session: bytes) -> float:
    """Return the milliseconds from sealed bytes to the rows of a list of one page."""
    from rapport.platform.crypto import aead

    sealed = aead.seal(session, aad=b"bench", purpose="portal-session")
    began = time.perf_counter()
    got = stage.read("clinicians.read", aead.open_(sealed, aad=b"bench", purpose="portal-session"))
    if len(getattr(got, "pages", ())) != 1:
        raise SystemExit("bench: the first page did not come")
    return (time.perf_counter() - began) * 1000


@contextmanager
def no_browser() -> Iterator[list[int]]:
    """Count again and again, while the block lasts, the browsers that this process or its children run."""
    seen, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.25):
            seen.append(_browsers())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def _browsers() -> int:
    parents, browsers = {}, []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (process / "stat").read_text().rpartition(")")
        except OSError:
            continue
        parents[int(process.name)] = int(rest.split()[1])
        if "chrom" in name:
            browsers.append(int(process.name))
    return sum(_is_ours(pid, parents) for pid in browsers)


def _is_ours(pid: int, parents: dict[int, int]) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = parents.get(pid, 0)
    return False


def report(figures: dict[str, float]) -> None:
    """Print the table."""
    asked = {"ratio": RATIO, "overhead_ms": OVERHEAD_MS, "first_page_ms": FIRST_PAGE_MS, "browsers": 0}
    for name, value in figures.items():
        bar = asked.get(name)
        said = "" if bar is None else f"   asked: at most {bar:g}" + ("" if value <= bar else "   short")
        print(f"{name:22}{value:10.2f}{said}")
