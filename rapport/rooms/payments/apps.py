from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "rapport.rooms.payments"
    label = "payments"

    def ready(self) -> None:
        from . import handlers, jobs  # noqa: F401 - registers the room's listeners and jobs
