"""A practice at the running sandbox portal: the real driver and Chromium, with the room between them in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from rapport.connectors.mailbox_imap.driver import ImapMailboxes
from rapport.connectors.portals import loader
from rapport.connectors.portals.driver import PortalDriver
from rapport.connectors.portals.tests.live import changed
from rapport.platform.jobs.worker import drain
from rapport.rooms.exchange import jobs, services
from rapport.rooms.exchange.jobs.caller import call
from rapport.rooms.exchange.models import Connection
from rapport.rooms.exchange.ports import Got, Target, Trouble
from tests.support.cast import House
from tests.support.connected import Connected
from tests.support.imap import PASSWORD, USER, Postbox
from tests.support.portal import ScriptedPortal
from tests.support.sandbox_portal import Portal


class Driver(PortalDriver):
    """The real driver, with the name of the definition that a test links by."""

    definition = "sandbox-portal"


class Single(Driver):
    definition = "sandbox-portal-sso"


def driver(folder: Path, *, session: Mapping[str, Any] | None = None, **limits: float) -> Driver:
    """Return the driver with a definition of the test's own, which says other things of the portal's sessions and limits."""

    def change(definition: dict[str, Any]) -> None:
        definition["limits"] |= limits
        definition["session"] |= {name: value for name, value in (session or {}).items() if name != "rotates"}
        definition["session"]["carrier"]["rotates"] = (session or {}).get("rotates", True)

    return Driver(local=True, folder=changed(folder, change) if session or limits else loader.FOLDER)


def linked(house: House, there: Portal, driver: Driver, login: str, **fields: Any) -> Connected:
    """Link one of the portal's users; no password is given yet."""
    connected = Connected(house, cast(ScriptedPortal, driver))
    identity = {"practice_code": there.ready["practice_code"], "username": login}
    connected.link(base_url=there.ready["url"], identity=identity, **fields)
    hosts = {"id.fernbrook.example": there.ready["idp_url"].rpartition("/")[2]}
    with house.entered():
        Connection.objects.filter(id=connected.id).update(calibration={"hosts": hosts})
    return connected


def work(connected: Connected) -> None:
    """Do everything that is due: two browsers, and all lists at the portal's pace."""
    drain(connected.house.id, timeout=150)


def give(connected: Connected, there: Portal, login: str, **further: str) -> None:
    """Give the password, and let the workers do what follows."""
    assert connected.secrets(there.ready["users"][login]["password"], **further).status_code == 202
    work(connected)


def tries(there: Portal, login: str) -> list[tuple[str, int]]:
    """What the portal was given by somebody who wanted to sign in, and whether it was good."""
    return [(one["kind"], one["good"]) for one in there.rows(f"attempt?login={login}")]


def answer(connected: Connected, code: str) -> None:
    """Give the code of the challenge that is open, as a person does."""
    asked = connected.list("challenges", state="open")[0]
    assert connected.admin.post(f"{connected.path}/challenges/{asked['id']}/answer", {"code": code}).status_code == 202
    work(connected)


def read(connected: Connected, ability: str = "patients.read", *, sync: bool = False) -> Got | Trouble:
    """Read a list for somebody who waits, or as scheduled work, and leave the mirror as it is."""

    def ask(target: Target, session: bytes, now: datetime) -> Got | Trouble:
        return services.portal().read(target, ability=ability, given={}, session=session, baseline=None, now=now)

    found, _ = call(scope=connected.house.scope, connection_id=connected.id, capability=ability, ask=ask, sync=sync)
    return found


@contextmanager
def carried(there: Portal, box: Postbox, login: str, **put: str) -> Iterator[None]:
    """Carry what the portal sends to somebody into their mailbox, as the post or a telephone's app would."""
    done, known = threading.Event(), 0

    def carry() -> None:
        nonlocal known
        while not done.wait(0.2):
            letters: list[dict[str, Any]] = there.order("GET", f"inbox/{login}")["data"]
            for letter in letters[known:]:
                box.put(letter["text"], at=datetime.fromtimestamp(letter["arrived_at"], UTC), **put)
            known = len(letters)

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(5)


def wait_for_mail(box: Postbox, number: int = 1) -> None:
    """Wait until the post has brought so many letters."""
    deadline = time.monotonic() + 20
    while len(box.flags()) < number:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def with_mailbox(house: House, there: Portal, box: Postbox, driver: Driver, login: str, **more: Any) -> Connected:
    """Link one of the portal's users, with a mailbox for the codes."""
    jobs.supply_mailboxes(ImapMailboxes(local=True, tls=box.trust))
    connected = linked(house, there, driver, login)
    consent = {"may_be_read": True, "statement": "A mailbox of our own that gets the portal's codes alone."}
    body = {"host": "localhost", "port": box.port, "username": USER, "password": PASSWORD, "consent": consent}
    given = connected.admin.post(f"{connected.path}/mailbox", body | more)
    assert given.status_code == 202, given.content
    return connected
