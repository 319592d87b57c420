"""Few places talk to the outside."""

from __future__ import annotations

from collections.abc import Iterator

from .source import Source, Violation, imports

RULE = "network"
TALKERS = (
    "httpx", "httpcore", "requests", "urllib.request", "urllib3", "aiohttp", "http.client",
    "socket", "smtplib", "asyncssh", "paramiko", "websockets",
)  # fmt: skip
PLACES = (
    "rapport/connectors/",
    "rapport/platform/net/",
    "rapport/sandbox/",
    "rapport/interfaces/cli/",  # calls the server that it started itself
    "tools/",
)


def check(source: Source) -> Iterator[Violation]:
    """Find imports of HTTP clients and sockets outside connectors and the guarded client."""
    if not source.is_python or source.is_test or source.below(*PLACES):
        return
    for line, name in imports(source.tree):
        if any(name == talker or name.startswith(f"{talker}.") for talker in TALKERS):
            yield source.found(
                RULE, line, f"{name}: calls go out through a connector or rapport.platform.net"
            )
