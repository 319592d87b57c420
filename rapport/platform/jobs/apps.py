from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "rapport.platform.jobs"
    label = "jobs"
