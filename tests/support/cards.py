"""Starts the double of the card processor as the separate program it is, and plays the patient at its page."""

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


class CardsProcess:
    """One running double. Stop it with `stop()`."""

    def __init__(self, home: Path) -> None:
        self.home, self._seen = home, 0
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rapport.sandbox.cards", "--home", str(home)],
            stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
        )  # fmt: skip
        out = self._process.stdout
        assert out is not None
        readable, _, _ = select.select([out], [], [], START_SECONDS)
        line = out.readline() if readable else b""
        if not line:
            self.stop()
            raise RuntimeError("the double did not start")
        self.url = json.loads(line)["ready"]["http_url"]
        self.port = int(self.url.rsplit(":", 1)[1])
        secrets = json.loads((home / "ready.json").read_text())
        self.key, self.webhook_secret = secrets["secret_key"], secrets["webhook_secret"]

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One HTTP call with the right key."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        with httpx.Client(trust_env=False, timeout=20) as http:
            return http.request(method, f"{self.url}{path}", headers=headers, **options)

    def page(self, setup: str, card: str) -> httpx.Response:
        """Type a test card into the processor's own page."""
        return self.call("POST", f"/v1/setup_intents/{setup}/confirm", data={"payment_method": card})

    def script(self, *faults: dict[str, Any]) -> None:
        """What the next calls shall suffer: charges, unless a fault names another path."""
        self.call("POST", "/_double/script", json={"next": list(faults)}).raise_for_status()

    def account(self) -> dict[str, Any]:
        """What money moved, by our mark."""
        found: dict[str, Any] = self.call("POST", "/_double/account", json={}).json()
        return found

    def notices(self, *types: str) -> list[dict[str, str]]:
        """Every webhook so far (of these types), with body and a fresh signature."""
        data = self.call("POST", "/_double/notices", json={}).json()["data"][self._seen :]
        return [one for one in data if not types or one["type"] in types]

    def forget_notices(self) -> None:
        """Begin anew: what was told so far belongs to another test."""
        self._seen = len(self.call("POST", "/_double/notices", json={}).json()["data"])

    def stop(self) -> None:
        """End politely."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()
