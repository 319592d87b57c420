"""Make the database what this version needs. Safe to run again; runs as the owner role."""

from __future__ import annotations

import argparse

from . import setup


def register(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Start the embedded database if needed, migrate, and leave it as it was."""
    setup.django()
    server = setup.start_database()
    try:
        setup.migrate()
    finally:
        setup.stop_database(server)
    print("The database is up to date.")
    return 0
