"""Starts the double of QuickBooks Online as the separate program it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from rapport.connectors.quickbooks.driver import QuickBooks
from rapport.connectors.quickbooks.settings import QuickBooksSettings
from rapport.sandbox.quickbooks.double import ACCOUNTS, CODE, COMPANY

__all__ = ["ACCOUNTS", "CODE", "COMPANY", "QuickBooksProcess"]


class QuickBooksProcess:
    """One running double. Stop it with `stop()`."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rapport.sandbox.quickbooks"], stdout=subprocess.PIPE, cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["ready"]["url"]

    def driver(self) -> QuickBooks:
        """Return the driver, as an installation with a key would have it."""
        return QuickBooks(
            QuickBooksSettings(
                "double-id", "double-secret", "https://rapport.example.org/quickbooks", api_url=self.url,
                token_url=f"{self.url}/oauth2/v1/tokens/bearer",
            )
        )

    def tell(self, path: str, **body: Any) -> None:
        httpx.post(f"{self.url}/_double/{path}", json=body, trust_env=False).raise_for_status()

    def has(self) -> dict[str, Any]:
        """Return its own account of what it has."""
        said: dict[str, Any] = httpx.get(f"{self.url}/_double/kept", trust_env=False).json()
        return said

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
