"""Money coming in, as a Django app."""

from typing import ClassVar

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Registers the mails. Finance sees and does everything here; moderators have no business with money."""

    name = "payments"
    default_auto_field = "django.db.models.BigAutoField"
    role_permissions: ClassVar = {"finance": ("payments.*",)}

    def ready(self) -> None:
        # checks, emails: register themselves with Django, and their handlers with the outbox.
        from entries.services.expiry import spare_while
        from payments import checks, emails  # noqa: F401  # reason above
        from payments.pool_numbers import MoneyNumbers
        from payments.services import cancellations, catching_up, closed_requests, prizes  # noqa: F401  # the same
        from payments.services.held_places import is_paying
        from payments.services.manual import deciding  # noqa: F401  # the same
        from payments.services.refunds import sending  # noqa: F401  # the same
        from pools.queries import statistics

        spare_while(is_paying)
        statistics.register(MoneyNumbers())
