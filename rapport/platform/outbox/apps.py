from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "rapport.platform.outbox"
    label = "outbox"
