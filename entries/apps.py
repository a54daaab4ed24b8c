from typing import ClassVar

from django.apps import AppConfig


class EntriesConfig(AppConfig):
    name = "entries"
    default_auto_field = "django.db.models.BigAutoField"
    # What each role may do here; `accounts.groups` says how it is read.
    role_permissions: ClassVar = {
        "moderator": ("entries.*",),
        "finance": ("entries.view_request", "entries.view_entry", "entries.view_ruling", "entries.view_settlement"),
    }

    def ready(self) -> None:
        """Let the outbox know who mails and settles, and pools who knows their numbers, players, games and requests."""
        from entries import emails, own_data  # noqa: F401  # register handlers and sections
        from entries.queries.audience import Players
        from entries.queries.pool_numbers import EntryNumbers
        from entries.services import exclusions, settlement  # noqa: F401  # register handlers, too
        from entries.services.cancellations import end_requests
        from entries.services.picked_games import games_with_picks
        from pools.queries import audience, statistics
        from pools.services import closing
        from pools.services.schedule import guards

        audience.register(Players())
        statistics.register(EntryNumbers())
        closing.register(end_requests)
        guards.register(games_with_picks)
