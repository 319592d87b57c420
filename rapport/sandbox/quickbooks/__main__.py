"""`python -m rapport.sandbox.quickbooks [--port N]`: prints `{"ready": {"url": …}}`, and serves until SIGTERM."""

from __future__ import annotations

import argparse
import json
import signal
import threading

from rapport.sandbox.quickbooks.double import serve


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m rapport.sandbox.quickbooks")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    server = serve(parser.parse_args().port)
    host, port = server.server_address[:2]
    print(json.dumps({"ready": {"url": f"http://{host!s}:{port}"}}), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
