"""Where pools end, who wins them, and how the pot is shared.

A pool ends with the first complete round that leaves at most one entry, or with its last; not while somebody may still
come in or come back. What the rules make of a round in which everybody falls is decided here.
"""

from django.db.backends.utils import CursorWrapper

from entries.services.settlement.losses import PLAYING, STILL_IN

# The round eliminated everybody who played it, and the rules let them live: it never counted. Somebody who comes in
# later, or sits out until coming back, did not play it.
REVIVE = f"""
    WITH revived AS (
        UPDATE settling_round s SET is_revived = true FROM settling_pool p, settling_fallen f
        WHERE p.pool_id = s.pool_id AND s.number = %(number)s AND s.chained AND s.all_out = 'revive'
          AND (f.pool_id, f.number) = (s.pool_id, s.number)
          AND p.from_round <= s.number AND p.ended IS NULL AND (p.alive = 0 OR NOT EXISTS (
              SELECT 1 FROM entries_entry e WHERE e.pool_id = p.pool_id AND {PLAYING} AND {STILL_IN}))
        RETURNING s.pool_id
    ), undone AS (
        DELETE FROM settling_loss l USING revived v WHERE v.pool_id = l.pool_id AND l.number = %(number)s
        RETURNING l.pool_id, l.is_out
    ), counted AS (
        SELECT pool_id, count(*) FILTER (WHERE is_out) AS fallen FROM undone GROUP BY pool_id
    )
    UPDATE settling_pool p SET alive = p.alive + c.fallen FROM counted c WHERE c.pool_id = p.pool_id
"""

END = """
    UPDATE settling_pool p SET ended = s.number
    FROM settling_round s
    WHERE s.pool_id = p.pool_id AND s.number = %(number)s AND s.chained AND p.from_round <= s.number
      AND p.ended IS NULL AND (p.entries > 0 AND p.alive <= 1 OR s.number = p.last_round_number)
      AND NOT s.may_come_back AND NOT s.late_open
"""

# Who may win: those alive after the end; when nobody is, those of the last round who had submitted a pick for it; when
# nobody had, all who fell in it. `is_alive` tells the first from the others.
CANDIDATES = """
    CREATE TEMP TABLE settling_place ON COMMIT DROP AS
    SELECT e.id AS entry_id, e.pool_id, 0 AS class, NULL::bigint AS margin, p.alive > 0 AS is_alive, s.version,
           CASE WHEN p.alive > 0 THEN s.last_round = 'tiebreak' AND p.alive > 1
                ELSE s.all_out = 'tiebreak' END AS needs_tiebreak, NULL::int AS out_round, NULL::bigint AS prize_cents
    FROM settling_pool p
    JOIN settling_round s ON s.pool_id = p.pool_id AND s.number = p.ended
    JOIN entries_entry e ON e.pool_id = p.pool_id AND e.status <> 'void'
        AND (e.eliminated_round_number IS NULL OR e.eliminated_round_number >= p.from_round)
    LEFT JOIN settling_loss l ON l.entry_id = e.id AND l.is_out
    WHERE p.ended IS NOT NULL AND CASE
        WHEN p.alive > 0 THEN l.entry_id IS NULL
        ELSE l.number = p.ended AND (
            EXISTS (SELECT 1 FROM entries_pick k WHERE k.entry_id = e.id AND k.round_id = s.round_id)
            OR NOT EXISTS (SELECT 1 FROM settling_loss o
                           JOIN entries_pick k ON k.entry_id = o.entry_id AND k.round_id = s.round_id
                           WHERE o.pool_id = p.pool_id AND o.number = p.ended AND o.is_out))
    END
"""

# Points of the picked sides less those of the others, in final games of the picks' own rounds.
MARGINS = """
    UPDATE settling_place c SET margin = summed.margin
    FROM (
        SELECT c.entry_id, coalesce(sum(CASE
                   WHEN g.status <> 'final' OR g.round_id <> k.round_id THEN 0
                   WHEN k.team_id = g.home_id THEN g.home_score - g.away_score
                   ELSE g.away_score - g.home_score END), 0) AS margin
        FROM settling_place c
        JOIN settling_pool p ON p.pool_id = c.pool_id
        LEFT JOIN (entries_pick k JOIN pools_round r ON r.id = k.round_id JOIN pools_game g ON g.id = k.game_id)
            ON k.entry_id = c.entry_id AND r.number BETWEEN p.first_round_number AND p.ended
        WHERE c.needs_tiebreak GROUP BY c.entry_id
    ) summed WHERE summed.entry_id = c.entry_id
"""
LOSE_TIEBREAK = """
    UPDATE settling_place c SET class = 1
    FROM (SELECT pool_id, max(margin) AS best FROM settling_place WHERE needs_tiebreak GROUP BY pool_id) top
    WHERE top.pool_id = c.pool_id AND c.margin < top.best
"""

