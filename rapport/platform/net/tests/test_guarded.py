"""Where the client goes, and where it does not (S-053 to S-056)."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rapport.platform.net import guarded, lookup

FORBIDDEN = (
    "http://169.254.169.254/", "https://127.0.0.1", "https://[::1]", "https://10.0.0.5",
    "https://100.64.0.1", "https://100.100.100.200", "https://192.0.0.192",
    "https://[fd00:ec2::254]", "https://[::ffff:169.254.169.254]", "https://[64:ff9b::a9fe:a9fe]",
    "https://[2002:a9fe:a9fe::1]", "https://[fec0::1]", "https://0.0.0.0", "https://2852039166",
    "https://0xa9fea9fe", "https://0251.0376.0251.0376", "https://localhost.", "https://localhost",
    "https://user@127.0.0.1", "https://user:x@example.org", "file:///etc/passwd", "gopher://example.org",
    "https://example.org:22", "https://example.org:25", "https://example.org:5432",
    "https://example.org:6379", "https://192.88.99.1", "https://example.internal", "https://intranet",
    "https://exa mple.org", "https://example.org/\r\nX: y", "ftp://example.org", "https://",
    "http://example.org",
)  # fmt: skip


@pytest.mark.parametrize("url", FORBIDDEN)
def test_s053_an_address_that_leads_inside_is_refused_before_any_lookup(url: str) -> None:
    with pytest.raises(guarded.UrlNotAllowed):
        guarded.check_url(url)


def test_s053_a_host_that_is_an_address_already_is_checked_like_one_that_was_looked_up() -> None:
    assert [str(one) for one in lookup.addresses("93.184.216.34", 443, local=False)] == ["93.184.216.34"]
    assert [str(one) for one in lookup.addresses("127.0.0.1", 80, local=True)] == ["127.0.0.1"]
    for host in ("127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:10.0.0.5"):
        with pytest.raises(lookup.BlockedAddress):
            lookup.addresses(host, 443, local=False)
    # Whoever brings a resolver of its own is asked for everything.
    assert [str(one) for one in lookup.addresses("10.0.0.5", 443, local=False, resolve=lambda *_: ["93.184.216.34"])] == ["93.184.216.34"]


def test_a_public_address_passes() -> None:
    assert guarded.check_url("https://hooks.example.org/in?x=1") == ("https", "hooks.example.org", 443)


class Sink:
    """A real receiver on this machine."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.status, self.headers, self.body = 200, {}, b"ok"
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.seen.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(sink.status)
                for name, value in sink.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(sink.body)))
                self.end_headers()
                self.wfile.write(sink.body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def sink() -> Iterator[Sink]:
    receiver = Sink()
    yield receiver
    receiver.server.shutdown()


def test_the_body_arrives_and_the_answer_is_cut_short(sink: Sink) -> None:
    sink.body = b"x" * 10_000_000

    reply = guarded.post(f"{sink.url}/in", body=b"{}", headers={"webhook-id": "evt_1"}, local=True)

    assert reply.status == 200
    assert sink.seen == [("/in", b"{}")]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_s055_a_redirect_is_an_answer_and_not_a_way(sink: Sink, status: int) -> None:
    sink.status, sink.headers = status, {"location": f"{sink.url}/secret"}

    reply = guarded.post(f"{sink.url}/in", body=b"{}", headers={}, local=True)

    assert reply.status == status
    assert [path for path, _ in sink.seen] == ["/in"]


def test_s056_a_proxy_in_the_environment_is_ignored(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert guarded.post(f"{sink.url}/in", body=b"{}", headers={}, local=True).status == 200


@pytest.mark.parametrize(
    "answers",
    [["169.254.169.254"], ["93.184.216.34", "10.0.0.5"], ["::1"], ["2002:a9fe:a9fe::1"], []],
)
def test_s054_a_name_that_leads_inside_is_stopped_at_the_connection(answers: list[str]) -> None:
    with pytest.raises(guarded.BlockedAddress):
        guarded.post(
            "https://hooks.example.org/in", body=b"{}", headers={}, resolve=lambda *_: answers
        )


def test_s054_the_second_answer_of_a_rebinding_name_is_checked_too() -> None:
    answers = iter([["127.0.0.1"]])

    with pytest.raises(guarded.BlockedAddress):
        guarded.post(
            "https://hooks.example.org/in", body=b"{}", headers={}, resolve=lambda *_: next(answers)
        )


def test_nothing_listening_says_that_nothing_can_have_arrived() -> None:
    with pytest.raises(guarded.SendFailed) as failed:
        guarded.post("http://127.0.0.1:9/in", body=b"{}", headers={}, local=True)

    assert failed.value.may_have_arrived is False


def test_a_silent_name_server_ends_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(guarded.SendFailed) as failed:
        guarded.post(
            "https://hooks.example.org/in", body=b"{}", headers={}, timeout=0.5,
            resolve=lambda *_: time.sleep(60) or [],
        )  # fmt: skip

    assert (failed.value.kind, failed.value.may_have_arrived) == ("connect", False)
    assert time.monotonic() - began < 5


def test_a_name_that_does_not_exist_is_a_failure_and_no_defect() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(guarded.SendFailed) as failed:
        guarded.post("https://hooks.example.org/in", body=b"{}", headers={}, resolve=nowhere)

    assert failed.value.kind == "connect"
