from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "rapport.rooms.claims"
    label = "claims"

    def ready(self) -> None:
        from . import handlers, jobs  # noqa: F401 - registers the room's jobs and listeners
