"""The shared kernel as a Django app: its tables are those of the API and the outbox."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class ConfigConfig(AppConfig):
    """`config`; knows no other app."""

    name = "config"
    label = "config"
    verbose_name = "System"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Start what has to run in every process."""
        # metrics: it has to choose its folder before anything else imports prometheus_client.
        from config import metrics, reporting  # noqa: F401  # reasons above
        from config.audit import telling

        reporting.start()
        connection_created.connect(telling.install, dispatch_uid="config.audit.telling")
