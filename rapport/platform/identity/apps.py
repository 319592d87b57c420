from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "rapport.platform.identity"
    label = "identity"

    def ready(self) -> None:
        """Register the jobs."""
        from . import jobs  # noqa: F401
