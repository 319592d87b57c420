"""Start the sandbox: `python -m rapport.sandbox.payer --home DIR`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
from pathlib import Path

from rapport.sandbox.payer.desk import Desk
from rapport.sandbox.payer.sftp import listen_sftp, load_host_key
from rapport.sandbox.payer.web import Web


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until told to stop. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rapport.sandbox.payer", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the state")
    parser.add_argument("--http-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--sftp-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--api-key", default="", help="made up and kept in the home if not given")
    parser.add_argument("--sftp-user", default="practice")
    parser.add_argument("--sftp-password", default="", help="made up and kept if not given")
    parser.add_argument("--host-key", type=Path, help="SSH private key; made and kept if not given")
    parser.add_argument("--delay", type=float, default=0, help="seconds before an answer is out")
    options = parser.parse_args(arguments)
    if options.delay < 0:
        parser.error("--delay cannot be negative")
    try:
        asyncio.run(serve(options))
    except OSError as problem:
        print(f"cannot start: {problem}", file=sys.stderr)
        return 1
    return 0


async def serve(options: argparse.Namespace) -> None:
    """Listen on both ports until SIGTERM or SIGINT; says on standard output when it is ready."""
    options.home.mkdir(parents=True, exist_ok=True)
    desk = Desk(options.home, delay_seconds=options.delay)
    api_key = options.api_key or desk.store.setting("api_key", secrets.token_urlsafe(24))
    password = options.sftp_password or desk.store.setting(
        "sftp_password", secrets.token_urlsafe(24)
    )
    host_key = load_host_key(options.host_key or options.home / "host_key")
    web = await Web(desk, api_key=api_key).listen(options.http_port)
    sftp = await listen_sftp(
        desk, port=options.sftp_port, user=options.sftp_user, password=password, host_key=host_key
    )
    ready = {
        "http_url": f"http://127.0.0.1:{web.sockets[0].getsockname()[1]}",
        "sftp_port": sftp.get_port(),
        "sftp_user": options.sftp_user,
        "sftp_host_key": host_key.export_public_key().decode().strip(),
    }
    _write_private(
        options.home / "ready.json", {**ready, "api_key": api_key, "sftp_password": password}
    )
    print(json.dumps({"ready": ready}), flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
    web.close()
    sftp.close()
    desk.store.close()


def _write_private(path: Path, value: dict[str, object]) -> None:
    """Write a file only its owner can read: it holds the credentials."""
    hidden = path.with_suffix(".part")
    with os.fdopen(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file)
    os.replace(hidden, path)


if __name__ == "__main__":
    sys.exit(main())
