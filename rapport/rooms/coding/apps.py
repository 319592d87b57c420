from django.apps import AppConfig


class CodingConfig(AppConfig):
    name = "rapport.rooms.coding"
    label = "coding"
