"""A receiver of webhooks: a real HTTP server that does as a script says, and remembers all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    answered: int


@dataclass
class Act:
    """What the receiver does with a request."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang_seconds: float = 0
    drip_seconds: float = 0
    """Pause between single bytes of the body."""
    hang_up: bool = False
    """Close the connection in the middle of the body."""


Script = Callable[[str, dict[str, str], bytes], Act]


@dataclass
class Sink:
    """The running receiver."""

    url: str
    script: Script
    received: list[Received] = field(default_factory=list)


@contextmanager
def sink(script: Script | None = None) -> Iterator[Sink]:
    """Run a receiver on this machine while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            act = running.script(self.path, headers, body)
            running.received.append(Received(self.path, headers, body, act.status))
            if act.hang_seconds:
                time.sleep(act.hang_seconds)
            self.send_response(act.status)
            for name, value in act.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(act.body) + (100 if act.hang_up else 0)))
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                if act.drip_seconds:
                    for byte in act.body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(act.drip_seconds)
                else:
                    self.wfile.write(act.body)
            except OSError:
                pass  # the caller had enough
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Sink(f"http://127.0.0.1:{server.server_port}/hook", script or (lambda *_: Act()))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
