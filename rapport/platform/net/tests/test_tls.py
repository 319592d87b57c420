"""Over TLS: the certificate is the name's, and what a failure says of arrival."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from rapport.platform.net import guarded
from rapport.platform.net.tests.certificates import Authority


def _read(caller: ssl.SSLSocket) -> bytes:
    request = b""
    while not request.endswith(b"{}"):
        request += caller.recv(65536)
    return request


class Receiver:
    """Answers one line over TLS; keeps the names that callers asked for and what they sent."""

    def __init__(self, context: ssl.SSLContext, *, silent: bool = False) -> None:
        self.names: list[str | None] = []
        self.requests: list[bytes] = []
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._context, self._silent = context, silent
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                plain, _ = self._server.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as caller:
                    self.requests.append(_read(caller))
                    if self._silent:
                        self._over.wait(10)
                    else:
                        caller.sendall(b"HTTP/1.1 204 No Content\r\nretry-after: 7\r\n\r\n")
            except OSError:
                continue  # the caller hung up, as it does when it does not trust us

    def close(self) -> None:
        self._over.set()
        self._server.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def receiver(authority: Authority) -> Iterator[Receiver]:
    running = Receiver(authority.server_context("localhost"))
    yield running
    running.close()


def _post(port: int, tls: ssl.SSLContext, timeout: float = 5) -> guarded.Reply:
    return guarded.post(
        f"https://localhost:{port}/in",
        body=b"{}",
        headers={"webhook-id": "evt_1"},
        timeout=timeout,
        local=True,
        resolve=lambda *_: ["127.0.0.1"],
        tls=tls,
    )


def test_the_name_is_kept_though_the_checked_address_is_called(
    receiver: Receiver, authority: Authority
) -> None:
    reply = _post(receiver.port, authority.client_context())

    assert (reply.status, reply.retry_after) == (204, "7")
    assert receiver.names == ["localhost"]
    assert f"host: localhost:{receiver.port}".encode() in receiver.requests[0].lower()


def test_an_unknown_authority_is_not_trusted_and_nothing_arrived(receiver: Receiver) -> None:
    with pytest.raises(guarded.SendFailed) as failed:
        _post(receiver.port, ssl.create_default_context())

    assert (failed.value.kind, failed.value.may_have_arrived) == ("tls", False)
    assert receiver.requests == []


def test_a_certificate_of_another_name_is_refused(authority: Authority) -> None:
    other = Receiver(authority.server_context("hooks.example.org"))
    try:
        with pytest.raises(guarded.SendFailed) as failed:
            _post(other.port, authority.client_context())
    finally:
        other.close()

    assert (failed.value.kind, other.requests) == ("tls", [])


def test_silence_after_the_request_means_that_it_may_have_arrived(authority: Authority) -> None:
    silent = Receiver(authority.server_context("localhost"), silent=True)
    try:
        with pytest.raises(guarded.SendFailed) as failed:
            _post(silent.port, authority.client_context(), timeout=0.5)
    finally:
        silent.close()

    assert (failed.value.kind, failed.value.may_have_arrived) == ("timeout", True)
    assert len(silent.requests) == 1


def test_it_does_not_run_inside_a_transaction(receiver: Receiver, authority: Authority) -> None:
    with pytest.raises(guarded.InsideTransaction), transaction.atomic():
        _post(receiver.port, authority.client_context())

    assert receiver.requests == []
