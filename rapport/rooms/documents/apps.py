from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "rapport.rooms.documents"
    label = "documents"
