"""Show the ids of the installation's keys, or add a new one that seals from now on."""

from __future__ import annotations

import argparse
import json


def register(parser: argparse.ArgumentParser) -> None:
    """`list` or `add`."""
    parser.add_argument("action", choices=("list", "add"), nargs="?", default="list")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Never prints a key, only its id. A new key seals; the old ones still open."""
    from rapport.config.environment import ENVIRONMENT
    from rapport.platform.crypto import keyring

    path = ENVIRONMENT.home / "keys.json"
    ring = keyring.load_or_create(path)
    if arguments.action == "add":
        ring = keyring.add_key(path)
    ids = list(ring.key_ids)
    if arguments.json:
        print(json.dumps({"active": ring.active_id, "keys": ids}))
    else:
        for key_id in ids:
            print(f"{key_id}{'  (active)' if key_id == ring.active_id else ''}")
    return 0
