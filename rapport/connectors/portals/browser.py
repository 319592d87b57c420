"""
A real browser for a sign-in: one fresh context, the definition's hosts and no others.

Where it may go is held twice: each request is looked at, and the browser itself is given the
addresses that were checked and told that no other name exists (a redirect is never looked at by
the first). Nothing that was typed is ever in an error: what the browser says of a failure is
thrown away, since it quotes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from time import monotonic
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, cast
from urllib.parse import urlsplit

from lxml.html import tostring
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import (
    Error,
    Page,
    Playwright,
    Response,
    Route,
    StorageState,
    WebSocketRoute,
    sync_playwright,
)

from rapport.connectors.portals import markup, scripts
from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.sessions import Cookie, Session
from rapport.connectors.portals.transport import Hosts
from rapport.platform.net import lookup
from rapport.platform.net.lookup import BlockedAddress, Resolve
from rapport.rooms.exchange.ports import Pace

ARGUMENTS = (
    "--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-dev-shm-usage", "--no-proxy-server",
)  # fmt: skip
STAMP = "data-rapport-n"
STEP_SECONDS = 15.0
"""For one thing the browser is told to do."""
_INSIDE = ("about", "data", "blob", "chrome-error")

T = TypeVar("T")


class PageFailed(Exception):
    """The browser could not do it. `kind`: unreachable, elsewhere (and which host that is), or gone."""

    def __init__(self, kind: Literal["unreachable", "elsewhere", "gone"], host: str = "") -> None:
        super().__init__(kind)
        self.kind, self.host = kind, host


class Browser:
    """One browser in use, in the thread that opened it. Closed by `with`."""

    def __init__(
        self, hosts: Hosts, *, language: str, seconds: float, executable: str = scripts.CHROMIUM, state: Session | None = None,
        resolve: Resolve = lookup.system, pace: Pace | None = None,
    ) -> None:  # fmt: skip
        """
        :param seconds: how long everything together may take
        :param state: session, or half of one, that it goes on with; None: nobody is signed in
        """
        self._hosts, self._language, self._state = hosts, language, state
        self._executable, self._resolve, self._pace = executable, resolve, pace
        self._end = monotonic() + seconds
        self._status, self._headers = 200, dict[str, str]()
        self.left_for = ""
        """Host that a page led to and that the definition does not name."""

    def __enter__(self) -> Self:
        """
        Start it.

        :raises PageFailed: one of the hosts is not there, or may not be called
        """
        rules = self._resolver_rules()
        self._playwright: Playwright = sync_playwright().start()
        try:
            self._chromium: Chromium = self._playwright.chromium.launch(
                executable_path=self._executable, args=[*ARGUMENTS, f"--host-resolver-rules={rules}"]
            )
            self._context = self._chromium.new_context(
                service_workers="block", accept_downloads=False, locale=self._language,
                storage_state=_storage(self._state) if self._state else None,
                user_agent=self._state.user_agent if self._state else None,
            )  # fmt: skip
            self._context.set_default_timeout(STEP_SECONDS * 1000)
            self._context.route("**/*", self._look_at)
            self._context.route_web_socket("**/*", self._look_at_socket)
            if self._state and self._state.tab:
                self._context.add_init_script(f"({scripts.RESTORE_TAB})({json.dumps(self._state.tab)})")
            self._page: Page = self._context.new_page()
            self._page.on("request", lambda request: self._note(request.url) if request.is_navigation_request() else None)
            self._page.on("response", self._note_status)
        except BaseException:
            self._playwright.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._chromium.close()
        finally:
            self._playwright.stop()

    def left(self) -> float:
        """Return the seconds that are left of the whole time."""
        return self._end - monotonic()

    def go(self, url: str) -> None:
        """
        Open a page.

        :raises PageFailed: it could not be opened
        """
        self._note(url)
        self._wait_for_pace()
        self._try(lambda: self._page.goto(url, wait_until="domcontentloaded", timeout=self._patience()))

    def read(self) -> tuple[Answer, bool, bool]:
        """
        Return the page as it stands: without what is not seen, each control with a number in `STAMP`.

        :return: the page, whether it has loaded, and whether it is another than the one last pressed on
        :raises PageFailed: it is just changing
        """
        if self.left_for:
            raise PageFailed("elsewhere", self.left_for)
        found = self._try(lambda: self._page.evaluate(scripts.READ, STAMP))
        if urlsplit(found["url"]).scheme == "chrome-error":
            raise PageFailed("unreachable")
        tree = markup.parse(found["html"].encode())
        for one in tree.iter():
            if isinstance(one.tag, str) and one.attrib.pop("data-rapport-unseen", None) is not None:
                one.set("hidden", "")
        headers = self._headers | {"content-type": "text/html; charset=utf-8"}
        answer = Answer(self._status, found["url"], cast(bytes, tostring(tree, encoding="utf-8")), headers, self._hosts.under)
        return answer, bool(found["loaded"]), bool(found["other"])

    def fill(self, number: str, value: str, *, secret: bool) -> bool:
        """
        Put a value into a control.

        :param secret: it may go only where nobody can read it: a password box that is seen
        :return: False: the control is not such a one, and nothing was typed
        :raises PageFailed: it took none
        """
        control = self._page.locator(f'[{STAMP}="{number}"]')
        kind = self._try(lambda: control.evaluate(scripts.KIND))
        if secret and kind != "password":
            return False
        if kind == "select-one":
            self._try(lambda: control.select_option(value))
        else:
            self._try(lambda: control.fill(value, timeout=self._patience()))
        return True

    def press(self, number: str) -> None:
        """
        Press a control once.

        :raises PageFailed: it could not be pressed
        """
        self._wait_for_pace()
        self._try(lambda: self._page.evaluate(scripts.MARK))
        self._try(lambda: self._page.locator(f'[{STAMP}="{number}"]').click(timeout=self._patience(), no_wait_after=True))

    def wait(self, seconds: float) -> None:
        """Let the page do what it does."""
        self._try(lambda: self._page.wait_for_timeout(seconds * 1000))

    def export(self) -> Session:
        """Return what the browser carries, as a session."""
        state = self._try(lambda: self._context.storage_state())
        inside = self._try(lambda: self._page.evaluate(scripts.INSIDE))
        return Session(
            base_url=self._hosts.base_url, user_agent=inside["agent"],
            cookies=tuple(_cookie(one) for one in state.get("cookies", ())),
            local={one["origin"]: {item["name"]: item["value"] for item in one["localStorage"]}
                   for one in state.get("origins", ())},
            tab={inside["origin"]: inside["tab"]} if inside["tab"] else {},
        )  # fmt: skip

    def picture(self, phrases: Iterable[str]) -> bytes | None:
        """
        Return a picture of the page on which these phrases alone can be read; None: there is no page.

        The page is of no more use afterwards.
        """
        try:
            self._try(lambda: self._page.evaluate(scripts.PAINT, sorted(phrases, key=len, reverse=True)))
            return self._try(lambda: self._page.screenshot(timeout=5000))
        except PageFailed:
            return None

    def _wait_for_pace(self) -> None:
        """A page counts as one request, whatever it brings with it."""
        if self._pace is not None:
            self._pace.before()

    def _patience(self) -> float:
        return max(1.0, min(STEP_SECONDS, self.left())) * 1000

    def _try(self, action: Callable[[], T]) -> T:
        """Do it; what the browser says of a failure has what was typed in it, and goes no further."""
        try:
            return action()
        except Error as problem:
            unreachable = "net::ERR" in str(problem)
        if self.left_for:
            raise PageFailed("elsewhere", self.left_for)
        raise PageFailed("unreachable" if unreachable else "gone")

    def _resolver_rules(self) -> str:
        rules = []
        for host, port in self._hosts.each():
            try:
                address = str(lookup.addresses(host, port, local=self._hosts.local, resolve=self._resolve)[0])
            except BlockedAddress:
                raise PageFailed("elsewhere", host) from None
            except OSError:
                raise PageFailed("unreachable") from None
            shown = f"[{address}]" if ":" in address else address
            rules.append(f"MAP {host}:{port} {shown}:{port}")
        return " , ".join([*rules, "MAP * ~NOTFOUND"])

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _INSIDE and not self._hosts.allows(url) and not self.left_for:
            self.left_for = parts.hostname or parts.scheme

    def _note_status(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == self._page.main_frame:
            self._status, self._headers = response.status, dict(response.headers)

    def _look_at(self, route: Route) -> None:
        url = route.request.url
        if urlsplit(url).scheme in _INSIDE or self._hosts.allows(url):
            route.continue_()
        else:
            route.abort("blockedbyclient")

    def _look_at_socket(self, socket: WebSocketRoute) -> None:
        if self._hosts.allows(socket.url):
            socket.connect_to_server()
        else:
            socket.close()


def _storage(session: Session) -> StorageState:
    cookies = [
        {"name": one.name, "value": one.value, "domain": one.domain, "path": one.path, "expires": one.expires,
         "httpOnly": one.http_only, "secure": one.secure, "sameSite": one.same_site}
        for one in session.cookies
    ]  # fmt: skip
    origins = [
        {"origin": origin, "localStorage": [{"name": name, "value": value} for name, value in kept.items()]}
        for origin, kept in session.local.items()
    ]
    return cast(StorageState, {"cookies": cookies, "origins": origins})


def _cookie(one: Any) -> Cookie:
    return Cookie(
        name=one["name"], value=one["value"], domain=one["domain"], path=one["path"], expires=one["expires"],
        http_only=one["httpOnly"], secure=one["secure"], same_site=one["sameSite"],
    )  # fmt: skip
