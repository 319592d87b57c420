"""A real browser that an author works with, or that walks a list of addresses, and what it saw."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import httpx
from playwright.sync_api import Error, Page, Response, sync_playwright

from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.browser import ARGUMENTS
from rapport.connectors.portals.kit import carrier
from rapport.connectors.portals.kit.carrier import Carrier, Sent
from rapport.connectors.portals.kit.outcome import Unusable
from rapport.connectors.portals.kit.recording import Seen, belongs, seen
from rapport.connectors.portals.scripts import CHROMIUM

STEP_MILLISECONDS = 20_000
_GONE_ON = """(began) => performance.timeOrigin !== began
  || ![...document.querySelectorAll('input[type=password]')].some((one) => one.checkVisibility())"""
"""Another page came, or a script shows something else on this one."""
_STORED = "() => ({...localStorage})"


@dataclass(slots=True)
class Captured:
    """What a browser saw. Never written as it is."""

    seen: list[Seen] = field(default_factory=list, repr=False)
    sent: list[Sent] = field(default_factory=list, repr=False)
    """Requests that pages sent of themselves when they were opened, each as it left."""
    storage: list[dict[str, str]] = field(default_factory=list, repr=False)
    """The local storage, each time it was another."""
    carrier: Carrier | None = None

    @property
    def kept(self) -> dict[str, str]:
        """What carried the session in the local storage, and the parts of it, as they stood: name -> value, secret."""
        keys = {one.key for one in self.carrier.headers.values()} if self.carrier else set()
        return {
            f"{place.removeprefix('$local.')}.{number}": text
            for number, kept in enumerate(self.storage)
            for text, place in carrier.places({key: kept[key] for key in keys if key in kept})
            if len(text) >= carrier.LONG
        }


def has_display() -> bool:
    """Tell whether an author can see a browser here."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def watch(url: str, *, base_url: str, executable: str = CHROMIUM) -> Captured:
    """
    Open a browser that an author works with, until the author closes it.

    :param url: where it begins
    :param base_url: address of the portal: what is not below it is not recorded
    """
    return _browse(url, base_url, executable, headed=True, walk=(), typed={}, password="")


def walk(
    url: str, addresses: Sequence[str], *, base_url: str, typed: Mapping[str, str], password: str, executable: str = CHROMIUM
) -> Captured:  # fmt: skip
    """
    Open addresses one after the other, in a browser that nobody sees, and find what carries the session.

    :param addresses: from the `/` of the portal
    :param typed: name or id of a control -> what goes into it on the first page, before its form is sent
    :param password: goes into the one password box that is seen there
    """
    return _browse(url, base_url, executable, headed=False, walk=addresses, typed=typed, password=password)


def _browse(
    url: str, base_url: str, executable: str, *, headed: bool, walk: Sequence[str], typed: Mapping[str, str], password: str
) -> Captured:  # fmt: skip
    if not Path(executable).exists():
        raise Unusable(f"no Chromium at {executable}")
    found = Captured()
    waiting: list[Response] = []
    with sync_playwright() as player:
        arguments = [one for one in ARGUMENTS if not (headed and one.startswith("--headless"))]
        chromium = player.chromium.launch(executable_path=executable, args=arguments, headless=not headed)
        context = chromium.new_context(service_workers="block", accept_downloads=False)
        gate = {"open": bool(password)}

        def heard(one: Response) -> None:
            # A sign-in that several practices share lies beside the base: its pages are taken until one is in.
            entry = gate["open"] and one.request.is_navigation_request() and belongs(one.url, urljoin(base_url, "/"))
            if entry or belongs(one.url, base_url):
                waiting.append(one)

        context.on("response", heard)
        page = context.new_page()
        page.set_default_timeout(STEP_MILLISECONDS)
        try:
            page.goto(url, wait_until="networkidle")
            _drain(waiting, found, base_url)
            if password:
                _sign_in(page, typed, password)
                _drain(waiting, found, base_url)
            gate["open"] = False
            for address in walk:
                if not address.startswith("/") or address.startswith("//"):
                    raise Unusable("an address of the walk begins with one /: from the portal's own root")
                page.goto(base_url.rstrip("/") + address, wait_until="networkidle")
                _drain(waiting, found, base_url, by_itself=True)
                _look_into(page, found)
            while headed and context.pages:
                context.pages[0].wait_for_timeout(200)
                _drain(waiting, found, base_url, by_itself=True)
                _look_into(context.pages[0], found)
        except Error as problem:
            # What the browser says quotes what was typed. A headed one is ended by closing it.
            if not headed or not found:
                raise Unusable("the browser could not open the portal, or one of the pages did not come") from problem
        _drain(waiting, found, base_url)
        chromium.close()
    with httpx.Client(trust_env=False, follow_redirects=False, timeout=STEP_MILLISECONDS / 1000) as plain:
        found.carrier = carrier.find(found.sent, found.storage, ask=lambda one: _again(plain, one))
    return found


