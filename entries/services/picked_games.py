"""Which games somebody has picked in: what keeps the schedule from moving or dropping them."""

from collections.abc import Collection
from typing import Any

from django.db import connection

from entries.models.pick import REVEAL_LOCK

# Alone on each round's lock, which every writer of picks shares, and in one order: whoever is writing a pick now is
# waited for, whoever comes later waits for us.
STOP_PICKS = """
    SELECT count(*) FROM (
        SELECT pg_advisory_xact_lock(%(lock)s, round_id::int) FROM (
            SELECT DISTINCT round_id FROM pools_game WHERE id = ANY(%(games)s) ORDER BY round_id
        ) rounds
    ) locked
"""
PICKED = "SELECT DISTINCT game_id FROM entries_pick WHERE game_id = ANY(%(games)s)"


def games_with_picks(game_ids: Collection[int]) -> Collection[int]:
    """Those of the games that somebody has picked in; no new one joins them until the transaction ends."""
    ask: dict[str, Any] = {"lock": REVEAL_LOCK, "games": list(game_ids)}
    with connection.cursor() as cursor:
        cursor.execute(STOP_PICKS, ask)
        cursor.execute(PICKED, ask)
        return [game_id for (game_id,) in cursor.fetchall()]
