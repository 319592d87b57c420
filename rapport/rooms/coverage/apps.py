from django.apps import AppConfig


class CoverageConfig(AppConfig):
    name = "rapport.rooms.coverage"
    label = "coverage"
