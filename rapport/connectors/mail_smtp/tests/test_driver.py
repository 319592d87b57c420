"""The SMTP driver against a real server."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rapport.connectors.mail_smtp.driver import SmtpMail, from_environment, from_url
from rapport.platform.identity.ports import MailDown
from tests.support.mailbox import mailbox


def test_a_mail_arrives_as_plain_text_from_our_address() -> None:
    with mailbox() as box:
        mail = from_environment()
        assert mail is not None
        mail.send(to="maya@example.org", subject="Your sign-in code", text="123456\n")

    recipient, message = box.mails[0]
    assert (recipient, message["To"], message["Subject"]) == (
        "maya@example.org", "maya@example.org", "Your sign-in code",
    )  # fmt: skip
    assert message.get_content_type() == "text/plain"
    assert message["Message-ID"]
    assert box.text().strip() == "123456"


def test_without_an_address_of_a_server_there_is_no_mail() -> None:
    assert from_environment() is None


def test_what_the_server_refuses_is_told_without_the_address() -> None:
    with mailbox() as box:
        box.refuse = "451 not now"
        mail = from_environment()
        assert mail is not None
        with pytest.raises(MailDown) as refused:
            mail.send(to="maya@example.org", subject="s", text="t")
    assert "maya" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_server_that_is_away_is_mail_down() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        mail = SmtpMail("127.0.0.1", held.getsockname()[1], tls=False, sender="a@example.org")
        with pytest.raises(MailDown):
            mail.send(to="maya@example.org", subject="s", text="t")


def test_a_header_cannot_be_smuggled_in() -> None:
    with mailbox() as box:
        mail = from_environment()
        assert mail is not None
        with pytest.raises(MailDown):
            mail.send(to="maya@example.org\r\nBcc: eve@example.org", subject="s", text="t")
        assert box.mails == []


def test_an_address_is_read_with_its_usual_port_and_secret() -> None:
    mail = from_url("smtps://me:s%40crt@mail.example.org", "a@example.org")
    assert (mail.host, mail.port, mail.tls, mail.user, mail.secret) == (
        "mail.example.org", 465, True, "me", "s@crt",
    )  # fmt: skip
    assert "s@crt" not in repr(mail)
    assert from_url("smtp://mail.example.org", "a@example.org").port == 587
    with pytest.raises(ValueError, match="smtp"):
        from_url("http://mail.example.org", "a@example.org")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "both.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


def test_over_tls_the_server_must_prove_its_name(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    with mailbox(server) as box:
        mail = from_environment()
        assert mail is not None
        with pytest.raises(MailDown):
            mail.send(to="maya@example.org", subject="s", text="t")
        assert box.mails == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # control: trusted, it is sent
        mail.send(to="maya@example.org", subject="s", text="t")
        assert len(box.mails) == 1


def test_nothing_is_sent_in_the_clear_to_another_machine() -> None:
    with mailbox() as box:
        # Another way to write 127.0.0.1, which the driver does not take for this machine.
        mail = SmtpMail("127.1", box.port, tls=False, sender="a@example.org")
        with pytest.raises(MailDown):
            mail.send(to="maya@example.org", subject="s", text="t")
        assert box.mails == []
