"""The sandbox portal as a program, the driver in front of it, and definitions that a test changes and signs itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rapport.connectors.portals import loader, signing
from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.scripts import CHROMIUM
from rapport.connectors.portals.sessions import Session, cookies_of
from rapport.rooms.exchange.ports import Challenge, Got, SignedIn, Target, Trouble
from tests.support.sandbox_portal import Portal

NAME = "sandbox-portal"
SINGLE = "sandbox-portal-sso"
needs_chromium = pytest.mark.skipif(
    not Path(CHROMIUM).exists() and "CI" not in os.environ,
    reason=f"signs in with a real browser, and there is none at {CHROMIUM}",
)


def now() -> datetime:
    """The driver is told the time; here it is the real one, since a portal checks codes by it."""
    return datetime.now(UTC)


@dataclass
class Stage:
    """A portal that runs, and a driver that goes there."""

    portal: Portal
    driver: PortalDriver
    definition: str = NAME

    def target(self, login: str = "nick", **secrets: str) -> Target:
        """Return the portal as one of its users, with the password and, where there is one, the seed."""
        user = self.portal.ready["users"][login]
        known = {"password": user["password"], "totp_seed": user["totp_secret"] if user["factor"] == "totp" else ""}
        return Target(
            definition=self.definition, base_url=self.portal.ready["url"],
            identity={"practice_code": self.portal.ready["practice_code"], "username": login},
            secrets={name: value for name, value in (known | secrets).items() if value},
            calibration={"hosts": {"id.fernbrook.example": self.portal.ready.get("idp_url", "").rpartition("/")[2]}},
        )  # fmt: skip

    def sign_in(self, login: str = "nick") -> bytes:
        """Sign in as somebody who needs nobody's help. :return: the session"""
        found = self.driver.sign_in(self.target(login), now=now())
        assert isinstance(found, SignedIn), found
        return found.session

    def session(self, login: str = "nick", *, agent: str = "Browser/1") -> bytes:
        """Return a session as a browser would have left it, without one: for what comes after the sign-in."""
        browser = self.portal.signed_in(login)
        return Session(
            base_url=self.portal.ready["url"], user_agent=agent, cookies=cookies_of(browser.cookies.jar)
        ).to_bytes()

    def read(self, ability: str, session: bytes, *, login: str = "nick", **given: str) -> Got | Trouble:
        """Read a list as the room does, without secrets."""
        target = replace(self.target(login), secrets={})
        return self.driver.read(target, ability=ability, given=given, session=session, baseline=None, now=now())

    def trouble(self, *script: dict[str, Any]) -> None:
        """Order what goes wrong from now on."""
        self.portal.order("PUT", "trouble", list(script))

    def set(self, **settings: str) -> None:
        """Set how the portal is."""
        self.portal.order("PUT", "settings", settings)

    def requests(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """Return what the portal was asked for, as it logged it."""
        found = self.portal.order("GET", "request")["data"]
        return [one for one in found if (not method or one["method"] == method) and one["path"].startswith(path)]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the portal's own rows."""
        return list(self.portal.order("GET", table)["data"])

    def code(self, login: str) -> str:
        """Return the code that the portal sent last."""
        return self.portal.code(login)


def changed(folder: Path, change: Callable[[dict[str, Any]], None], name: str = NAME) -> Path:
    """Return a folder with a definition of the sandbox portal, changed and signed by a key of the test's own."""
    here = folder / "definitions"
    shutil.copytree(loader.FOLDER / name, here / name)
    file = here / name / "definition.json"
    content = deepcopy(json.loads(file.read_bytes()))
    change(content)
    file.write_text(json.dumps(content), "utf-8")
    private, public = signing.new_key()
    (here / "signers").mkdir()
    (here / "signers" / "test.pub").write_text(public)
    signing.sign(here / name, key=private)
    return here


def waiting(found: SignedIn | Challenge | Trouble) -> Challenge:
    """Return the challenge that a sign-in stopped at."""
    assert isinstance(found, Challenge), found
    return found
