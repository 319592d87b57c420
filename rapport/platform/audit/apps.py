from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "rapport.platform.audit"
    label = "audit"
