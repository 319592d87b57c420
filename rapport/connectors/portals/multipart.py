"""Fields of a form as `multipart/form-data`: how browsers send a form that might carry a file. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from email.parser import BytesParser
from email.policy import HTTP

MULTIPART = "multipart/form-data"


def encode(pairs: Iterable[tuple[str, str]]) -> tuple[str, bytes]:
    """
    Return the content type, with its boundary, and the bytes of a form without files.

    >>> kind, content = encode([("name", "Ana")])
    >>> decode(kind, content)
    (('name', 'Ana'),)
    """
    boundary = f"----rapport{secrets.token_hex(16)}"
    made = bytearray()
    for name, value in pairs:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n'
        made += head.encode() + value.encode() + b"\r\n"
    return f"{MULTIPART}; boundary={boundary}", bytes(made) + f"--{boundary}--\r\n".encode()


def decode(content_type: str, content: bytes) -> tuple[tuple[str, str], ...]:
    """Return the fields of such a form as they were typed. Files are left out, and so is all that cannot be read."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + content)
    found = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name, body = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(body, bytes) and part.get_filename() is None:
            found.append((_plain(name), body.decode("utf-8", "replace")))
    return tuple(found)


def _quoted(name: str) -> str:
    """Write a name as browsers do, so that no name ends its line or its quotes."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _plain(name: str) -> str:
    return name.replace("%0D", "\r").replace("%0A", "\n").replace("%22", '"')
