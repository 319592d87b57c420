"""A real IMAP server (pymap) with TLS, on a free port of this machine, and somebody who puts mail into it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imap_tools.mailbox import MailBox
from proxyprotocol.result import ProxyResultLocal
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer

USER, PASSWORD = "codes@willow.example", "ZZSECRET-mailbox-password"
SENDER = "codes@fernbrook.example"


def certificate(folder: Path, name: str = "localhost") -> Path:
    """Return a file with a key and a certificate for a name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    names = [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@dataclass
class Postbox:
    """A mailbox that runs."""

    file: Path
    """Key and certificate of the server."""
    port: int = 0

    def trust(self) -> ssl.SSLContext:
        """Return what trusts this server and no other."""
        return ssl.create_default_context(cafile=str(self.file))

    @contextmanager
    def opened(self) -> Iterator[MailBox]:
        """Open it as its owner."""
        box = MailBox("localhost", self.port, ssl_context=self.trust())
        box.login(USER, PASSWORD)
        try:
            yield box
        finally:
            box.logout()

    def put(self, text: str, *, sender: str = SENDER, at: datetime | None = None, html: bool = False) -> None:
        """Deliver a mail."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, USER, "Sign-in"
        mail["Date"] = format_datetime(at or datetime.now(UTC))
        mail.set_content(text, subtype="html" if html else "plain")
        with self.opened() as box:
            box.append(mail.as_bytes(), "INBOX", dt=at or datetime.now(UTC))

    def code(self, code: str, *, seconds_ago: float = 0, **more: Any) -> None:
        """Deliver a code as the sandbox portal words it."""
        at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        self.put(f"Your Fernbrook verification code is {code}.", at=at, **more)

    def flags(self) -> list[tuple[str, ...]]:
        """Return the flags of every mail."""
        with self.opened() as box:
            return [one.flags for one in box.fetch(mark_seen=False)]


@contextmanager
def postbox(folder: Path) -> Iterator[Postbox]:
    """Start a mailbox, and end it."""
    box = Postbox(certificate(folder))
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), threading.Event()

    async def serve() -> None:
        settings = Namespace(
            demo_data=False, demo_user=USER, demo_password=PASSWORD, debug=False, tls=False, cert=None, key=None,
            host=None, port="0", proxy_protocol=None, inherited_sockets=None, pid_file=None, passlib_cfg=None,
        )  # fmt: skip
        backend, config = await DictBackend.init(settings, invalid_user_sleep=0.0)
        server = IMAPServer(backend.login, config)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(box.file)

        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server(reader, writer, SocketInfo.get(writer.transport, ProxyResultLocal()))

        async with await asyncio.start_server(met, "127.0.0.1", 0, ssl=tls) as listening:
            box.port = listening.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
