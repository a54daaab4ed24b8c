"""Deriving every entry's fate, in SQL.

A round takes part once it is revealed (its lock has passed and no pick is in flight) and one of its games has an
outcome; it is complete when all of them have. An outcome is a final score, or a cancellation or postponement, which
the rule `cancelled_game` grades. Nobody wins before a round is complete; a loss shows at once.

Losses: a lost pick; a tied one under `tie = loss`; a game cancelled, postponed or moved out of its round under
`cancelled_game = loss`; no pick in a round that takes part, which under `missed_pick = eliminate` is final whatever
strikes are left. The loss that comes after `strikes` others eliminates.
"""

from django.db.backends.utils import CursorWrapper

# One row per pool and round that takes part, with the rules that govern it.
ROUNDS = """
    CREATE TEMP TABLE settling_round ON COMMIT DROP AS
    SELECT p.id AS pool_id, r.id AS round_id, r.number, p.first_round_number, p.last_round_number,
           games.complete, rules.version, rules.strikes, rules.tie, rules.missed_pick, rules.cancelled_game,
           rules.all_out, rules.house_fee_bp
    FROM pools_pool p
    JOIN pools_round r ON r.competition_id = p.competition_id AND r.revealed_at IS NOT NULL
        AND r.number BETWEEN p.first_round_number AND p.last_round_number
    CROSS JOIN LATERAL (
        SELECT bool_and(status IN ('final', 'cancelled', 'postponed')) AS complete,
               bool_or(status IN ('final', 'cancelled', 'postponed')) AS begun
        FROM pools_game WHERE round_id = r.id
    ) games
    CROSS JOIN LATERAL (
        SELECT * FROM pools_rules
        WHERE pool_id = p.id AND effective_round_number <= r.number ORDER BY version DESC LIMIT 1
    ) rules
    WHERE p.competition_id = %(competition)s AND p.status IN ('open', 'running', 'finished') AND games.begun
      -- A limit holds back what is not settled yet; it never takes back what is.
      AND (%(through)s::int IS NULL OR p.status = 'finished' OR r.number <= greatest(%(through)s::int, (
            SELECT max(eliminated_round_number) FROM entries_entry WHERE pool_id = p.id)))
"""

LOSSES = """
    CREATE TEMP TABLE settling_loss ON COMMIT DROP AS
    SELECT e.id AS entry_id, e.pool_id, s.number, s.version, s.strikes, false AS is_fatal,
           CASE WHEN g.status <> 'final' OR g.round_id <> k.round_id THEN 'game_cancelled'
                WHEN g.home_score = g.away_score THEN 'pick_tied' ELSE 'pick_lost' END AS code
    FROM settling_round s
    JOIN entries_pick k ON k.round_id = s.round_id
    JOIN entries_entry e ON e.id = k.entry_id AND e.pool_id = s.pool_id AND e.status <> 'void'
    JOIN pools_game g ON g.id = k.game_id
    WHERE CASE
        WHEN g.status IN ('cancelled', 'postponed') OR g.round_id <> k.round_id THEN s.cancelled_game = 'loss'
        WHEN g.status <> 'final' THEN false
        WHEN g.home_score = g.away_score THEN s.tie = 'loss'
        ELSE k.team_id = CASE WHEN g.home_score > g.away_score THEN g.away_id ELSE g.home_id END
    END
    UNION ALL
    SELECT e.id, e.pool_id, s.number, s.version, s.strikes, s.missed_pick = 'eliminate', 'no_pick'
    FROM settling_round s
    JOIN entries_entry e ON e.pool_id = s.pool_id AND e.status <> 'void'
    WHERE NOT EXISTS (SELECT 1 FROM entries_pick k WHERE k.entry_id = e.id AND k.round_id = s.round_id)
"""

# Rounds that `all_out = revive` takes out of the reckoning; filled while `_derive_ends` finds them.
REVIVED = (
    "CREATE TEMP TABLE settling_revived (pool_id bigint, number int, PRIMARY KEY (pool_id, number)) ON COMMIT DROP"
)

FATES = """
    CREATE TEMP TABLE settling_fate ON COMMIT DROP AS
    SELECT DISTINCT ON (entry_id) entry_id, pool_id, number, version, code
    FROM (
        SELECT l.*, row_number() OVER (PARTITION BY l.entry_id ORDER BY l.number) AS nth
        FROM settling_loss l
        WHERE NOT EXISTS (SELECT 1 FROM settling_revived v WHERE v.pool_id = l.pool_id AND v.number = l.number)
    ) ranked
    WHERE is_fatal OR nth > strikes
    ORDER BY entry_id, number
"""

