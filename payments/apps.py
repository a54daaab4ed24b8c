from typing import ClassVar

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
    default_auto_field = "django.db.models.BigAutoField"
    # What each role may do here; `accounts.groups` says how it is read.
    role_permissions: ClassVar = {
        "finance": ("payments.*",),
    }
