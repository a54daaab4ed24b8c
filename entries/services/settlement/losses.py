"""Grading one round: who loses in it, and whom that loss puts out.

Losses: a lost pick; a tied one under `tie = loss`; a game cancelled, postponed or moved out of its round under
`cancelled_game = loss`; a missing pick of a closed round. At most one a round; the one that comes after `strikes`
others eliminates, and a missing pick does where the rules say so. Losses under a reprieve do not count.
"""

from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

TABLES = """
    CREATE TEMP TABLE settling_loss (
        entry_id bigint, pool_id bigint, number int, version int, code text, nth int, is_out boolean
    ) ON COMMIT DROP;
    CREATE TEMP TABLE settling_strike (entry_id bigint PRIMARY KEY, losses int) ON COMMIT DROP;
    CREATE TEMP TABLE settling_fallen (pool_id bigint, number int, fallen bigint) ON COMMIT DROP
"""

# Entries whose fate is still open before the first round that is looked at.
OPEN = """
    e.status <> 'void' AND (e.eliminated_round_number IS NULL OR e.eliminated_round_number >= {from_round})
    AND s.number >= e.first_round_number
"""

REPRIEVED = """
    EXISTS (SELECT 1 FROM entries_reprieve v WHERE v.entry_id = e.id AND v.revoked_at IS NULL
            AND s.number {from_on} v.from_round_number AND s.number < v.before_round_number)
"""

# Those of them that play the round: neither in later, nor out until they come back.
PLAYING = OPEN.format(from_round="p.from_round") + "AND NOT " + REPRIEVED.format(from_on=">")

STILL_IN = "NOT EXISTS (SELECT 1 FROM settling_loss o WHERE o.entry_id = e.id AND o.is_out)"

NOT_PLAYED = "(g.status IN ('cancelled', 'postponed') OR g.round_id <> k.round_id)"

# Every pick that a round asks for, made or missing, that costs something. A pick beyond what the round asks for is not
# looked at.
FAULTS = f"""
    SELECT e.id AS entry_id, s.pool_id, s.number, s.version, s.strikes, k.id IS NULL AND s.miss_is_fatal AS is_fatal,
           CASE WHEN k.id IS NOT NULL THEN k.slot WHEN s.miss_is_fatal THEN 0 ELSE 3 END AS place,
           CASE WHEN k.id IS NULL THEN 'no_pick' WHEN {NOT_PLAYED} THEN 'game_cancelled'
                WHEN g.home_score = g.away_score THEN 'pick_tied' ELSE 'pick_lost' END AS code
    FROM ({{rounds}}) s
    {{slots}}
    JOIN entries_entry e ON e.pool_id = s.pool_id
    LEFT JOIN entries_pick k ON k.entry_id = e.id AND k.round_id = s.round_id AND {{pick}}
    LEFT JOIN pools_game g ON g.id = k.game_id
    WHERE {OPEN.format(from_round="s.from_round")} {{entries}} AND CASE
        WHEN k.id IS NULL THEN s.begun AND s.closed
        -- With `lock = game` only picks that can no longer change.
        WHEN NOT (s.closed OR g.round_id = k.round_id AND g.revealed_at IS NOT NULL) THEN false
        WHEN {NOT_PLAYED} THEN s.cancelled_game = 'loss'
        WHEN g.status <> 'final' THEN false
        WHEN g.home_score = g.away_score THEN s.tie = 'loss'
        ELSE k.team_id = CASE WHEN g.home_score > g.away_score THEN g.away_id ELSE g.home_id END END
"""
ROUNDS = """
    SELECT s.*, p.from_round FROM settling_round s JOIN settling_pool p ON p.pool_id = s.pool_id WHERE {which} OFFSET 0
"""
THIS_ROUND = ROUNDS.format(which="s.round_id = %(round)s AND p.from_round <= s.number AND p.ended IS NULL")
EARLIER_ROUNDS = ROUNDS.format(which="s.number < p.from_round")

GRADE = """
    INSERT INTO settling_loss
    SELECT l.entry_id, l.pool_id, l.number, l.version, l.code, {before} + 1, l.is_fatal OR {before} >= l.strikes
    FROM ({faults}) l {strikes}
"""
# Of two picks the worst fault is the loss; with one there is never more than one.
WORST = "SELECT DISTINCT ON (entry_id) * FROM ({faults}) faults ORDER BY entry_id, place"

STRIKE = """
    INSERT INTO settling_strike
    SELECT entry_id, nth FROM settling_loss WHERE number = %(number)s AND NOT is_out
    ON CONFLICT (entry_id) DO UPDATE SET losses = EXCLUDED.losses
"""

