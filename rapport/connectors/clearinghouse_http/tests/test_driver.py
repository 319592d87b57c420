from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rapport.connectors.clearinghouse_http.driver import HttpClearinghouse
from rapport.connectors.clearinghouse_http.settings import HttpSettings
from rapport.rooms.claims.ports import Clearinghouse, Held, InDoubt, Later, Refused, Sent
from tests.support.clearinghouse_contract import (
    HttpContract,
    claim_file,
    digest,
    named,
)
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.sandbox import SandboxProcess


class TestHttpClearinghouse(HttpContract):
    def driver(self, sandbox: SandboxProcess, port: int, *, login: bool = True) -> Clearinghouse:
        return HttpClearinghouse(
            HttpSettings(
                base_url=f"http://127.0.0.1:{port}",
                api_key=sandbox.api_key if login else "wrong",
                total_seconds=4,
                page_size=2,
            )
        )

    def test_a_reply_swallowed_by_the_network_is_found_by_asking(
        self, sandbox: SandboxProcess, proxy: FaultProxy, house: Clearinghouse
    ) -> None:
        file = claim_file(2020)
        proxy.next(Fault("drop_response"))

        assert isinstance(house.send(file=file, **named(2020)), InDoubt)
        assert isinstance(house.find(**named(2020), sha256=digest(file)), Held)
        assert self.accepted_times(sandbox, 2020) == 1

    def test_a_reply_slower_than_the_limit_is_in_doubt(
        self, sandbox: SandboxProcess, house: Clearinghouse
    ) -> None:
        file = claim_file(2022)
        sandbox.script({"fault": "slow", "seconds": 5})

        assert isinstance(house.send(file=file, **named(2022)), InDoubt)
        again = house.send(file=file, **named(2022))

        assert isinstance(again, Sent)
        assert self.accepted_times(sandbox, 2022) == 1


def self_signed(folder: Path) -> ssl.SSLContext:
    """The TLS side of a server that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    both = folder / "server.pem"
    both.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


def test_a_server_whose_certificate_is_not_trusted_is_not_given_the_file(tmp_path: Path) -> None:
    context = self_signed(tmp_path)
    heard: list[bytes] = []

    def serve() -> None:
        line, _ = listener.accept()
        with line, suppress(OSError), context.wrap_socket(line, server_side=True) as safe:
            heard.append(safe.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        house = HttpClearinghouse(HttpSettings(f"https://localhost:{port}", "key"))
        answer = house.send(file=claim_file(2030), **named(2030))
        thread.join(timeout=5)

    assert answer == Refused("certificate-refused", False, "its certificate is not trusted")
    assert b"".join(heard) == b""


def test_a_redirect_is_not_followed() -> None:
    def serve() -> None:
        line, _ = listener.accept()
        with line:
            line.recv(65536)
            line.sendall(
                b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n"
                b"Location: http://127.0.0.1:1/v1/interchanges\r\n\r\n"
            )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        house = HttpClearinghouse(HttpSettings(f"http://127.0.0.1:{port}", "key"))
        answer = house.send(file=claim_file(2031), **named(2031))
        thread.join(timeout=5)

    assert answer == Refused("redirected", False, "the address answers with a redirect")


@pytest.mark.parametrize(
    "address", ["http://edi.example.org", "ftp://127.0.0.1", "edi.example.org"]
)
def test_an_address_that_would_send_claims_in_the_clear_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        HttpSettings(base_url=address, api_key="key")


def test_the_key_is_not_shown_with_the_settings() -> None:
    assert "secret" not in repr(HttpSettings(base_url="https://edi.example.org", api_key="secret"))


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.5"], ["169.254.169.254"], ["fd00:ec2::254"], []]
)
def test_s054_a_name_that_turned_private_since_the_channel_was_made_gets_no_byte(answers: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        address = f"edi.example.org:{listening.getsockname()[1]}"
        house = HttpClearinghouse(
            HttpSettings(base_url=f"https://{address}", api_key="k", total_seconds=4), resolve=lambda *_: answers
        )
        answer = house.send(file=claim_file(1), **named(1))

        assert isinstance(answer, Refused)
        assert (answer.reason_code, answer.try_again) == ("address-refused", False)
        assert isinstance(house.find(**named(1), sha256=digest(claim_file(1))), InDoubt)
        assert house.list_inbound(after="") == ((), "")
        with pytest.raises(TimeoutError):
            listening.accept()


def test_the_control_to_this_machine_by_its_own_name_it_does_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(3)
        house = HttpClearinghouse(
            HttpSettings(
                base_url=f"http://localhost:{listening.getsockname()[1]}", api_key="k", total_seconds=0.5
            ),
            resolve=lambda *_: ["127.0.0.1"],
        )  # fmt: skip
        assert isinstance(house.send(file=claim_file(1), **named(1)), InDoubt)
        listening.accept()[0].close()


def test_a_silent_name_server_ends_in_time_and_nothing_has_left() -> None:
    began = time.monotonic()
    house = HttpClearinghouse(
        HttpSettings(base_url="https://edi.example.org", api_key="k"), resolve=lambda *_: time.sleep(60) or [],
    )

    assert isinstance(house.send(file=claim_file(1), **named(1)), Later)
    assert time.monotonic() - began < 10
