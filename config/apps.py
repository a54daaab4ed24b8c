"""The shared kernel as a Django app: its tables are those of the API and the outbox."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """`config`; knows no other app."""

    name = "config"
    label = "config"
    verbose_name = "System"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks and handlers that live outside the models."""
        from config import reporting

        reporting.start()
