"""Time comes in as an argument; only edges read the clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .source import Source, Violation, dotted

RULE = "clock"
READERS = {
    "timezone.now", "timezone.localtime", "datetime.now", "datetime.utcnow", "datetime.today",
    "date.today", "datetime.datetime.now", "datetime.date.today", "time.time", "time.time_ns",
}  # fmt: skip
EDGES = {"api", "web", "jobs", "handlers", "admin", "worker"}
"""Files, or packages of files, where something comes in from outside."""
FOLDERS = (
    "rapport/interfaces/", "rapport/config/", "rapport/sandbox/", "rapport/connectors/", "tools/",
)  # fmt: skip
OTHERS = {
    "rapport/kernel/ids.py": "a UUIDv7 begins with the moment that it is made",
    "rapport/platform/api/cursors.py": "a cursor's life is checked where a request comes in",
    "rapport/platform/api/gate.py": "says when a request came in",
    "rapport/platform/api/idempotency.py": "says when a key was first seen",
    "rapport/platform/api/limits.py": "fills the bucket by the time passed",
    "rapport/platform/api/middleware.py": "says when a request came in",
    "rapport/platform/audit/checkpoints.py": "a program of its own, run by the worker",
    "rapport/platform/jobs/registry.py": "runs jobs, and tells them the time",
    "rapport/platform/jobs/tasks.py": "a job is an edge",
    "rapport/platform/outbox/relay.py": "the delivery loop is an edge",
    "rapport/platform/paper/sign.py": "a PAdES signature carries the moment of signing",
    "rapport/platform/telemetry/logs.py": "a log line carries its moment",
}
"""Edges below the rooms that do not have an edge's name, each with its reason."""


def check(source: Source) -> Iterator[Violation]:
    """Find every reading of the clock that is not at an edge."""
    if (
        not source.is_python
        or source.is_test
        or EDGES & {part.removesuffix(".py") for part in source.parts[3:]}
        or source.below(*FOLDERS, *OTHERS)
    ):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in READERS:
            yield source.found(
                RULE,
                node.lineno,
                f"{dotted(node)}: take `now` as an argument; edges read the clock",
            )
