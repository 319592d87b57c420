"""The web server as the separate program it is, on the store of the run or on one of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

START_SECONDS = 90


def free_port() -> int:
    """Return a port that nothing listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """One running web server, which can be killed."""

    def __init__(self, *, workers: int = 1, threads: int = 8, **environment: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [
                sys.executable, "-W", "ignore", "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
                "--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads),
                "--no-access-log", "--log-level", "error", "--http", "1", "rapport.config.wsgi:application",
            ],
            env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).raise_for_status()
                return
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise
                time.sleep(0.1)

    def client(self, token: str | None) -> httpx.Client:
        """Return a client that signs in with this token and keeps its connection."""
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )

    def stop(self) -> None:
        """End it and wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)


@contextmanager
def servers(number: int = 1, **options: int) -> Iterator[list[Server]]:
    """Run so many servers on the store of the test run while the block lasts."""
    running: list[Server] = []
    try:
        for _ in range(number):
            running.append(Server(**options))  # type: ignore[arg-type]
        yield running
    finally:
        for one in running:
            one.stop()
