"""Who plays in a pool. Pools cannot see places; the app that keeps them says so when Django starts:

    audience.register(Players())

A player of a pool is whoever has a place in it or is waiting for one: whom a change of the rules concerns.
"""

from typing import Protocol


class Provider(Protocol):
    """Whoever knows the players."""

    def players_sql(self) -> str:
        """A SELECT of one column `user_id`, each player of the pool `%(pool)s` once, who can get mail."""

    def is_player(self, pool_id: int, user_id: int) -> bool:
        """Whether this person is one of the pool's players."""


# Before somebody registers, and in a process without entries, no pool has players.
NOBODY = "SELECT NULL::bigint AS user_id WHERE NULL"

_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Make this the provider. The last one registered answers."""
    _providers[:] = [provider]


def players_sql() -> str:
    """The players of the pool `%(pool)s` as SQL, so that a million of them need not pass through Python."""
    return _providers[0].players_sql() if _providers else NOBODY


def is_player(pool_id: int, user_id: int) -> bool:
    """Whether this person is a player of the pool."""
    return bool(_providers) and _providers[0].is_player(pool_id, user_id)
