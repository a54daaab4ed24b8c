"""Money coming in, as a Django app."""

from importlib import import_module
from typing import ClassVar

from django.apps import AppConfig

# Their being imported makes them known: to Django's checks, /metrics, the outbox, and everybody's own data.
REGISTERED = (
    "payments.checks",
    "payments.emails",
    "payments.exports.mails",
    "payments.figures",
    "payments.own_data",
    "payments.prize_emails",
    "payments.reconciliation.figures",
    "payments.reconciliation.wanted",
    "payments.services.cancellations",
    "payments.services.catching_up",
    "payments.services.closed_requests",
    "payments.services.instruments",
    "payments.services.manual.deciding",
    "payments.services.prizes",
    "payments.services.refunds.sending",
    "payments.services.spending",
    "payments.services.winners.sending",
)


class PaymentsConfig(AppConfig):
    """Registers the mails. Finance sees and does everything here; moderators have no business with money."""

    name = "payments"
    default_auto_field = "django.db.models.BigAutoField"
    # Where the handbook helps with what names no page of its own.
    handbook = "finance"
    role_permissions: ClassVar = {"finance": ("payments.*",)}

    def ready(self) -> None:
        from entries.queries import player_history
        from entries.services.expiry import spare_while
        from entries.services.rulings import paid_out
        from payments.pool_numbers import MoneyNumbers
        from payments.queries import money_in_numbers
        from payments.services.held_places import is_paying
        from payments.services.winners.paid_out import paid_out_to
        from pools.queries import statistics

        for module in REGISTERED:
            import_module(module)
        paid_out.register(paid_out_to)
        player_history.register(money_in_numbers)
        spare_while(is_paying)
        statistics.register(MoneyNumbers())
