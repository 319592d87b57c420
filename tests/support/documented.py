"""Plays exchanges that were written after a public reference: a local server that answers what the page says."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any


@dataclass
class Asked:
    """One call as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Player:
    """
    Answers calls with replies, one after the other; use it as a context manager.

    A reply is {"status", "headers", "body"}: a body that is no text is sent as JSON. `{here}` in it is the
    server's own address. What is asked is kept, to be compared with the page.
    """

    replies: Sequence[dict[str, Any]]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Player:
        waiting = iter(self.replies)
        player = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                player.asked.append(Asked(self.command, self.path, headers, body))
                reply = next(waiting, {"status": 599, "body": "not in the exchange"})
                given = reply.get("body", "")
                text = given if isinstance(given, str) else json.dumps(given)
                data = text.replace("{here}", player.url).encode("latin-1")
                self.send_response(reply["status"])
                for name, value in reply.get("headers", {}).items():
                    self.send_header(name, value.replace("{here}", player.url))
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: what is asked is kept."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def exchanges(folder: Path) -> list[dict[str, Any]]:
    """Every exchange of a folder's file."""
    read: list[dict[str, Any]] = json.loads((folder / "exchanges.json").read_text())["exchanges"]
    return read
