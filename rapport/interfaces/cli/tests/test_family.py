"""Maya starts everything with one command; whatever becomes of that command, nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PARENT = """
import sys, time
from pathlib import Path
from rapport.interfaces.cli.family import Family

family = Family(Path(sys.argv[1]) / "logs")
child = [sys.executable, "-c", {child!r}, sys.argv[1]]
family.start("child", child)
print("up", flush=True)
{then}
"""
CHILD = """
import os, sys, time
from pathlib import Path

(Path(sys.argv[1]) / f"child-{os.getpid()}").touch()
time.sleep(120)
"""


def until(what: str, ask: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not ask():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def children(folder: Path) -> list[int]:
    return sorted(int(one.name.removeprefix("child-")) for one in folder.glob("child-*"))


def is_there(id: int) -> bool:
    """A process that nobody has asked after yet is one that ended."""
    try:
        return Path(f"/proc/{id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent(folder: Path, *, then: str = "time.sleep(120)") -> subprocess.Popen[bytes]:
    code = PARENT.format(child=CHILD, then=then)
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)


def test_the_children_of_a_parent_that_was_killed_end(tmp_path: Path) -> None:
    started = parent(tmp_path)
    until("the child", lambda: len(children(tmp_path)) == 1)
    [child] = children(tmp_path)
    assert is_there(child), "the control: it lives while its parent does"

    started.kill()
    started.wait()

    until("the child to end", lambda: not is_there(child))


def test_a_child_that_died_is_started_again_and_ends_with_the_rest(tmp_path: Path) -> None:
    started = parent(tmp_path, then="while True:\n    time.sleep(0.1)\n    family.tend()")
    until("the child", lambda: len(children(tmp_path)) == 1)
    [first] = children(tmp_path)
    os.kill(first, signal.SIGKILL)
    until("another child", lambda: len(children(tmp_path)) == 2)
    [second] = [one for one in children(tmp_path) if one != first]

    started.kill()
    started.wait()

    until("the child to end", lambda: not is_there(second))


def test_who_stops_its_children_leaves_no_guard_behind(tmp_path: Path) -> None:
    seen = 'while not list(Path(sys.argv[1]).glob("child-*")):\n    time.sleep(0.05)'
    started = parent(tmp_path, then=f"{seen}\nfamily.stop()\nprint(family._guard_id, flush=True)")
    out, _ = started.communicate(timeout=60)

    assert started.returncode == 0
    [child] = children(tmp_path)
    assert not is_there(child)
    assert not is_there(int(out.split()[-1]))
