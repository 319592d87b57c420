"""The demo's third practice, whose system is the sandbox portal: it has pages and no API."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import demo
from .client import Caller, CallFailed, sign_in

START_SECONDS = 30
PATIENTS = 60
"""How many the portal's practice has."""
STATEMENT = "The sandbox portal is ours: its practice lets Rapport use the user robin, who was made for that."


def missing_browser() -> str:
    """Return why nobody can sign in at a portal from here; empty: somebody can."""
    from rapport.config import wiring

    return "" if Path(wiring.BROWSER).exists() else f"there is no Chromium at {wiring.BROWSER}"


def portal_home() -> Path:
    """Return the folder in which the portal keeps its practice."""
    from rapport.config.environment import ENVIRONMENT

    return ENVIRONMENT.home / "portal"


def portal_command() -> list[str]:
    """Return the command line of the sandbox portal; its ports are chosen once per installation."""
    from rapport.config.environment import ENVIRONMENT

    file = ENVIRONMENT.home / "portal.json"
    if not file.exists():
        demo._write(file, {"port": demo._free_port(), "idp_port": demo._free_port()})
    ports = json.loads(file.read_text())
    return [
        sys.executable, "-W", "ignore", "-m", "rapport.sandbox.portal", "--home", str(portal_home()),
        "--port", str(ports["port"]), "--idp-port", str(ports["idp_port"]), "--patients", str(PATIENTS),
    ]  # fmt: skip


def load_if_missing(plan: demo.Plan, *, say: Callable[[str], None]) -> bool:
    """
    Found the connected practice beside the others and link its connection, where the demo has none yet.

    The worker signs in and reads meanwhile; nobody waits for that.

    :return: False when there was one
    :raises RuntimeError: the portal did not start
    """
    known = json.loads(demo.path().read_text())
    if "connected_practice" in known:
        return False
    say("Linking a practice whose system is a portal …")
    ready = _ready()
    _leave_unclaimed(ready)
    practice = demo._practice(plan, "Fern Counseling", "America/Los_Angeles", "fern", connected=True)
    user = ready["users"]["robin"]
    admin = sign_in(plan["base_url"], practice["users"]["admin"])
    connection = admin.call("POST", "/connections", {
        "definition": "sandbox-portal", "base_url": ready["url"],
        "identity": {"practice_code": ready["practice_code"], "username": user["login"]},
        "consent": {"contract_permits_automation": True, "statement": STATEMENT}, "system_of_record": True,
    })  # fmt: skip
    admin.call("POST", f"/connections/{connection['id']}/secrets",
               {"password": user["password"], "totp_seed": user["totp_secret"]})  # fmt: skip
    known["connected_practice"] = {**practice, "connection_id": connection["id"]}
    demo._write(demo.path(), known)
    return True


def _ready() -> dict[str, Any]:
    """Return what the portal says of itself, once it answers."""
    import httpx

    file, deadline = portal_home() / "ready.json", time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            ready: dict[str, Any] = json.loads(file.read_text())
            httpx.get(f"{ready['url']}/login", timeout=2, trust_env=False).raise_for_status()
            return ready
        except (OSError, ValueError, httpx.HTTPError):
            time.sleep(0.2)
    raise RuntimeError("the sandbox portal did not start; see the logs folder")


def _leave_unclaimed(ready: dict[str, Any]) -> None:
    """Let one insured visit of the portal have no claim yet, so that whoever tries the demo can make one."""
    import httpx

    headers = {"Authorization": f"Bearer {ready['control_key']}"}
    with httpx.Client(base_url=f"{ready['url']}/_sandbox", headers=headers, trust_env=False) as portal:
        (*_, claim) = portal.get("/claim", params={"status": "Ready"}).raise_for_status().json()["data"]
        for line in portal.get("/claim_line", params={"claim_id": claim["id"]}).raise_for_status().json()["data"]:
            portal.delete(f"/claim_line/{line['id']}").raise_for_status()
        portal.delete(f"/claim/{claim['id']}").raise_for_status()


def line() -> str:
    """Return one line about the connected practice: how it stands and how much of it is here. Empty: there is none."""
    known = json.loads(demo.path().read_text())
    practice = known.get("connected_practice")
    if practice is None:
        return ""
    caller, path = Caller(known["base_url"], practice["api_key"]), f"/connections/{practice['connection_id']}"
    try:
        state = caller.call("GET", path)["state"]
        runs = caller.call("GET", f"{path}/runs?state=published&limit=100")["data"]
    except CallFailed as failed:
        return f"The connected practice: {failed}"
    whole = {run["kind"]: run["rows"] for run in reversed(runs) if not run["near"]}
    return f"The connected practice is {state}; {sum(whole.values())} records of its portal are mirrored so far ({path})."
