from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "rapport.interfaces.desk"
    label = "desk"
