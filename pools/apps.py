from importlib import import_module
from typing import ClassVar

from django.apps import AppConfig


class PoolsConfig(AppConfig):
    name = "pools"
    default_auto_field = "django.db.models.BigAutoField"
    # Where the handbook helps with what names no page of its own.
    handbook = "staff/pools"
    # What each role may do here; `accounts.groups` says how it is read.
    role_permissions: ClassVar = {
        "moderator": ("pools.*",),
        "finance": ("pools.view_competition", "pools.view_pool", "pools.view_rules", "pools.view_amendment"),
    }

    def ready(self) -> None:
        """Make known our mails, our figures, and to whoever cleans up which files are ours: importing them does."""
        for module in ("pools.emails", "pools.figures", "pools.services.logos"):
            import_module(module)
