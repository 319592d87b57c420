"""CPU seconds of process trees, from /proc: what a machine's other work does not falsify."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def _stats() -> dict[int, tuple[int, float]]:
    """Return pid -> (parent, CPU seconds of it and of its children that have ended)."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(folder.name)] = (int(fields[1]), sum(int(n) for n in fields[11:15]) / _TICKS)
    return found


def burnt(roots: Iterable[int]) -> float:
    """Return the CPU seconds used so far by these processes and all below them."""
    stats = _stats()
    wanted = set(roots)
    while True:
        more = {pid for pid, (parent, _) in stats.items() if parent in wanted} - wanted
        if not more:
            return sum(stats[pid][1] for pid in wanted if pid in stats)
        wanted |= more
