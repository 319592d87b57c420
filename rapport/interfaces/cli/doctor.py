"""Say what is unsafe or missing here. Exit code 1 when something is."""

from __future__ import annotations

import argparse
import json

from . import setup


def register(parser: argparse.ArgumentParser) -> None:
    """Text for people, JSON for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Look at roles, durability, TLS and schema."""
    from rapport.config import safety

    setup.django()
    setup.start_database()
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections["owner"])
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    found = [{"code": f.code, "message": f.message} for f in safety.findings()]
    if pending:
        found.append(
            {"code": "schema", "message": f"{len(pending)} migration(s) are waiting: rapport migrate."}
        )
    if arguments.json:
        print(json.dumps({"safe_for_production": not found, "findings": found}))
    elif found:
        print("Not safe for real patients:")
        for finding in found:
            print(f"  {finding['code']}: {finding['message']}")
    else:
        print("Nothing unsafe was found.")
    return 1 if found else 0