def _look_into(page: Page, found: Captured) -> None:
    """Keep the local storage where it is another than before; a page that is just leaving has none."""
    with suppress(Error):
        kept = page.evaluate(_STORED)
        if kept and kept not in found.storage:
            found.storage.append(kept)


def _again(plain: httpx.Client, one: Sent) -> Answer | None:
    """Send a request once more, with these headers and no others."""
    plain.cookies.clear()
    try:
        reply = plain.request(one.method, one.url, headers={"user-agent": ""} | dict(one.headers), content=one.content or None)
    except httpx.HTTPError:
        return None
    heads = {name.lower(): value for name, value in reply.headers.items()}
    heads["set-cookie"] = "\n".join(reply.headers.get_list("set-cookie"))
    return Answer(reply.status_code, one.url, reply.content, heads)


def _sign_in(page: Page, typed: Mapping[str, str], password: str) -> None:
    for name, value in typed.items():
        box = page.locator(f'[name="{name}"]:visible, [id="{name}"]:visible')
        if box.count() != 1:
            raise Unusable(f"--type {name}=…: the sign-in page has no one control of that name; it has {_named(page)}")
        box.fill(value)
    boxes = page.locator('input[type="password"]:visible')
    if boxes.count() != 1:
        raise Unusable(f"the first page does not have the one password box; it has {_named(page)}")
    boxes.fill(password)
    began = page.evaluate("performance.timeOrigin")
    boxes.press("Enter")
    page.wait_for_function(_GONE_ON, arg=began)
    page.wait_for_load_state("networkidle")


def _named(page: Page) -> str:
    """The names of the controls that somebody could fill in there: never what is in them."""
    found = [one.get_attribute("name") or "" for one in page.locator("input:visible, select:visible").all()]
    return ", ".join(dict.fromkeys(one for one in found if one)) or "none with a name"


def _drain(waiting: list[Response], found: Captured, base_url: str, *, by_itself: bool = False) -> None:
    """
    Take what came since, while the browser still has it.

    :param by_itself: pages sent it when they were opened: it may be sent again. Of what a person pressed that holds
        for what asks and changes nothing
    """
    while waiting:
        response = waiting.pop(0)
        request = response.request
        try:
            body = b"" if 300 <= response.status < 400 else response.body()
            heads = response.all_headers()
            left = request.all_headers()
            posted = request.post_data or ""
        except (Error, UnicodeDecodeError):
            continue  # a file that was sent, or a page that is gone already
        one = seen(request.method, request.url, posted, left.get("content-type", ""), response.status, heads, body, base_url=base_url)
        if one is not None:
            found.seen.append(one)
            if by_itself and (request.method == "GET" or request.resource_type in ("fetch", "xhr")):
                heads = {name.lower(): value for name, value in left.items()}
                found.sent.append(Sent(request.method, request.url, heads, posted.encode(), one.answer))
