from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "rapport.platform.tenancy"
    label = "tenancy"
