"""The picks that made-up players make, round by round, once it is known who is left and what was filled in."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from django.db.backends.utils import CursorWrapper

from config.errors import Code, Unavailable
from config.phrases import phrase
from entries.queries.grades import RULES_SQL, VOID_SQL
from entries.services.rehearsals.pickers import Calendar, chosen, ways_of

LONGEST_SECONDS = 120.0

# Entries still in that have no picks of their own any more, with how many this round asks for and the teams that the
# rules do not let them use again.
WHO = f"""
    SELECT x.id, x.n, s.wanted, coalesce(used.teams, '{{}}')
    FROM rehearsed_entry x
    JOIN settling_pool p ON p.pool_id = x.pool_id AND p.ended IS NULL
    JOIN settling_round s ON s.pool_id = x.pool_id AND s.number = %(number)s
    JOIN entries_entry e ON e.id = x.id AND e.status <> 'void' AND e.first_round_number <= s.number
    LEFT JOIN (
        SELECT entry_id, array_agg(team_id) AS teams FROM (
            SELECT k.entry_id, k.team_id
            FROM entries_pick k
            JOIN rehearsed_entry e ON e.id = k.entry_id AND e.through < %(number)s
            JOIN pools_pool p ON p.id = e.pool_id
            JOIN pools_round r ON r.id = k.round_id
            JOIN pools_game g ON g.id = k.game_id
            {RULES_SQL}
            WHERE NOT ({VOID_SQL})
              AND (rules.reuse_reset_round IS NULL
                   OR (r.number >= rules.reuse_reset_round) = (%(number)s >= rules.reuse_reset_round))
            GROUP BY k.entry_id, k.team_id, rules.reuse_limit HAVING count(*) >= rules.reuse_limit
        ) often GROUP BY entry_id
    ) used ON used.entry_id = x.id
    WHERE x.through < %(number)s
      AND NOT EXISTS (SELECT 1 FROM settling_loss l WHERE l.entry_id = x.id AND l.is_out)
      -- Picked ahead, before the player fell.
      AND NOT EXISTS (SELECT 1 FROM entries_pick k WHERE k.entry_id = x.id AND k.round_id = %(round)s)
    ORDER BY x.id
"""
COPY = "COPY entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce) FROM STDIN"


class MadeUp:
    """Makes the picks of a round when it is called, before settlement looks at the round; counts them."""

    def __init__(
        self, cursor: CursorWrapper, calendar: Calendar, *, seed: int, mix: Mapping[str, int], players: int,
        on_round: Callable[[int], None],
    ) -> None:  # fmt: skip
        self.picks = 0
        self._cursor, self._calendar, self._seed, self._on_round = cursor, calendar, seed, on_round
        self._ways = list(ways_of(mix, players))
        self._ends_at = time.monotonic() + LONGEST_SECONDS
        self._rounds = 0

    def __call__(self, round_id: int, number: int) -> None:
        if time.monotonic() > self._ends_at:
            raise Unavailable(
                Code.SERVICE_UNAVAILABLE,
                phrase("It took more than {seconds} seconds. Ask for fewer entries.", seconds=round(LONGEST_SECONDS)),
            )
        self._cursor.execute(WHO, {"number": number, "round": round_id})
        rows = self._cursor.fetchall()
        if rows:
            with self._cursor.copy(COPY) as copy:
                for row in rows:
                    self._pick(copy, round_id, number, row)
        self._rounds += 1
        self._on_round(self._rounds)

    def _pick(self, copy: Any, round_id: int, number: int, row: tuple[int, int, int, list[int]]) -> None:
        entry_id, player, wanted, used = row
        sides = chosen(
            sides=self._calendar.sides(number), used=used, wanted=wanted, way=self._ways[player - 1],
            seed=self._seed, player=player, number=number,
        )  # fmt: skip
        for slot, side in enumerate(sides, start=1):
            copy.write_row((entry_id, round_id, slot, side.team_id, side.game_id, "player", 1, ""))
        self.picks += len(sides)
