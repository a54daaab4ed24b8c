"""Reading picks. What may be seen by whom is decided in `entries.queries.reveal`; nothing here lifts the secret."""

from datetime import datetime
from typing import NamedTuple

from django.db import connection

from entries.queries.reveal import is_revealed, revealed_rounds

__all__ = ["PickStep", "is_revealed", "pick_history", "revealed_rounds"]


class PickStep(NamedTuple):
    """One change of a pick: the teams by code (None for no pick), who did it, through what, when."""

    from_team: str | None
    to_team: str | None
    by: str | None
    source: str
    at: datetime


def pick_history(*, entry_id: int, round_id: int) -> list[PickStep]:
    """Every change of the entry's pick for the round, oldest first. For the owner, or once the round is revealed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT f.code, t.code, u.display_name, c.source, c.at
            FROM entries_pickchange c
            LEFT JOIN pools_team f ON f.id = c.from_team_id
            LEFT JOIN pools_team t ON t.id = c.to_team_id
            LEFT JOIN accounts_user u ON u.id = c.actor_id
            WHERE c.entry_id = %s AND c.round_id = %s ORDER BY c.id
            """,
            [entry_id, round_id],
        )
        return [PickStep(*row) for row in cursor.fetchall()]