# Losses of rounds before the first that is looked at, for entries that have survived any; late entries may begin with
# some. Rounds that eliminated nobody by `all_out = revive` cost nobody a strike.
EARLIER = """
    INSERT INTO settling_strike
    SELECT entry_id, sum(losses) FROM (
        SELECT entry_id, count(DISTINCT number) AS losses
        FROM ({faults}) l
        WHERE NOT EXISTS (SELECT 1 FROM entries_settledround v
                          WHERE (v.pool_id, v.round_number) = (l.pool_id, l.number) AND v.is_revived)
        GROUP BY entry_id
        UNION ALL
        SELECT e.id, e.first_round_number - p.first_round_number
        FROM settling_pool p
        JOIN entries_entry e ON e.pool_id = p.pool_id AND e.first_round_number > p.first_round_number
        CROSS JOIN LATERAL (SELECT late_entry_strikes FROM pools_rules
                            WHERE pool_id = p.pool_id AND effective_round_number <= e.first_round_number
                            ORDER BY version DESC LIMIT 1) rules
        WHERE rules.late_entry_strikes AND e.status <> 'void'
          AND (e.eliminated_round_number IS NULL OR e.eliminated_round_number >= p.from_round)
    ) counted GROUP BY entry_id
"""

HAS_STRIKES = """
    SELECT 1 FROM settling_pool p
    WHERE EXISTS (SELECT 1 FROM settling_round s WHERE s.pool_id = p.pool_id AND s.strikes > 0)
       OR EXISTS (SELECT 1 FROM pools_rules r WHERE r.pool_id = p.pool_id AND r.late_entry_strikes) LIMIT 1
"""

HAS_REPRIEVES = """
    SELECT 1 FROM entries_reprieve v JOIN entries_entry e ON e.id = v.entry_id
    JOIN settling_pool p ON p.pool_id = e.pool_id WHERE v.revoked_at IS NULL LIMIT 1
"""

FALLEN = """
    INSERT INTO settling_fallen
    SELECT pool_id, number, count(*) FROM settling_loss WHERE number = %(number)s AND is_out GROUP BY pool_id, number
"""
COUNT_DOWN = """
    UPDATE settling_pool p SET alive = alive - f.fallen
    FROM settling_fallen f WHERE f.pool_id = p.pool_id AND f.number = %(number)s
"""


class Kept(NamedTuple):
    """What any of the pools has that must be looked up; where none has it, a million look-ups are left out."""

    strikes: bool
    reprieves: bool


def begin_losses(cursor: CursorWrapper) -> Kept:
    """Make the tables, with the strikes that entries bring along."""
    for statement in TABLES.split(";\n"):
        cursor.execute(statement)
    kept = Kept(*(_finds(cursor, statement) for statement in (HAS_STRIKES, HAS_REPRIEVES)))
    if kept.strikes:
        # A loss that fell short of putting an entry out is a strike: only who has one is looked up again.
        faults = _faults(kept, rounds=EARLIER_ROUNDS, any_two=True, entries="AND e.strikes > 0")
        cursor.execute(EARLIER.format(faults=faults))
        cursor.execute("ANALYZE settling_strike")
    return kept


def grade_round(
    cursor: CursorWrapper, *, round_id: int, number: int, kept: Kept, any_two: bool, is_first: bool
) -> None:
    """Find the losses of one round in all pools that have got there, and count who is left."""
    ask = {"round": round_id, "number": number}
    faults = _faults(
        kept,
        rounds=THIS_ROUND,
        any_two=any_two,
        # Named once more, so that the planner sees that only this round's picks are wanted.
        pick="k.round_id = %(round)s AND ",
        entries="" if is_first else f"AND {STILL_IN}",
    )
    grade = GRADE.format(
        faults=WORST.format(faults=faults) if any_two else faults,
        before="coalesce(t.losses, 0)" if kept.strikes else "0",
        strikes="LEFT JOIN settling_strike t ON t.entry_id = l.entry_id" if kept.strikes else "",
    )
    cursor.execute(grade, ask)
    if cursor.rowcount:
        cursor.execute("ANALYZE settling_loss (entry_id)")
        if kept.strikes:
            cursor.execute(STRIKE, ask)
        cursor.execute(FALLEN, ask)
        cursor.execute(COUNT_DOWN, ask)


def _faults(kept: Kept, *, rounds: str, any_two: bool, entries: str, pick: str = "") -> str:
    if kept.reprieves:
        entries += " AND NOT " + REPRIEVED.format(from_on=">=")
    return FAULTS.format(
        rounds=rounds,
        slots="JOIN (VALUES (1), (2)) slots (slot) ON slots.slot <= s.wanted" if any_two else "",
        pick=pick + ("k.slot = slots.slot" if any_two else "k.slot = 1"),
        entries=entries,
    )


def _finds(cursor: CursorWrapper, statement: str) -> bool:
    cursor.execute(statement)
    return cursor.fetchone() is not None
