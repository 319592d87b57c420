"""A TCP proxy on the loopback interface that breaks connections the way networks do."""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import dataclass
from types import TracebackType

CHUNK = 16 * 1024


@dataclass(frozen=True)
class Fault:
    """What happens to one connection."""

    kind: str
    """pass, drop_response, cut_request, cut_response, latency, blackhole or refuse."""
    bytes: int = 0
    """For the two cuts: how many bytes still go through before the connection is reset."""
    seconds: float = 0
    """For latency: how long every chunk waits, in both directions."""


PASS = Fault("pass")


class FaultProxy:
    """
    Forwards connections to a port of this machine; faults lined up befall the next ones in turn.

    `drop_response` lets the whole request through and swallows the reply: the other side did what
    was asked, and the caller never learns. Use it as a context manager.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._queue: list[Fault] = []
        self._usual = PASS
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def next(self, *faults: Fault) -> None:
        """Line up faults for the next connections, one each."""
        with self._lock:
            self._queue.extend(faults)

    def always(self, fault: Fault) -> None:
        """What befalls connections for which nothing is lined up."""
        with self._lock:
            self._usual = fault

    def close(self) -> None:
        """Stop listening and reset what is open."""
        # A bare close would leave the thread inside accept(), and the port open with it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(timeout=5)
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for one in left:
            _reset(one)

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return  # closed: there is nobody left to serve
            with self._lock:
                self.connections += 1
                fault = self._queue.pop(0) if self._queue else self._usual
                self._open.add(caller)
            threading.Thread(target=self._carry, args=(caller, fault), daemon=True).start()

    def _carry(self, caller: socket.socket, fault: Fault) -> None:
        if fault.kind == "refuse":
            _reset(caller)
            return
        if fault.kind == "blackhole":
            return  # held open by _open, never read, never answered
        try:
            target = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
        except OSError:
            _reset(caller)
            return
        target.settimeout(None)
        for one in (caller, target):
            # Small chunks pass at once; otherwise every exchange would wait for a delayed ACK.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(target)
        pair = (caller, target)
        back = threading.Thread(
            target=self._pump, args=(target, caller, pair, fault, "response"), daemon=True
        )
        back.start()
        self._pump(caller, target, pair, fault, "request")
        back.join()
        with self._lock:
            self._open -= set(pair)
        for one in pair:
            one.close()

    def _pump(
        self,
        source: socket.socket,
        sink: socket.socket,
        pair: tuple[socket.socket, socket.socket],
        fault: Fault,
        direction: str,
    ) -> None:
        left = fault.bytes if fault.kind == f"cut_{direction}" else None
        try:
            while chunk := source.recv(CHUNK):
                if fault.kind == "latency":
                    time.sleep(fault.seconds)
                if fault.kind == "drop_response" and direction == "response":
                    _reset(*pair)
                    return
                if left is not None and len(chunk) >= left:
                    sink.sendall(chunk[:left])
                    time.sleep(0.05)  # let what was let through be read before the reset
                    _reset(*pair)
                    return
                sink.sendall(chunk)
                left = None if left is None else left - len(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(*pair)  # one side is gone, so the other one goes too


def _reset(*sockets: socket.socket) -> None:
    """Close at once with RST, as a cut line looks from the other end."""
    for one in sockets:
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it was closed already
        one.close()
