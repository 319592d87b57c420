"""A list costs one request for each page and no browser, and what was taken of it is read while the portal makes the next page."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import lxml.html
import pytest

from rapport.connectors.portals.answer import Answer
from rapport.connectors.portals.decode import table
from rapport.connectors.portals.http import Caller
from rapport.connectors.portals.outgoing import Outgoing
from rapport.connectors.portals.tests.live import Stage
from rapport.connectors.portals.tests.test_live_secrets import Counted
from rapport.connectors.portals.transport import MEANWHILE, Hosts, PortalTransport
from rapport.rooms.exchange.ports import Got


def bare_walk(stage: Stage, first: str) -> list[str]:
    """Return what a loop asks for that follows the way to the next page and does nothing else."""
    browser, asked, address = stage.portal.signed_in("nick"), [], first
    while address:
        asked.append(address)
        page = lxml.html.fromstring(browser.get(address).content)
        further = page.xpath("//a[@rel='next']/@href")
        parts = urlsplit(urljoin(f"http://portal.example{address}", further[0])) if further else None
        address = f"{parts.path}?{parts.query}" if parts else ""
    return asked


def test_a_list_is_asked_for_as_a_bare_loop_asks_and_runs_no_browser(stage: Stage) -> None:
    session = stage.session()
    stage.portal.order("DELETE", "request")
    with Counted() as reading:
        got = stage.read("patients.read", session)
    asked = [one["path"] for one in stage.requests()]

    assert isinstance(got, Got), got
    assert len(got.rows) == 132
    assert len(asked) == len(got.pages) == 2
    assert asked == bare_walk(stage, asked[0])
    assert reading.most == 0


def test_the_cells_of_a_page_are_read_after_the_next_page_was_asked_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    send, read = Caller.send, table.Found.read

    def sending(self: Caller, request: Outgoing) -> Answer:
        order.append("asked")
        answer = send(self, request)
        order.append("answered")
        return answer

    def reading(self: table.Found) -> None:
        order.append("read")
        read(self)

    session = stage.session()
    monkeypatch.setattr(Caller, "send", sending)
    monkeypatch.setattr(table.Found, "read", reading)
    got = stage.read("patients.read", session)

    assert isinstance(got, Got), got
    # The last page has no next one in whose time it could be read.
    assert order == ["asked", "answered", "asked", "read", "answered", "read"]


class Waiting:
    """A server that answers when what goes on meanwhile is over, and says whether it was."""

    def __init__(self) -> None:
        self.over, here = threading.Event(), self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said = b"read meanwhile" if here.over.wait(0.3 if self.path == "/short" else 10) else b"nothing was done"
                self.send_response(200)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def slow() -> Iterator[Waiting]:
    server = Waiting()
    yield server
    server.server.shutdown()
    server.server.server_close()


def _caller(url: str) -> httpx.Client:
    transport = PortalTransport(Hosts(url, ("$base",), local=True), user_agent="Browser/1")
    return httpx.Client(transport=transport, headers={"User-Agent": "Browser/1"}, trust_env=False)


def test_what_there_is_to_do_is_done_when_the_request_has_left_and_before_its_answer(slow: Waiting) -> None:
    with _caller(slow.url) as caller:
        answer = caller.get(f"{slow.url}/long", extensions={MEANWHILE: slow.over.set})
    assert answer.text == "read meanwhile"


def test_the_control_without_anything_to_do_the_server_waits_for_nothing(slow: Waiting) -> None:
    with _caller(slow.url) as caller:
        answer = caller.get(f"{slow.url}/short")
    assert answer.text == "nothing was done"
