"""Start the double: `python -m rapport.sandbox.cards --home DIR`."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from rapport.sandbox.cards.book import Book
from rapport.sandbox.cards.web import Desk, keep_delivering, serve


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until told to stop. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rapport.sandbox.cards", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the state")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--secret-key", default="", help="made up and kept in the home if not given")
    parser.add_argument("--webhook-secret", default="", help="made up and kept in the home if not given")
    parser.add_argument("--webhook-url", default="", help="where signed notices go; none: they wait to be read")
    options = parser.parse_args(arguments)
    options.home.mkdir(parents=True, exist_ok=True)
    known = options.home / "ready.json"
    kept = json.loads(known.read_text()) if known.exists() else {}
    desk = Desk(
        Book(options.home),
        key=options.secret_key or kept.get("secret_key") or f"sk_test_{secrets.token_hex(16)}",
        webhook_secret=options.webhook_secret or kept.get("webhook_secret") or f"whsec_{secrets.token_hex(16)}",
    )
    if options.webhook_url:
        desk.book.webhook_url = options.webhook_url
    try:
        server = serve(desk, options.port)
    except OSError as problem:
        print(f"cannot start: {problem}", file=sys.stderr)
        return 1
    ready = {"http_url": f"http://127.0.0.1:{server.server_address[1]}"}
    _write_private(known, {**ready, "secret_key": desk.key, "webhook_secret": desk.webhook_secret})
    print(json.dumps({"ready": ready}), flush=True)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=keep_delivering, args=(desk, stop), daemon=True).start()
    stop.wait()
    server.shutdown()
    return 0


def _write_private(path: Path, value: dict[str, str]) -> None:
    """Write a file only its owner can read: it holds the credentials."""
    hidden = path.with_suffix(".part")
    with os.fdopen(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file)
    os.replace(hidden, path)


if __name__ == "__main__":
    sys.exit(main())
