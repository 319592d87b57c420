"""A portal as the kit goes there: signed in once, only read, at the definition's pace, signed out again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rapport.connectors.portals import calibration, loader
from rapport.connectors.portals.apart import NoBrowser
from rapport.connectors.portals.definition import Definition
from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.http import Caller
from rapport.connectors.portals.kit.outcome import Unusable
from rapport.connectors.portals.sessions import opened
from rapport.connectors.portals.transport import Hosts
from rapport.platform.net.guarded import UrlNotAllowed
from rapport.rooms.exchange.ports import Challenge, Manifest, SignedIn, Target, Trouble

Ask = Callable[[Challenge], str | None]
"""Asks a person for a code, or to answer a push; None: there is nobody."""
LOOKS_AT_A_PUSH = 20


class NotIn(Exception):
    """Nobody could be signed in; has the trouble, or the challenge that nobody answered."""

    def __init__(self, found: Trouble | Challenge) -> None:
        super().__init__(type(found).__name__)
        self.found = found

    def where(self) -> list[str]:
        """Return what the sign-in looked for and did not find, a line each: what an overlay has to say."""
        findings = self.found.findings if isinstance(self.found, Trouble) else ()
        lines = [f"{one.place}: {one.seen}; expected {one.expected}" for one in findings]
        if any(one.place == "login" for one in findings):
            lines.append("look at that page in a browser: a refusal that `login.rejected` does not name (too many sign-ins in a short time is one) looks so")
        return lines


@dataclass(slots=True)
class Steady:
    """Keeps one program to a portal's pace."""

    per_second: float
    _last: float = field(default=0.0, init=False)

    def before(self) -> None:
        """Wait until one more request may leave."""
        time.sleep(max(0.0, self._last + 1 / self.per_second - time.monotonic()))
        self._last = time.monotonic()

    def after(self, *, seconds: float, busy: bool, retry_after_seconds: int | None = None) -> None:
        """A portal that asks for less is left alone for as long as it says, within a minute."""
        if busy:
            self._last = time.monotonic() + min(60, retry_after_seconds or 5)


@dataclass(frozen=True, slots=True)
class Place:
    """A portal, and the definition with which it is visited."""

    definition: Definition
    manifest: Manifest
    target: Target
    hosts: Hosts
    driver: PortalDriver = field(repr=False)

    @contextmanager
    def visit(self, ask: Ask) -> Iterator[tuple[Caller, SignedIn]]:
        """
        Sign in, and out at the end. Nothing of the session is kept.

        :raises NotIn: it could not be done
        """
        try:
            found = self.driver.sign_in(self.target, now=_now())
        except NoBrowser as problem:
            raise Unusable(str(problem)) from problem
        for _ in range(LOOKS_AT_A_PUSH):
            if not isinstance(found, Challenge):
                break
            code = ask(found)
            if code is None:
                break
            found = self.driver.answer(self.target, resume=found.resume, code=code or None, now=_now())
        if not isinstance(found, SignedIn):
            raise NotIn(found)
        session = opened(found.session, base_url=self.hosts.base_url)
        with Caller(self.definition, session, hosts=self.hosts, target=self.target, now=_now()) as caller:
            try:
                yield caller, found
            finally:
                self.driver.sign_out(self.target, session=caller.session().to_bytes(), now=_now())


def place(
    name: str, *, folder: Path | None, url: str, identity: Mapping[str, str], secrets: Mapping[str, str],
    overlay: Mapping[str, Any],
) -> Place:  # fmt: skip
    """
    Look a definition and a portal up. Only a definition that somebody believed stands for is used at a portal.

    A portal on this machine is one whose address says so.

    :raises Unusable: there is no such definition here, its calibration does not fit, or the address is none
    """
    folder = (folder or loader.FOLDER).resolve()
    try:
        loaded = loader.load(name, folder=folder)
        definition = calibration.apply(loaded.definition, overlay)
        local = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
        here = overlay.get("hosts") or {}
        hosts = Hosts(url, definition.hosts, local=local, here=here if isinstance(here, Mapping) else {})
    except loader.NotDefined as problem:
        raise Unusable(f"{name} is not used: {problem}") from problem
    except calibration.BadCalibration as problem:
        raise Unusable(f"the calibration does not fit: {problem}") from problem
    except (UrlNotAllowed, ValueError) as problem:
        raise Unusable("the address is none that is called: https and a public host, or this machine") from problem
    if definition.session is None:
        raise Unusable(f"{name} has no portal to sign in to: files are handed over")
    missing = [one for one in definition.identity_fields if not identity.get(one)]
    if missing:
        how = ("--user NAME" if one == "username" else f"--identity {one}=…" for one in missing)
        raise Unusable(f"the sign-in needs {', '.join(missing)}: {' '.join(how)}")
    pace = Steady(definition.limits.requests_per_second)
    target = Target(name, hosts.base_url, dict(identity), dict(secrets), dict(overlay), pace)
    return Place(definition, loader.manifest(loaded), target, hosts, PortalDriver(local=local, folder=folder))


def _now() -> datetime:
    return datetime.now(UTC)
