"""The portal as its own process, and a person's browser in few words."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import lxml.html
import pyotp


def client(**given: Any) -> httpx.Client:
    """Return an HTTP client. It loads no certificates, which takes longer than a test: all of this is plain HTTP."""
    return httpx.Client(trust_env=False, verify=False, **given)


@dataclass
class Portal:
    """A portal that runs."""

    home: Path
    patients: int = 132
    today: str = "2026-11-24"
    process: subprocess.Popen[str] = field(init=False)
    ready: dict[str, Any] = field(init=False)
    control: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start it over its folder."""
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "rapport.sandbox.portal", "--home", str(self.home), "--today", self.today,
             "--patients", str(self.patients)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        self.ready = json.loads(Path(said["ready"]).read_text())
        self.control = client(headers={"Authorization": f"Bearer {self.ready['control_key']}"})

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(10)

    def order(self, method: str, path: str, body: Any = None) -> Any:
        """Order or look at something."""
        answer = self.control.request(method, f"{self.ready['url']}/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Return rows of a table as the portal keeps them."""
        found: list[dict[str, Any]] = self.order("GET", path)["data"]
        return found

    def set(self, **settings: Any) -> None:
        """Set something."""
        self.order("PUT", "settings", settings)

    def trouble(self, fault: str, on: str, **more: Any) -> None:
        """Order one fault, and no other."""
        self.order("PUT", "trouble", [{"fault": fault, "on": on} | more])

    def browser(self, agent: str = "Browser/1") -> httpx.Client:
        """Return a browser without a session."""
        return client(base_url=self.ready["url"], headers={"User-Agent": agent}, follow_redirects=True)

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
        return str(self.rows(f"code?login={login}")[-1]["code"])


def give_code(browser: httpx.Client, page: httpx.Response, code: str) -> httpx.Response:
    """Type a code into the page that asks for one."""
    return browser.post(page.url, data={"csrf": csrf(page), "code": code})


def tree(page: httpx.Response) -> lxml.html.HtmlElement:
    """Return a page to look things up in."""
    return lxml.html.fromstring(page.text)


def csrf(page: httpx.Response) -> str:
    """Return the hidden token of a page's form."""
    return str(tree(page).xpath("//form//input[@name='csrf']/@value")[0])


def ids(page: httpx.Response) -> list[int]:
    """Return the numbers of the rows a page shows."""
    return [int(text) for text in tree(page).xpath("//tbody/tr/@data-id")]


def columns(page: httpx.Response) -> list[str]:
    """Return the columns a page shows, in order."""
    return [str(name) for name in tree(page).xpath("//thead//th/@data-column")]


def words(page: httpx.Response) -> list[str]:
    """Return the heads a page shows, in order."""
    return [head.text_content() for head in tree(page).xpath("//thead//th")]


def cells(page: httpx.Response, column: str) -> list[str]:
    """Return the texts below a head."""
    place = columns(page).index(column)
    return [row.xpath("./td")[place].text_content() for row in tree(page).xpath("//tbody/tr[@data-id]")]


def codes(page: httpx.Response, column: str) -> list[str]:
    """Return the codes below a head."""
    place = columns(page).index(column)
    return [row.xpath("./td")[place].get("data-code") for row in tree(page).xpath("//tbody/tr[@data-id]")]


def fields(page: httpx.Response) -> dict[str, str]:
    """Return what the form of a page would send."""
    form = tree(page).xpath("//main//form[.//input[@name='csrf']]")[0]
    return {str(name): str(value or "") for name, value in form.fields.items()}


def facts(page: httpx.Response) -> dict[str, str]:
    """Return what a page says of one record, by field."""
    return {one.get("data-field"): one.text_content() for one in tree(page).xpath("//dd[@data-field]")}


def said(page: httpx.Response) -> str:
    """Return what a page warns of."""
    return " ".join(one.text_content() for one in tree(page).xpath("//*[@role='alert']"))
