"""What the browser does not do: type where it shows, press what means something else, go elsewhere, show a person's data."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rapport.connectors.portals import anchors, dialogue
from rapport.connectors.portals.browser import STAMP, Browser, PageFailed
from rapport.connectors.portals.loader import load
from rapport.connectors.portals.terms import Anchor
from rapport.connectors.portals.tests.live import NAME, Stage, needs_chromium, now, waiting
from rapport.connectors.portals.transport import Hosts
from rapport.rooms.exchange.ports import OWNERS, Owner, Reason, SignedIn, Trouble

pytestmark = needs_chromium

PAGES = {
    "/": """<title>x</title><h1>Sign in</h1><p>Dear Ana Rivera, born 04/12/1980: sign in to go on.</p>
        <form><input name="trap" style="position:absolute; left:-9999px"><input name="user" value="ana.rivera">
        <input name="password" type="password"><button>Sign in</button></form>
        <img src="http://127.0.0.1:{other}/picture.png"><script src="http://127.0.0.1:{other}/script.js"></script>""",
    "/kept": "<script>localStorage.token = 'kept-1'; sessionStorage.tab = 'kept-2'; document.cookie = 'c=3'</script><p>kept</p>",
    "/shown": "<p id=shown></p><script>shown.textContent = [localStorage.token, sessionStorage.tab, document.cookie].join(' ')</script>",
}  # fmt: skip


class Site(ThreadingHTTPServer):
    """A site of a few pages that writes down who came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.asked: list[str] = []
        self.other = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Site = self.server  # type: ignore[assignment]
        site.asked.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{site.other}/landed")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGES.get(self.path, "").replace("{other}", str(site.other)).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    site, other = Site(), Site()
    site.other = other.server_port
    yield site, other
    for one in (site, other):
        one.shutdown()


def browser(site: Site, **more: object) -> Browser:
    return Browser(Hosts(site.url, ["$base"], local=True), language="en", seconds=60, **more)  # type: ignore[arg-type]


def number(page: Browser, name: str) -> str:
    return next(str(one.get(STAMP)) for one in page.read()[0].tree.iter("input") if one.get("name") == name)


def test_no_page_leads_to_another_host_by_a_link_a_redirect_or_a_picture(sites: tuple[Site, Site]) -> None:
    site, other = sites
    with browser(site) as page:
        page.go(site.url)
        for path in (f"{site.url}/away", f"{other.url}/landed"):
            with pytest.raises(PageFailed) as told:
                page.go(path)
            assert told.value.kind == "elsewhere"
        assert page.left_for == "127.0.0.1"
    # The control: the first site was asked, and the other would have answered.
    assert "/away" in site.asked
    assert other.asked == []


def test_a_password_is_typed_where_nobody_can_read_it_or_not_at_all(sites: tuple[Site, Site]) -> None:
    site, _ = sites
    with browser(site) as page:
        page.go(site.url)
        assert page.fill(number(page, "user"), "s3cret-word", secret=True) is False
        assert page.fill(number(page, "trap"), "s3cret-word", secret=True) is False
        assert page.fill(number(page, "password"), "s3cret-word", secret=True) is True
        typed = page._page.evaluate("[...document.querySelectorAll('input')].map((one) => one.value)")
    assert typed == ["", "ana.rivera", "s3cret-word"]


def test_a_box_that_nobody_sees_is_no_control(sites: tuple[Site, Site]) -> None:
    site, _ = sites
    with browser(site) as page:
        page.go(site.url)
        tree = page.read()[0].tree
    assert isinstance(anchors.find(tree, Anchor(role="textbox", name=("trap",))), anchors.NotFound)
    assert isinstance(anchors.find(tree, Anchor(role="textbox", name=("user",))), anchors.Control)


def test_on_a_picture_the_definitions_own_words_alone_can_be_read(sites: tuple[Site, Site]) -> None:
    site, _ = sites
    with browser(site) as page:
        page.go(site.url)
        page.fill(number(page, "password"), "s3cret-word", secret=True)
        before = page.read()[0].text
        picture = page.picture({"sign in"})
        after = page.read()[0].text
        typed = page._page.evaluate("[...document.querySelectorAll('input')].map((one) => one.value).join('')")

    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    assert "Ana Rivera" in before
    assert set(after.replace("Sign in", "").replace("sign in", "")) <= set("█ .,:")
    assert after.lower().count("sign in") == 3
    assert typed == ""


