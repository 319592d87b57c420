"""The processes of one installation on this machine: started, tended, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_PATIENCE_SECONDS = 10
"""How long a child may take to end before it is made to."""


class Family:
    """
    Children that end with their parent, even with one that was killed. One that dies is started again.

    A guard, a process of its own, holds the reading end of a pipe that only the parent can write to:
    when that closes, it ends whoever is left. Make one before any thread is started, since it forks.
    """

    def __init__(self, logs: Path) -> None:
        """:param logs: folder for `<name>.log`; made when it is missing"""
        self._logs = logs
        self._commands: dict[str, list[str]] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        reads, self._guard = os.pipe()
        self._guard_id = os.fork()
        if not self._guard_id:
            os.close(self._guard)
            _guard(reads)
        os.close(reads)

    def start(self, name: str, command: list[str]) -> None:
        """Start a child under a name; its output goes to `<name>.log`."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal reaches us alone; we stop the children in order.
                start_new_session=True,
            )
        os.write(self._guard, b"+%d\n" % child.pid)
        self._children[name] = child
        self._commands[name] = command

    def tend(self) -> None:
        """Start again whoever has died."""
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                print(
                    f"rapport: {name} ended with {child.returncode}; starting it again", flush=True
                )
                self._gone(child)
                time.sleep(1)
                self.start(name, self._commands[name])

    def stop(self) -> None:
        """Stop all children, last started first; wait ten seconds, then insist."""
        for child in reversed(self._children.values()):
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for child in self._children.values():
            try:
                child.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            self._gone(child)
        self._children.clear()
        os.close(self._guard)
        os.waitpid(self._guard_id, 0)

    def _gone(self, child: subprocess.Popen[bytes]) -> None:
        # Its number may be another's by the time the guard looks.
        os.write(self._guard, b"-%d\n" % child.pid)


def _guard(reads: int) -> None:
    """Be the guard: note who is there until the parent is not, and end them. Does not return."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with Path(os.devnull).open("r+b") as nothing:
        for stream in (0, 1, 2):
            os.dup2(nothing.fileno(), stream)
    there: set[int] = set()
    with os.fdopen(reads) as lines:
        for line in lines:
            (there.add if line[0] == "+" else there.discard)(int(line[1:]))
    for number, seconds in ((signal.SIGTERM, _PATIENCE_SECONDS), (signal.SIGKILL, 0)):
        for group in there:
            with suppress(ProcessLookupError):
                os.killpg(group, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(_is_there(group) for group in there):
            time.sleep(0.1)
    os._exit(0)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


__all__ = ["Family"]
