"""Starts the sandbox payer as the separate program it is, and talks to its test surface."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 20


class SandboxProcess:
    """One running sandbox. Stop it with `stop()`, or `kill()` to leave it no time to tidy up."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.arguments = arguments
        self.http_url = ""
        self.sftp_port = 0
        self.start()

    def start(self) -> None:
        """Start, or start again on the same home, and wait until it says that it is ready."""
        command = [sys.executable, "-m", "rapport.sandbox.payer", "--home", str(self.home)]
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(
            [*command, *self.arguments],
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        out = self._process.stdout
        assert out is not None
        readable, _, _ = select.select([out], [], [], START_SECONDS)
        line = out.readline() if readable else b""
        if not line:
            self.kill()
            raise RuntimeError("the sandbox did not start")
        ready = json.loads(line)["ready"]
        self.http_url = ready["http_url"]
        self.http_port = int(self.http_url.rsplit(":", 1)[1])
        self.sftp_port = ready["sftp_port"]
        self.sftp_user = ready["sftp_user"]
        self.sftp_host_key = ready["sftp_host_key"]
        secrets = json.loads((self.home / "ready.json").read_text())
        self.api_key = secrets["api_key"]
        self.sftp_password = secrets["sftp_password"]

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One HTTP call with the right key."""
        headers = {"Authorization": f"Bearer {self.api_key}", **options.pop("headers", {})}
        with httpx.Client(trust_env=False, timeout=20) as client:
            return client.request(method, f"{self.http_url}{path}", headers=headers, **options)

    def send(self, file: bytes, key: str | None = None) -> httpx.Response:
        """Hand in one file over HTTP."""
        headers = {"Content-Type": "application/edi-x12"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.call("POST", "/v1/interchanges", content=file, headers=headers)

    def answers(self, after: str = "") -> list[tuple[str, bytes]]:
        """The kind and bytes of every answer behind a cursor."""
        listed = self.call("GET", f"/v1/files?after={after}&limit=200").json()["data"]
        return [
            (one["kind"], self.call("GET", f"/v1/files/{one['name']}").content) for one in listed
        ]

    def script(self, *faults: dict[str, Any]) -> None:
        """What the next sends shall suffer."""
        self.call("POST", "/_sandbox/script", json={"next": list(faults)}).raise_for_status()

    def advance(self) -> int:
        """Release what is held back."""
        released: int = self.call("POST", "/_sandbox/advance").json()["released"]
        return released

    def accepted(self) -> dict[str, Any]:
        """The sandbox's own account of what it took in."""
        account: dict[str, Any] = self.call("GET", "/_sandbox/accepted").json()
        return account

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End politely."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()
