"""The shared kernel as a Django app: its tables are those of the API and the outbox."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class ConfigConfig(AppConfig):
    """`config`; knows no other app."""

    name = "config"
    label = "config"
    verbose_name = "System"
    default_auto_field = "django.db.models.BigAutoField"
    # Where the handbook helps with what names no page of its own.
    handbook = "operator"

    def ready(self) -> None:
        """Start what has to run in every process."""
        # metrics: it has to choose its folder before anything else imports prometheus_client.
        # heartbeat: whoever serves /metrics asks for it, whoever else writes it.
        from config import heartbeat, metrics, reporting, statements, telemetry  # noqa: F401  # reasons above
        from config.audit import telling

        reporting.start()
        telemetry.start()
        # In this order: what a statement is marked with must not keep the other from knowing it again.
        connection_created.connect(statements.install, dispatch_uid="config.statements")
        connection_created.connect(telling.install, dispatch_uid="config.audit.telling")
