"""A name becomes addresses: in time, and only such as may be called."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Iterable

from .addresses import Address, is_public

SECONDS = 3.0
"""A lookup that takes longer has failed. The system's own clock may run for half a minute."""

Resolve = Callable[[str, int], Iterable[str]]
"""Host and port -> addresses as text."""


class BlockedAddress(Exception):
    """The name led to an address that is not public."""


def system(host: str, port: int) -> Iterable[str]:
    """Ask this machine's resolver."""
    for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        yield str(entry[4][0])


def addresses(
    host: str, port: int, *, local: bool, resolve: Resolve = system, seconds: float = SECONDS
) -> list[Address]:
    """
    Return where a name leads, if every address of it may be called.

    A resolver cannot be stopped from outside, so it runs on a thread that is left behind when it
    is late; nothing waits for that thread, not even the end of the program.

    :param local: also allow this machine's loopback
    :raises BlockedAddress: one of them is not public: then none is trusted
    :raises TimeoutError: no answer in time
    :raises OSError: there is no such name
    """
    if resolve is system and (literal := _literal(host)) is not None:
        return _allowed([literal], local=local)
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(resolve(host, port)))
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="name-lookup").start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the name was not looked up in time") from None
    if isinstance(answer, UnicodeError):
        raise OSError("no such name") from answer
    if isinstance(answer, Exception):
        raise answer
    return _allowed([ipaddress.ip_address(text.split("%")[0]) for text in answer], local=local)


def _literal(host: str) -> Address | None:
    """The address that a host is already; the resolver would say the same, from a thread of its own."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _allowed(found: list[Address], *, local: bool) -> list[Address]:
    if not found or not all(is_public(one) or (local and one.is_loopback) for one in found):
        raise BlockedAddress
    return found
