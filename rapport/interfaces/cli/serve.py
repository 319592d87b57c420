"""Serve the API and the pages. In production mode it refuses to start on unsafe settings."""

from __future__ import annotations

import argparse
import os
import sys

from . import setup


def register(parser: argparse.ArgumentParser) -> None:
    """No arguments: the environment says where."""


def command() -> list[str]:
    """Return the command line of the web server for this environment."""
    from rapport.config.environment import ENVIRONMENT

    line = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", ENVIRONMENT.host,
        "--port", str(ENVIRONMENT.port), "--workers", str(ENVIRONMENT.workers),
        "--blocking-threads", str(ENVIRONMENT.threads), "--no-access-log", "--log-level", "warning",
        "--backlog", "1024", "--respawn-failed-workers", "--http", "1",
    ]  # fmt: skip
    if ENVIRONMENT.tls_certificate:
        line += ["--ssl-certificate", ENVIRONMENT.tls_certificate, "--ssl-keyfile", ENVIRONMENT.tls_key]
    return [*line, "rapport.config.wsgi:application"]


def run(arguments: argparse.Namespace) -> int:
    """Check, then become the web server."""
    from rapport.config import safety
    from rapport.config.environment import ENVIRONMENT, BadEnvironment

    if ENVIRONMENT.mode != "production" and ENVIRONMENT.host not in ("127.0.0.1", "::1", "localhost"):
        raise BadEnvironment("demo mode serves this machine only; set RAPPORT_MODE=production")
    setup.django()
    setup.start_database()
    safety.refuse_if_unsafe()
    from django.db import connections

    connections.close_all()
    os.execv(sys.executable, command())  # noqa: S606 - our own interpreter