def test_what_a_browser_kept_goes_on_in_the_next_one(sites: tuple[Site, Site]) -> None:
    site, _ = sites
    with browser(site) as page:
        page.go(f"{site.url}/kept")
        kept = page.export()
    with browser(site, state=kept) as page:
        page.go(f"{site.url}/shown")
        shown = page.read()[0].text
    with browser(site) as page:
        page.go(f"{site.url}/shown")
        nothing = page.read()[0].text

    assert kept.local == {site.url: {"token": "kept-1"}}
    assert shown == "kept-1 kept-2 c=3"
    assert nothing == ""


def test_a_failure_says_nothing_of_what_was_to_be_typed(sites: tuple[Site, Site]) -> None:
    site, _ = sites
    with browser(site) as page:
        page.go(site.url)
        place = number(page, "password")
        page._page.evaluate("document.querySelector('[type=password]').disabled = true")
        page._end = 0  # nothing is waited for any more
        with pytest.raises(PageFailed) as told:
            page.fill(place, "s3cret-word", secret=True)
    error: BaseException | None = told.value
    while error is not None:
        assert "s3cret" not in repr(error)
        error = error.__context__


def test_a_name_that_sits_on_another_button_is_not_pressed(stage: Stage) -> None:
    stage.trouble({"fault": "swap_buttons", "on": "/login/code", "value": "verify,resend", "times": 0})
    challenge = waiting(stage.driver.sign_in(stage.target("dana"), now=now()))
    found = stage.driver.answer(stage.target("dana"), resume=challenge.resume, code=stage.code("dana"), now=now())

    assert isinstance(found, Trouble), found
    assert found.reason is Reason.MEANING_GUARD
    assert found.findings[-1].place == "code.press"
    assert len(stage.rows("code")) == 1
    assert stage.requests("POST", "/login/code") == []


def test_a_password_goes_into_its_box_although_the_words_beside_the_boxes_were_swapped(stage: Stage) -> None:
    stage.trouble({"fault": "swap_inputs", "on": "/login", "value": "user,password", "times": 0})
    found = stage.driver.sign_in(stage.target("nick"), now=now())

    if isinstance(found, Trouble):
        assert found.reason is Reason.MEANING_GUARD
    assert all(one["good"] for one in stage.rows("attempt"))


@pytest.mark.parametrize(("fault", "value"), [("move_buttons", ""), ("rename_names", ""), ("rename_button", "verify=Go on")])
def test_what_was_only_moved_or_renamed_is_found_or_refused_and_no_other_code_is_sent(
    stage: Stage, fault: str, value: str
) -> None:
    stage.trouble({"fault": fault, "on": "/login/code", "value": value, "times": 0})
    challenge = waiting(stage.driver.sign_in(stage.target("dana"), now=now()))
    found = stage.driver.answer(stage.target("dana"), resume=challenge.resume, code=stage.code("dana"), now=now())

    if fault == "rename_button":
        assert isinstance(found, Trouble), found
        assert found.reason in (Reason.MEANING_GUARD, Reason.DRIFT_BREAKING)
    else:
        assert isinstance(found, SignedIn), found
    assert len(stage.rows("code")) == 1
    assert not [one for one in stage.rows("attempt") if one["kind"] == "code" and not one["good"]]


def test_what_a_picture_may_say_are_the_definitions_words_and_no_names() -> None:
    login = load(NAME).definition.login
    assert login is not None
    found = dialogue.phrases(login)
    assert {"user name", "sign in", "sign in failed"} <= found
    assert not any(char.isdigit() for phrase in found for char in phrase)
    assert not {"ana", "nick", "plain", "rivera", "grace", "may", "will", "mark", "rose"} & found


def test_an_installation_without_a_browser_says_so(stage: Stage, tmp_path: Path) -> None:
    from rapport.connectors.portals.apart import NoBrowser
    from rapport.connectors.portals.driver import PortalDriver

    without = PortalDriver(local=True, executable=str(tmp_path / "none"))
    told = without.unable()
    assert isinstance(told, Trouble)
    assert (told.reason, OWNERS[told.reason]) == (Reason.NO_BROWSER, Owner.US)
    with pytest.raises(NoBrowser):
        without.sign_in(stage.target("nick"), now=now())
    assert stage.driver.unable() is None, "the control"