# Per pool and round without a gap of unfinished rounds before it: how many are alive after it.
ALIVE = """
    CREATE TEMP TABLE settling_alive ON COMMIT DROP AS
    SELECT s.pool_id, s.number, s.last_round_number, s.all_out,
           (SELECT count(*) FROM entries_entry WHERE pool_id = s.pool_id AND status <> 'void') AS entries,
           (SELECT count(*) FROM entries_entry WHERE pool_id = s.pool_id AND status <> 'void')
             - (SELECT count(*) FROM settling_fate f WHERE f.pool_id = s.pool_id AND f.number <= s.number) AS alive
    FROM settling_round s
    WHERE s.number - s.first_round_number + 1 = (
        SELECT count(*) FROM settling_round b WHERE b.pool_id = s.pool_id AND b.number <= s.number AND b.complete
    )
"""

# The first round after which nobody is left, where the rule says that it then eliminates nobody.
NEWLY_REVIVED = """
    INSERT INTO settling_revived
    SELECT DISTINCT ON (pool_id) pool_id, number FROM settling_alive
    WHERE all_out = 'revive' AND alive = 0 AND entries > 0 ORDER BY pool_id, number
    ON CONFLICT DO NOTHING
"""

# A pool is over after the first round that leaves at most one entry, or after its last.
ENDS = """
    CREATE TEMP TABLE settling_end ON COMMIT DROP AS
    SELECT DISTINCT ON (pool_id) pool_id, number, alive FROM settling_alive
    WHERE entries > 0 AND alive <= 1 OR number = last_round_number
    ORDER BY pool_id, number
"""

WINNERS = """
    CREATE TEMP TABLE settling_winner ON COMMIT DROP AS
    SELECT e.id AS entry_id, e.pool_id
    FROM settling_end x
    JOIN entries_entry e ON e.pool_id = x.pool_id AND e.status <> 'void'
    LEFT JOIN settling_fate f ON f.entry_id = e.id
    WHERE CASE
        WHEN x.alive > 0 THEN f.number IS NULL OR f.number > x.number
        -- Nobody is left: those of the last round who submitted share; if none had, all of that round do.
        ELSE f.number = x.number AND (f.code <> 'no_pick' OR NOT EXISTS (
            SELECT 1 FROM settling_fate o WHERE o.pool_id = x.pool_id AND o.number = x.number AND o.code <> 'no_pick'))
    END
"""

# Equal shares of the pot; cents that do not divide go to the lowest entry ids, one each. House fees are taken
# from each entry's fee and rounded down, so the pot never promises a cent that was not collected.
PRIZES = """
    CREATE TEMP TABLE settling_prize ON COMMIT DROP AS
    WITH pot AS (
        SELECT x.pool_id, coalesce(sum(q.fee_cents - q.fee_cents::bigint * h.house_fee_bp / 10000), 0)::bigint AS cents
        FROM settling_end x
        JOIN entries_entry e ON e.pool_id = x.pool_id AND e.status <> 'void'
        JOIN entries_request q ON q.id = e.request_id
        CROSS JOIN LATERAL (
            SELECT house_fee_bp FROM pools_rules WHERE pool_id = x.pool_id ORDER BY version LIMIT 1
        ) h
        GROUP BY x.pool_id
    ), ranked AS (
        SELECT w.entry_id, w.pool_id, count(*) OVER (PARTITION BY w.pool_id) AS winners,
               row_number() OVER (PARTITION BY w.pool_id ORDER BY w.entry_id) AS nth
        FROM settling_winner w
    )
    SELECT r.entry_id, pot.cents / r.winners + CASE WHEN r.nth <= pot.cents % r.winners THEN 1 ELSE 0 END AS cents
    FROM ranked r JOIN pot USING (pool_id)
"""


def derive_fates(cursor: CursorWrapper, *, competition_id: int, through: int | None) -> None:
    """Fill the `settling_*` tables of this transaction with what every entry's fate should be."""
    cursor.execute(ROUNDS, {"competition": competition_id, "through": through})
    cursor.execute(LOSSES)
    cursor.execute("CREATE INDEX ON settling_loss (entry_id, number)")
    cursor.execute("ANALYZE settling_round, settling_loss")
    cursor.execute(REVIVED)
    _derive_ends(cursor)
    for statement in (ENDS, WINNERS, PRIZES):
        cursor.execute(statement)


def _derive_ends(cursor: CursorWrapper) -> None:
    """Find who falls where; again without the rounds that a pool's `all_out = revive` cancels, until none is left.

    Each turn revives at most one round per pool, so there are never more turns than rounds.
    """
    while True:
        cursor.execute(FATES)
        cursor.execute("CREATE INDEX ON settling_fate (pool_id, number)")
        cursor.execute("ANALYZE settling_fate")
        cursor.execute(ALIVE)
        cursor.execute(NEWLY_REVIVED)
        if cursor.rowcount == 0:
            return
        cursor.execute("DROP TABLE settling_fate, settling_alive")
