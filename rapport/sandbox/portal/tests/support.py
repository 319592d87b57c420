"""The portal as its own process, and a person's browser in few words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyotp


@dataclass
class Portal:
    """A portal that runs."""

    home: Path
    process: subprocess.Popen[str] = field(init=False)
    ready: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start it over its folder."""
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "rapport.sandbox.portal", "--home", str(self.home), "--today", "2026-11-24"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        self.ready = json.loads(Path(said["ready"]).read_text())

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(10)

    def order(self, method: str, path: str, body: Any = None) -> Any:
        """Order or look at something."""
        answer = httpx.request(
            method, f"{self.ready['url']}/_sandbox/{path}", json=body, trust_env=False,
            headers={"Authorization": f"Bearer {self.ready['control_key']}"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.json()

    def browser(self, agent: str = "Browser/1") -> httpx.Client:
        """Return a browser without a session."""
        return httpx.Client(
            base_url=self.ready["url"], trust_env=False, headers={"User-Agent": agent}, follow_redirects=True
        )

    def password(self, browser: httpx.Client, login: str, password: str = "") -> httpx.Response:
        """Give the first factor."""
        given = password or self.ready["users"][login]["password"]
        return browser.post("/login", data={"practice": "FERN", "user": login, "password": given})

    def signed_in(self, login: str = "nick") -> httpx.Client:
        """Return a browser in which somebody is signed in."""
        browser = self.browser()
        page = self.password(browser, login)
        if page.url.path == "/login/code":
            page = give_code(browser, page, self.code(login))
        assert page.url.path == "/home", page.text
        return browser

    def code(self, login: str) -> str:
        """Return the code that a person would type now."""
        user = self.ready["users"][login]
        if user["factor"] == "totp":
            return pyotp.TOTP(user["totp_secret"]).now()
        return str([row for row in self.order("GET", "code")["data"] if row["login"] == login][-1]["code"])


def give_code(browser: httpx.Client, page: httpx.Response, code: str) -> httpx.Response:
    """Type a code into the page that asks for one."""
    return browser.post("/login/code", data={"csrf": csrf(page), "code": code})


def csrf(page: httpx.Response) -> str:
    """Return the hidden token of a page's form."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def ids(page: httpx.Response) -> list[int]:
    """Return the numbers of the rows a page shows."""
    return [int(text) for text in re.findall(r'<tr data-id="(\d+)"', page.text)]


def columns(page: httpx.Response) -> list[str]:
    """Return the columns a page shows, in order."""
    return re.findall(r'<th data-column="([^"]+)"', page.text)
