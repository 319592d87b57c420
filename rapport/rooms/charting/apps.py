from django.apps import AppConfig


class ChartingConfig(AppConfig):
    name = "rapport.rooms.charting"
    label = "charting"
