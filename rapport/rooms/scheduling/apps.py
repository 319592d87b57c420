from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "rapport.rooms.scheduling"
    label = "scheduling"
