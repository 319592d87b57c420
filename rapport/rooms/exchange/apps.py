from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "rapport.rooms.exchange"
    label = "exchange"

    def ready(self) -> None:
        from . import jobs  # noqa: F401 - registers the room's jobs
