from django.apps import AppConfig


class RosterConfig(AppConfig):
    name = "rapport.rooms.roster"
    label = "roster"