# Where prizes go by rank, everybody else has a place, too.
OTHERS = """
    INSERT INTO settling_place (entry_id, pool_id, class, out_round)
    SELECT e.id, e.pool_id, 2, coalesce(l.number, e.eliminated_round_number)
    FROM settling_pool p
    JOIN settling_round s ON s.pool_id = p.pool_id AND s.number = p.ended AND s.payout = 'table'
    JOIN entries_entry e ON e.pool_id = p.pool_id AND e.status <> 'void'
    LEFT JOIN settling_loss l ON l.entry_id = e.id AND l.is_out
    WHERE NOT EXISTS (SELECT 1 FROM settling_place c WHERE c.entry_id = e.id)
"""

# Fees for entries and for buying back in, as far as they are paid and not given back. The house's part is taken from
# each fee and rounded down, so the pot never promises a cent that was not collected.
POTS = """
    CREATE TEMP TABLE settling_pot ON COMMIT DROP AS
    SELECT p.pool_id,
           coalesce(sum(f.requests * (f.fee_cents - f.fee_cents * h.house_fee_bp / 10000)), 0)::bigint AS cents,
           CASE s.payout WHEN 'table' THEN s.payout_table ELSE ARRAY[10000] END::numeric[] AS shares
    FROM settling_pool p
    JOIN settling_round s ON s.pool_id = p.pool_id AND s.number = p.ended
    CROSS JOIN LATERAL (
        SELECT house_fee_bp FROM pools_rules WHERE pool_id = p.pool_id ORDER BY version DESC LIMIT 1
    ) h
    LEFT JOIN entries_feetally f ON f.pool_id = p.pool_id
    GROUP BY p.pool_id, s.payout, s.payout_table
"""


def up_to(rank: str) -> str:
    """SQL: the pot's cents up to a rank, rounded down."""
    return (
        f"(SELECT floor(pot.cents * coalesce(sum(x), 0) / 10000)::bigint AS cents FROM unnest(pot.shares[1:{rank}]) x)"
    )


# What ranks would get that nobody takes goes to the first.
PRIZES = f"""
    WITH standing AS (
        SELECT entry_id, pool_id, rank() OVER w AS rank, count(*) OVER (PARTITION BY pool_id) AS entries,
               count(*) OVER (PARTITION BY pool_id, class, margin, out_round) AS equals,
               row_number() OVER (PARTITION BY pool_id, class, margin, out_round ORDER BY entry_id) AS nth
        FROM settling_place WINDOW w AS (PARTITION BY pool_id ORDER BY class, margin DESC, out_round DESC)
    ), part AS (
        SELECT t.*, till.cents - before.cents + CASE WHEN t.rank = 1 THEN pot.cents - taken.cents ELSE 0 END AS cents
        FROM standing t
        JOIN settling_pot pot USING (pool_id)
        CROSS JOIN LATERAL {up_to("t.rank + t.equals - 1")} till
        CROSS JOIN LATERAL {up_to("t.rank - 1")} before
        CROSS JOIN LATERAL {up_to("t.entries")} taken
        WHERE t.rank <= cardinality(pot.shares)
    )
    UPDATE settling_place c
    SET prize_cents = part.cents / part.equals + (part.nth <= part.cents % part.equals)::int
    FROM part WHERE part.entry_id = c.entry_id
"""


def end_round(cursor: CursorWrapper, *, number: int) -> None:
    """Revive whom the rules revive, then end the pools for which this was the last round."""
    cursor.execute(REVIVE, {"number": number})
    cursor.execute(END, {"number": number})


def share_out(cursor: CursorWrapper) -> None:
    """Fill `settling_place`: winners, who lost a tiebreak, and, where prizes go by rank, all the others."""
    cursor.execute(CANDIDATES)
    if cursor.rowcount:
        cursor.execute("SELECT bool_or(needs_tiebreak) FROM settling_place")
        if cursor.fetchone()[0]:
            cursor.execute(MARGINS)
            cursor.execute(LOSE_TIEBREAK)
        cursor.execute(OTHERS)
        cursor.execute(POTS)
        cursor.execute("ANALYZE settling_place, settling_pot")
        cursor.execute(PRIZES)
        cursor.execute("DROP TABLE settling_pot")
