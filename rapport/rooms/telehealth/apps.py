from django.apps import AppConfig


class TelehealthConfig(AppConfig):
    name = "rapport.rooms.telehealth"
    label = "telehealth"

    def ready(self) -> None:
        from . import handlers

        handlers.connect()
