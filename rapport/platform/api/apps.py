from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ApiConfig(AppConfig):
    name = "rapport.platform.api"
    label = "api"

    def ready(self) -> None:
        post_migrate.connect(_install_lanes, sender=self)


def _install_lanes(using: str, **_: Any) -> None:
    """Make the functions of the fast lanes, once the tables are what this version needs."""
    from importlib import import_module

    from django.conf import settings
    from django.db import connections

    from . import lanes

    import_module(settings.ROOT_URLCONF)  # where the routes are, and the lanes beside them
    with connections[using].cursor() as cursor:
        lanes.install(cursor)
