from django.apps import AppConfig


class AccountingConfig(AppConfig):
    name = "rapport.rooms.accounting"
    label = "accounting"

    def ready(self) -> None:
        from . import handlers, jobs  # noqa: F401 - registers the room's listeners and jobs
