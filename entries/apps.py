from importlib import import_module
from typing import ClassVar

from django.apps import AppConfig

# Their being imported makes their handlers, figures and sections known.
REGISTERED = (
    "entries.emails",
    "entries.figures",
    "entries.letters",
    "entries.own_data",
    "entries.services.bulk_decisions",
    "entries.services.exclusions",
    "entries.services.rehearsals",
    "entries.services.settlement",
)


class EntriesConfig(AppConfig):
    name = "entries"
    default_auto_field = "django.db.models.BigAutoField"
    # Where the handbook helps with what names no page of its own.
    handbook = "staff/requests"
    # What each role may do here; `accounts.groups` says how it is read.
    role_permissions: ClassVar = {
        "moderator": ("entries.*",),
        "finance": ("entries.view_request", "entries.view_entry", "entries.view_ruling", "entries.view_settlement"),
    }

    def ready(self) -> None:
        """Let the outbox know who mails and settles, and pools who knows their numbers, players, games and requests."""
        from entries.api.pages import register_pages
        from entries.queries.audience import Players
        from entries.queries.pool_numbers import EntryNumbers
        from entries.services.cancellations import end_requests
        from entries.services.picked_games import games_with_picks
        from pools.queries import audience, statistics
        from pools.services import closing
        from pools.services.schedule import guards

        for module in REGISTERED:
            import_module(module)
        audience.register(Players())
        statistics.register(EntryNumbers())
        closing.register(end_requests)
        guards.register(games_with_picks)
        register_pages()
