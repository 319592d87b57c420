from django.apps import AppConfig


class RemittanceConfig(AppConfig):
    name = "rapport.rooms.remittance"
    label = "remittance"

    def ready(self) -> None:
        from . import handlers  # noqa: F401 - registers the room's listeners
