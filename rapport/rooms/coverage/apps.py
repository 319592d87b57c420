from django.apps import AppConfig


class CoverageConfig(AppConfig):
    name = "rapport.rooms.coverage"
    label = "coverage"

    def ready(self) -> None:
        from . import handlers, jobs  # noqa: F401 - registers the room's duties

        handlers.connect()
