from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "rapport.rooms.documents"
    label = "documents"

    def ready(self) -> None:
        from . import jobs  # noqa: F401 - registers the room's duties
