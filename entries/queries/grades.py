"""What a pick has come to, and whether anybody may see it: facts that are joined, never copied into the pick.

Fragments of SQL for queries that name their tables alike: `e` the entry, `p` its pool, `r` the round, `rules` those
that govern it (`RULES_SQL` joins them), `k` the pick and `g` its game. Whoever shows picks brings the reveal up to date
first (`entries.queries.reveal`) and then asks the fragments. Settlement grades the same facts into losses; here they
get the words that people read.
"""

from django.db.models import TextChoices

from entries.models.pick_guards import VOID_SQL

__all__ = [
    "ASKED_SQL",
    "CLOSED_SQL",
    "CLOSES_AT_SQL",
    "IN_PLAY_SQL",
    "PICKABLE_SQL",
    "RESULT_SQL",
    "RULES_SQL",
    "SAT_OUT_SQL",
    "SHOWN_RESULT_SQL",
    "VISIBLE_SQL",
    "VOID_SQL",
    "PickResult",
]


class PickResult(TextChoices):
    """Values of `result`. A tie that costs a life or wins is told as a tie, one that counts for nothing as void.

    A pick that the round asked for and nobody made was missed.
    """

    PENDING = "pending"
    WON = "won"
    LOST = "lost"
    TIED = "tied"
    VOID = "void"
    MISSED = "missed"


# The rules that govern round `r` of pool `p`, as `rules`.
RULES_SQL = """
    LEFT JOIN LATERAL (
        SELECT version, lock, tie, cancelled_game, picks_per_round, two_pick_rounds, reuse_limit, reuse_reset_round
        FROM pools_rules WHERE pool_id = p.id AND effective_round_number <= r.number ORDER BY version DESC LIMIT 1
    ) rules ON true
"""

# How many picks round `r` asks for.
ASKED_SQL = "(CASE WHEN r.number = ANY(rules.two_pick_rounds) THEN 2 ELSE rules.picks_per_round END)"

# No pick of round `r` can arrive any more. Where each game locks for itself, those that are off keep nothing open.
CLOSED_SQL = """
    (r.revealed_at IS NOT NULL AND (rules.lock = 'round' OR NOT EXISTS (
        SELECT 1 FROM pools_game o
        WHERE o.round_id = r.id AND o.revealed_at IS NULL AND o.status NOT IN ('cancelled', 'postponed'))))
"""

# Anybody may see pick `k`. Where each game locks for itself, a pick shows with its game; one whose game has left the
# round, or is off, at the latest once the round is closed. One that the round does not ask for is never shown.
VISIBLE_SQL = f"""
    (k.slot <= {ASKED_SQL} AND CASE
        WHEN rules.lock = 'round' THEN r.revealed_at IS NOT NULL
        ELSE g.round_id = k.round_id AND g.revealed_at IS NOT NULL OR {CLOSED_SQL} END)
"""

# Of a pick that may be seen, or of one that is missing from a closed round. A game that was cancelled, postponed or
# moved out of the round has no result of its own: it is what the pool's rules make of it.
RESULT_SQL = """
    CASE
        WHEN k.id IS NULL THEN 'missed'
        WHEN g.status IN ('cancelled', 'postponed') OR g.round_id <> k.round_id
            THEN CASE rules.cancelled_game WHEN 'loss' THEN 'lost' WHEN 'win' THEN 'won' ELSE 'void' END
        WHEN g.status <> 'final' THEN 'pending'
        WHEN g.home_score = g.away_score THEN CASE rules.tie WHEN 'void' THEN 'void' ELSE 'tied' END
        WHEN k.team_id = CASE WHEN g.home_score > g.away_score THEN g.home_id ELSE g.away_id END THEN 'won'
        ELSE 'lost'
    END
"""

# The same where the round may be open still: what is secret, and what may still come, is pending.
SHOWN_RESULT_SQL = f"""
    CASE WHEN CASE WHEN k.id IS NULL THEN {CLOSED_SQL} ELSE {VISIBLE_SQL} END THEN {RESULT_SQL} ELSE 'pending' END
"""

# Whether round `r` is one that entry `e` of pool `p` plays: what was picked ahead for rounds after its elimination,
# or after the pool's end, is cancelled; a late entry misses nothing of what was before it.
IN_PLAY_SQL = """
    (r.number BETWEEN greatest(p.first_round_number, e.first_round_number)
        AND least(p.last_round_number, p.ended_round_number, e.eliminated_round_number))
"""

# Entry `e` was out in round `r` and came back later, so that it neither picked nor missed there.
SAT_OUT_SQL = """
    EXISTS (SELECT 1 FROM entries_reprieve v WHERE v.entry_id = e.id AND v.revoked_at IS NULL
            AND r.number > v.from_round_number AND r.number < v.before_round_number)
"""

# Some game of round `r` can still be picked; where every game is off, nobody can pick.
PICKABLE_SQL = """
    EXISTS (SELECT 1 FROM pools_game WHERE round_id = r.id AND locks_at > clock_timestamp()
            AND status NOT IN ('cancelled', 'postponed'))
"""

# From when on no pick for round `r` can change: the round's own lock, or, where each game locks for itself, the last of
# those games that are not off.
CLOSES_AT_SQL = """
    (CASE rules.lock WHEN 'game' THEN coalesce(
        (SELECT max(locks_at) FROM pools_game WHERE round_id = r.id AND status NOT IN ('cancelled', 'postponed')),
        r.locks_at) ELSE r.locks_at END)
"""
