"""What several commands need first: Django, the embedded database, the roles, the schema."""

from __future__ import annotations

import os
from contextlib import suppress

from rapport.platform.db import bootstrap, local
from rapport.platform.telemetry import logs


def django() -> None:
    """Load the settings and the applications."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.settings")
    import django as library

    library.setup()
    logs.configure()


def start_database() -> local.LocalServer | None:
    """
    Start the embedded PostgreSQL and prepare its roles; prepare an external one.

    :return: the embedded server when this call started it, else None
    """
    from rapport.config.environment import ENVIRONMENT

    if ENVIRONMENT.database_url:
        from django.conf import settings

        if not ENVIRONMENT.app_database_url:
            parts = settings.DATABASES["default"]
            bootstrap.prepare_application_role(
                ENVIRONMENT.database_url, password=str(parts["PASSWORD"])
            )
        return None
    server = local.locate(ENVIRONMENT.home / "postgres")
    started = local.start(server)
    bootstrap.prepare_local(server, database="rapport")
    return server if started else None


def stop_database(server: local.LocalServer | None) -> None:
    """Stop the embedded PostgreSQL, if we started it."""
    if server is not None:
        with suppress(RuntimeError):
            local.stop(server)


def migrate() -> None:
    """Bring the schema up to date, and load the public code sets that are missing."""
    from django.utils import timezone

    from rapport.platform.db import migrating
    from rapport.rooms.coding import services as coding

    migrating.migrate()
    coding.load_icd10(now=timezone.now())
